/* Shared by the files of this plugin: the shape of a Hubert classifier, its weights, and the model.
 *
 * Shapes in comments: B items of a batch, T frames after the conv encoder, H hidden_size, C channels.
 */
#pragma once

#include <segue/model.h>
#include <segue/nn/activation.h>
#include <segue/nn/model.h>
#include <segue/nn/transformer.h>

#define HUBERT_MAX_CONVS 16
/* The epsilon of the norms inside the conv encoder: torch's default, not layer_norm_eps. */
#define HUBERT_CONV_NORM_EPS 1e-5f

typedef enum { HUBERT_NORM_GROUP, HUBERT_NORM_LAYER } HubertConvNorm;

typedef struct {
  gsize channels;
  gsize kernel;
  gsize stride;
} HubertConv;

/* Everything that determines the computation, as in config.json. */
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

/* Used in training only. */
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

/* What is not trained: nothing, the conv encoder, or all but projector and classifier.  Frozen
 * parts also run as in inference: no dropout, no masks. */
typedef enum { HUBERT_FREEZE_NONE, HUBERT_FREEZE_FEATURE_ENCODER, HUBERT_FREEZE_BASE } HubertFreeze;

/* preprocessor_config.json: what happens to samples before the first convolution. */
typedef struct {
  guint rate; /* Hz */
  gboolean normalise;
} HubertPreprocessor;

/* ---- weights.c ---- */

/* What can be frozen together. */
typedef enum { HUBERT_PART_ENCODER, HUBERT_PART_BASE, HUBERT_PART_HEAD } HubertPart;

typedef struct {
  SegueNnWeight mask_embedding; /* masked_spec_embed [H] */
  SegueNnAffine convs[HUBERT_MAX_CONVS];
  SegueNnAffine conv_norms[HUBERT_MAX_CONVS];
  SegueNnAffine feature_norm;
  SegueNnAffine projection;
  SegueNnWeight positional_g, positional_v;
  SegueNnAffine positional; /* weight: [groups, kernel, I, O]: g · v / ‖v‖, derived */
  SegueNnAffine norm;       /* encoder.layer_norm */
  SegueNnTransformerLayer *layers;
  SegueNnWeight layer_weights; /* [layers + 1] */
  SegueNnAffine projector;
  SegueNnAffine classifier;
  float *positional_norm; /* [kernel]: ‖v‖ */
} HubertWeights;

/* ---- model.c ---- */

typedef struct {
  SegueNnModel base;
  HubertArchitecture architecture;
  HubertTraining training;
  HubertFreeze freeze;
  HubertPreprocessor preprocessor;
  json_t *config;              /* config.json as loaded or made: unknown keys are kept */
  json_t *preprocessor_config; /* likewise */
  gboolean assumes_normalise;  /* its folder does not specify whether audio is normalised */
  HubertWeights weights;
} HubertModel;

/* Declares all tensors of a model whose labels are set, and marks what is frozen. */
gboolean hubert_weights_declare (HubertModel *model, gboolean mask_embedding, GError **error);
/* The classifier of a file that names its tensors as transformers does, old or new; a bare base model's names lack
 * the prefix. */
SegueNnWeightsSource hubert_weights_source (HubertModel *model, SegueSafetensors *file,
                                            const char *folder);

/* The transformer of the model, with the dropouts of its training. */
SegueNnTransformer hubert_model_get_transformer (const HubertModel *model);

extern const SegueModelType hubert_model_type;
