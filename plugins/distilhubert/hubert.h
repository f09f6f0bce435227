/* What the files of this plugin share: the shape of a Hubert classifier, its weights, and the model.
 *
 * Shapes in comments: B items of a batch, T frames after the conv encoder, H hidden_size, C channels.
 */
#pragma once

#include <jansson.h>
#include <segue/model.h>
#include <segue/nn/activation.h>
#include <segue/nn/pool.h>
#include <segue/nn/safetensors.h>

#define HUBERT_MAX_CONVS 16
/* The epsilon of the norms inside the conv encoder: torch's default, not layer_norm_eps. */
#define HUBERT_CONV_NORM_EPS 1e-5f

typedef enum { HUBERT_NORM_GROUP, HUBERT_NORM_LAYER } HubertConvNorm;

typedef struct {
  gsize channels;
  gsize kernel;
  gsize stride;
} HubertConv;

/* Everything that shapes the computation, as config.json has it. */
typedef struct {
  guint n_convs;
  HubertConv convs[HUBERT_MAX_CONVS];
  gboolean conv_bias;
  HubertConvNorm conv_norm;
  SegueNnActivation conv_activation; /* also of the positional convolution */
  gboolean feature_norm;             /* feat_proj_layer_norm */
  gsize hidden;
  gsize layers;
  gsize heads;
  gsize inner; /* intermediate_size */
  SegueNnActivation activation;
  gsize positional_kernel;
  gsize positional_groups;
  gboolean stable; /* do_stable_layer_norm: norms before attention and feed-forward, not after */
  gboolean weighted_sum;
  gsize projector; /* classifier_proj_size */
  float eps;
  float initializer_range;
} HubertArchitecture;

/* Spans of `length` that cover about `share` of an axis, at least `least` spans. */
typedef struct {
  double share;
  gsize length;
  gsize least;
} HubertMask;

/* What happens in training only. */
typedef struct {
  float hidden_dropout;
  float attention_dropout;
  float activation_dropout;
  float feature_dropout; /* feat_proj_dropout */
  float layerdrop;
  gboolean augment; /* apply_spec_augment */
  HubertMask time_mask;
  HubertMask channel_mask; /* mask_feature_… */
} HubertTraining;

/* What is not trained: nothing, the conv encoder, or all but projector and classifier.  Whatever is
 * frozen also runs as in inference: no dropout, no masks. */
typedef enum { HUBERT_FREEZE_NONE, HUBERT_FREEZE_FEATURE_ENCODER, HUBERT_FREEZE_BASE } HubertFreeze;

/* preprocessor_config.json: what happens to samples before the first convolution. */
typedef struct {
  guint rate; /* Hz */
  gboolean normalise;
} HubertPreprocessor;

/* ---- weights.c ---- */

typedef enum { HUBERT_PART_ENCODER, HUBERT_PART_BASE, HUBERT_PART_HEAD } HubertPart;

/* How a tensor lies in memory: as in the file, or packed for the op that uses it. */
typedef enum {
  HUBERT_LAYOUT_PLAIN,
  HUBERT_LAYOUT_CONV,       /* see conv1d.h */
  HUBERT_LAYOUT_POSITIONAL, /* see grouped-conv1d.h */
} HubertLayout;

typedef enum {
  HUBERT_INIT_CONSTANT,
  HUBERT_INIT_NORMAL,          /* N (0, amount²) */
  HUBERT_INIT_UNIFORM,         /* U (−amount, amount) */
  HUBERT_INIT_UNIT,            /* U (0, 1) */
  HUBERT_INIT_POSITIONAL_NORM, /* ‖v‖ of the positional convolution, so that it starts as v */
} HubertInit;

/* A weight and its gradient; dw is NULL for what isn't trained. */
typedef struct {
  float *w;
  float *dw;
} HubertParam;

typedef struct {
  HubertParam weight;
  HubertParam bias; /* w is NULL where there is none */
} HubertAffine;

