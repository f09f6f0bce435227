#include "stereo.h"
#include "segment-features.h"

#include <math.h>
#include <segue/error.h>
#include <string.h>

#define LOWEST  20.0
#define HIGHEST 22050.0
#define FLOOR   1e-11

/* The quantities whose power is summed over bands. */
enum { LEFT, RIGHT, MIDDLE, SIDE, N_POWERS };

typedef struct {
  double mean, squares; /* of side to middle: Welford's, so that equal values have no deviation */
  double left_right;    /* sums */
  double correlation;
} Sums;

struct _Stereo {
  Spectrum *spectrum;
  SegueNnMelBands *bands;
  gsize n_bands; /* those that are used */
  gsize frames;
  Sums *sums;             /* [n_bands] */
  float *re[2], *im[2];   /* [bins, SPECTRUM_BLOCK]: middle and side */
  float *power[N_POWERS]; /* [bins, SPECTRUM_BLOCK] */
  float in_bands[N_POWERS][FEATURES_STEREO_BANDS][SPECTRUM_BLOCK];
};

/* The bands that are used are the first ones of a fixed division, so that a limit leaves the others as they are. */
static gsize
count_bands (const SegueNnMelBandsConfig *all, double f_max)
{
  gsize n = 0;
  while (n < all->n && segue_nn_mel_bands_edge (all, n + 2) <= f_max + 1e-6)
    n++;
  return n;
}

Stereo *
stereo_new (double rate, Spectrum *spectrum, double f_max, GError **error)
{
  SegueNnMelBandsConfig config = { .scale = SEGUE_NN_MEL_HTK,
                                   .rate = rate,
                                   .fft = spectrum->fft,
                                   .n = FEATURES_STEREO_BANDS,
                                   .low = LOWEST,
                                   .high = HIGHEST,
                                   .nearest = TRUE };
  gsize n = count_bands (&config, f_max);
  double top = n > 0 ? segue_nn_mel_bands_edge (&config, n + 1) : 0.0;
  if (n == 0) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "can't compute the stereo image up to %g Hz: the lowest band ends at %.0f Hz",
                 f_max, segue_nn_mel_bands_edge (&config, 2));
    return NULL;
  }
  if (top > rate / 2.0 + 1e-6) {
    g_set_error (
      error, SEGUE_ERROR, SEGUE_ERROR_DATA,
      "can't compute the stereo image up to %.0f Hz: at a sample rate of %g Hz, the limit is %g Hz",
      top, rate, rate / 2.0);
    return NULL;
  }
  config.n = n;
  config.high = MIN (top, rate / 2.0);

  g_autoptr (Stereo) stereo = g_new0 (Stereo, 1);
  stereo->spectrum = spectrum;
  stereo->n_bands = n;
  stereo->bands = segue_nn_mel_bands_new (&config, error);
  stereo->sums = g_new (Sums, n);
  for (guint i = 0; i < N_POWERS; i++)
    stereo->power[i] = g_new (float, spectrum->n_bins *SPECTRUM_BLOCK);
  for (guint i = 0; i < 2; i++) {
    stereo->re[i] = g_new (float, spectrum->n_bins *SPECTRUM_BLOCK);
    stereo->im[i] = g_new (float, spectrum->n_bins *SPECTRUM_BLOCK);
  }
  return stereo->bands ? g_steal_pointer (&stereo) : NULL;
}

void
stereo_free (Stereo *stereo)
{
  if (!stereo)
    return;
  segue_nn_mel_bands_free (stereo->bands);
  g_free (stereo->sums);
  for (guint i = 0; i < N_POWERS; i++)
    g_free (stereo->power[i]);
  for (guint i = 0; i < 2; i++) {
    g_free (stereo->re[i]);
    g_free (stereo->im[i]);
  }
  g_free (stereo);
}

gsize
stereo_get_bands (const Stereo *stereo)
{
  return stereo->n_bands;
}

