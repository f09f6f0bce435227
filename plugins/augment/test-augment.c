/* Tests of augment: what each op does, and that random values are a function of seed, epoch and
 * item. */
#include "op.h"

#include <math.h>
#include <segue/random.h>
#include <segue/testing.h>
#include <string.h>

#define RATE 16000

const SeguePlugin *segue_plugin_query (void);

static SegueItem *
push_at (SegueItem *item, const char *config, guint64 seed, guint epoch)
{
  g_autoptr (SegueHarness) harness = segue_harness_new (segue_plugin_query (), "augment", config);
  SegueItem *out;

  segue_harness_set_seed (harness, seed);
  segue_harness_set_epoch (harness, epoch);
  segue_harness_push (harness, item);
  out = segue_harness_pull (harness);
  g_assert_nonnull (out);
  g_assert_null (segue_harness_pull (harness));
  g_assert_cmpstr (segue_item_get_id (out), ==, segue_item_get_id (item));
  g_assert_cmpuint (segue_item_get_rate (out), ==, segue_item_get_rate (item));
  g_assert_cmpuint (g_bytes_get_size (segue_item_get_bytes (out)), ==,
                    g_bytes_get_size (segue_item_get_bytes (item)));
  return out;
}

static SegueItem *
new_segment (const char *id, const char *set)
{
  SegueItem *item = segue_test_tone (id, 440, 2, RATE);

  if (set)
    segue_item_set_string (item, SEGUE_META_SET, set);
  return item;
}

static gboolean
is_equal (const SegueItem *a, const SegueItem *b)
{
  return g_bytes_equal (segue_item_get_bytes (a), segue_item_get_bytes (b));
}

/* Mean square of a - b·scale. */
static double
distance (const SegueItem *a, const SegueItem *b, double scale)
{
  gsize n, m;
  const float *x = segue_item_get_frames (a, &n), *y = segue_item_get_frames (b, &m);
  double sum = 0;

  for (gsize i = 0; i < n; i++)
    sum += pow ((double) x[i] - scale * (double) y[i], 2);
  return sum / (double) n;
}

static void
test_noise_level (void)
{
  g_autoptr (SegueItem) clean = new_segment ("a", "train");

  for (double snr = -10; snr <= 60; snr += 10) {
    g_autofree char *config =
      g_strdup_printf ("{ ops: [{ op: gaussian-noise, snr_db: %g, p: 1 }] }", snr);
    g_autoptr (SegueItem) noisy = push_at (clean, config, 1, 0);
    double noise_db = 10 * log10 (distance (noisy, clean, 1));

    /* The tone's own level is -9.03 dB. */
    g_assert_cmpfloat_with_epsilon (-9.031 - noise_db, snr, 0.3);
  }
}

/* Moments and independence of adjacent values, over 32,000 numbers. */
static void
test_noise_is_gaussian (void)
{
  g_autoptr (SegueItem) clean = new_segment ("a", "train");
  g_autoptr (SegueItem) noisy =
    push_at (clean, "{ ops: [{ op: gaussian-noise, snr_db: 0, p: 1 }] }", 3, 0);
  gsize n, m;
  const float *x = segue_item_get_frames (noisy, &n), *y = segue_item_get_frames (clean, &m);
  double sum = 0, square = 0, fourth = 0, neighbour = 0, last = 0;

  for (gsize i = 0; i < n; i++) {
    double v = ((double) x[i] - (double) y[i]) / sqrt (0.125);

    sum += v;
    square += v * v;
    fourth += v * v * v * v;
    neighbour += v * last;
    last = v;
  }
  g_assert_cmpfloat_with_epsilon (sum / (double) n, 0, 0.03);
  g_assert_cmpfloat_with_epsilon (square / (double) n, 1, 0.05);
  g_assert_cmpfloat_with_epsilon (fourth / (double) n, 3, 0.3);
  g_assert_cmpfloat_with_epsilon (neighbour / (double) n, 0, 0.03);
}

