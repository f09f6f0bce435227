/* The rows, and their conversion to a config.json: the same code reads new and loaded models. */
#include "params.h"

#include <math.h>

static const char *const freeze_choices[] = { "none", "feature-encoder", "base", NULL };
static const char *const norm_choices[] = { "group", "layer", NULL };
static const char *const activation_choices[] = { "gelu", "gelu_new", "quick_gelu", "relu",
                                                  "silu", "tanh",     NULL };

#define SIZE(field, default_text, least, most, text)                                               \
  SEGUE_PARAM (HubertParams, field, SEGUE_PARAM_INT, .def = default_text, .min = least,            \
               .max = most, .doc = text)
#define SWITCH(field, default_text, text)                                                          \
  SEGUE_PARAM (HubertParams, field, SEGUE_PARAM_BOOL, .def = default_text, .doc = text)
#define CHOICE(field, default_text, names, text)                                                   \
  SEGUE_PARAM (HubertParams, field, SEGUE_PARAM_CHOICE, .def = default_text, .choices = names,     \
               .doc = text)
#define CONVS(field, default_text, most, text)                                                     \
  SEGUE_PARAM (HubertParams, field, SEGUE_PARAM_LIST, .def = default_text, .min_items = 1,         \
               .max_items = SEGUE_NN_CONV_ENCODER_MAX_LAYERS, .doc = text,                         \
               .element = SEGUE_ELEMENT (SEGUE_PARAM_INT, .min = 1, .max = most))
/* Left unset, the model folder decides; the text states the value of a new model. */
#define PROBABILITY(field, text)                                                                   \
  SEGUE_PARAM (HubertParams, field, SEGUE_PARAM_DOUBLE, .flags = SEGUE_PARAM_OPTIONAL, .min = 0,   \
               .max = 0.99, .doc = text)
#define OPTIONAL_SWITCH(field, text)                                                               \
  SEGUE_PARAM (HubertParams, field, SEGUE_PARAM_BOOL, .flags = SEGUE_PARAM_OPTIONAL, .doc = text)
#define OPTIONAL_SIZE(field, text)                                                                 \
  SEGUE_PARAM (HubertParams, field, SEGUE_PARAM_INT, .flags = SEGUE_PARAM_OPTIONAL, .min = 1,      \
               .max = 65536, .doc = text)

const SegueParam *const hubert_params[] = {
  CHOICE (
    freeze, "none", freeze_choices,
    "Part that is not trained: nothing, the convolutional feature encoder, or everything but "
    "the projector and the classifier. Frozen parts run without dropout, in each epoch anew: to "
    "train a classifier on fixed outputs, use `embed`."),
  OPTIONAL_SWITCH (do_normalize, "Bring each segment to mean 0 and variance 1 first. Unset: as in "
                                 "the model folder; no, for a new model."),
  PROBABILITY (hidden_dropout, "Dropout after embeddings, attention and feed-forward. Unset: as in "
                               "the model folder; 0.1 for a new model."),
  PROBABILITY (
    attention_dropout,
    "Dropout of attention probabilities. Unset: as in the model folder; 0.1 for a new model."),
  PROBABILITY (
    activation_dropout,
    "Dropout inside the feed-forward. Unset: as in the model folder; 0.1 for a new model."),
  PROBABILITY (
    feat_proj_dropout,
    "Dropout after the feature projection. Unset: as in the model folder; 0 for a new model."),
  PROBABILITY (layerdrop, "Probability of skipping a whole transformer layer in a step. Unset: as "
                          "in the model folder; 0 for a new model."),
  OPTIONAL_SWITCH (apply_spec_augment,
                   "Mask spans of time and of channels while training (SpecAugment). Unset: as in "
                   "the model folder; no, for a new model."),
  PROBABILITY (mask_time_prob,
               "Share of frames to mask. Unset: as in the model folder; 0.05 for a new model."),
  OPTIONAL_SIZE (mask_time_length,
                 "Frames in one masked span. Unset: as in the model folder; 10 for a new model."),
  PROBABILITY (mask_feature_prob,
               "Share of channels to mask. Unset: as in the model folder; 0 for a new model."),
  OPTIONAL_SIZE (mask_feature_length,
                 "Channels in one masked span. Unset: as in the model folder; 10 for a new model."),
  SIZE (hidden_size, "768", 1, 65536,
        "Channels of the transformer (for new models only, as all parameters below: a model folder "
        "has its own)."),
  SIZE (num_hidden_layers, "2", 1, 255, "Transformer layers."),
  SIZE (num_attention_heads, "12", 1, 65536, "Attention heads; divides hidden_size."),
  SIZE (intermediate_size, "3072", 1, 65536, "Channels inside the feed-forward."),
  CHOICE (hidden_act, "gelu", activation_choices, "Activation inside the feed-forward."),
  CONVS (conv_dim, "[512, 512, 512, 512, 512, 512, 512]", 65536,
         "Channels of each convolution of the feature encoder."),
  CONVS (conv_kernel, "[10, 3, 3, 3, 3, 2, 2]", 4096, "Kernel of each convolution."),
  CONVS (conv_stride, "[5, 2, 2, 2, 2, 2, 2]", 4096, "Stride of each convolution."),
  SWITCH (conv_bias, "false", "Whether the convolutions have a bias."),
  CHOICE (feat_extract_norm, "group", norm_choices,
          "Norm of the feature encoder: each channel over time after the first convolution, or all "
          "channels of a frame after every convolution."),
  CHOICE (feat_extract_activation, "gelu", activation_choices, "Activation of the convolutions."),
  SWITCH (feat_proj_layer_norm, "false", "A norm before the feature projection."),
  SIZE (num_conv_pos_embeddings, "128", 1, 4096, "Kernel of the positional convolution."),
  SIZE (num_conv_pos_embedding_groups, "16", 1, 65536,
        "Groups of the positional convolution; divides hidden_size."),
  SWITCH (do_stable_layer_norm, "false", "Norms before attention and feed-forward, not after."),
  SWITCH (use_weighted_layer_sum, "false",
          "Classify from a learnt mixture of all layers, not from the last one."),
  SIZE (classifier_proj_size, "256", 1, 65536, "Channels of the projector before the classifier."),
  SEGUE_PARAM (HubertParams, layer_norm_eps, SEGUE_PARAM_DOUBLE, .def = "1.0e-5", .min = 1e-12,
               .max = 1, .doc = "Added to the variance in the transformer's norms."),
  NULL,
};

