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
  float *re, *im, *power; /* [bins, SPECTRUM_BLOCK] */
  float *in_bands;        /* [bands, SPECTRUM_BLOCK] */

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
  if (!f->bands)
    return FALSE;
  f->re = g_new (float, f->spectrum.n_bins *SPECTRUM_BLOCK);
  f->im = g_new (float, f->spectrum.n_bins *SPECTRUM_BLOCK);
  f->power = g_new (float, f->spectrum.n_bins *SPECTRUM_BLOCK);
  f->in_bands = g_new (float, c->bands *SPECTRUM_BLOCK);
  return TRUE;
}

Features *
features_new (const FeaturesConfig *config, GError **error)
{
  if (!check_config (config, error))
    return NULL;
  g_autoptr (Features) f = g_new0 (Features, 1);
  f->config = *config;
  if (!spectrum_init (&f->spectrum, config->rate, error))
    return NULL;
  if ((config->statistics || config->modulation) && !make_bands (f, error))
    return NULL;
  if (config->stereo) {
    f->stereo = stereo_new (config->rate, &f->spectrum, config->stereo_f_max, error);
    if (!f->stereo)
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
  if (!f)
    return;
  forget_frames (f);
  spectrum_clear (&f->spectrum);
  segue_nn_mel_bands_free (f->bands);
  stereo_free (f->stereo);
  g_free (f->re);
  g_free (f->im);
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
  gsize stereo = f->stereo ? STEREO_STATISTICS * stereo_get_bands (f->stereo) : 0;
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
  if (!f->bands || f->frames == frames)
    return TRUE;
  forget_frames (f);
  if (frames > G_MAXINT / f->config.bands)
    return no_memory (error);
  f->levels = g_try_new (float, frames * f->config.bands);
  f->scratch = g_try_new (float, frames);
  if (!f->levels || !f->scratch) {
    forget_frames (f);
    return no_memory (error);
  }
  if (!modulation_init (&f->modulation, frames, f->config.rate / (double) f->spectrum.hop, error)) {
    forget_frames (f);
    return FALSE;
  }
  f->frames = frames;
  return TRUE;
}

static void
make_levels (Features *f, const float *samples, guint channels)
{
  gsize n = f->spectrum.n_bins * SPECTRUM_BLOCK;
  for (gsize t = 0; t < f->frames; t += SPECTRUM_BLOCK) {
    gsize count = MIN (SPECTRUM_BLOCK, f->frames - t);
    spectrum_compute (&f->spectrum, SPECTRUM_MIDDLE, samples + t * f->spectrum.hop * channels,
                      channels, count, 1, f->re, f->im);
    for (gsize i = 0; i < n; i++)
      f->power[i] = f->re[i] * f->re[i] + f->im[i] * f->im[i];
    segue_nn_mel_bands_forward (f->bands, SPECTRUM_BLOCK, f->power, f->in_bands);
    for (gsize m = 0; m < f->config.bands; m++)
      for (gsize i = 0; i < count; i++)
        f->levels[m * f->frames + t + i] = logf (f->in_bands[m * SPECTRUM_BLOCK + i] + floor_power);
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
  if (f->bands)
    make_levels (f, samples, channels);

  float *at = out;
  if (f->config.statistics)
    bands_statistics (f->levels, f->config.bands, frames, f->scratch, at);
  at += statistics_width (f);
  if (f->config.modulation)
    modulation_compute (&f->modulation, f->levels, f->config.bands, frames, at);
  at += modulation_width (f);
  if (f->stereo)
    stereo_compute (f->stereo, samples, channels, frames, at);
  return check_finite (out, features_get_width (f), error);
}
