#include "spectrum.h"

#include <math.h>
#include <string.h>

/* 46.4 ms, and half of it. */
#define WINDOW_SECONDS (2048.0 / 44100.0)
#define HOP_SECONDS    (1024.0 / 44100.0)

/* Samples of a cache line. */
#define LINE 16

gboolean
spectrum_init (Spectrum *s, double rate, GError **error)
{
  s->window = (gsize) round (rate * WINDOW_SECONDS);
  s->hop = (gsize) round (rate * HOP_SECONDS);
  s->fft = s->window + s->window % 2;
  while (!segue_nn_fft_supports (s->fft))
    s->fft += 2;
  s->n_bins = s->fft / 2 + 1;
  s->plan = segue_nn_fft_new (s->fft, error);
  if (!s->plan)
    return FALSE;
  s->hann = g_new (float, s->window);
  s->signals = g_new0 (float, s->fft *SPECTRUM_BLOCK);
  /* 1 − cos has the sum `window`. */
  for (gsize i = 0; i < s->window; i++)
    s->hann[i] = (float) ((1.0 - cos (2.0 * G_PI * (double) i / (double) s->window)) * 2.0 /
                          (double) s->window);
  return TRUE;
}

void
spectrum_clear (Spectrum *s)
{
  segue_nn_fft_free (s->plan);
  g_free (s->hann);
  g_free (s->signals);
  memset (s, 0, sizeof *s);
}

gsize
spectrum_get_frames (const Spectrum *s, gsize length)
{
  return length < s->window ? 0 : (length - s->window) / s->hop + 1;
}

/* Samples from … to of n frames, and zeros beyond n. Frames are a power of two apart and compete for the same cache
 * lines, so each is read a line at a time. */
static void
window_frames (Spectrum *s, float right, const float *samples, guint channels, gsize distance,
               gsize n, gsize from, gsize to)
{
  memset (s->signals + from * SPECTRUM_BLOCK, 0, (to - from) * SPECTRUM_BLOCK * sizeof *s->signals);
  for (gsize frame = 0; frame < n; frame++) {
    const float *x = samples + frame * distance;
    for (gsize i = from; i < to; i++)
      s->signals[i * SPECTRUM_BLOCK + frame] =
        (0.5f * x[i * channels] + right * x[(i + 1) * channels - 1]) * s->hann[i];
  }
}

void
spectrum_compute (Spectrum *s, SpectrumSignal signal, const float *samples, guint channels, gsize n,
                  gsize step, float *re, float *im)
{
  float right = signal == SPECTRUM_MIDDLE ? 0.5f : -0.5f;
  for (gsize i = 0; i < s->window; i += LINE)
    window_frames (s, right, samples, channels, step * s->hop * channels, n, i,
                   MIN (i + LINE, s->window));
  segue_nn_fft_forward (s->plan, s->signals, re, im);
}
