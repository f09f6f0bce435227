/* What the files of this plugin share: the shape of the network, its weights, and the model.
 *
 * Shapes in comments: B items of a batch, T frames, M mel bands, C channels.
 */
#pragma once

#include <segue/model.h>
#include <segue/nn/log-mel.h>
#include <segue/nn/pool2d.h>
#include <segue/nn/random.h>

#define MEL_CNN_RATE         16000 /* Hz, where items say nothing */
#define MEL_CNN_MAX_BLOCKS   8
#define MEL_CNN_MAX_CHANNELS 1024
#define MEL_CNN_MAX_BANDS    512
#define MEL_CNN_KERNEL       3
#define MEL_CNN_POOL         2
#define MEL_CNN_NORM_EPS     1e-5f
#define MEL_CNN_MOMENTUM     0.1

/* How log-mel frames are brought to mean 0 and variance 1. */
typedef enum {
  MEL_CNN_STANDARDISE_BAND,    /* each band, by statistics of the training set */
  MEL_CNN_STANDARDISE_SEGMENT, /* each segment, by its own: loudness is lost */
} MelCnnStandardise;

/* Everything that shapes the computation, as config.json has it. */
typedef struct {
  SegueNnLogMelConfig frames;
  MelCnnStandardise standardise;
  SegueNnPool2dKind pool;
  guint n_blocks;
  gsize channels[MEL_CNN_MAX_BLOCKS];
} MelCnnArchitecture;

/* The parameters; what they say of the architecture is for new models only. */
typedef struct {
  gint64 bands;
  double window; /* ms */
  double hop;    /* ms */
  double low;    /* Hz */
  double high;   /* Hz, or unset */
  int scale;
  double floor; /* dB */
  int standardise;
  GArray *channels; /* gint64 */
  int pool;

  double dropout;
  double crop;
  double gain;
  double tilt;
  gint64 time_masks;
  double time_mask; /* s */
  gint64 band_masks;
  gint64 band_mask; /* bands */
} MelCnnConfig;

/* What happens in training only. */
typedef struct {
  float dropout;
  double crop; /* share of the frames */
  float gain;  /* natural logarithm of a power */
  float tilt;  /* likewise, at either end of the bands */
  gsize time_masks;
  gsize time_mask; /* frames, at most */
  gsize band_masks;
  gsize band_mask; /* bands, at most */
} MelCnnTraining;

/* A weight and its gradient. */
typedef struct {
  float *w;
  float *dw;
} MelCnnParam;

/* Convolution, batch normalisation, ReLU, pooling. */
typedef struct {
  gsize in, out;
  MelCnnParam conv; /* [out, in, 3, 3] */
  MelCnnParam gamma, beta;
  float *running_mean, *running_variance; /* [out] */
  float *packed, *packed_back;            /* derived from conv by changed () */
} MelCnnBlock;

typedef struct {
  SegueNnPool *pool;
  GCancellable *cancellable; /* borrowed, nullable: of passes */
  SegueNnLogMel *log_mel;
  MelCnnArchitecture architecture;
  MelCnnTraining training;
  char **labels;
  guint n_labels;
  GArray *tensors;  /* SegueModelTensor */
  GPtrArray *names; /* of the tensors */
  float *arena;     /* values, gradients, packed weights; freed as one */
  MelCnnBlock blocks[MEL_CNN_MAX_BLOCKS];
  float *running_mean, *running_variance; /* [bands], of the frames; NULL where not needed */
  MelCnnParam head;                       /* [labels, 2C] */
  MelCnnParam head_bias;                  /* [labels] */
} MelCnn;

/* Names of random numbers (SegueNnRandomKey.layer). */
enum { MEL_CNN_RANDOM_INIT, MEL_CNN_RANDOM_AUGMENT, MEL_CNN_RANDOM_DROPOUT };

/* ---- params.c ---- */

extern const SegueParam *const mel_cnn_params[];

/* @rate: Hz.  %SEGUE_ERROR_PIPELINE where the parameters don't go together. */
gboolean mel_cnn_architecture_from_config (const MelCnnConfig *config, guint rate,
                                           MelCnnArchitecture *architecture, GError **error);
