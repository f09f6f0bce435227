/* Features compared with those of numpy, scipy and librosa (make-fixtures.py), and for unusual input. */
#include "segment-features.h"

#include <math.h>
#include <segue/error.h>
#include <segue/nn/safetensors.h>
#include <string.h>

static const char *fixtures;

static const FeaturesConfig standard = FEATURES_CONFIG_DEFAULT;

enum { RATE, LENGTH, CHANNELS, BANDS, F_MIN, F_MAX, STEREO_F_MAX, N_VALUES };

static float *
read_f32 (SegueSafetensors *file, const char *name, const char *what, gsize *n)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *tensor = g_strdup_printf ("%s.%s", name, what);
  const SegueTensorInfo *info = segue_safetensors_lookup (file, tensor);
  g_assert_nonnull (info);
  float *values = g_new (float, info->n_elements);
  segue_safetensors_read_f32 (file, tensor, info->n_dims, info->shape, values, &error);
  g_assert_no_error (error);
  *n = info->n_elements;
  return values;
}

static gint64
divide (gint64 a, gint64 b)
{
  return a >= 0 ? a / b : -((-a + b - 1) / b);
}

/* segment () of make-fixtures.py. */
static float *
make_segment (gsize length, guint channels)
{
  float *out = g_new (float, length *channels);
  for (guint c = 0; c < channels; c++) {
    guint32 state = 12345 + c;
    for (gint64 t = 0; t < (gint64) length; t++) {
      state = state * 1664525u + 1013904223u;
      gint64 noise = (gint64) (state >> 16) - 32768;
      gint64 saw = t * (331 + 7 * (gint64) c) % 65536 - 32768;
      gint64 common = t * 1117 % 65536 - 32768;
      gint64 tremolo = ABS (t * 5 % 65536 - 32768);
      gint64 swell = ABS (t * 3 % 131072 - 65536) / 2;
      gint64 value =
        divide (divide (saw * tremolo, 4) + common * 8192 + divide (noise * swell, 8 << c), 65536);
      if (t >= 5000 && t < 9000)
        value = divide (value, 4096);
      out[(gsize) t * channels + c] = (float) value / 32768.0f;
    }
  }
  return out;
}

static float *
compute (const FeaturesConfig *config, const float *samples, gsize length, guint channels)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Features) features = features_new (config, &error);
  g_assert_no_error (error);
  float *out = g_new (float, features_get_width (features));
  features_compute (features, samples, length, channels, out, &error);
  g_assert_no_error (error);
  return out;
}

/* The transform is in float32, so levels near the floor differ most: by up to 1e-4, typically by 5e-6; another
 * processor rounds differently. */
static void
test_reference (gconstpointer data)
{
  const char *name = data;
  gsize n;
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueSafetensors) file = segue_safetensors_open (fixtures, &error);
  g_assert_no_error (error);
  g_autofree float *values = read_f32 (file, name, "config", &n);
  g_assert_cmpuint (n, ==, N_VALUES);
  FeaturesConfig config = { .rate = (double) values[RATE],
                            .statistics = TRUE,
                            .modulation = TRUE,
                            .stereo = TRUE,
                            .bands = (gsize) values[BANDS],
                            .f_min = (double) values[F_MIN],
                            .f_max = (double) values[F_MAX],
                            .stereo_f_max = (double) values[STEREO_F_MAX] };
  gsize length = (gsize) values[LENGTH];
  guint channels = (guint) values[CHANNELS];

  g_autofree float *samples = make_segment (length, channels);
  g_autofree float *last = read_f32 (file, name, "samples", &n);
  g_assert_cmpmem (samples + length * channels - n, n * sizeof *last, last, n * sizeof *last);

  g_autofree float *expected = read_f32 (file, name, "features", &n);
  g_autoptr (Features) features = features_new (&config, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (features_get_width (features), ==, n);
  g_autofree float *out = compute (&config, samples, length, channels);
  double worst = 0.0, squares = 0.0;
  for (gsize i = 0; i < n; i++) {
    double difference = fabs ((double) out[i] - (double) expected[i]);
    worst = MAX (worst, difference);
    squares += difference * difference;
  }
  g_test_message ("%s: largest difference %.2g, typical %.2g", name, worst,
                  sqrt (squares / (double) n));
  g_assert_cmpfloat (worst, <, 3e-4);
  g_assert_cmpfloat (sqrt (squares / (double) n), <, 2e-5);
}

