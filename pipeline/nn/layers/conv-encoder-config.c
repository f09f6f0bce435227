/* Settings of the feature encoder, as wav2vec2, hubert and their relatives have them in config.json. */
#include <segue/nn/conv-encoder.h>

#define MAX_LAYERS SEGUE_NN_CONV_ENCODER_MAX_LAYERS
/* An order of magnitude above the largest published model, and small enough that no product of them overflows 64
 * bits. */
#define MAX_CHANNELS ((gsize) 1 << 16)
#define MAX_KERNEL   ((gsize) 1 << 12)

static const char *const norms[] = { "group", "layer", NULL };

/* A list of one number for each layer. A list that is missing has the default's length. */
static gboolean
read_list (const json_t *config, const char *where, const char *key, gsize max, guint n_layers,
           gsize values[MAX_LAYERS], guint n_default, GError **error)
{
  guint n = 0;
  if (!segue_nn_config_get_sizes (config, where, key, 1, max, MAX_LAYERS, values, &n, error))
    return FALSE;
  if (n == 0 && n_layers != n_default)
    return segue_nn_config_refuse (error, where, key, "is missing");
  if (n != 0 && n != n_layers)
    return segue_nn_config_refuse (error, where, key, "must be as long as conv_dim (%u)", n_layers);
  return TRUE;
}

static gboolean
read_layers (SegueNnConvEncoder *encoder, const json_t *config, const char *where, GError **error)
{
  enum { N_DEFAULT = 7 };
  gsize channels[MAX_LAYERS] = { 512, 512, 512, 512, 512, 512, 512 };
  gsize kernels[MAX_LAYERS] = { 10, 3, 3, 3, 3, 2, 2 };
  gsize strides[MAX_LAYERS] = { 5, 2, 2, 2, 2, 2, 2 };
  encoder->n_layers = N_DEFAULT;
  if (!segue_nn_config_get_sizes (config, where, "conv_dim", 1, MAX_CHANNELS, MAX_LAYERS, channels,
                                  &encoder->n_layers, error) ||
      !read_list (config, where, "conv_kernel", MAX_KERNEL, encoder->n_layers, kernels, N_DEFAULT,
                  error) ||
      !read_list (config, where, "conv_stride", MAX_KERNEL, encoder->n_layers, strides, N_DEFAULT,
                  error))
    return FALSE;
  for (guint i = 0; i < encoder->n_layers; i++) {
    encoder->layers[i].channels = channels[i];
    encoder->layers[i].kernel = kernels[i];
    encoder->layers[i].stride = strides[i];
  }
  return TRUE;
}

gboolean
segue_nn_conv_encoder_read (SegueNnConvEncoder *encoder, const json_t *config, const char *where,
                            GError **error)
{
  guint norm = 0;
  encoder->has_bias = FALSE;
  encoder->activation = SEGUE_NN_ACTIVATION_GELU;
  if (!read_layers (encoder, config, where, error) ||
      !segue_nn_config_get_bool (config, where, "conv_bias", &encoder->has_bias, error) ||
      !segue_nn_config_get_choice (config, where, "feat_extract_norm", norms, &norm, error) ||
      !segue_nn_config_get_activation (config, where, "feat_extract_activation",
                                       &encoder->activation, error))
    return FALSE;
  encoder->norm = norm == 0 ? SEGUE_NN_CONV_NORM_GROUP : SEGUE_NN_CONV_NORM_LAYER;
  if (segue_nn_conv_encoder_get_min_length (encoder) == G_MAXSIZE)
    return segue_nn_config_refuse (error, where, "conv_stride",
                                   "needs more samples than a segment can have");
  return TRUE;
}
