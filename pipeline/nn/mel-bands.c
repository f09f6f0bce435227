#include "nn-private.h"

#include <math.h>
#include <segue/error.h>
#include <segue/nn/fft.h>
#include <segue/nn/mel-bands.h>

/* The bins under one triangle. */
typedef struct {
  gsize first;
  gsize n;
  gsize weights; /* index of the first one's */
} Band;

struct _SegueNnMelBands {
  gsize n;
  Band *bands;
  GArray *weights; /* float */
};

static double
mel_from_hz (SegueNnMelScale scale, double hz)
{
  if (scale == SEGUE_NN_MEL_HTK)
    return 2595.0 * log10 (1.0 + hz / 700.0);
  return hz < 1000.0 ? 3.0 * hz / 200.0 : 15.0 + 27.0 * log (hz / 1000.0) / log (6.4);
}

static double
hz_from_mel (SegueNnMelScale scale, double mel)
{
  if (scale == SEGUE_NN_MEL_HTK)
    return 700.0 * (pow (10.0, mel / 2595.0) - 1.0);
  return mel < 15.0 ? 200.0 * mel / 3.0 : 1000.0 * pow (6.4, (mel - 15.0) / 27.0);
}

double
segue_nn_mel_bands_edge (const SegueNnMelBandsConfig *c, gsize i)
{
  double low = mel_from_hz (c->scale, c->low), high = mel_from_hz (c->scale, c->high);
  double step = (high - low) / (double) (c->n + 1);
  return hz_from_mel (c->scale, low + (double) i * step);
}

static gboolean
check_config (const SegueNnMelBandsConfig *c, GError **error)
{
  const char *wrong = NULL;
  if (!(c->rate > 0.0 && c->rate <= 1e6))
    wrong = "the rate must be between 0 and 1000000 Hz";
  else if (c->fft < 4 || c->fft > SEGUE_NN_MEL_BANDS_MAX_FFT || c->fft % 2 != 0)
    wrong = "the FFT must have 4 to 65536 points, an even number";
  else if (c->n < 1 || c->n > SEGUE_NN_MEL_BANDS_MAX)
    wrong = "there must be 1 to 1024 mel bands";
  else if (!(c->low >= 0.0 && c->low < c->high && c->high <= c->rate / 2.0))
    wrong = "the mel bands must be between 0 Hz and half the sample rate, low end first";
  else if (c->scale != SEGUE_NN_MEL_HTK && c->scale != SEGUE_NN_MEL_SLANEY)
    wrong = "the mel scale must be htk or slaney";
  if (!wrong)
    return TRUE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "can't compute mel bands: %s", wrong);
  return FALSE;
}

static void
add_weight (SegueNnMelBands *bands, Band *band, gsize bin, float weight)
{
  if (band->n++ == 0)
    band->first = bin;
  g_array_append_val (bands->weights, weight);
}

static gboolean
make_band (SegueNnMelBands *bands, const SegueNnMelBandsConfig *c, gsize m, GError **error)
{
  Band *band = &bands->bands[m];
  double left = segue_nn_mel_bands_edge (c, m);
  double centre = segue_nn_mel_bands_edge (c, m + 1);
  double right = segue_nn_mel_bands_edge (c, m + 2);
  double bin = c->rate / (double) c->fft; /* Hz */
  double height = c->equal_area ? 2.0 / (right - left) : 1.0;

  band->weights = bands->weights->len;
  for (gsize k = 0; k <= c->fft / 2; k++) {
    double hz = (double) k * c->rate / (double) c->fft;
    float weight =
      (float) (height * MIN ((hz - left) / (centre - left), (right - hz) / (right - centre)));
    if (weight > 0.0f)
      add_weight (bands, band, k, weight);
  }
  if (band->n > 0)
    return TRUE;
  if (c->nearest) {
    add_weight (bands, band, MIN ((gsize) round (centre / bin), c->fft / 2), (float) height);
    return TRUE;
  }
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
               "mel band %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT
               " (%.0f to %.0f Hz) is narrower than the bins of an FFT of %" G_GSIZE_FORMAT
               " points: use fewer bands or a longer window",
               m + 1, c->n, left, right, c->fft);
  return FALSE;
}

SegueNnMelBands *
segue_nn_mel_bands_new (const SegueNnMelBandsConfig *config, GError **error)
{
  if (!check_config (config, error))
    return NULL;
  g_autoptr (SegueNnMelBands) bands = g_new0 (SegueNnMelBands, 1);
  bands->n = config->n;
  bands->bands = g_new0 (Band, config->n);
  bands->weights = g_array_new (FALSE, FALSE, sizeof (float));
  for (gsize m = 0; m < config->n; m++)
    if (!make_band (bands, config, m, error))
      return NULL;
  return g_steal_pointer (&bands);
}

void
segue_nn_mel_bands_free (SegueNnMelBands *bands)
{
  if (!bands)
    return;
  g_free (bands->bands);
  g_clear_pointer (&bands->weights, g_array_unref);
  g_free (bands);
}

/* Up to SEGUE_NN_FFT_SIGNALS frames, of rows `stride` apart. */
NN_INLINE void
sum_bands (const SegueNnMelBands *bands, gsize frames, gsize stride, const float *power, float *y)
{
  const float *weights = (const float *) (gpointer) bands->weights->data;
  for (gsize m = 0; m < bands->n; m++) {
    const Band *band = &bands->bands[m];
    float sums[SEGUE_NN_FFT_SIGNALS] = { 0 };
    for (gsize k = 0; k < band->n; k++)
      for (gsize t = 0; t < frames; t++)
        sums[t] += weights[band->weights + k] * power[(band->first + k) * stride + t];
    for (gsize t = 0; t < frames; t++)
      y[m * stride + t] = sums[t];
  }
}

/* As many as segue_nn_fft_forward () transforms together. */
NN_VECTORISED
static void
sum_full_block (const SegueNnMelBands *bands, gsize stride, const float *power, float *y)
{
  sum_bands (bands, SEGUE_NN_FFT_SIGNALS, stride, power, y);
}

void
segue_nn_mel_bands_forward (const SegueNnMelBands *bands, gsize frames, const float *power,
                            float *y)
{
  if (frames == 1) {
    sum_bands (bands, 1, 1, power, y);
    return;
  }
  for (gsize t = 0; t < frames; t += SEGUE_NN_FFT_SIGNALS)
    if (frames - t >= SEGUE_NN_FFT_SIGNALS)
      sum_full_block (bands, frames, power + t, y + t);
    else
      sum_bands (bands, frames - t, frames, power + t, y + t);
}
