/* config.json and preprocessor_config.json. */
#include "hubert.h"

#include <segue/nn/weighted-sum.h>

/* Bounds of sizes: an order of magnitude above the largest published model, and small enough that no product of them
 * overflows 64 bits. */
#define MAX_WIDTH  ((gsize) 1 << 16)
#define MAX_KERNEL ((gsize) 1 << 12)
#define MAX_LAYERS ((gsize) SEGUE_NN_WEIGHTED_SUM_MAX_LAYERS - 1)

static gboolean
refuse_unsupported (const json_t *config, const char *where, GError **error)
{
  /* Keys that change the computation when they are set at all. */
  static const char *const keys[] = { "adapter_attn_dim", "quantization_config", "add_adapter",
                                      "conv_pos_batch_norm", NULL };
  for (guint i = 0; keys[i]; i++) {
    const json_t *value = json_object_get (config, keys[i]);
    if (value && !json_is_null (value) && !json_is_false (value))
      return segue_nn_config_refuse (error, where, keys[i],
                                     "is set, but this model type does not support it");
  }
  const char *type = json_string_value (json_object_get (config, "model_type"));
  if (g_strcmp0 (type, "hubert") != 0)
    return segue_nn_config_refuse (error, where, "model_type", "must be hubert, not %s",
                                   type ? type : "missing");
  return TRUE;
}

static gboolean
read_sizes (HubertModel *model, const json_t *config, const char *where, GError **error)
{
  SegueNnTransformer *t = &model->transformer;
  gsize n_layers;
  const struct {
    const char *key;
    gsize def, max;
    gsize *value;
  } sizes[] = {
    { "hidden_size", 768, MAX_WIDTH, &t->hidden },
    { "num_hidden_layers", 12, MAX_LAYERS, &n_layers },
    { "num_attention_heads", 12, MAX_WIDTH, &t->heads },
    { "intermediate_size", 3072, MAX_WIDTH, &t->inner },
    { "num_conv_pos_embeddings", 128, MAX_KERNEL, &model->positional.kernel },
    { "num_conv_pos_embedding_groups", 16, MAX_WIDTH, &model->positional.groups },
    { "classifier_proj_size", 256, MAX_WIDTH, &model->head.projected },
  };
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    *sizes[i].value = sizes[i].def;
    if (!segue_nn_config_get_size (config, where, sizes[i].key, 1, sizes[i].max, sizes[i].value,
                                   error))
      return FALSE;
  }
  if (t->hidden % t->heads != 0)
    return segue_nn_config_refuse (error, where, "num_attention_heads", "must divide hidden_size");
  if (t->hidden % model->positional.groups != 0)
    return segue_nn_config_refuse (error, where, "num_conv_pos_embedding_groups",
                                   "must divide hidden_size");
  model->n_layers = (guint) n_layers;
  model->positional.hidden = model->masks.hidden = model->head.hidden = t->hidden;
  return TRUE;
}

static gboolean
read_switches (HubertModel *model, const json_t *config, const char *where, GError **error)
{
  SegueNnTransformer *t = &model->transformer;
  gboolean is_mixed = FALSE;
  double eps = 1e-5, range = 0.02;
  model->has_feature_norm = TRUE;
  t->norm_first = FALSE;
  t->activation = SEGUE_NN_ACTIVATION_GELU;
  if (!segue_nn_config_get_bool (config, where, "feat_proj_layer_norm", &model->has_feature_norm,
                                 error) ||
      !segue_nn_config_get_bool (config, where, "do_stable_layer_norm", &t->norm_first, error) ||
      !segue_nn_config_get_bool (config, where, "use_weighted_layer_sum", &is_mixed, error) ||
      !segue_nn_config_get_activation (config, where, "hidden_act", &t->activation, error) ||
      !segue_nn_config_get_number (config, where, "layer_norm_eps", 1e-30, 1, &eps, error) ||
      !segue_nn_config_get_number (config, where, "initializer_range", 0, 100, &range, error))
    return FALSE;
  model->positional.activation = model->encoder.activation;
  model->head.n_states = is_mixed ? (gsize) model->n_layers + 1 : 1;
  t->eps = (float) eps;
  model->initializer_range = range > 0 ? (float) range : 0.02f;
  return TRUE;
}

static gboolean
read_training (HubertModel *model, const json_t *config, const char *where, GError **error)
{
  const struct {
    const char *key;
    double def;
    float *value;
  } probabilities[] = {
    { "hidden_dropout", 0.1, &model->transformer.hidden_dropout },
    { "attention_dropout", 0.1, &model->transformer.attention_dropout },
    { "activation_dropout", 0.1, &model->transformer.activation_dropout },
    { "feat_proj_dropout", 0.0, &model->feature_dropout },
    { "layerdrop", 0.1, &model->layerdrop },
  };
  for (guint i = 0; i < G_N_ELEMENTS (probabilities); i++) {
    double number = probabilities[i].def;
    if (!segue_nn_config_get_number (config, where, probabilities[i].key, 0, 1, &number, error))
      return FALSE;
    if (number >= 1)
      return segue_nn_config_refuse (error, where, probabilities[i].key, "must be less than 1");
    *probabilities[i].value = (float) number;
  }
  return segue_nn_spec_augment_read (&model->masks, config, where, error);
}

gboolean
hubert_config_read (HubertModel *model, const json_t *config, const char *where, GError **error)
{
  return refuse_unsupported (config, where, error) &&
         segue_nn_conv_encoder_read (&model->encoder, config, where, error) &&
         read_sizes (model, config, where, error) && read_switches (model, config, where, error) &&
         read_training (model, config, where, error);
}

/* ---- Wav2Vec2FeatureExtractor ---- */

gboolean
hubert_preprocessor_read (HubertModel *model, const json_t *config, const char *where,
                          GError **error)
{
  gsize rate = 16000, feature_size = 1;
  gboolean standardise = TRUE;
  const char *type = "Wav2Vec2FeatureExtractor";
  if (config &&
      (!segue_nn_config_get_string (config, where, "feature_extractor_type", &type, error) ||
       !segue_nn_config_get_size (config, where, "sampling_rate", 1, 768000, &rate, error) ||
       !segue_nn_config_get_size (config, where, "feature_size", 1, 1, &feature_size, error) ||
       !segue_nn_config_get_bool (config, where, "do_normalize", &standardise, error)))
    return FALSE;
  if (!g_str_equal (type, "Wav2Vec2FeatureExtractor"))
    return segue_nn_config_refuse (error, where, "feature_extractor_type",
                                   "is ‘%s’; only Wav2Vec2FeatureExtractor is supported", type);
  model->rate = (guint) rate;
  model->encoder.standardise = standardise;
  return TRUE;
}

json_t *
hubert_preprocessor_write (const HubertModel *model)
{
  json_t *config = json_pack ("{s:s, s:i, s:s, s:f, s:b}", "feature_extractor_type",
                              "Wav2Vec2FeatureExtractor", "feature_size", 1, "padding_side",
                              "right", "padding_value", 0.0, "return_attention_mask", 0);
  if (model->preprocessor_config)
    json_object_update (config, model->preprocessor_config);
  json_object_set_new (config, "do_normalize", json_boolean (model->encoder.standardise));
  json_object_set_new (config, "sampling_rate", json_integer (model->rate));
  return config;
}
