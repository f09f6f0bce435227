/* The front end of a model over log-mel frames: samples → frames [B, T, M], standardised to mean 0 and variance 1,
 * and in training cropped, changed in gain, tilted and masked (SpecAugment, Park et al. 2019).
 *
 * A model type gets these parameters if its own struct begins with a
 * SegueNnMelParams and its rows with SEGUE_NN_MEL_PARAMS.
 */
#pragma once

#include <segue/nn/arena.h>
#include <segue/nn/log-mel.h>
#include <segue/nn/model.h>

G_BEGIN_DECLS

#define SEGUE_NN_MEL_MAX_BANDS 512

/** SegueNnStandardise: each band with statistics of the training set; or each segment with its own, which removes
 * its loudness. */
typedef enum {
  SEGUE_NN_STANDARDISE_BAND,
  SEGUE_NN_STANDARDISE_SEGMENT,
} SegueNnStandardise;

/** SegueNnMelParams: the parameters that a pipeline sets. */
typedef struct {
  gint64 bands;
  double window, hop; /* ms */
  double low, high;   /* Hz; @high may be unset */
  int scale;
  double floor; /* dB */
  int standardise;
  double crop;       /* fraction */
  double gain, tilt; /* dB */
  gint64 time_masks;
  double time_mask; /* s */
  gint64 band_masks, band_mask;
} SegueNnMelParams;

#define SEGUE_NN_MEL_ROW_(field, type, ...) SEGUE_PARAM (SegueNnMelParams, field, type, __VA_ARGS__)

/** SEGUE_NN_MEL_PARAMS: rows of a table whose struct begins with a SegueNnMelParams. */
#define SEGUE_NN_MEL_PARAMS                                                                        \
  SEGUE_NN_MEL_ROW_ (bands, SEGUE_PARAM_INT, .def = "64", .min = 8, .max = SEGUE_NN_MEL_MAX_BANDS, \
                     .doc = "Mel bands per frame. More bands separate close notes better, and "    \
                            "take more time in proportion."),                                      \
    SEGUE_NN_MEL_ROW_ (                                                                            \
      window, SEGUE_PARAM_DOUBLE, .def = "64", .min = 5, .max = 500, .unit = "ms",                 \
      .doc =                                                                                       \
        "Length of the Hann window. A longer one separates pitches better, a shorter one drums."), \
    SEGUE_NN_MEL_ROW_ (hop, SEGUE_PARAM_DOUBLE, .def = "32", .min = 1, .max = 500, .unit = "ms",   \
                       .doc = "Distance from one frame to the next."),                             \
    SEGUE_NN_MEL_ROW_ (low, SEGUE_PARAM_DOUBLE, .def = "20", .min = 0, .max = 20000, .unit = "Hz", \
                       .doc = "Lower edge of the lowest mel band."),                               \
    SEGUE_NN_MEL_ROW_ (high, SEGUE_PARAM_DOUBLE, .min = 100, .max = 96000, .unit = "Hz",           \
                       .doc = "Upper edge of the highest mel band. Unset: half the sample rate.",  \
                       .flags = SEGUE_PARAM_OPTIONAL),                                             \
    SEGUE_NN_MEL_ROW_ (scale, SEGUE_PARAM_CHOICE, .def = "htk",                                    \
                       .choices = SEGUE_NAMES ("htk", "slaney"),                                   \
                       .doc = "The mel scale: HTK's, or that of Slaney's Auditory Toolbox, which " \
                              "is linear below 1 kHz."),                                           \
    SEGUE_NN_MEL_ROW_ (floor, SEGUE_PARAM_DOUBLE, .def = "-80", .min = -200, .max = 0,             \
                       .unit = "dB",                                                               \
                       .doc = "Power, relative to a full-scale sine, that is added before the "    \
                              "logarithm is taken. Anything fainter counts as silence."),          \
    SEGUE_NN_MEL_ROW_ (                                                                            \
      standardise, SEGUE_PARAM_CHOICE, .def = "band", .choices = SEGUE_NAMES ("band", "segment"),  \
      .doc =                                                                                       \
        "Statistics that scale frames to mean 0 and variance 1: `band`, those of each band over "  \
        "the training set; `segment`, those of each segment, which discards its loudness."),       \
    SEGUE_NN_MEL_ROW_ (                                                                            \
      crop, SEGUE_PARAM_DOUBLE, .def = "0.5", .min = 0.05, .max = 1,                               \
      .doc = "In training, the fraction of a segment that a step uses, at a random position that " \
             "changes every epoch. Smaller fractions make steps faster in proportion."),           \
    SEGUE_NN_MEL_ROW_ (gain, SEGUE_PARAM_DOUBLE, .def = "6", .min = 0, .max = 60, .unit = "dB",    \
                       .doc = "In training, segments get louder or softer by up to this much."),   \
    SEGUE_NN_MEL_ROW_ (tilt, SEGUE_PARAM_DOUBLE, .def = "0", .min = 0, .max = 60, .unit = "dB",    \
                       .doc =                                                                      \
                         "In training, the highest band gets louder by up to this much while the " \
                         "lowest gets softer, or vice versa, as with a different mastering."),     \
    SEGUE_NN_MEL_ROW_ (                                                                            \
      time_masks, SEGUE_PARAM_INT, .def = "1", .min = 0, .max = 16,                                \
      .doc = "In training, the number of time spans to blank in each segment (SpecAugment)."),     \
    SEGUE_NN_MEL_ROW_ (time_mask, SEGUE_PARAM_DOUBLE, .def = "0.5", .min = 0, .max = 60,           \
                       .unit = "s",                                                                \
                       .doc = "Maximum length of such a span; each is between 0 and this long."),  \
    SEGUE_NN_MEL_ROW_ (                                                                            \
      band_masks, SEGUE_PARAM_INT, .def = "1", .min = 0, .max = 16,                                \
      .doc = "In training, the number of groups of neighbouring bands to blank in each segment."), \
    SEGUE_NN_MEL_ROW_ (                                                                            \
      band_mask, SEGUE_PARAM_INT, .def = "12", .min = 0, .max = SEGUE_NN_MEL_MAX_BANDS,            \
      .doc = "Maximum number of bands in such a group; each has between 0 and this many.")

