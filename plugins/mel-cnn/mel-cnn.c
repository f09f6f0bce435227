/* The model type `mel-cnn`: its parameters, its folder, its life cycle. */
#include "mel-cnn.h"

#include <math.h>
#include <segue/model.h>
#include <segue/nn/backend.h>
#include <segue/plugin.h>

#define MODEL_TYPE "segue-mel-cnn"

static const char *const pools[] = { "max", "mean", NULL };

static const SegueParam *const params[] = {
  SEGUE_NN_MEL_PARAMS,
  SEGUE_PARAM (MelCnnConfig, channels, SEGUE_PARAM_LIST, .def = "[16, 32, 64, 128]", .min_items = 1,
               .max_items = MEL_CNN_MAX_BLOCKS,
               .element = SEGUE_ELEMENT (SEGUE_PARAM_INT, .min = 1, .max = MEL_CNN_MAX_CHANNELS),
               .doc = "Channels of each block: a 3×3 convolution, batch normalisation, ReLU, and "
                      "pooling that halves time and bands. Multiples of 16 are fastest."),
  SEGUE_PARAM (MelCnnConfig, pool, SEGUE_PARAM_CHOICE, .def = "max", .choices = pools,
               .doc = "How pooling reduces each 2×2 window."),
  SEGUE_PARAM (MelCnnConfig, dropout, SEGUE_PARAM_DOUBLE, .def = "0.3", .min = 0, .max = 0.95,
               .doc = "Dropout before the classifier, in training."),
  NULL,
};

static void
mel_cnn_free (gpointer data)
{
  MelCnn *model = data;
  if (!model)
    return;
  segue_nn_mel_model_close (&model->mel);
  g_free (model);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MelCnn, mel_cnn_free)

/* Each block halves the frames and the bands. */
static void
set_blocks (MelCnn *model, guint n, const gsize *channels, guint pool)
{
  model->n_blocks = n;
  for (guint i = 0; i < n; i++) {
    SegueNnConvBlock2d *block = &model->blocks[i];
    block->in = i == 0 ? 1 : channels[i - 1];
    block->out = channels[i];
    block->first = i == 0;
    block->pool = pool == 0 ? SEGUE_NN_POOL2D_MAX : SEGUE_NN_POOL2D_MEAN;
  }
  model->mel.front.min_frames = (gsize) 1 << n;
  model->mel.front.layer = MEL_CNN_RANDOM_AUGMENT;
}

/* All tensors, once sizes and labels are known. */
static gboolean
declare (SegueNnModel *base, GError **error)
{
  MelCnn *model = (MelCnn *) base;
  SegueNnWeights *weights = model->mel.base.weights;
  gsize features = 2 * mel_cnn_get_channels (model);
  double bound = (double) (1.0f / sqrtf ((float) features));
  for (guint i = 0; i < model->n_blocks; i++) {
    g_autofree char *name = g_strdup_printf ("blocks.%u", i);
    segue_nn_conv_block2d_declare (&model->blocks[i], weights, name, i + 1);
  }
  const SegueNnTensor head = SEGUE_INIT (
    SegueNnTensor, .name = "head.weight", .rank = 2,
    .shape = { model->mel.base.n_labels, features }, .init = SEGUE_NN_INIT_UNIFORM, .a = -bound,
    .b = bound, .numbered = TRUE, .flags = SEGUE_NN_WEIGHT_LABELS | SEGUE_NN_WEIGHT_DECAY);
  const SegueNnTensor bias =
    SEGUE_INIT (SegueNnTensor, .name = "head.bias", .rank = 1,
                .shape = { model->mel.base.n_labels }, .flags = SEGUE_NN_WEIGHT_LABELS);
  segue_nn_weights_add (weights, &model->head.weight, &head);
  segue_nn_weights_add (weights, &model->head.bias, &bias);
  return TRUE;
}

static gpointer
create (const void *data, const SegueModelSpec *spec, GError **error)
{
  const MelCnnConfig *config = data;
  g_autoptr (MelCnn) model = g_new0 (MelCnn, 1);
  gsize channels[MEL_CNN_MAX_BLOCKS];
  for (guint i = 0; i < config->channels->len; i++)
    channels[i] = (gsize) g_array_index (config->channels, gint64, i);
  set_blocks (model, config->channels->len, channels, (guint) config->pool);
  model->dropout = (float) config->dropout;
  if (config->front.bands >> model->n_blocks == 0) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                 "%u blocks halve %" G_GINT64_FORMAT
                 " bands to nothing; list fewer `channels`, or use more bands",
                 model->n_blocks, config->front.bands);
    return NULL;
  }
  if (!segue_nn_mel_model_create (&model->mel, &config->front, spec, declare, error))
    return NULL;
  return g_steal_pointer (&model);
}

