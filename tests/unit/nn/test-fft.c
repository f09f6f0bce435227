/* Transforms of several signals compared with their definition, in double. */
#include "op-test.h"

#include <math.h>
#include <segue/error.h>
#include <segue/nn/fft.h>

enum { SIGNALS = SEGUE_NN_FFT_SIGNALS };

static void
test_definition (void)
{
  /* Every radix alone and all together. */
  const gsize lengths[] = { 2, 3, 4, 5, 7, 11, 13, 8, 27, 32, 75, 240, 429, 512, 2310, 2240 };
  for (gsize i = 0; i < G_N_ELEMENTS (lengths); i++) {
    gsize n = lengths[i], bins = n / 2 + 1;
    g_autoptr (SegueNnFft) fft = segue_nn_fft_new (n, NULL);
    g_autofree float *x = op_test_random (i, n * SIGNALS, -1.0, 1.0);
    g_autofree float *re = g_new (float, bins *SIGNALS), *im = g_new (float, bins *SIGNALS);
    for (gsize t = 0; t < n; t++) /* a signal and its partner */
      x[t * SIGNALS + 3] = x[t * SIGNALS + 3 + SIGNALS / 2] = 0.0f;
    segue_nn_fft_forward (fft, x, re, im);
    for (gsize k = 0; k<bins; k += n> 1000 ? 97 : 1)
      for (gsize s = 0; s < SIGNALS; s++) {
        double real = 0.0, imaginary = 0.0;
        for (gsize t = 0; t < n; t++) {
          double angle = 2.0 * G_PI * (double) (k * t % n) / (double) n;
          real += (double) x[t * SIGNALS + s] * cos (angle);
          imaginary -= (double) x[t * SIGNALS + s] * sin (angle);
        }
        double tolerance = s % (SIGNALS / 2) == 3 ? 0.0 : 1e-6 * sqrt ((double) n);
        g_assert_cmpfloat (fabs ((double) re[k * SIGNALS + s] - real), <=, tolerance);
        g_assert_cmpfloat (fabs ((double) im[k * SIGNALS + s] - imaginary), <=, tolerance);
      }
  }
}

static void
test_lengths (void)
{
  const gsize wrong[] = { 0, 1, 17, 34, 2042, 65537, 131072, G_MAXSIZE };
  g_assert_true (segue_nn_fft_supports (2048));
  g_assert_true (segue_nn_fft_supports (429));
  g_assert_true (segue_nn_fft_supports (65536));
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_false (segue_nn_fft_supports (wrong[i]));
    g_assert_null (segue_nn_fft_new (wrong[i], &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/nn/fft/definition", test_definition);
  g_test_add_func ("/nn/fft/lengths", test_lengths);
  return g_test_run ();
}