/** SegueNnMelFront: the caller sets the members above the line, with the functions below, before opening it.
 * @min_frames: the fewest frames that the rest of the model accepts, such as 2ⁿ if it halves them n times; 0: one. The
 *   model sets it before anything that depends on a length: crops of training and its min_length respect it
 * @layer: distinguishes its random numbers from others of the model */
typedef struct {
  SegueNnLogMelConfig frames;
  SegueNnStandardise standardise;
  double crop;
  float gain, tilt; /* natural logarithms of a power */
  gsize time_masks, time_mask, band_masks, band_mask;
  gsize min_frames;
  guint32 layer;
  /* ---- */
  SegueNnLogMel *log_mel;
  SegueNnWeight mean, variance; /* [M], running; none if segments are standardised */
} SegueNnMelFront;

/** segue_nn_mel_front_set: for a new model, with audio of @rate Hz. %SEGUE_ERROR_PIPELINE if @params are
 * inconsistent. */
SEGUE_API gboolean segue_nn_mel_front_set (SegueNnMelFront *front, const SegueNnMelParams *params,
                                           guint rate, GError **error);
/** segue_nn_mel_front_read: all but the training parameters, from a model folder's config.json (untrusted).
 * %SEGUE_ERROR_DATA */
SEGUE_API gboolean segue_nn_mel_front_read (SegueNnMelFront *front, const json_t *config,
                                            const char *where, GError **error);
/** segue_nn_mel_front_set_training: the training parameters; the frames must be set before. */
SEGUE_API void segue_nn_mel_front_set_training (SegueNnMelFront *front,
                                                const SegueNnMelParams *params);
/** segue_nn_mel_front_write: writes what segue_nn_mel_front_read() reads into @config. */
SEGUE_API void segue_nn_mel_front_write (const SegueNnMelFront *front, json_t *config);

