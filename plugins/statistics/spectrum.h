/* The short-time spectrum of one segment: frames of middle and side. */
#pragma once

#include <glib.h>
#include <kiss_fftr.h>

G_BEGIN_DECLS

typedef struct {
  gsize window, hop, fft; /* samples */
  gsize n_bins;           /* fft / 2 + 1 */
  float *hann;            /* [window], sum 2 */
  kiss_fftr_cfg plan;
  float *padded;               /* [fft] */
  kiss_fft_cpx *middle, *side; /* [n_bins]: the frame computed last */
} Spectrum;

/* FALSE: there was no memory. */
gboolean spectrum_init (Spectrum *spectrum, double rate);
void spectrum_clear (Spectrum *spectrum);

/* Complete frames in `length` samples. */
gsize spectrum_get_frames (const Spectrum *spectrum, gsize length);

/* samples: the first of the frame; channels: 1 or 2. */
void spectrum_middle (Spectrum *spectrum, const float *samples, guint channels);
void spectrum_side (Spectrum *spectrum, const float *samples, guint channels);

G_END_DECLS
