#include "modulation.h"

#include <math.h>
#include <string.h>

/* 10 s at 44.1 kHz: the ranges end midway between its bins. */
#define REFERENCE_FRAMES 429
#define REFERENCE_RATE   (44100.0 / 1024.0)
#define FLOOR            0.001

static const double ends[MODULATION_RANGES + 1] = { 0.5, 4.5, 10.5, 20.5, 40.5, 80.5, 128.5 };

/* The FFT takes a time proportional to the sum of the prime factors: with a large one, much longer. */
static gsize
without_large_factors (gsize n)
{
  static const gsize primes[] = { 2, 3, 5, 7, 11, 13 };
  for (;; n--) {
    gsize rest = n;
    for (gsize i = 0; i < G_N_ELEMENTS (primes); i++)
      while (rest % primes[i] == 0)
        rest /= primes[i];
    if (rest == 1)
      return n;
  }
}

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
    mod->end = MAX (mod->end, mod->last[i] + 1);
  }
}

gboolean
modulation_init (Modulation *mod, gsize frames, double rate)
{
  memset (mod, 0, sizeof *mod);
  mod->n = without_large_factors (frames);
  set_ranges (mod, rate);
  mod->plan = kiss_fft_alloc ((int) mod->n, 0, NULL, NULL);
  mod->in = g_try_new (kiss_fft_cpx, mod->n);
  mod->out = g_try_new (kiss_fft_cpx, mod->n);
  mod->magnitudes = g_try_new (float, mod->end);
  if (mod->plan != NULL && mod->in != NULL && mod->out != NULL && mod->magnitudes != NULL)
    return TRUE;
  modulation_clear (mod);
  return FALSE;
}

void
modulation_clear (Modulation *mod)
{
  if (mod->plan != NULL)
    kiss_fft_free (mod->plan);
  g_free (mod->in);
  g_free (mod->out);
  g_free (mod->magnitudes);
  memset (mod, 0, sizeof *mod);
}

static float
mean_of (const float *v, gsize n)
{
  double sum = 0.0;
  for (gsize i = 0; i < n; i++)
    sum += (double) v[i];
  return (float) (sum / (double) n);
}

/* Adds the magnitudes of two bands. They are the real and the imaginary part of one transform: of Z, the first has the
 * spectrum (Z_k + Z*_−k) / 2, the second (Z_k − Z*_−k) / 2i. */
static void
add_two_bands (Modulation *mod, const float *a, const float *b)
{
  float mean_a = mean_of (a, mod->n), mean_b = mean_of (b, mod->n);
  for (gsize t = 0; t < mod->n; t++)
    mod->in[t] = (kiss_fft_cpx){ .r = a[t] - mean_a, .i = b[t] - mean_b };
  kiss_fft (mod->plan, mod->in, mod->out);
  for (gsize k = 1; k < mod->end; k++) {
    kiss_fft_cpx z = mod->out[k], mirrored = mod->out[mod->n - k];
    float ar = z.r + mirrored.r, ai = z.i - mirrored.i;
    float br = z.i + mirrored.i, bi = z.r - mirrored.r;
    mod->magnitudes[k] += 0.5f * (sqrtf (ar * ar + ai * ai) + sqrtf (br * br + bi * bi));
  }
}

void
modulation_compute (Modulation *mod, const float *levels, gsize bands, gsize frames, float *out)
{
  double scale = sqrt ((double) REFERENCE_FRAMES / (double) mod->n) / MODULATION_GROUP;
  for (gsize m = 0; m < bands; m += MODULATION_GROUP, out += MODULATION_RANGES) {
    memset (mod->magnitudes, 0, mod->end * sizeof *mod->magnitudes);
    for (gsize i = 0; i < MODULATION_GROUP; i += 2)
      add_two_bands (mod, levels + (m + i) * frames, levels + (m + i + 1) * frames);
    for (guint r = 0; r < MODULATION_RANGES; r++) {
      double sum = 0.0;
      for (gsize k = mod->first[r]; k <= mod->last[r]; k++)
        sum += log (FLOOR + scale * (double) mod->magnitudes[k]);
      out[r] = (float) (sum / (double) (mod->last[r] - mod->first[r] + 1));
    }
  }
}