void mel_cnn_training_from_config (const MelCnnConfig *config,
                                   const MelCnnArchitecture *architecture,
                                   MelCnnTraining *training);

/* ---- weights.c ---- */

/* Declares all tensors, without memory; returns the bytes that they need. */
gsize mel_cnn_weights_declare (MelCnn *model);
/* Declares all tensors and gives them memory: values and gradients are 0. */
gboolean mel_cnn_weights_new (MelCnn *model, GError **error);
/* Random weights for the blocks, or (head only) for the classifier. */
void mel_cnn_weights_init (MelCnn *model, guint64 seed, gboolean head_only);
/* Packs the convolutions' weights. */
void mel_cnn_weights_changed (MelCnn *model);

/* ---- plan.c ---- */

/* Where everything lies in a workspace, in floats from its start.  In inference the convolutions
 * share one place and pooled activations alternate between two. */
typedef struct {
  gsize all_frames; /* of the whole segment */
  gsize frames;     /* that the network sees: a crop of them in training */
  gsize height[MEL_CNN_MAX_BLOCKS + 1],
    width[MEL_CNN_MAX_BLOCKS + 1];      /* before each block; at last after all */
  gsize log_mel;                        /* [B, all_frames, M], where samples come in */
  gsize input;                          /* [B, frames, M] */
  gsize conv[MEL_CNN_MAX_BLOCKS];       /* [B, height, width, C] */
  gsize pooled[MEL_CNN_MAX_BLOCKS];     /* the next block's input */
  gsize statistics[MEL_CNN_MAX_BLOCKS]; /* mean, variance, scale, shift, rstd: [5, C] */
  gsize bands;                          /* [B, T, C]: mean over bands */
  gsize features;                       /* [B, 2C]: mean and maximum over time */
  gsize dropped;                        /* [B, 2C]: after dropout; its gradient */
  gsize scratch;
  gsize size;
} MelCnnPlan;

/* %FALSE where the sizes are impossible. */
gboolean mel_cnn_plan (MelCnn *model, guint batch, gsize length, SegueModelMode mode,
                       gboolean from_prefix, MelCnnPlan *plan);
/* Frames without which nothing is left after the last block. */
gsize mel_cnn_min_frames (const MelCnnArchitecture *architecture);

/* ---- augment.c ---- */

/* frames [B, all_frames, M] → input [B, frames, M], standardised; in training cropped, changed and
 * masked at random, and the running statistics follow. */
void mel_cnn_prepare (MelCnn *model, const SegueModelPass *pass, const MelCnnPlan *plan,
                      const float *frames, float *input, float *scratch);
/* Floats of scratch for that. */
gsize mel_cnn_prepare_scratch (MelCnn *model, guint batch, gsize frames);

/* ---- passes.c ---- */

gsize mel_cnn_prefix_size (gpointer model, gsize length);
gboolean mel_cnn_prefix (gpointer model, guint batch, gsize length, const float *input,
                         void *workspace, float *output, GError **error);
gsize mel_cnn_plan_bytes (gpointer model, guint batch, gsize length, SegueModelMode mode,
                          gboolean from_prefix);
gboolean mel_cnn_forward (gpointer model, SegueModelPass *pass, GError **error);
gboolean mel_cnn_backward (gpointer model, SegueModelPass *pass, const float *d_logits,
                           GError **error);

/* ---- folder.c ---- */

/* (transfer full): labels and architecture of @folder's config.json, its rate checked. */
gboolean mel_cnn_folder_read (const char *folder, guint rate, MelCnnArchitecture *architecture,
                              char ***labels, GError **error);
/* Tensors out of model.safetensors, which get their memory once the file is known to hold them; the
 * head stays 0 where @head is %FALSE. */
gboolean mel_cnn_folder_read_weights (MelCnn *model, const char *folder, gboolean head,
                                      GError **error);
gboolean mel_cnn_save (gpointer model, const char *folder, GError **error);
