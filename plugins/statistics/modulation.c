#include "modulation.h"

#include <math.h>
#include <string.h>

/* 10 s at 44.1 kHz: the ranges end midway between its bins. */
#define REFERENCE_FRAMES 429
#define REFERENCE_RATE   (44100.0 / 1024.0)
#define FLOOR            0.001
#define MAX_FRAMES       65536 /* 25 minutes; later ones are dropped */

static const double ends[MODULATION_RANGES + 1] = { 0.5, 4.5, 10.5, 20.5, 40.5, 80.5, 128.5 };

static void
set_ranges (Modulation *mod, double rate)
{
  double bins_per_end = REFERENCE_RATE / REFERENCE_FRAMES * (double) mod->n / rate;
  gsize highest = mod->n / 2;
  for (guint i = 0; i < MODULATION_RANGES; i++) {
    double from = ends[i] * bins_per_end, to = ends[i + 1] * bins_per_end;
    gsize first = (gsize) ceil (from), last = (gsize) ceil (to) - 1;
    if (first > last)
      first = last = (gsize) round ((from + to) / 2.0);
    mod->first[i] = CLAMP (first, 1, highest);
    mod->last[i] = CLAMP (last, 1, highest);
  }
}

gboolean
modulation_init (Modulation *mod, gsize frames, double rate, GError **error)
{
  memset (mod, 0, sizeof *mod);
  mod->n = MIN (frames, MAX_FRAMES);
  while (!segue_nn_fft_supports (mod->n))
    mod->n--;
  set_ranges (mod, rate);
  mod->plan = segue_nn_fft_new (mod->n, error);
  if (!mod->plan)
    return FALSE;
  mod->signals = g_new0 (float, mod->n *SEGUE_NN_FFT_SIGNALS);
  mod->re = g_new (float, (mod->n / 2 + 1) * SEGUE_NN_FFT_SIGNALS);
  mod->im = g_new (float, (mod->n / 2 + 1) * SEGUE_NN_FFT_SIGNALS);
  return TRUE;
}

void
modulation_clear (Modulation *mod)
{
  segue_nn_fft_free (mod->plan);
  g_free (mod->signals);
  g_free (mod->re);
  g_free (mod->im);
  memset (mod, 0, sizeof *mod);
}

/* The spectra of n <= SEGUE_NN_FFT_SIGNALS bands, less their means. */
static void
transform (Modulation *mod, const float *levels, gsize n, gsize frames)
{
  for (gsize band = 0; band < n; band++, levels += frames) {
    double sum = 0.0;
    for (gsize t = 0; t < mod->n; t++)
      sum += (double) levels[t];
    float mean = (float) (sum / (double) mod->n);
    for (gsize t = 0; t < mod->n; t++)
      mod->signals[t * SEGUE_NN_FFT_SIGNALS + band] = levels[t] - mean;
  }
  segue_nn_fft_forward (mod->plan, mod->signals, mod->re, mod->im);
}

/* The mean magnitude of a bin over the bands of a group, the first of which is signal `first`. */
static double
magnitude (const Modulation *mod, gsize bin, gsize first)
{
  double sum = 0.0;
  for (gsize i = 0; i < MODULATION_GROUP; i++) {
    double re = (double) mod->re[bin * SEGUE_NN_FFT_SIGNALS + first + i];
    double im = (double) mod->im[bin * SEGUE_NN_FFT_SIGNALS + first + i];
    sum += sqrt (re * re + im * im);
  }
  return sum / MODULATION_GROUP;
}

void
modulation_compute (Modulation *mod, const float *levels, gsize bands, gsize frames, float *out)
{
  double scale = sqrt ((double) REFERENCE_FRAMES / (double) mod->n);
  for (gsize m = 0; m < bands; m += MODULATION_GROUP, out += MODULATION_RANGES) {
    if (m % SEGUE_NN_FFT_SIGNALS == 0)
      transform (mod, levels + m * frames, MIN (SEGUE_NN_FFT_SIGNALS, bands - m), frames);
    for (guint r = 0; r < MODULATION_RANGES; r++) {
      double sum = 0.0;
      for (gsize k = mod->first[r]; k <= mod->last[r]; k++)
        sum += log (FLOOR + scale * magnitude (mod, k, m % SEGUE_NN_FFT_SIGNALS));
      out[r] = (float) (sum / (double) (mod->last[r] - mod->first[r] + 1));
    }
  }
}