static void
test_silence_stays_silent (void)
{
  g_autofree float *zeros = g_new0 (float, RATE);
  g_autoptr (GBytes) bytes = g_bytes_new (zeros, RATE * sizeof (float));
  g_autoptr (SegueItem) silence = segue_item_new_audio (NULL, "a", bytes, RATE, 1);
  g_autoptr (SegueItem) out =
    push_at (silence, "{ ops: [{ op: gaussian-noise, snr_db: 0, p: 1 }] }", 1, 0);

  g_assert_true (is_equal (out, silence));
}

static void
test_gain (void)
{
  g_autoptr (SegueItem) clean = new_segment ("a", "train");
  g_autoptr (SegueItem) exact = push_at (clean, "{ ops: [{ op: gain, db: -6.0206, p: 1 }] }", 1, 0);
  double low = 10, high = -10;

  g_assert_cmpfloat (distance (exact, clean, 0.5), <, 1e-10);
  for (guint epoch = 0; epoch < 200; epoch++) {
    g_autoptr (SegueItem) out =
      push_at (clean, "{ ops: [{ op: gain, db: [-6, 6], p: 1 }] }", 1, epoch);
    double db = 10 * log10 (distance (out, clean, 0) / distance (clean, clean, 0));

    low = MIN (low, db);
    high = MAX (high, db);
  }
  g_assert_cmpfloat (low, >=, -6.001); /* the whole range, and nothing outside it */
  g_assert_cmpfloat (low, <, -5.5);
  g_assert_cmpfloat (high, <=, 6.001);
  g_assert_cmpfloat (high, >, 5.5);
}

static void
test_polarity (void)
{
  g_autoptr (SegueItem) clean = new_segment ("a", "train");
  g_autoptr (SegueItem) turned = push_at (clean, "{ ops: [{ op: polarity, p: 1 }] }", 1, 0);

  g_assert_cmpfloat (distance (turned, clean, -1), ==, 0);
}

static void
test_shift (void)
{
  g_autoptr (SegueItem) clean = new_segment ("a", "train");
  g_autoptr (SegueItem) shifted =
    push_at (clean, "{ ops: [{ op: shift, share: 0.25, p: 1 }] }", 1, 0);
  gsize n;
  const float *x = segue_item_get_frames (clean, &n), *y = segue_item_get_frames (shifted, &n);

  g_assert_cmpmem (y, (n - n / 4) * sizeof (float), x + n / 4, (n - n / 4) * sizeof (float));
  g_assert_cmpmem (y + n - n / 4, n / 4 * sizeof (float), x, n / 4 * sizeof (float));
}

static void
test_time_mask (void)
{
  g_autoptr (SegueItem) clean = new_segment ("a", "train");
  g_autoptr (SegueItem) masked =
    push_at (clean, "{ ops: [{ op: time-mask, share: 0.1, p: 1 }] }", 1, 0);
  gsize n, n_zero = 0;
  const float *x = segue_item_get_frames (clean, &n), *z = segue_item_get_frames (masked, &n);

  for (gsize i = 0; i < n; i++) {
    n_zero += z[i] == 0 && x[i] != 0;
    g_assert_true (z[i] == 0 || z[i] == x[i]);
  }
  g_assert_cmpfloat_with_epsilon ((double) n_zero, 0.1 * (double) n, 0.01 * (double) n);
}

static void
test_stereo (void)
{
  float frames[8] = { 1, -1, 2, -2, 3, -3, 4, -4 };
  static const float expected[8] = { 3, -3, 4, -4, 1, -1, 2, -2 };
  g_autoptr (GBytes) bytes = g_bytes_new (frames, sizeof frames);
  g_autoptr (SegueItem) item = segue_item_new_audio (NULL, "a", bytes, RATE, 2);
  g_autoptr (SegueItem) out = push_at (item, "{ ops: [{ op: shift, share: 0.5, p: 1 }] }", 1, 0);
  gsize size;
  const void *got = g_bytes_get_data (segue_item_get_bytes (out), &size);

  g_assert_cmpmem (got, size, expected, sizeof expected);
}

