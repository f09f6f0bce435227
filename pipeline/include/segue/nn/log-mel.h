#pragma once

#include <segue/nn/mel-bands.h>
#include <segue/nn/threads.h>

G_BEGIN_DECLS

/* Log-mel spectrograms. Frame t of band m is
 *
 *   log (floor + gain · Σ_k F[m, k] · |X_t[k]|²),   X_t = DFT of window · samples t·hop … t·hop + window − 1
 *
 * (natural logarithm; every frame is completely inside the samples). If `centred`, the samples begin at t·hop −
 * ⌊window / 2⌋ instead, and those outside the signal are its reflection without the first and last sample, as in
 * librosa and torch. The window is Hann's, periodic as in torch.hann_window, and scaled to the sum 2, so that a sine of amplitude a at a
 * bin's frequency has |X| = a whatever the window's length, and `floor` is a power relative to that
 * of full scale: 1e-6 is −60 dB.
 *
 * F are the triangles of segue/nn/mel-bands.h. */
typedef struct {
  double rate;  /* Hz */
  gsize window; /* samples, 2 … fft */
  gsize hop;    /* samples, >= 1 */
  gsize fft;    /* points, even, at most SEGUE_NN_LOG_MEL_MAX_FFT; zeros follow the window */
  gsize bands;  /* 1 … SEGUE_NN_LOG_MEL_MAX_BANDS */
  double low;   /* Hz, lower end of the first band */
  double high;  /* Hz, upper end of the last; at most rate / 2 */
  double floor; /* > 0 */
  SegueNnMelScale scale;
  gboolean equal_area;
  gboolean centred;
  double gain; /* > 0; 0 means 1. A window that isn't scaled has (window / 4)² times the power */
} SegueNnLogMelConfig;

#define SEGUE_NN_LOG_MEL_MAX_FFT   SEGUE_NN_MEL_BANDS_MAX_FFT
#define SEGUE_NN_LOG_MEL_MAX_BANDS SEGUE_NN_MEL_BANDS_MAX

/* Tables and FFT plans for one configuration. */
typedef struct _SegueNnLogMel SegueNnLogMel;

/* threads: those that will use it, or more than those.
 * Errors: SEGUE_ERROR_DATA for a configuration outside the bounds above, or one with a band so narrow
 * that it contains no bin of the FFT; SEGUE_ERROR_RESOURCE. */
SEGUE_API SegueNnLogMel *segue_nn_log_mel_new (const SegueNnLogMelConfig *config,
                                               SegueNnThreads *threads, GError **error);
/* NULL is accepted. */
SEGUE_API void segue_nn_log_mel_free (SegueNnLogMel *log_mel);

/* Number of frames for `samples` samples: ⌊(samples − window) / hop⌋ + 1, or 0; if centred, ⌊samples / hop⌋ + 1, or 0
 * where there are too few samples to be reflected: at most ⌊window / 2⌋. */
SEGUE_API gsize segue_nn_log_mel_frames (const SegueNnLogMelConfig *config, gsize samples);

/* x [batch, samples] → y [batch, frames, bands]. One call at a time for each SegueNnLogMel. */
SEGUE_API void segue_nn_log_mel_forward (SegueNnThreads *threads, SegueNnLogMel *log_mel,
                                         gsize batch, gsize samples, const float *x, float *y);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueNnLogMel, segue_nn_log_mel_free)

G_END_DECLS
