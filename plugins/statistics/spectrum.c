#include "spectrum.h"

#include <math.h>
#include <string.h>

/* 46.4 ms, and half of it. */
#define WINDOW_SECONDS (2048.0 / 44100.0)
#define HOP_SECONDS    (1024.0 / 44100.0)

gboolean
spectrum_init (Spectrum *s, double rate)
{
  s->window = (gsize) round (rate * WINDOW_SECONDS);
  s->hop = (gsize) round (rate * HOP_SECONDS);
  s->fft = (gsize) kiss_fftr_next_fast_size_real ((int) s->window);
  s->n_bins = s->fft / 2 + 1;
  s->hann = g_new (float, s->window);
  s->plan = kiss_fftr_alloc ((int) s->fft, 0, NULL, NULL);
  s->padded = g_new0 (float, s->fft);
  s->middle = g_new (kiss_fft_cpx, s->n_bins);
  s->side = g_new (kiss_fft_cpx, s->n_bins);
  /* 0.5 − 0.5 cos has the sum window / 2. */
  for (gsize i = 0; i < s->window; i++)
    s->hann[i] = (float) ((1.0 - cos (2.0 * G_PI * (double) i / (double) s->window)) * 2.0 /
                          (double) s->window);
  return s->plan != NULL;
}

void
spectrum_clear (Spectrum *s)
{
  if (s->plan != NULL)
    kiss_fftr_free (s->plan);
  g_free (s->hann);
  g_free (s->padded);
  g_free (s->middle);
  g_free (s->side);
  memset (s, 0, sizeof *s);
}

gsize
spectrum_get_frames (const Spectrum *s, gsize length)
{
  return length < s->window ? 0 : (length - s->window) / s->hop + 1;
}

void
spectrum_middle (Spectrum *s, const float *x, guint channels)
{
  if (channels == 1)
    for (gsize i = 0; i < s->window; i++)
      s->padded[i] = x[i] * s->hann[i];
  else
    for (gsize i = 0; i < s->window; i++)
      s->padded[i] = 0.5f * (x[2 * i] + x[2 * i + 1]) * s->hann[i];
  kiss_fftr (s->plan, s->padded, s->middle);
}

void
spectrum_side (Spectrum *s, const float *x, guint channels)
{
  if (channels == 1) {
    memset (s->side, 0, s->n_bins * sizeof *s->side);
    return;
  }
  for (gsize i = 0; i < s->window; i++)
    s->padded[i] = 0.5f * (x[2 * i] - x[2 * i + 1]) * s->hann[i];
  kiss_fftr (s->plan, s->padded, s->side);
}