/* White noise, another in each channel, at 44.1 kHz: every op changes it. */
static SegueItem *
new_noise (void)
{
  enum { N = 44100 };
  float *frames = g_new (float, 2 * N);
  for (guint i = 0; i < 2 * N; i++)
    frames[i] = (float) segue_random_between (7, i, -0.5, 0.5);
  g_autoptr (GBytes) bytes = g_bytes_new_take (frames, 2 * N * sizeof (float));
  return segue_item_new_audio (NULL, "noise", bytes, N, 2);
}

/* Power of a tone of @hz in the left channel, by correlation over the middle of the segment. */
static double
power_at (const SegueItem *item, double hz)
{
  gsize n;
  const float *frames = segue_item_get_frames (item, &n);
  double re = 0, im = 0;
  for (gsize i = n / 10; i < n - n / 10; i++) {
    double phase = 2 * G_PI * hz * (double) i / segue_item_get_rate (item);
    re += (double) frames[2 * i] * cos (phase);
    im += (double) frames[2 * i] * sin (phase);
  }
  return (re * re + im * im) / (double) (n * n);
}

/* Nothing remains above the frequency, and what is below stays in place and at its level. */
static void
test_low_pass (void)
{
  enum { N = 44100 };
  static const double tones[] = { 1000, 9000, 11000, 15000 };
  float *frames = g_new (float, 2 * N);
  for (guint i = 0; i < 2 * N; i++) {
    double sum = 0;
    for (guint k = 0; k < G_N_ELEMENTS (tones); k++)
      sum += 0.2 * sin (2 * G_PI * tones[k] * (i / 2) / N);
    frames[i] = (float) sum;
  }
  g_autoptr (GBytes) bytes = g_bytes_new_take (frames, 2 * N * sizeof (float));
  g_autoptr (SegueItem) clean = segue_item_new_audio (NULL, "tones", bytes, N, 2);
  g_autoptr (SegueItem) low = push_at (clean, "{ ops: [{ op: low-pass, hz: 10000, p: 1 }] }", 1, 0);
  for (guint k = 0; k < G_N_ELEMENTS (tones); k++) {
    double ratio = power_at (low, tones[k]) / power_at (clean, tones[k]);
    if (tones[k] < 10000)
      g_assert_cmpfloat_with_epsilon (ratio, 1, 1e-2);
    else
      g_assert_cmpfloat (ratio, <, 1e-8);
  }

  /* Without the tones above, the samples are the same: no delay. */
  gsize n;
  const float *out = segue_item_get_frames (low, &n);
  for (gsize i = n / 10; i < n - n / 10; i++) {
    double wanted = 0;
    for (guint k = 0; k < 2; k++)
      wanted += 0.2 * sin (2 * G_PI * tones[k] * (double) i / N);
    g_assert_cmpfloat_with_epsilon ((double) out[2 * i], wanted, 1e-3);
  }
}

static void
test_mono (void)
{
  g_autoptr (SegueItem) clean = new_noise ();
  g_autoptr (SegueItem) mono = push_at (clean, "{ ops: [{ op: mono, p: 1 }] }", 1, 0);
  gsize n;
  const float *x = segue_item_get_frames (clean, &n), *y = segue_item_get_frames (mono, &n);
  for (gsize i = 0; i < n; i++) {
    g_assert_cmpfloat (y[2 * i], ==, y[2 * i + 1]);
    g_assert_cmpfloat_with_epsilon (2 * y[2 * i], x[2 * i] + x[2 * i + 1], 1e-6f);
  }
}

/* Whatever an op does: with its default values it changes a segment, the same seed and epoch give
 * the same samples, and with `p: 0` nothing changes. */
static void
test_every_op (void)
{
  g_autoptr (SegueItem) clean = new_noise ();

  for (const SegueParamGroup *const *op = op_cases; *op; op++) {
    g_autofree char *always = g_strdup_printf ("{ ops: [{ op: %s, p: 1 }] }", (*op)->name);
    g_autofree char *never = g_strdup_printf ("{ ops: [{ op: %s, p: 0 }] }", (*op)->name);
    g_autoptr (SegueItem) changed = push_at (clean, always, 1, 0);
    g_autoptr (SegueItem) again = push_at (clean, always, 1, 0);
    g_autoptr (SegueItem) unchanged = push_at (clean, never, 1, 0);

    g_test_message ("%s", (*op)->name);
    g_assert_false (is_equal (changed, clean));
    g_assert_true (is_equal (changed, again));
    /* Not even copied, so that no copy of it is stored. */
    g_assert_true (segue_item_get_bytes (unchanged) == segue_item_get_bytes (clean));
  }
}

