/* Parameters of the model type, as given in a pipeline. */
#pragma once

#include "hubert.h"

typedef struct {
  /* Used by a new model; a folder's own config.json wins. */
  gint64 hidden_size;
  gint64 num_hidden_layers;
  gint64 num_attention_heads;
  gint64 intermediate_size;
  int hidden_act;
  int feat_extract_norm;
  int feat_extract_activation;
  gboolean feat_proj_layer_norm;
  GArray *conv_dim, *conv_kernel, *conv_stride; /* of gint64 */
  gboolean conv_bias;
  gint64 num_conv_pos_embeddings;
  gint64 num_conv_pos_embedding_groups;
  gboolean do_stable_layer_norm;
  gboolean use_weighted_layer_sum;
  gint64 classifier_proj_size;
  double layer_norm_eps;
  /* Used by every model; where unset, the folder's values. */
  int freeze;
  gboolean do_normalize;
  double hidden_dropout, attention_dropout, activation_dropout, feat_proj_dropout, layerdrop;
  gboolean apply_spec_augment;
  double mask_time_prob, mask_feature_prob;
  gint64 mask_time_length, mask_feature_length;
} HubertParams;

extern const SegueParam *const hubert_params[];

/* (transfer full): config.json of a new model: DistilHuBERT's, with the architecture of @params. */
json_t *hubert_params_new_config (const HubertParams *params);
/* Overwrites training settings in @config with those set in @params. */
void hubert_params_override (const HubertParams *params, json_t *config);