typedef struct {
  HubertAffine qkv; /* [3H, H], [3H]: the three projections as one */
  HubertAffine out;
  HubertAffine attention_norm; /* layer_norm */
  HubertAffine inner;          /* intermediate_dense */
  HubertAffine outer;          /* output_dense */
  HubertAffine final_norm;     /* final_layer_norm */
} HubertLayer;

/* One named tensor.  The shape is the file's; values lie as `layout` says. */
typedef struct {
  char *name; /* as transformers has it today, with the prefix `hubert.` of a classifier's file */
  guint rank;
  gsize shape[3];
  gsize n_elements;
  HubertLayout layout;
  HubertPart part;
  gboolean decay;
  gboolean trained;
  HubertInit init;
  float amount;
  gsize offset; /* floats, in the arena of values and in that of gradients */
  HubertParam *param;
} HubertTensor;

typedef struct {
  GArray *tensors; /* HubertTensor, in a fixed order */
  gsize n_floats;
  gpointer values_block, gradients_block; /* as allocated; the arenas are aligned inside */
  float *values, *gradients;

  HubertParam mask_embedding; /* masked_spec_embed [H] */
  HubertAffine convs[HUBERT_MAX_CONVS];
  HubertAffine conv_norms[HUBERT_MAX_CONVS];
  HubertAffine feature_norm;
  HubertAffine projection;
  HubertParam positional_g, positional_v, positional_bias;
  HubertAffine norm; /* encoder.layer_norm */
  HubertLayer *layers;
  HubertParam layer_weights; /* [layers + 1] */
  HubertAffine projector;
  HubertAffine classifier;
} HubertWeights;

/* Names and shapes of all tensors; nothing is allocated for their values. */
gboolean hubert_weights_declare (HubertWeights *weights, const HubertArchitecture *architecture,
                                 gsize n_labels, gboolean mask_embedding, GError **error);
/* Marks what is trained, and gives memory to values (undefined) and gradients (0). */
gboolean hubert_weights_allocate (HubertWeights *weights, HubertFreeze freeze, gboolean augment,
                                  GError **error);
void hubert_weights_clear (HubertWeights *weights);
float *hubert_tensor_values (const HubertWeights *weights, const HubertTensor *tensor);
/* torch's order to the layout in memory, and back. */
void hubert_tensor_pack (SegueNnPool *pool, const HubertArchitecture *architecture,
                         const HubertTensor *tensor, const float *torch, float *packed);
void hubert_tensor_unpack (SegueNnPool *pool, const HubertArchitecture *architecture,
                           const HubertTensor *tensor, const float *packed, float *torch);

/* ---- init.c ---- */

/* Random values for tensor `index`, as transformers initialises them. */
gboolean hubert_weights_init (HubertWeights *weights, const HubertArchitecture *architecture,
                              guint index, guint64 seed, SegueNnPool *pool, GError **error);
/* FALSE, with SEGUE_ERROR_RESOURCE. */
gboolean hubert_no_memory (GError **error);

/* ---- model.c ---- */

typedef struct {
  SegueNnPool *pool;
  GCancellable *cancellable; /* borrowed, nullable: of passes */
  SegueModelPrecision precision;
  HubertArchitecture architecture;
  HubertTraining training;
  HubertFreeze freeze;
  HubertPreprocessor preprocessor;
  json_t *config;              /* config.json as loaded or made: what we don't know is kept */
  json_t *preprocessor_config; /* likewise */
  gboolean assumes_normalise;  /* its folder does not say whether audio is normalised */
  char **labels;
  guint n_labels;
  HubertWeights weights;
  float *positional;      /* [groups, kernel, I, O]: g · v / ‖v‖, derived by changed () */
  float *positional_norm; /* [kernel]: ‖v‖ */
} HubertModel;

/* Derives the positional convolution's weight from g and v, and all weights in the model's precision. */
void hubert_model_changed (HubertModel *model);

/* ---- precision.c ---- */

gboolean hubert_model_set_precision (HubertModel *model, SegueModelPrecision precision,
                                     GError **error);
void hubert_model_keep_weights (const HubertModel *model);

extern const SegueModelType hubert_model_type;
