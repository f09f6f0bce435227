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
  SegueNnMelBands *bands;
  gsize n_bands; /* those that are used */
  gsize frames;
  Sums *sums;             /* [n_bands] */
  float *power[N_POWERS]; /* [bins] */
  float in_bands[N_POWERS][FEATURES_STEREO_BANDS];
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
stereo_new (double rate, gsize fft, double f_max, GError **error)
{
  SegueNnMelBandsConfig config = { .scale = SEGUE_NN_MEL_HTK,
                                   .rate = rate,
                                   .fft = fft,
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
  stereo->n_bands = n;
  stereo->bands = segue_nn_mel_bands_new (&config, error);
  stereo->sums = g_new (Sums, n);
  for (guint i = 0; i < N_POWERS; i++)
    stereo->power[i] = g_new (float, fft / 2 + 1);
  return stereo->bands != NULL ? g_steal_pointer (&stereo) : NULL;
}

void
stereo_free (Stereo *stereo)
{
  if (stereo == NULL)
    return;
  segue_nn_mel_bands_free (stereo->bands);
  g_free (stereo->sums);
  for (guint i = 0; i < N_POWERS; i++)
    g_free (stereo->power[i]);
  g_free (stereo);
}

gsize
stereo_get_bands (const Stereo *stereo)
{
  return stereo->n_bands;
}

void
stereo_begin (Stereo *stereo)
{
  stereo->frames = 0;
  memset (stereo->sums, 0, stereo->n_bands * sizeof *stereo->sums);
}

static float
power_of (float real, float imaginary)
{
  return real * real + imaginary * imaginary;
}

/* Left is middle + side, right is middle − side. The sums of powers would not do: if one channel is much quieter, its
 * power would be the difference of large numbers. */
static void
make_powers (Stereo *stereo, const Spectrum *s)
{
  for (gsize k = 0; k < s->n_bins; k++) {
    kiss_fft_cpx m = s->middle[k], d = s->side[k];
    stereo->power[LEFT][k] = power_of (m.r + d.r, m.i + d.i);
    stereo->power[RIGHT][k] = power_of (m.r - d.r, m.i - d.i);
    stereo->power[MIDDLE][k] = power_of (m.r, m.i);
    stereo->power[SIDE][k] = power_of (d.r, d.i);
  }
  for (guint i = 0; i < N_POWERS; i++)
    segue_nn_mel_bands_forward (stereo->bands, stereo->power[i], stereo->in_bands[i]);
}

void
stereo_add (Stereo *stereo, const Spectrum *spectrum)
{
  make_powers (stereo, spectrum);
  stereo->frames++;
  for (gsize b = 0; b < stereo->n_bands; b++) {
    Sums *sums = &stereo->sums[b];
    double left = (double) stereo->in_bands[LEFT][b] + FLOOR;
    double right = (double) stereo->in_bands[RIGHT][b] + FLOOR;
    double middle = (double) stereo->in_bands[MIDDLE][b], side = (double) stereo->in_bands[SIDE][b];
    double ratio = log ((side + FLOOR) / (middle + FLOOR));
    double correlation = (middle - side + FLOOR) / sqrt (left * right);
    double change = ratio - sums->mean;
    sums->mean += change / (double) stereo->frames;
    sums->squares += change * (ratio - sums->mean);
    sums->left_right += fabs (log (left / right));
    sums->correlation += CLAMP (correlation, -1.0, 1.0);
  }
}

void
stereo_end (const Stereo *stereo, float *out)
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
