/* Log-mel frames compared with their definition, in double. */
#include "op-test.h"

#include <math.h>
#include <segue/error.h>
#include <segue/nn/log-mel.h>
#include <string.h>

static const SegueNnLogMelConfig config = { .rate = 8000,
                                            .window = 200,
                                            .hop = 70,
                                            .fft = 256,
                                            .bands = 12,
                                            .low = 50,
                                            .high = 4000,
                                            .floor = 1e-6,
                                            .scale = SEGUE_NN_MEL_HTK };

/* Hz of the position x ∈ [0, bands + 1] on the scale, by bisection of the definition. */
static double
to_mel (SegueNnMelScale scale, double hz)
{
  if (scale == SEGUE_NN_MEL_HTK)
    return 2595.0 * log10 (1.0 + hz / 700.0);
  return hz < 1000.0 ? 0.015 * hz : 15.0 + log (hz / 1000.0) * 27.0 / log (6.4);
}

static double
edge (const SegueNnLogMelConfig *c, double place)
{
  double low = to_mel (c->scale, c->low), high = to_mel (c->scale, c->high);
  double wanted = low + (high - low) * place / (double) (c->bands + 1);
  double from = c->low, to = c->high;
  for (guint i = 0; i < 60; i++) {
    double middle = (from + to) / 2.0;
    if (to_mel (c->scale, middle) < wanted)
      from = middle;
    else
      to = middle;
  }
  return from;
}

/* Sample i of a signal that is reflected at both ends. */
static double
sample (const float *x, gssize n, gssize i)
{
  return (double) (i < 0 ? x[-i] : i < n ? x[i] : x[2 * n - 2 - i]);
}

/* Of the frame that begins at `first`. */
static void
power_spectrum (const SegueNnLogMelConfig *c, const float *x, gsize samples, gssize first,
                double *power)
{
  for (gsize k = 0; k <= c->fft / 2; k++) {
    double re = 0.0, im = 0.0, sum = 0.0;
    for (gsize i = 0; i < c->window; i++) {
      double hann = 0.5 - 0.5 * cos (2.0 * G_PI * (double) i / (double) c->window);
      double angle = 2.0 * G_PI * (double) (k * i % c->fft) / (double) c->fft;
      sum += hann;
      double value = sample (x, (gssize) samples, first + (gssize) i);
      re += hann * value * cos (angle);
      im -= hann * value * sin (angle);
    }
    power[k] = (re * re + im * im) * 4.0 / (sum * sum);
  }
}

static void
reference (const SegueNnLogMelConfig *c, const float *x, gsize samples, gsize frames, double *y)
{
  double gain = c->gain > 0.0 ? c->gain : 1.0;
  gsize before = c->centred ? c->window / 2 : 0;
  g_autofree double *power = g_new (double, c->fft / 2 + 1);
  for (gsize t = 0; t < frames; t++) {
    power_spectrum (c, x, samples, (gssize) (t * c->hop) - (gssize) before, power);
    for (gsize m = 0; m < c->bands; m++, y++) {
      double left = edge (c, (double) m), centre = edge (c, (double) (m + 1));
      double right = edge (c, (double) (m + 2)), sum = c->floor;
      double height = c->equal_area ? 2.0 / (right - left) : 1.0;
      for (gsize k = 0; k <= c->fft / 2; k++) {
        double hz = (double) k * c->rate / (double) c->fft;
        if (hz > left && hz < right)
          sum += gain * height * power[k] *
                 (hz < centre ? (hz - left) / (centre - left) : (right - hz) / (right - centre));
      }
      *y = log (sum);
    }
  }
}