static void
test_sets (void)
{
  g_autoptr (SegueItem) train = new_segment ("a", "train"), test = new_segment ("b", "test");
  g_autoptr (SegueItem) none = new_segment ("c", NULL);
  const char *config = "{ ops: [{ op: polarity, p: 1 }] }";
  g_autoptr (SegueItem) a = push_at (train, config, 1, 0), b = push_at (test, config, 1, 0);
  g_autoptr (SegueItem) c = push_at (none, config, 1, 0);
  g_autoptr (SegueItem) d =
    push_at (test, "{ sets: [train, test], ops: [{ op: polarity, p: 1 }] }", 1, 0);

  g_assert_false (is_equal (a, train));
  g_assert_true (is_equal (b, test));
  g_assert_false (is_equal (c, none));
  g_assert_false (is_equal (d, test));
}

static void
test_chance (void)
{
  g_autoptr (SegueItem) first = new_segment ("a", "train"), second = new_segment ("b", "train");
  const char *config = "{ ops: [{ op: gain, db: [-6, 6], p: 1 }] }";
  g_autoptr (SegueItem) a = push_at (first, config, 1, 0), again = push_at (first, config, 1, 0);
  g_autoptr (SegueItem) epoch = push_at (first, config, 1, 1), seed = push_at (first, config, 2, 0);
  g_autoptr (SegueItem) other = push_at (second, config, 1, 0);
  guint n_changed = 0;

  g_assert_true (is_equal (a, again));
  g_assert_false (is_equal (a, epoch));
  g_assert_false (is_equal (a, seed));
  g_assert_false (is_equal (a, other));
  for (guint i = 0; i < 1000; i++) {
    g_autoptr (SegueItem) out = push_at (first, "{ ops: [{ op: polarity, p: 0.3 }] }", 1, i);

    n_changed += !is_equal (out, first);
  }
  g_assert_cmpuint (n_changed, >, 240);
  g_assert_cmpuint (n_changed, <, 360);
}

/* Two ops of one kind draw separately. */
static void
test_ops_are_independent (void)
{
  g_autoptr (SegueItem) item = new_segment ("a", "train");
  guint n_both = 0;

  for (guint i = 0; i < 1000; i++) {
    g_autoptr (SegueItem) out =
      push_at (item, "{ ops: [{ op: gain, db: 20, p: 0.5 }, { op: gain, db: 20, p: 0.5 }] }", 1, i);

    n_both += distance (out, item, 100) < 1e-3;
  }
  g_assert_cmpuint (n_both, >, 190);
  g_assert_cmpuint (n_both, <, 310);
}

static void
test_bare_name (void)
{
  g_autoptr (SegueItem) item = new_segment ("a", "train");
  g_autoptr (SegueItem) out = push_at (item, "{ ops: [polarity, gain] }", 1, 0);

  g_assert_nonnull (out);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/augment/noise-level", test_noise_level);
  g_test_add_func ("/augment/noise-is-gaussian", test_noise_is_gaussian);
  g_test_add_func ("/augment/silence-stays-silent", test_silence_stays_silent);
  g_test_add_func ("/augment/gain", test_gain);
  g_test_add_func ("/augment/low-pass", test_low_pass);
  g_test_add_func ("/augment/mono", test_mono);
  g_test_add_func ("/augment/polarity", test_polarity);
  g_test_add_func ("/augment/shift", test_shift);
  g_test_add_func ("/augment/time-mask", test_time_mask);
  g_test_add_func ("/augment/every-op", test_every_op);
  g_test_add_func ("/augment/stereo", test_stereo);
  g_test_add_func ("/augment/sets", test_sets);
  g_test_add_func ("/augment/chance", test_chance);
  g_test_add_func ("/augment/ops-are-independent", test_ops_are_independent);
  g_test_add_func ("/augment/bare-name", test_bare_name);
  return g_test_run ();
}
