#pragma once

#include <segue/nn/types.h>

G_BEGIN_DECLS

/* Triangles over the bins of a spectrum: from |X_k|², k = 0 … fft / 2, to Σ_k F[m, k] · |X_k|², m = 0 … n − 1.
 *
 * F are triangles of height 1 that rise from one centre to the next and fall to the one after it, at
 * n + 2 frequencies that are equally spaced on the mel scale:
 *
 *   HTK     mel = 2595 · log10 (1 + Hz / 700)
 *   Slaney  mel = 3 · Hz / 200 below 1000 Hz; above, 15 + 27 · log_6.4 (Hz / 1000)
 *           (Auditory Toolbox 1998)
 *
 * With `equal_area`, their height is 2 / (right end − left end, in Hz), as in the Auditory Toolbox and librosa. */
typedef enum { SEGUE_NN_MEL_HTK, SEGUE_NN_MEL_SLANEY } SegueNnMelScale;

typedef struct {
  SegueNnMelScale scale;
  double rate; /* Hz, up to 1e6 */
  gsize fft;   /* points, 4 … SEGUE_NN_MEL_BANDS_MAX_FFT, even */
  gsize n;     /* bands, 1 … SEGUE_NN_MEL_BANDS_MAX */
  double low;  /* Hz, lower end of the first band */
  double high; /* Hz, upper end of the last; at most rate / 2 */
  /* A band so narrow that it contains no bin takes the bin nearest to its centre, with the triangle's height. FALSE: it is
   * an error. */
  gboolean nearest;
  gboolean equal_area;
} SegueNnMelBandsConfig;

#define SEGUE_NN_MEL_BANDS_MAX_FFT 65536
#define SEGUE_NN_MEL_BANDS_MAX     1024

typedef struct _SegueNnMelBands SegueNnMelBands;

/* Errors: SEGUE_ERROR_DATA for a configuration outside the bounds above. */
SEGUE_API SegueNnMelBands *segue_nn_mel_bands_new (const SegueNnMelBandsConfig *config,
                                                   GError **error);
/* NULL is accepted. */
SEGUE_API void segue_nn_mel_bands_free (SegueNnMelBands *bands);

/* power [fft / 2 + 1, frames] → y [n, frames]; fastest for the frames of segue_nn_fft_forward (). Any number of threads
 * may call it at the same time. */
SEGUE_API void segue_nn_mel_bands_forward (const SegueNnMelBands *bands, gsize frames,
                                           const float *power, float *y);

/* Hz of point i = 0 … n + 1 of a configuration: band m rises from point m to m + 1, and falls to m + 2. */
SEGUE_API double segue_nn_mel_bands_edge (const SegueNnMelBandsConfig *config, gsize i);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueNnMelBands, segue_nn_mel_bands_free)

G_END_DECLS
