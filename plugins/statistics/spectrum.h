/* Short-time spectra: several frames at once. */
#pragma once

#include <segue/nn/fft.h>

G_BEGIN_DECLS

/* Frames that are transformed together. */
#define SPECTRUM_BLOCK SEGUE_NN_FFT_SIGNALS

typedef struct {
  gsize window, hop, fft; /* samples */
  gsize n_bins;           /* fft / 2 + 1 */
  float *hann;            /* [window], sum 2 */
  SegueNnFft *plan;
  float *signals; /* [fft, SPECTRUM_BLOCK] */
} Spectrum;

typedef enum { SPECTRUM_MIDDLE, SPECTRUM_SIDE } SpectrumSignal;

/* Errors: SEGUE_ERROR_RESOURCE. */
gboolean spectrum_init (Spectrum *spectrum, double rate, GError **error);
/* One of zeros is accepted. */
void spectrum_clear (Spectrum *spectrum);

/* Complete frames in `length` samples. */
gsize spectrum_get_frames (const Spectrum *spectrum, gsize length);

/* Middle (L + R) / 2 or side (L − R) / 2 of n <= SPECTRUM_BLOCK frames, `step` hops apart, the first at `samples`, which
 * have 1 or 2 channels → re and im [n_bins, SPECTRUM_BLOCK]; frames beyond n are zero. */
void spectrum_compute (Spectrum *spectrum, SpectrumSignal signal, const float *samples,
                       guint channels, gsize n, gsize step, float *re, float *im);

G_END_DECLS
