#pragma once

#include <segue/nn/types.h>

G_BEGIN_DECLS

/* The discrete Fourier transforms of several real signals at once, X_k = Σ_t x_t e^(−2πi k t / n), k = 0 … n / 2, in
 * float32. One signal is one lane of vector instructions, so a transform takes a fraction of the time that it takes
 * alone. Two signals share a complex transform: the rounding of one is relative to the larger of signals i and
 * i + SEGUE_NN_FFT_SIGNALS / 2. Zeros have a spectrum of zeros, whatever the other signals, if their partner is zero. */
#define SEGUE_NN_FFT_SIGNALS 16

typedef struct _SegueNnFft SegueNnFft;

/* Whether there are transforms of length n: 2 … 65536, without prime factors above 13. */
SEGUE_API gboolean segue_nn_fft_supports (gsize n);

/* Errors: SEGUE_ERROR_DATA for an unsupported length, SEGUE_ERROR_RESOURCE. */
SEGUE_API SegueNnFft *segue_nn_fft_new (gsize n, GError **error);
/* NULL is accepted. */
SEGUE_API void segue_nn_fft_free (SegueNnFft *fft);

/* x [n, SEGUE_NN_FFT_SIGNALS] → re and im [n / 2 + 1, SEGUE_NN_FFT_SIGNALS]. One call at a time for each SegueNnFft. */
SEGUE_API void segue_nn_fft_forward (SegueNnFft *fft, const float *x, float *re, float *im);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueNnFft, segue_nn_fft_free)

G_END_DECLS