/* What is constant, or at the limit of a scale, has finite features; those of silence are known. */
static void
test_plain_signals (void)
{
  enum { LONG = 50000, STEREO_AT = 960 };
  g_autofree float *samples = g_new (float, 2 * LONG);
  const float levels[] = { 0.0f, 1.0f, -1.0f, 0.3f, 1e-30f, 1e4f };
  for (gsize i = 0; i < G_N_ELEMENTS (levels); i++) {
    for (gsize t = 0; t < 2 * LONG; t++)
      samples[t] = levels[i];
    g_autofree float *out = compute (&standard, samples, LONG, 2);
    /* Of a large constant, bands far above 0 Hz contain only rounding. */
    for (gsize m = 0; m < 128 && fabsf (levels[i]) <= 1.0f; m++) {
      g_assert_cmpfloat_with_epsilon ((double) out[128 + m], 0.0, 1e-3);
      g_assert_cmpfloat_with_epsilon ((double) out[256 + m], 0.0, 1e-3);
      if (levels[i] == 0.0f)
        g_assert_cmpfloat_with_epsilon ((double) out[m], -11.4 * log (10.0), 1e-5);
    }
    for (gsize b = 0; b < FEATURES_STEREO_BANDS; b++)
      g_assert_cmpfloat_with_epsilon ((double) out[STEREO_AT + 3 * FEATURES_STEREO_BANDS + b], 1.0,
                                      1e-7);
  }
  for (gsize t = 0; t < 2 * LONG; t++)
    samples[t] = t % 200 < 100 ? 1.0f : -1.0f;
  g_free (compute (&standard, samples, LONG, 2));
}

static void
test_mono_is_equal_channels (void)
{
  enum { LONG = 60000 };
  g_autofree float *mono = make_segment (LONG, 1), *both = g_new (float, 2 * LONG);
  for (gsize t = 0; t < LONG; t++)
    both[2 * t] = both[2 * t + 1] = mono[t];
  g_autofree float *expected = compute (&standard, mono, LONG, 1);
  g_autofree float *out = compute (&standard, both, LONG, 2);
  g_assert_cmpmem (out, 1088 * sizeof *out, expected, 1088 * sizeof *out);
}

/* One channel inverted: no middle. One silent: equal middle and side, the balance far to one side. */
static void
test_stereo_image (void)
{
  enum { LONG = 60000, N = FEATURES_STEREO_BANDS };
  FeaturesConfig config = standard;
  config.statistics = config.modulation = FALSE;
  g_autofree float *mono = make_segment (LONG, 1), *both = g_new (float, 2 * LONG);
  for (gsize t = 0; t < LONG; t++) {
    both[2 * t] = mono[t];
    both[2 * t + 1] = -mono[t];
  }
  g_autofree float *inverted = compute (&config, both, LONG, 2);
  for (gsize t = 0; t < LONG; t++)
    both[2 * t + 1] = 0.0f;
  g_autofree float *left = compute (&config, both, LONG, 2);
  for (gsize b = 0; b < N; b++) {
    g_assert_cmpfloat ((double) inverted[b], >, 3.0);
    g_assert_cmpfloat_with_epsilon ((double) inverted[2 * N + b], 0.0, 1e-6);
    g_assert_cmpfloat ((double) inverted[3 * N + b], <, -0.9);
    g_assert_cmpfloat_with_epsilon ((double) left[b], 0.0, 1e-6);
    g_assert_cmpfloat ((double) left[2 * N + b], >, 3.0);
    g_assert_cmpfloat ((double) left[3 * N + b], <, 0.3);
  }
}

/* A tremolo of 3 Hz is in the fourth range, at any rate and length. */
static void
test_modulation (void)
{
  const double rates[] = { 44100.0, 48000.0, 22050.0 };
  const double seconds[] = { 10.0, 3.0, 31.0 };
  for (gsize i = 0; i < G_N_ELEMENTS (rates); i++) {
    gsize length = (gsize) (rates[i] * seconds[i]);
    FeaturesConfig config = {
      .rate = rates[i], .modulation = TRUE, .bands = 4, .f_min = 500.0, .f_max = 2000.0
    };
    g_autofree float *samples = g_new (float, length);
    for (gsize t = 0; t < length; t++) {
      double at = 2.0 * G_PI * (double) t / rates[i];
      samples[t] = (float) (0.5 * sin (at * 1000.0) * (1.0 + 0.5 * sin (at * 3.0)));
    }
    g_autofree float *out = compute (&config, samples, length, 1);
    for (gsize range = 0; range < 6; range++)
      if (range != 3)
        g_assert_cmpfloat ((double) out[3], >, (double) out[range] + 0.5);
  }
}