/** segue_nn_mel_front_open: also declares its statistics, @name.running_mean and @name.running_var. */
SEGUE_API gboolean segue_nn_mel_front_open (SegueNnMelFront *front, SegueNnModel *model,
                                            const char *name, GError **error);
SEGUE_API void segue_nn_mel_front_close (SegueNnMelFront *front);
/** segue_nn_mel_front_get_min_length: number of samples for its @min_frames. */
SEGUE_API gsize segue_nn_mel_front_get_min_length (const SegueNnMelFront *front);

/** SegueNnMelBuffers: in a workspace, filled in by segue_nn_mel_front_lay().
 * @frames: T, of the crop
 * @cropped: [B, samples of T frames], in training
 * @log_mel, @output: [B, T, M] */
typedef struct {
  gsize frames;
  float *cropped;
  float *log_mel;
  float *output;
} SegueNnMelBuffers;

/** segue_nn_mel_front_lay: %FALSE: @length gives fewer than its @min_frames. */
SEGUE_API gboolean segue_nn_mel_front_lay (const SegueNnMelFront *front, SegueNnArena *arena,
                                           guint batch, gsize length, SegueModelMode mode,
                                           SegueNnMelBuffers *buffers);
/** segue_nn_mel_front_scratch: number of floats that segue_nn_mel_front_forward() needs as @scratch, in the same workspace
 * as @buffers. They contain nothing between calls, so a model can use one piece, of the largest size, for all of its
 * layers. */
SEGUE_API gsize segue_nn_mel_front_scratch (const SegueNnMelFront *front, guint batch,
                                            const SegueNnMelBuffers *buffers);
/** segue_nn_mel_front_forward: the pass's input → buffers->output; training updates the running statistics. */
SEGUE_API void segue_nn_mel_front_forward (SegueNnMelFront *front, SegueNnThreads *threads,
                                           const SegueModelPass *pass, SegueNnMelBuffers *buffers,
                                           float *scratch);

/* ---- A complete model with this front end ---- */

/** SegueNnMelModel: the first member of the struct of a model over log-mel frames; its configuration begins with a
 * SegueNnMelParams. */
typedef struct {
  SegueNnModel base;
  SegueNnMelFront front;
} SegueNnMelModel;

/** segue_nn_mel_model_create: as segue_nn_model_create(), for audio at the rate of @spec, or 16 kHz. Opens @model.
 * @declare: all weights except the front end's */
SEGUE_API gboolean segue_nn_mel_model_create (SegueNnMelModel *model,
                                              const SegueNnMelParams *params,
                                              const SegueModelSpec *spec,
                                              SegueNnDeclareFunc declare, GError **error);
/** segue_nn_mel_model_read: (transfer full): the config.json of @folder; also reads the front end's part of it. */
SEGUE_API json_t *segue_nn_mel_model_read (SegueNnMelModel *model, const char *folder,
                                           GError **error);
/** segue_nn_mel_model_load: loads the rest, after the caller has read its own sizes from @config. Opens @model. */
SEGUE_API gboolean segue_nn_mel_model_load (SegueNnMelModel *model, const SegueNnMelParams *params,
                                            const SegueModelSpec *spec, const char *folder,
                                            const json_t *config, SegueNnDeclareFunc declare,
                                            GError **error);
/** segue_nn_mel_model_save: writes config.json, preprocessor_config.json, model.safetensors.
 * @config: (transfer full): model_type and the caller's own sizes */
SEGUE_API gboolean segue_nn_mel_model_save (const SegueNnMelModel *model, const char *folder,
                                            json_t *config, GError **error);
/** segue_nn_mel_model_close: does not free the struct itself. */
SEGUE_API void segue_nn_mel_model_close (SegueNnMelModel *model);

/* Callbacks of SegueModelType. @model: a #SegueNnMelModel */
SEGUE_API void segue_nn_mel_model_describe (gpointer model, SegueModelInfo *info);

G_END_DECLS
