#include "segment-features.h"
#include "bands.h"
#include "modulation.h"
#include "spectrum.h"
#include "stereo.h"

#include <math.h>
#include <segue/error.h>

#define MIN_FRAMES 10
#define MIN_RATE   4000.0
#define MAX_RATE   384000.0

/* ln (power + 10^−11.4) */
static const float floor_power = 3.98107171e-12f;

struct _Features {
  FeaturesConfig config;
  Spectrum spectrum;
  SegueNnMelBands *bands; /* of statistics and modulation, else NULL */
  Stereo *stereo;         /* or NULL */
  float *power;           /* [bins] */
  float *in_bands;        /* [bands] */

  /* For a number of frames: kept as long as segments are equally long. */
  gsize frames;
  Modulation modulation;
  float *levels;  /* [bands][frames] */
  float *scratch; /* [frames] */
};

static gboolean
refuse (GError **error, const char *wrong)
{
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "can't compute features: %s", wrong);
  return FALSE;
}

static gboolean
no_memory (GError **error)
{
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE, "not enough memory for features");
  return FALSE;
}

static gboolean
check_config (const FeaturesConfig *c, GError **error)
{
  if (!(c->rate >= MIN_RATE && c->rate <= MAX_RATE))
    return refuse (error, "the sample rate must be between 4000 and 384000 Hz");
  if (!c->statistics && !c->modulation && !c->stereo)
    return refuse (error, "none of statistics, modulation and stereo is selected");
  if ((c->statistics || c->modulation) && (c->bands == 0 || c->bands % MODULATION_GROUP != 0))
    return refuse (error, "the number of mel bands must be a multiple of 4");
  return TRUE;
}

static gboolean
make_bands (Features *f, GError **error)
{
  const FeaturesConfig *c = &f->config;
  SegueNnMelBandsConfig bands = { .scale = SEGUE_NN_MEL_HTK,
                                  .rate = c->rate,
                                  .fft = f->spectrum.fft,
                                  .n = c->bands,
                                  .low = c->f_min,
                                  .high = c->f_max,
                                  .nearest = TRUE };
  f->bands = segue_nn_mel_bands_new (&bands, error);
  f->power = g_new (float, f->spectrum.n_bins);
  f->in_bands = g_new (float, c->bands);
  return f->bands != NULL;
}

Features *
features_new (const FeaturesConfig *config, GError **error)
{
  if (!check_config (config, error))
    return NULL;
  g_autoptr (Features) f = g_new0 (Features, 1);
  f->config = *config;
  if (!spectrum_init (&f->spectrum, config->rate)) {
    no_memory (error);
    return NULL;
  }
  if ((config->statistics || config->modulation) && !make_bands (f, error))
    return NULL;
  if (config->stereo) {
    f->stereo = stereo_new (config->rate, f->spectrum.fft, config->stereo_f_max, error);
    if (f->stereo == NULL)
      return NULL;
  }
  return g_steal_pointer (&f);
}

static void
forget_frames (Features *f)
{
  modulation_clear (&f->modulation);
  g_clear_pointer (&f->levels, g_free);
  g_clear_pointer (&f->scratch, g_free);
  f->frames = 0;
}

void
features_free (Features *f)
{
  if (f == NULL)
    return;
  forget_frames (f);
  spectrum_clear (&f->spectrum);
  segue_nn_mel_bands_free (f->bands);
  stereo_free (f->stereo);
  g_free (f->power);
  g_free (f->in_bands);
  g_free (f);
}

static gsize
statistics_width (const Features *f)
{
  return f->config.statistics ? BANDS_STATISTICS * f->config.bands : 0;
}

static gsize
modulation_width (const Features *f)
{
  return f->config.modulation ? f->config.bands / MODULATION_GROUP * MODULATION_RANGES : 0;
}

gsize
features_get_width (const Features *f)
{
  gsize stereo = f->stereo != NULL ? STEREO_STATISTICS * stereo_get_bands (f->stereo) : 0;
  return statistics_width (f) + modulation_width (f) + stereo;
}

gsize
features_get_min_length (const Features *f)
{
  return f->spectrum.window + (MIN_FRAMES - 1) * f->spectrum.hop;
}

static gboolean
prepare_frames (Features *f, gsize frames, GError **error)
{
  if (f->bands == NULL || f->frames == frames)
    return TRUE;
  forget_frames (f);
  if (frames > G_MAXINT / f->config.bands)
    return no_memory (error);
  f->levels = g_try_new (float, frames * f->config.bands);
  f->scratch = g_try_new (float, frames);
  if (f->levels == NULL || f->scratch == NULL ||
      !modulation_init (&f->modulation, frames, f->config.rate / (double) f->spectrum.hop)) {
    forget_frames (f);
    return no_memory (error);
  }
  f->frames = frames;
  return TRUE;
}

static void
add_levels (Features *f, gsize t)
{
  for (gsize k = 0; k < f->spectrum.n_bins; k++) {
    kiss_fft_cpx x = f->spectrum.middle[k];
    f->power[k] = x.r * x.r + x.i * x.i;
  }
  segue_nn_mel_bands_forward (f->bands, f->power, f->in_bands);
  for (gsize m = 0; m < f->config.bands; m++)
    f->levels[m * f->frames + t] = logf (f->in_bands[m] + floor_power);
}

static void
run_frames (Features *f, const float *samples, gsize frames, guint channels)
{
  if (f->stereo != NULL)
    stereo_begin (f->stereo);
  for (gsize t = 0; t < frames; t++) {
    const float *x = samples + t * f->spectrum.hop * channels;
    gboolean stereo = f->stereo != NULL && t % 2 == 0;
    if (f->bands == NULL && !stereo)
      continue;
    spectrum_middle (&f->spectrum, x, channels);
    if (f->bands != NULL)
      add_levels (f, t);
    if (stereo) {
      spectrum_side (&f->spectrum, x, channels);
      stereo_add (f->stereo, &f->spectrum);
    }
  }
}

static gboolean
check_finite (const float *out, gsize n, GError **error)
{
  for (gsize i = 0; i < n; i++)
    if (!isfinite (out[i]))
      return refuse (error, "samples are not finite, or too large");
  return TRUE;
}

gboolean
features_compute (Features *f, const float *samples, gsize length, guint channels, float *out,
                  GError **error)
{
  if (channels < 1 || channels > 2)
    return refuse (error, "the audio must be mono or stereo");
  if (length < features_get_min_length (f)) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "can't compute features of %" G_GSIZE_FORMAT " samples: at least %" G_GSIZE_FORMAT
                 " (%.2f s) are required",
                 length, features_get_min_length (f),
                 (double) features_get_min_length (f) / f->config.rate);
    return FALSE;
  }
  gsize frames = spectrum_get_frames (&f->spectrum, length);
  if (!prepare_frames (f, frames, error))
    return FALSE;
  run_frames (f, samples, frames, channels);

  float *at = out;
  if (f->config.statistics)
    bands_statistics (f->levels, f->config.bands, frames, f->scratch, at);
  at += statistics_width (f);
  if (f->config.modulation)
    modulation_compute (&f->modulation, f->levels, f->config.bands, frames, at);
  at += modulation_width (f);
  if (f->stereo != NULL)
    stereo_end (f->stereo, at);
  return check_finite (out, features_get_width (f), error);
}
