/* Numbers that describe how a piece of music sounds, without weights: statistics of log-mel bands, their modulation,
 * and the stereo image. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* One spectrum serves all three groups. Frames are `window` samples long, `hop` apart and never padded:
 *
 *   window  2048 / 44100 s (46.4 ms), rounded to samples; Hann's, periodic, scaled to the sum 2, so that a sine of
 *           amplitude a has |X| = a
 *   hop     1024 / 44100 s, rounded; the stereo image uses every second frame
 *   fft     the window, padded with zeros to the next even length without prime factors above 13 (2048 at 44.1 kHz: none)
 *
 * Below, t counts frames, m mel bands, k bins; bands are HTK triangles of height 1 (segue/nn/mel-bands.h; a band
 * without a bin takes the nearest). Deviations are those of the population (divided by n). Output, in this order:
 *
 * statistics (6 · bands): of M = (L + R) / 2 the levels v[t, m] = ln (Σ_k F[m, k] |M_k|² + 10^−11.4); per band
 *   mean, deviation, mean |v[t + 1, m] − v[t, m]|, and v sorted over t at ⌊q · (n − 1)⌋, q = 0.1, 0.5, 0.9.
 *   Each is a block of `bands` numbers.
 *
 * modulation (6 · bands / 4): v less its mean, DFT over n frames, magnitudes · √(429 / n), which makes the level of
 *   noise independent of the length; mean over 4 neighbouring bands, ln (0.001 + ·), mean over the bins of each of
 *   six ranges. The ranges end midway between the bins of 429 frames (10 s) at 44.1 kHz, where they are the bins 1–4,
 *   5–10, 11–20, 21–40, 41–80 and 81–128:
 *
 *     0.05–0.45, 0.45–1.05, 1.05–2.06, 2.06–4.07, 4.07–8.08, 8.08–12.90 Hz
 *
 *   A range without a bin (few frames) takes the nearest. n has no prime factor above 13 and is at most 65536: the last frames are dropped.
 *   [bands / 4][6].
 *
 * stereo (4 · stereo bands): of |L|², |R|², |M|² and |S|², S = (L − R) / 2, the sums P over FEATURES_STEREO_BANDS bands
 *   from 20 to 22050 Hz, those with an upper end of at most `stereo_f_max`. With ε = 10^−11, per band: mean and
 *   deviation over t of ln ((P_S + ε) / (P_M + ε)); mean of |ln ((P_L + ε) / (P_R + ε))|; mean of
 *   (P_M − P_S + ε) / √((P_L + ε)(P_R + ε)), the correlation. Silence and mono have correlation 1.
 *   Each is a block. */
typedef struct {
  double rate; /* Hz */
  gboolean statistics, modulation, stereo;
  gsize bands;         /* a multiple of 4, up to 1024 */
  double f_min, f_max; /* Hz, ends of the mel bands; f_max at most rate / 2 */
  double stereo_f_max; /* Hz */
} FeaturesConfig;

#define FEATURES_STEREO_BANDS 32

/* 44.1 kHz, all groups, 128 bands from 20 to 22050 Hz, all stereo bands: 1088 numbers. */
#define FEATURES_CONFIG_DEFAULT                                                                    \
  {                                                                                                \
    .rate = 44100.0, .statistics = TRUE, .modulation = TRUE, .stereo = TRUE, .bands = 128,         \
    .f_min = 20.0, .f_max = 22050.0, .stereo_f_max = 22050.0                                       \
  }

/* What low-pass filters of lossy encoders leave unchanged: the 28 stereo bands that end at 15.5 kHz or below. */
#define FEATURES_STEREO_ROBUST 15500.0

/* Tables and buffers; one call at a time for each instance, so one instance per thread. */
typedef struct _Features Features;

/* Errors: SEGUE_ERROR_DATA for a configuration outside the bounds above, SEGUE_ERROR_RESOURCE. */
Features *features_new (const FeaturesConfig *config, GError **error);
/* NULL is accepted. */
void features_free (Features *features);

/* Numbers per segment. */
gsize features_get_width (const Features *features);

/* Sample frames that a segment must have: 10 frames of the spectrum, 0.26 s. */
gsize features_get_min_length (const Features *features);

/* samples [length, channels], interleaved, mono or stereo, full scale ±1 → out [width]. Mono is L = R.
 * The same input gives the same bytes, whatever was computed before.
 * Errors: SEGUE_ERROR_DATA for a segment that is too short, more than two channels, or samples that are not finite or
 * too large to square; SEGUE_ERROR_RESOURCE. */
gboolean features_compute (Features *features, const float *samples, gsize length, guint channels,
                           float *out, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Features, features_free)

G_END_DECLS
