/* config.json → HubertArchitecture, HubertTraining. */
#include "architecture.h"

#include <segue/nn/conv1d.h>
#include <segue/nn/weighted-sum.h>

/* Bounds of sizes: an order of magnitude above the largest published model, and small enough that
 * no product of them overflows 64 bits. */
#define MAX_WIDTH  ((gsize) 1 << 16)
#define MAX_KERNEL ((gsize) 1 << 12)
#define MAX_LAYERS ((gsize) SEGUE_NN_WEIGHTED_SUM_MAX_LAYERS - 1)

static gboolean
refuse_unsupported (const json_t *config, const char *where, GError **error)
{
  /* Keys that change the computation when they are set at all. */
  static const char *const keys[] = { "adapter_attn_dim", "quantization_config", "add_adapter",
                                      "conv_pos_batch_norm", NULL };
  for (guint i = 0; keys[i] != NULL; i++) {
    const json_t *value = json_object_get (config, keys[i]);
    if (value != NULL && !json_is_null (value) && !json_is_false (value))
      return segue_nn_config_refuse (error, where, keys[i],
                                     "is set, but this model type does not support it");
  }
  const char *type = json_string_value (json_object_get (config, "model_type"));
  if (g_strcmp0 (type, "hubert") != 0)
    return segue_nn_config_refuse (error, where, "model_type", "must be hubert, not %s",
                                   type != NULL ? type : "missing");
  return TRUE;
}

/* conv_dim, conv_kernel or conv_stride: a list of whole numbers into one field of each conv. */
static gboolean
parse_list (const json_t *config, const char *where, const char *key, gsize max, gsize offset,
            HubertArchitecture *a, GError **error)
{
  const json_t *list = json_object_get (config, key);
  if (list == NULL)
    return TRUE;
  gsize n = json_array_size (list);
  if (!json_is_array (list) || n < 1 || n > HUBERT_MAX_CONVS)
    return segue_nn_config_refuse (error, where, key, "must be a list of 1…%d numbers",
                                   HUBERT_MAX_CONVS);
  if (a->n_convs != n && offset != offsetof (HubertConv, channels))
    return segue_nn_config_refuse (error, where, key, "must be as long as conv_dim (%u)",
                                   a->n_convs);
  a->n_convs = (guint) n;
  for (gsize i = 0; i < n; i++) {
    const json_t *member = json_array_get (list, i);
    json_int_t value = json_integer_value (member);
    if (!json_is_integer (member) || value < 1 || value > (json_int_t) max)
      return segue_nn_config_refuse (error, where, key,
                                     "must contain whole numbers of 1…%" G_GSIZE_FORMAT, max);
    *(gsize *) (void *) ((guint8 *) &a->convs[i] + offset) = (gsize) value;
  }
  return TRUE;
}

static gboolean
parse_convs (const json_t *config, const char *where, HubertArchitecture *a, GError **error)
{
  static const HubertConv defaults[] = { { 512, 10, 5 }, { 512, 3, 2 }, { 512, 3, 2 },
                                         { 512, 3, 2 },  { 512, 3, 2 }, { 512, 2, 2 },
                                         { 512, 2, 2 } };
  a->n_convs = G_N_ELEMENTS (defaults);
  for (guint i = 0; i < HUBERT_MAX_CONVS; i++)
    a->convs[i] = defaults[MIN (i, G_N_ELEMENTS (defaults) - 1)];
  if (!parse_list (config, where, "conv_dim", MAX_WIDTH, offsetof (HubertConv, channels), a, error))
    return FALSE;
  /* A list that is missing has the default's length, which conv_dim must then have. */
  static const char *const others[] = { "conv_kernel", "conv_stride" };
  for (guint i = 0; i < G_N_ELEMENTS (others); i++) {
    if (json_object_get (config, others[i]) == NULL && a->n_convs != G_N_ELEMENTS (defaults))
      return segue_nn_config_refuse (error, where, others[i], "is missing");
  }
  return parse_list (config, where, "conv_kernel", MAX_KERNEL, offsetof (HubertConv, kernel), a,
                     error) &&
         parse_list (config, where, "conv_stride", MAX_KERNEL, offsetof (HubertConv, stride), a,
                     error);
}

static gboolean
parse_activation (const json_t *config, const char *where, const char *key,
                  SegueNnActivation *activation, GError **error)
{
  const char *name = "gelu";
  if (!segue_nn_config_get_string (config, where, key, &name, error))
    return FALSE;
  if (!segue_nn_activation_from_name (name, activation))
    return segue_nn_config_refuse (error, where, key, "names ‘%s’, which is not supported", name);
  return TRUE;
}

static gboolean
parse_switches (const json_t *config, const char *where, HubertArchitecture *a, GError **error)
{
  const char *norm = "group";
  a->conv_bias = a->stable = a->weighted_sum = FALSE;
  a->feature_norm = TRUE;
  if (!segue_nn_config_get_string (config, where, "feat_extract_norm", &norm, error) ||
      !segue_nn_config_get_bool (config, where, "conv_bias", &a->conv_bias, error) ||
      !segue_nn_config_get_bool (config, where, "feat_proj_layer_norm", &a->feature_norm, error) ||
      !segue_nn_config_get_bool (config, where, "do_stable_layer_norm", &a->stable, error) ||
      !segue_nn_config_get_bool (config, where, "use_weighted_layer_sum", &a->weighted_sum,
                                 error) ||
      !parse_activation (config, where, "hidden_act", &a->activation, error) ||
      !parse_activation (config, where, "feat_extract_activation", &a->conv_activation, error))
    return FALSE;
  if (!g_str_equal (norm, "group") && !g_str_equal (norm, "layer"))
    return segue_nn_config_refuse (error, where, "feat_extract_norm",
                                   "must be group or layer, not ‘%s’", norm);
  a->conv_norm = g_str_equal (norm, "group") ? HUBERT_NORM_GROUP : HUBERT_NORM_LAYER;
  return TRUE;
}