static json_t *
list_to_json (const GArray *list)
{
  json_t *array = json_array ();
  for (guint i = 0; i < list->len; i++)
    json_array_append_new (array, json_integer (g_array_index (list, gint64, i)));
  return array;
}

/* The parts of DistilHuBERT's config that are not parameters. */
static json_t *
base_config (void)
{
  return json_pack ("{s:s, s:[s], s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:b, s:b, s:f, s:i, s:i, s:f, "
                    "s:i, s:i, s:i, s:i, s:i, s:i}",
                    "model_type", "hubert", "architectures", "HubertForSequenceClassification",
                    "hidden_dropout", 0.1, "attention_dropout", 0.1, "activation_dropout", 0.1,
                    "feat_proj_dropout", 0.0, "final_dropout", 0.0, "layerdrop", 0.0,
                    "initializer_range", 0.02, "apply_spec_augment", 0, "conv_pos_batch_norm", 0,
                    "mask_time_prob", 0.05, "mask_time_length", 10, "mask_time_min_masks", 2,
                    "mask_feature_prob", 0.0, "mask_feature_length", 10, "mask_feature_min_masks",
                    0, "vocab_size", 32, "bos_token_id", 1, "eos_token_id", 2, "pad_token_id", 0);
}

json_t *
hubert_params_new_config (const HubertParams *p)
{
  json_t *config = base_config ();
  const struct {
    const char *key;
    json_t *value;
  } members[] = {
    { "hidden_size", json_integer (p->hidden_size) },
    { "num_hidden_layers", json_integer (p->num_hidden_layers) },
    { "num_attention_heads", json_integer (p->num_attention_heads) },
    { "intermediate_size", json_integer (p->intermediate_size) },
    { "hidden_act", json_string (activation_choices[p->hidden_act]) },
    { "feat_extract_norm", json_string (norm_choices[p->feat_extract_norm]) },
    { "feat_extract_activation", json_string (activation_choices[p->feat_extract_activation]) },
    { "feat_proj_layer_norm", json_boolean (p->feat_proj_layer_norm) },
    { "conv_dim", list_to_json (p->conv_dim) },
    { "conv_kernel", list_to_json (p->conv_kernel) },
    { "conv_stride", list_to_json (p->conv_stride) },
    { "num_feat_extract_layers", json_integer (p->conv_dim->len) },
    { "conv_bias", json_boolean (p->conv_bias) },
    { "num_conv_pos_embeddings", json_integer (p->num_conv_pos_embeddings) },
    { "num_conv_pos_embedding_groups", json_integer (p->num_conv_pos_embedding_groups) },
    { "do_stable_layer_norm", json_boolean (p->do_stable_layer_norm) },
    { "use_weighted_layer_sum", json_boolean (p->use_weighted_layer_sum) },
    { "classifier_proj_size", json_integer (p->classifier_proj_size) },
    { "layer_norm_eps", json_real (p->layer_norm_eps) },
  };
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    json_object_set_new (config, members[i].key, members[i].value);
  return config;
}

void
hubert_params_override (const HubertParams *p, json_t *config)
{
  const struct {
    const char *key;
    double value;
  } numbers[] = {
    { "hidden_dropout", p->hidden_dropout },
    { "attention_dropout", p->attention_dropout },
    { "activation_dropout", p->activation_dropout },
    { "feat_proj_dropout", p->feat_proj_dropout },
    { "layerdrop", p->layerdrop },
    { "mask_time_prob", p->mask_time_prob },
    { "mask_feature_prob", p->mask_feature_prob },
  };
  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++) {
    if (!isnan (numbers[i].value))
      json_object_set_new (config, numbers[i].key, json_real (numbers[i].value));
  }
  if (p->mask_time_length != SEGUE_UNSET_INT)
    json_object_set_new (config, "mask_time_length", json_integer (p->mask_time_length));
  if (p->mask_feature_length != SEGUE_UNSET_INT)
    json_object_set_new (config, "mask_feature_length", json_integer (p->mask_feature_length));
  if (p->apply_spec_augment >= 0)
    json_object_set_new (config, "apply_spec_augment", json_boolean (p->apply_spec_augment));
}
