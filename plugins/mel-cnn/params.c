/* The rows, and what they come to in samples, frames and natural logarithms. */
#include "mel-cnn.h"

#define ROW(field, type, ...) SEGUE_PARAM (MelCnnConfig, field, type, __VA_ARGS__)

static const char *const scales[] = { "htk", "slaney", NULL };
static const char *const standardisations[] = { "band", "segment", NULL };
static const char *const pools[] = { "max", "mean", NULL };

const SegueParam *const mel_cnn_params[] = {
  ROW (bands, SEGUE_PARAM_INT, .def = "64", .min = 8, .max = MEL_CNN_MAX_BANDS,
       .doc = "Mel bands of a frame. More tell close notes apart, and cost time in proportion."),
  ROW (window, SEGUE_PARAM_DOUBLE, .def = "64", .min = 5, .max = 500, .unit = "ms",
       .doc = "Length of the Hann window. A longer one tells pitches apart, a shorter one drums."),
  ROW (hop, SEGUE_PARAM_DOUBLE, .def = "32", .min = 1, .max = 500, .unit = "ms",
       .doc = "From one frame to the next."),
  ROW (low, SEGUE_PARAM_DOUBLE, .def = "20", .min = 0, .max = 20000, .unit = "Hz",
       .doc = "Where the lowest mel band begins."),
  ROW (high, SEGUE_PARAM_DOUBLE, .flags = SEGUE_PARAM_OPTIONAL, .min = 100, .max = 96000,
       .unit = "Hz", .doc = "Where the highest mel band ends. Unset: half the sampling rate."),
  ROW (scale, SEGUE_PARAM_CHOICE, .def = "htk", .choices = scales,
       .doc = "The mel scale: HTK's, or that of Slaney's Auditory Toolbox, which is linear below "
              "1 kHz."),
  ROW (floor, SEGUE_PARAM_DOUBLE, .def = "-80", .min = -200, .max = 0, .unit = "dB",
       .doc = "Power, relative to a full-scale sine, that is added under the logarithm: what is "
              "fainter is silence."),
  ROW (standardise, SEGUE_PARAM_CHOICE, .def = "band", .choices = standardisations,
       .doc = "What brings frames to mean 0 and variance 1: `band`, statistics of each band over "
              "the training set; `segment`, each segment's own, which loses its loudness."),
  ROW (channels, SEGUE_PARAM_LIST, .def = "[16, 32, 64, 128]", .min_items = 1,
       .max_items = MEL_CNN_MAX_BLOCKS,
       .element = SEGUE_ELEMENT (SEGUE_PARAM_INT, .min = 1, .max = MEL_CNN_MAX_CHANNELS),
       .doc = "Channels of each block: a 3×3 convolution, batch normalisation, ReLU, and pooling "
              "that halves time and bands. Multiples of 16 are fastest."),
  ROW (pool, SEGUE_PARAM_CHOICE, .def = "max", .choices = pools,
       .doc = "What pooling takes of each 2×2 window."),
  ROW (dropout, SEGUE_PARAM_DOUBLE, .def = "0.3", .min = 0, .max = 0.95,
       .doc = "Dropout before the classifier, in training."),
  ROW (crop, SEGUE_PARAM_DOUBLE, .def = "0.5", .min = 0.05, .max = 1,
       .doc =
         "In training, the share of a segment that a step sees, from a random place: another one "
         "each epoch. Steps get faster in proportion."),
  ROW (gain, SEGUE_PARAM_DOUBLE, .def = "6", .min = 0, .max = 60, .unit = "dB",
       .doc = "In training, segments get louder or softer by up to this much."),
  ROW (tilt, SEGUE_PARAM_DOUBLE, .def = "0", .min = 0, .max = 60, .unit = "dB",
       .doc = "In training, the highest band gets louder by up to this much while the lowest gets "
              "softer, or the other way round, as with another mastering."),
  ROW (time_masks, SEGUE_PARAM_INT, .def = "1", .min = 0, .max = 16,
       .doc = "In training, stretches of time to blank in each segment (SpecAugment)."),
  ROW (time_mask, SEGUE_PARAM_DOUBLE, .def = "0.5", .min = 0, .max = 60, .unit = "s",
       .doc = "The longest such stretch; each is between nothing and this."),
  ROW (band_masks, SEGUE_PARAM_INT, .def = "1", .min = 0, .max = 16,
       .doc = "In training, groups of neighbouring bands to blank in each segment."),
  ROW (band_mask, SEGUE_PARAM_INT, .def = "12", .min = 0, .max = MEL_CNN_MAX_BANDS,
       .doc = "The most bands in such a group; each has between none and this many."),
  NULL,
};

static gsize
round_samples (double ms, guint rate)
{
  return (gsize) MAX (floor (ms * rate / 1000.0 + 0.5), 1.0);
}

gboolean
mel_cnn_architecture_from_config (const MelCnnConfig *config, guint rate,
                                  MelCnnArchitecture *architecture, GError **error)
{
  double high = isnan (config->high) ? rate / 2.0 : config->high;
  gsize window = round_samples (config->window, rate), fft = 16;
  while (fft < window)
    fft *= 2;
  if (high > rate / 2.0) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                 "high must be at most %g Hz, half of the audio's rate of %u Hz, got %g",
                 rate / 2.0, rate, high);
    return FALSE;
  }
  if (config->low >= high) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                 "low must be below %g Hz, where the highest mel band ends, got %g", high,
                 config->low);
    return FALSE;
  }

  *architecture = (MelCnnArchitecture){
    .frames = { .rate = rate,
                .window = window,
                .hop = round_samples (config->hop, rate),
                .fft = fft,
                .bands = (gsize) config->bands,
                .low = config->low,
                .high = high,
                .floor = pow (10.0, config->floor / 10.0),
                .scale = config->scale == 1 ? SEGUE_NN_MEL_SLANEY : SEGUE_NN_MEL_HTK },
    .standardise =
      config->standardise == 1 ? MEL_CNN_STANDARDISE_SEGMENT : MEL_CNN_STANDARDISE_BAND,
    .pool = config->pool == 1 ? SEGUE_NN_POOL2D_MEAN : SEGUE_NN_POOL2D_MAX,
    .n_blocks = config->channels->len,
  };
  for (guint i = 0; i < config->channels->len; i++)
    architecture->channels[i] = (gsize) g_array_index (config->channels, gint64, i);
  if (architecture->frames.bands >> architecture->n_blocks == 0) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                 "%u blocks halve %" G_GSIZE_FORMAT " bands to nothing; take fewer channels in the "
                 "list, or more bands",
                 architecture->n_blocks, architecture->frames.bands);
    return FALSE;
  }
  return TRUE;
}

void
mel_cnn_training_from_config (const MelCnnConfig *config, const MelCnnArchitecture *architecture,
                              MelCnnTraining *training)
{
  const double per_db = G_LN10 / 10.0;
  double frame = (double) architecture->frames.hop / architecture->frames.rate;
  *training = (MelCnnTraining){
    .dropout = (float) config->dropout,
    .crop = config->crop,
    .gain = (float) (config->gain * per_db),
    .tilt = (float) (config->tilt * per_db),
    .time_masks = (gsize) config->time_masks,
    .time_mask = (gsize) (config->time_mask / frame + 0.5),
    .band_masks = (gsize) config->band_masks,
    .band_mask = MIN ((gsize) config->band_mask, architecture->frames.bands),
  };
}
