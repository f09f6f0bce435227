/* Settings of log-mel frames, from parameters and config.json, in samples, frames and natural logarithms. */
#include <segue/nn/mel-front.h>

#include <math.h>
#include <segue/error.h>

/* Per second. */
#define MAX_FRAMES 1000

static const char *const scales[] = { "htk", "slaney", NULL };
static const char *const standardisations[] = { "band", "segment", NULL };

static gsize
round_samples (double ms, guint rate)
{
  return (gsize) MAX (floor (ms * rate / 1000.0 + 0.5), 1.0);
}

gboolean
segue_nn_mel_front_set (SegueNnMelFront *front, const SegueNnMelParams *params, guint rate,
                        GError **error)
{
  double high = isnan (params->high) ? rate / 2.0 : params->high;
  gsize window = round_samples (params->window, rate), fft = 16;
  while (fft < window)
    fft *= 2;
  if (high > rate / 2.0) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                 "high must be at most %g Hz, half of the audio's sample rate of %u Hz, got %g",
                 rate / 2.0, rate, high);
    return FALSE;
  }
  if (params->low >= high) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                 "low must be below %g Hz, where the highest mel band ends, got %g", high,
                 params->low);
    return FALSE;
  }
  front->frames =
    (SegueNnLogMelConfig){ .rate = rate,
                           .window = window,
                           .hop = round_samples (params->hop, rate),
                           .fft = fft,
                           .bands = (gsize) params->bands,
                           .low = params->low,
                           .high = high,
                           .floor = pow (10.0, params->floor / 10.0),
                           .scale = params->scale == 1 ? SEGUE_NN_MEL_SLANEY : SEGUE_NN_MEL_HTK };
  front->standardise =
    params->standardise == 1 ? SEGUE_NN_STANDARDISE_SEGMENT : SEGUE_NN_STANDARDISE_BAND;
  segue_nn_mel_front_set_training (front, params);
  return TRUE;
}

/* It divides by the rate: frames must be valid. */
void
segue_nn_mel_front_set_training (SegueNnMelFront *front, const SegueNnMelParams *params)
{
  const double per_db = G_LN10 / 10.0;
  double frame = (double) front->frames.hop / front->frames.rate;
  front->crop = params->crop;
  front->gain = (float) (params->gain * per_db);
  front->tilt = (float) (params->tilt * per_db);
  front->time_masks = (gsize) params->time_masks;
  front->time_mask = (gsize) (params->time_mask / frame + 0.5);
  front->band_masks = (gsize) params->band_masks;
  front->band_mask = MIN ((gsize) params->band_mask, front->frames.bands);
}

/* Missing numbers stay 0, which the checks of segue_nn_log_mel_new () refuse. */
gboolean
segue_nn_mel_front_read (SegueNnMelFront *front, const json_t *config, const char *where,
                         GError **error)
{
  SegueNnLogMelConfig *f = &front->frames;
  const gsize longest = SEGUE_NN_LOG_MEL_MAX_FFT;
  guint scale = G_MAXUINT, standardise = G_MAXUINT;
  *f = (SegueNnLogMelConfig){ 0 };
  if (!segue_nn_config_get_number (config, where, "sampling_rate", 1, 1e6, &f->rate, error) ||
      !segue_nn_config_get_size (config, where, "window_length", 2, longest, &f->window, error) ||
      !segue_nn_config_get_size (config, where, "hop_length", 1, longest, &f->hop, error) ||
      !segue_nn_config_get_size (config, where, "n_fft", 4, longest, &f->fft, error) ||
      !segue_nn_config_get_size (config, where, "num_mel_bins", 1, SEGUE_NN_MEL_MAX_BANDS,
                                 &f->bands, error) ||
      !segue_nn_config_get_number (config, where, "min_frequency", 0, 1e6, &f->low, error) ||
      !segue_nn_config_get_number (config, where, "max_frequency", 0, 1e6, &f->high, error) ||
      !segue_nn_config_get_number (config, where, "mel_floor", 1e-30, 1, &f->floor, error) ||
      !segue_nn_config_get_choice (config, where, "mel_scale", scales, &scale, error) ||
      !segue_nn_config_get_choice (config, where, "standardise", standardisations, &standardise,
                                   error))
    return FALSE;
  if (scale == G_MAXUINT || standardise == G_MAXUINT)
    return segue_nn_config_refuse (error, where, scale == G_MAXUINT ? "mel_scale" : "standardise",
                                   "is missing");
  f->scale = scale == 0 ? SEGUE_NN_MEL_HTK : SEGUE_NN_MEL_SLANEY;
  front->standardise = standardise == 0 ? SEGUE_NN_STANDARDISE_BAND : SEGUE_NN_STANDARDISE_SEGMENT;
  if (f->rate != floor (f->rate))
    return segue_nn_config_refuse (error, where, "sampling_rate", "must be a whole number");
  /* As in training: memory and time grow with the number of frames. */
  if ((double) f->hop < floor (f->rate / MAX_FRAMES))
    return segue_nn_config_refuse (error, where, "hop_length", "gives more than %d frames a second",
                                   MAX_FRAMES);
  return TRUE;
}

void
segue_nn_mel_front_write (const SegueNnMelFront *front, json_t *config)
{
  const SegueNnLogMelConfig *f = &front->frames;
  json_t *own =
    json_pack ("{s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:s, s:s}", "sampling_rate",
               (json_int_t) f->rate, "window_length", (json_int_t) f->window, "hop_length",
               (json_int_t) f->hop, "n_fft", (json_int_t) f->fft, "num_mel_bins",
               (json_int_t) f->bands, "min_frequency", f->low, "max_frequency", f->high,
               "mel_floor", f->floor, "mel_scale", scales[f->scale == SEGUE_NN_MEL_SLANEY],
               "standardise", standardisations[front->standardise == SEGUE_NN_STANDARDISE_SEGMENT]);
  json_object_update (config, own);
  json_decref (own);
}