/* Each group alone gives the same bytes as all together. */
static void
test_groups (void)
{
  enum { LONG = 60000 };
  const gsize first[] = { 0, 768, 960 }, n[] = { 768, 192, 128 };
  g_autofree float *samples = make_segment (LONG, 2);
  g_autofree float *all = compute (&standard, samples, LONG, 2);
  for (guint group = 0; group < 3; group++) {
    FeaturesConfig config = standard;
    config.statistics = group == 0;
    config.modulation = group == 1;
    config.stereo = group == 2;
    g_autofree float *out = compute (&config, samples, LONG, 2);
    g_assert_cmpmem (out, n[group] * sizeof *out, all + first[group], n[group] * sizeof *out);
  }
}

/* Results do not depend on what the instance computed before. */
static void
test_instance (void)
{
  const gsize lengths[] = { 60000, 11264, 60000, 441000 + 2048, 20000 };
  g_autofree float *samples = make_segment (441000 + 2048, 2);
  g_autoptr (Features) features = features_new (&standard, NULL);
  g_autofree float *out = g_new (float, features_get_width (features));
  for (gsize i = 0; i < G_N_ELEMENTS (lengths); i++) {
    g_autofree float *expected = compute (&standard, samples, lengths[i], 2);
    g_assert_true (features_compute (features, samples, lengths[i], 2, out, NULL));
    g_assert_cmpmem (out, 1088 * sizeof *out, expected, 1088 * sizeof *out);
  }
}

static void
test_refused_segments (void)
{
  enum { LONG = 20000 };
  g_autofree float *samples = make_segment (LONG, 2);
  g_autoptr (Features) features = features_new (&standard, NULL);
  g_autofree float *out = g_new (float, features_get_width (features));
  gsize shortest = features_get_min_length (features);
  g_assert_cmpuint (shortest, ==, 11264);
  const struct {
    gsize length;
    guint channels;
    float sample;
    gboolean accepted;
  } cases[] = {
    { shortest, 2, 0.0f, TRUE },  { shortest - 1, 2, 0.0f, FALSE }, { 0, 1, 0.0f, FALSE },
    { LONG, 0, 0.0f, FALSE },     { LONG, 3, 0.0f, FALSE },         { LONG, 2, NAN, FALSE },
    { LONG, 2, INFINITY, FALSE }, { LONG, 2, 1e30f, FALSE },        { LONG, 2, -1.0f, TRUE },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    samples[5001] = cases[i].sample;
    gboolean accepted =
      features_compute (features, samples, cases[i].length, cases[i].channels, out, &error);
    g_assert_cmpint (accepted, ==, cases[i].accepted);
    if (!accepted)
      g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  }
}

static void
test_refused_configurations (void)
{
  FeaturesConfig wrong[9];
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    wrong[i] = standard;
  wrong[0].rate = NAN;
  wrong[1].rate = 1000.0;
  wrong[2].bands = 0;
  wrong[3].bands = 126;
  wrong[4].bands = 1028;
  wrong[5].f_max = 22051.0;
  wrong[6].statistics = wrong[6].modulation = wrong[6].stereo = FALSE;
  wrong[7].stereo_f_max = 30.0;
  wrong[8].rate = 32000.0; /* the stereo bands end above half of it */
  wrong[8].f_max = 16000.0;
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (features_new (&wrong[i], &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  }
  wrong[8].stereo_f_max = FEATURES_STEREO_ROBUST;
  g_autoptr (Features) limited = features_new (&wrong[8], NULL);
  g_assert_cmpuint (features_get_width (limited), ==, 960 + 4 * 28);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 2);
  fixtures = argv[1];
  static const char *const cases[] = { "ten-seconds", "robust", "mono",        "short",
                                       "studio",      "half",   "narrow-bands" };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/features/reference/%s", cases[i]);
    g_test_add_data_func (path, cases[i], test_reference);
  }
  g_test_add_func ("/features/plain-signals", test_plain_signals);
  g_test_add_func ("/features/mono", test_mono_is_equal_channels);
  g_test_add_func ("/features/stereo-image", test_stereo_image);
  g_test_add_func ("/features/modulation", test_modulation);
  g_test_add_func ("/features/groups", test_groups);
  g_test_add_func ("/features/instance", test_instance);
  g_test_add_func ("/features/refused-segments", test_refused_segments);
  g_test_add_func ("/features/refused-configurations", test_refused_configurations);
  return g_test_run ();
}