static gboolean
parse_sizes (const json_t *config, const char *where, HubertArchitecture *a, GError **error)
{
  const struct {
    const char *key;
    gsize def, max;
    gsize *value;
  } sizes[] = {
    { "hidden_size", 768, MAX_WIDTH, &a->hidden },
    { "num_hidden_layers", 12, MAX_LAYERS, &a->layers },
    { "num_attention_heads", 12, MAX_WIDTH, &a->heads },
    { "intermediate_size", 3072, MAX_WIDTH, &a->inner },
    { "num_conv_pos_embeddings", 128, MAX_KERNEL, &a->positional_kernel },
    { "num_conv_pos_embedding_groups", 16, MAX_WIDTH, &a->positional_groups },
    { "classifier_proj_size", 256, MAX_WIDTH, &a->projector },
  };
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    *sizes[i].value = sizes[i].def;
    if (!segue_nn_config_get_size (config, where, sizes[i].key, 1, sizes[i].max, sizes[i].value,
                                   error))
      return FALSE;
  }
  if (a->hidden % a->heads != 0)
    return segue_nn_config_refuse (error, where, "num_attention_heads", "must divide hidden_size");
  if (a->hidden % a->positional_groups != 0)
    return segue_nn_config_refuse (error, where, "num_conv_pos_embedding_groups",
                                   "must divide hidden_size");

  double eps = 1e-5, range = 0.02;
  if (!segue_nn_config_get_number (config, where, "layer_norm_eps", 1e-30, 1, &eps, error) ||
      !segue_nn_config_get_number (config, where, "initializer_range", 0, 100, &range, error))
    return FALSE;
  a->eps = (float) eps;
  a->initializer_range = range > 0 ? (float) range : 0.02f;
  return TRUE;
}

gboolean
hubert_architecture_parse (const json_t *config, const char *where,
                           HubertArchitecture *architecture, GError **error)
{
  if (!refuse_unsupported (config, where, error) ||
      !parse_convs (config, where, architecture, error) ||
      !parse_switches (config, where, architecture, error) ||
      !parse_sizes (config, where, architecture, error))
    return FALSE;
  if (hubert_architecture_min_length (architecture) == G_MAXSIZE)
    return segue_nn_config_refuse (error, where, "conv_stride",
                                   "needs more samples than a segment can have");
  return TRUE;
}

static gboolean
parse_probability (const json_t *config, const char *where, const char *key, double def,
                   float *value, GError **error)
{
  double number = def;
  if (!segue_nn_config_get_number (config, where, key, 0, 1, &number, error))
    return FALSE;
  if (number >= 1)
    return segue_nn_config_refuse (error, where, key, "must be less than 1");
  *value = (float) number;
  return TRUE;
}

static gboolean
parse_mask (const json_t *config, const char *where, const char *axis, HubertMask *mask,
            GError **error)
{
  g_autofree char *share = g_strdup_printf ("mask_%s_prob", axis);
  g_autofree char *length = g_strdup_printf ("mask_%s_length", axis);
  g_autofree char *least = g_strdup_printf ("mask_%s_min_masks", axis);
  return segue_nn_config_get_number (config, where, share, 0, 1, &mask->share, error) &&
         segue_nn_config_get_size (config, where, length, 1, MAX_WIDTH, &mask->length, error) &&
         segue_nn_config_get_size (config, where, least, 0, MAX_WIDTH, &mask->least, error);
}

gboolean
hubert_training_parse (const json_t *config, const char *where, HubertTraining *t, GError **error)
{
  t->augment = TRUE;
  t->time_mask = (HubertMask){ 0.05, 10, 2 };
  t->channel_mask = (HubertMask){ 0.0, 10, 0 };
  return parse_probability (config, where, "hidden_dropout", 0.1, &t->hidden_dropout, error) &&
         parse_probability (config, where, "attention_dropout", 0.1, &t->attention_dropout,
                            error) &&
         parse_probability (config, where, "activation_dropout", 0.1, &t->activation_dropout,
                            error) &&
         parse_probability (config, where, "feat_proj_dropout", 0.0, &t->feature_dropout, error) &&
         parse_probability (config, where, "layerdrop", 0.1, &t->layerdrop, error) &&
         segue_nn_config_get_bool (config, where, "apply_spec_augment", &t->augment, error) &&
         parse_mask (config, where, "time", &t->time_mask, error) &&
         parse_mask (config, where, "feature", &t->channel_mask, error);
}

gboolean
hubert_training_has_mask_embedding (const HubertTraining *training)
{
  return training->time_mask.share > 0 || training->channel_mask.share > 0;
}

gsize
hubert_conv_time (const HubertConv *conv, gsize time)
{
  return segue_nn_conv1d_out_time (time, conv->kernel, conv->stride);
}

gsize
hubert_architecture_frames (const HubertArchitecture *architecture, gsize length)
{
  for (guint i = 0; i < architecture->n_convs; i++)
    length = hubert_conv_time (&architecture->convs[i], length);
  return length;
}

gsize
hubert_architecture_min_length (const HubertArchitecture *architecture)
{
  gsize length = 1;
  for (guint i = architecture->n_convs; i > 0; i--) {
    const HubertConv *conv = &architecture->convs[i - 1];
    if (!g_size_checked_mul (&length, length - 1, conv->stride) ||
        !g_size_checked_add (&length, length, conv->kernel))
      return G_MAXSIZE;
  }
  return length;
}