static gboolean
read_config (MelCnn *model, const json_t *config, const char *where, GError **error)
{
  gsize channels[MEL_CNN_MAX_BLOCKS];
  guint n = 0, pool = G_MAXUINT;
  if (!segue_nn_config_get_choice (config, where, "pool", pools, &pool, error) ||
      !segue_nn_config_get_sizes (config, where, "channels", 1, MEL_CNN_MAX_CHANNELS,
                                  MEL_CNN_MAX_BLOCKS, channels, &n, error))
    return FALSE;
  if (n == 0 || pool == G_MAXUINT)
    return segue_nn_config_refuse (error, where, n == 0 ? "channels" : "pool", "is missing");
  if (model->mel.front.frames.bands >> n == 0)
    return segue_nn_config_refuse (error, where, "channels",
                                   "has more blocks than can halve %" G_GSIZE_FORMAT " bands",
                                   model->mel.front.frames.bands);
  set_blocks (model, n, channels, pool);
  return TRUE;
}

static gpointer
load (const char *folder, const void *data, const SegueModelSpec *spec, GError **error)
{
  const MelCnnConfig *config = data;
  g_autoptr (MelCnn) model = g_new0 (MelCnn, 1);
  g_autofree char *where = g_build_filename (folder, "config.json", NULL);
  g_autoptr (json_t) json = segue_nn_mel_model_read (&model->mel, folder, error);
  model->dropout = (float) config->dropout;
  if (!json || !read_config (model, json, where, error) ||
      !segue_nn_mel_model_load (&model->mel, &config->front, spec, folder, json, declare, error))
    return NULL;
  return g_steal_pointer (&model);
}

static gboolean
save (gpointer data, const char *folder, GError **error)
{
  const MelCnn *model = data;
  json_t *channels = json_array ();
  for (guint i = 0; i < model->n_blocks; i++)
    json_array_append_new (channels, json_integer ((json_int_t) model->blocks[i].out));
  json_t *config =
    json_pack ("{s:s, s:[s], s:s, s:o}", "model_type", MODEL_TYPE, "architectures", "SegueMelCnn",
               "pool", pools[model->blocks[0].pool == SEGUE_NN_POOL2D_MEAN], "channels", channels);
  return segue_nn_mel_model_save (&model->mel, folder, config, error);
}

/* ---- As an encoder: one layer of one frame ---- */

static void
encoder_describe (gpointer data, guint layer, SegueEncoderInfo *info)
{
  const MelCnn *model = data;
  info->rate = (guint) model->mel.front.frames.rate;
  info->channels = 1;
  info->n_layers = 1;
  info->width = (guint) (2 * mel_cnn_get_channels (model));
}

static gsize
encoder_count_frames (gpointer data, gsize length)
{
  return length >= segue_nn_mel_front_get_min_length (&((MelCnn *) data)->mel.front) ? 1 : 0;
}

static gsize
encoder_plan (gpointer model, guint batch, gsize length, guint layer)
{
  return mel_cnn_plan (model, batch, length, SEGUE_MODEL_INFER);
}

static const SegueEncoder encoder =
  SEGUE_INIT (SegueEncoder, .describe = encoder_describe, .count_frames = encoder_count_frames,
              .plan = encoder_plan, .encode = mel_cnn_encode);

static const SegueRecipe recipe =
  SEGUE_INIT (SegueRecipe, .epochs = 24, .batch = 32, .learning_rate = 3e-3, .weight_decay = 0.02,
              .warmup = 0.3, .label_smoothing = 0.1, .schedule = SEGUE_SCHEDULE_ONE_CYCLE);

static const char *const config_types[] = { MODEL_TYPE, NULL };

static const SegueModelType mel_cnn_type = {
  SEGUE_MODEL_TYPE,
  .name = "mel-cnn",
  .summary = "A small convolutional network over log-mel frames, trained from scratch",
  .doc = "Log-mel frames, then blocks of a 3×3 convolution over time and mel bands, batch "
         "normalisation, ReLU and pooling; mean over bands, mean and maximum over time, and a "
         "linear classifier. It needs no other model's weights and trains in minutes on two "
         "cores.\n\nAll random "
         "changes in training (crop, gain, tilt, masks, dropout) are made inside the model, depend "
         "on the seed, the step and the segment, and have their own parameters.",
  .result_version = 1,
  .params = params,
  .config_size = sizeof (MelCnnConfig),
  .recipe = &recipe,
  .config_types = config_types,
  .create = create,
  .load = load,
  .save = save,
  .free = mel_cnn_free,
  .describe = segue_nn_mel_model_describe,
  .list_tensors = segue_nn_model_list_tensors,
  .changed = segue_nn_model_changed,
  .plan = mel_cnn_plan,
  .forward = mel_cnn_forward,
  .backward = mel_cnn_backward,
  .fingerprint = segue_nn_fingerprint,
  .set_cancellable = segue_nn_model_set_cancellable,
  .encoder = &encoder,
};

static const SegueModelType *const models[] = { &mel_cnn_type, NULL };

SEGUE_PLUGIN (.name = "mel-cnn", .version = "1.0", .licence = "MIT", .models = models)