static void
test_definition (void)
{
  enum { BATCH = 2, SAMPLES = 3000 };
  SegueNnLogMelConfig slaney = config;
  slaney.scale = SEGUE_NN_MEL_SLANEY;
  slaney.window = slaney.fft;
  SegueNnLogMelConfig centred = slaney;
  centred.equal_area = centred.centred = TRUE;
  centred.floor = 1.0;
  centred.gain = 1e5;
  SegueNnLogMelConfig odd = config;
  odd.window = 201;
  odd.centred = TRUE;
  const SegueNnLogMelConfig *configs[] = { &config, &slaney, &centred, &odd };
  g_autofree float *x = op_test_random (1, BATCH * SAMPLES, -0.5, 0.5);

  for (gsize i = 0; i < G_N_ELEMENTS (configs); i++) {
    const SegueNnLogMelConfig *c = configs[i];
    gsize frames = segue_nn_log_mel_frames (c, SAMPLES), n = frames * c->bands;
    g_autofree double *expected = g_new (double, n);
    g_autofree float *first = g_new (float, BATCH *n), *y = g_new (float, BATCH *n);
    for (guint n_threads = 1; n_threads <= 4; n_threads++) {
      g_autoptr (SegueNnThreads) threads = op_test_threads (n_threads);
      g_autoptr (GError) error = NULL;
      g_autoptr (SegueNnLogMel) log_mel = segue_nn_log_mel_new (c, threads, &error);
      g_assert_no_error (error);
      segue_nn_log_mel_forward (threads, log_mel, BATCH, SAMPLES, x, n_threads == 1 ? first : y);
      if (n_threads > 1)
        g_assert_cmpmem (first, BATCH * n * sizeof *y, y, BATCH * n * sizeof *y);
    }
    for (gsize b = 0; b < BATCH; b++) {
      reference (c, x + b * SAMPLES, SAMPLES, frames, expected);
      for (gsize j = 0; j < n; j++)
        g_assert_cmpfloat_with_epsilon ((double) first[b * n + j], expected[j], 2e-4);
    }
  }
}

/* A sine of amplitude 0.1 on a bin's frequency at a band's centre is 20 dB down; silence is the floor. */
static void
test_levels (void)
{
  SegueNnLogMelConfig c = config;
  float x[256], y[1];
  c.window = c.fft;
  c.bands = 1;
  c.low = 0;
  c.high = 2000;
  double place = (double) c.fft / c.rate * edge (&c, 1.0);
  gsize bin = (gsize) (place + 0.5);
  g_autoptr (SegueNnThreads) threads = op_test_threads (1);
  g_autoptr (SegueNnLogMel) log_mel = segue_nn_log_mel_new (&c, threads, NULL);

  memset (x, 0, sizeof x);
  segue_nn_log_mel_forward (threads, log_mel, 1, c.fft, x, y);
  g_assert_cmpfloat_with_epsilon ((double) y[0], log (1e-6), 1e-5);
  for (gsize i = 0; i < c.fft; i++)
    x[i] = 0.1f * (float) sin (2.0 * G_PI * (double) (bin * i) / (double) c.fft);
  segue_nn_log_mel_forward (threads, log_mel, 1, c.fft, x, y);
  /* Hann's window also fills the adjacent bins, at a quarter of the power each. */
  g_assert_cmpfloat ((double) y[0], >, log (0.01));
  g_assert_cmpfloat ((double) y[0], <, log (0.016));
}

static void
test_frames (void)
{
  g_assert_cmpuint (segue_nn_log_mel_frames (&config, 0), ==, 0);
  g_assert_cmpuint (segue_nn_log_mel_frames (&config, 199), ==, 0);
  g_assert_cmpuint (segue_nn_log_mel_frames (&config, 200), ==, 1);
  g_assert_cmpuint (segue_nn_log_mel_frames (&config, 269), ==, 1);
  g_assert_cmpuint (segue_nn_log_mel_frames (&config, 270), ==, 2);
  SegueNnLogMelConfig centred = config;
  centred.centred = TRUE;
  g_assert_cmpuint (segue_nn_log_mel_frames (&centred, 100), ==, 0);
  g_assert_cmpuint (segue_nn_log_mel_frames (&centred, 101), ==, 2);
  g_assert_cmpuint (segue_nn_log_mel_frames (&centred, 209), ==, 3);
  g_assert_cmpuint (segue_nn_log_mel_frames (&centred, 210), ==, 4);
}

/* Any values of an untrusted file. */
static void
test_refusals (void)
{
  SegueNnLogMelConfig wrong[16];
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    wrong[i] = config;
  wrong[0].rate = NAN;
  wrong[1].rate = -1;
  wrong[2].fft = 255;
  wrong[3].fft = 1 << 20;
  wrong[4].window = 257;
  wrong[5].window = 0;
  wrong[6].hop = 0;
  wrong[7].bands = 0;
  wrong[8].bands = 100000;
  wrong[9].low = 4000;
  wrong[10].high = 4001;
  wrong[11].floor = 0;
  wrong[12].floor = NAN;
  wrong[13].bands = 400; /* narrower than bins */
  wrong[14].gain = -1;
  wrong[15].gain = NAN;
  g_autoptr (SegueNnThreads) threads = op_test_threads (1);
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (segue_nn_log_mel_new (&wrong[i], threads, &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/nn/log-mel/definition", test_definition);
  g_test_add_func ("/nn/log-mel/levels", test_levels);
  g_test_add_func ("/nn/log-mel/frames", test_frames);
  g_test_add_func ("/nn/log-mel/refusals", test_refusals);
  return g_test_run ();
}