static float
power_of (float real, float imaginary)
{
  return real * real + imaginary * imaginary;
}

/* Left is middle + side, right is middle − side. The sums of powers would not do: if one channel is much quieter, its
 * power would be the difference of large numbers. */
static void
make_powers (Stereo *stereo)
{
  gsize n = stereo->spectrum->n_bins * SPECTRUM_BLOCK;
  const float *mr = stereo->re[SPECTRUM_MIDDLE], *mi = stereo->im[SPECTRUM_MIDDLE];
  const float *sr = stereo->re[SPECTRUM_SIDE], *si = stereo->im[SPECTRUM_SIDE];
  for (gsize i = 0; i < n; i++) {
    stereo->power[LEFT][i] = power_of (mr[i] + sr[i], mi[i] + si[i]);
    stereo->power[RIGHT][i] = power_of (mr[i] - sr[i], mi[i] - si[i]);
    stereo->power[MIDDLE][i] = power_of (mr[i], mi[i]);
    stereo->power[SIDE][i] = power_of (sr[i], si[i]);
  }
  for (guint i = 0; i < N_POWERS; i++)
    segue_nn_mel_bands_forward (stereo->bands, SPECTRUM_BLOCK, stereo->power[i],
                                stereo->in_bands[i][0]);
}

static void
add_frame (Stereo *stereo, gsize frame)
{
  stereo->frames++;
  for (gsize b = 0; b < stereo->n_bands; b++) {
    Sums *sums = &stereo->sums[b];
    double left = (double) stereo->in_bands[LEFT][b][frame] + FLOOR;
    double right = (double) stereo->in_bands[RIGHT][b][frame] + FLOOR;
    double middle = (double) stereo->in_bands[MIDDLE][b][frame];
    double side = (double) stereo->in_bands[SIDE][b][frame];
    double ratio = log ((side + FLOOR) / (middle + FLOOR));
    double correlation = (middle - side + FLOOR) / sqrt (left * right);
    double change = ratio - sums->mean;
    sums->mean += change / (double) stereo->frames;
    sums->squares += change * (ratio - sums->mean);
    sums->left_right += fabs (log (left / right));
    sums->correlation += CLAMP (correlation, -1.0, 1.0);
  }
}

static void
write_statistics (const Stereo *stereo, float *out)
{
  gsize bands = stereo->n_bands;
  double n = (double) stereo->frames;
  for (gsize b = 0; b < bands; b++) {
    const Sums *sums = &stereo->sums[b];
    out[b] = (float) sums->mean;
    out[bands + b] = (float) sqrt (sums->squares / n);
    out[2 * bands + b] = (float) (sums->left_right / n);
    out[3 * bands + b] = (float) (sums->correlation / n);
  }
}

void
stereo_compute (Stereo *stereo, const float *samples, guint channels, gsize frames, float *out)
{
  Spectrum *spectrum = stereo->spectrum;
  gsize used = (frames + 1) / 2;
  stereo->frames = 0;
  memset (stereo->sums, 0, stereo->n_bands * sizeof *stereo->sums);
  for (gsize t = 0; t < used; t += SPECTRUM_BLOCK) {
    gsize n = MIN (SPECTRUM_BLOCK, used - t);
    const float *x = samples + 2 * t * spectrum->hop * channels;
    spectrum_compute (spectrum, SPECTRUM_MIDDLE, x, channels, n, 2, stereo->re[SPECTRUM_MIDDLE],
                      stereo->im[SPECTRUM_MIDDLE]);
    spectrum_compute (spectrum, SPECTRUM_SIDE, x, channels, n, 2, stereo->re[SPECTRUM_SIDE],
                      stereo->im[SPECTRUM_SIDE]);
    make_powers (stereo);
    for (gsize frame = 0; frame < n; frame++)
      add_frame (stereo, frame);
  }
  write_statistics (stereo, out);
}
