/* The model type `mel-cnn`: a small convolutional network over log-mel frames. */
#include "mel-cnn.h"

#include <segue/nn/backend.h>
#include <segue/plugin.h>
#include <stdlib.h>

static void
mel_cnn_free (gpointer data)
{
  MelCnn *model = data;
  if (model == NULL)
    return;
  g_clear_pointer (&model->tensors, g_array_unref);
  g_clear_pointer (&model->names, g_ptr_array_unref);
  g_strfreev (model->labels);
  free (model->arena);
  segue_nn_log_mel_free (model->log_mel);
  segue_nn_pool_free (model->pool);
  g_free (model);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MelCnn, mel_cnn_free)

/* All but the weights. @labels: (transfer none) */
static MelCnn *
make_model (const MelCnnArchitecture *architecture, const MelCnnConfig *config,
            const char *const *labels, guint threads, GError **error)
{
  g_autoptr (MelCnn) model = g_new0 (MelCnn, 1);
  model->architecture = *architecture;
  model->labels = g_strdupv ((char **) labels);
  model->n_labels = g_strv_length (model->labels);
  model->tensors = g_array_new (FALSE, FALSE, sizeof (SegueModelTensor));
  model->names = g_ptr_array_new_with_free_func (g_free);
  model->pool = segue_nn_pool_new (MAX (threads, 1), NULL, error);
  if (model->pool == NULL)
    return NULL;
  model->log_mel = segue_nn_log_mel_new (&architecture->frames, model->pool, error);
  if (model->log_mel == NULL)
    return NULL;
  /* Of an architecture that makes sense: it divides by the rate. */
  mel_cnn_training_from_config (config, architecture, &model->training);
  return g_steal_pointer (&model);
}

static gpointer
mel_cnn_create (const void *config, const SegueModelSpec *spec, GError **error)
{
  guint rate = spec->rate > 0 ? spec->rate : MEL_CNN_RATE;
  MelCnnArchitecture architecture;
  if (!mel_cnn_architecture_from_config (config, rate, &architecture, error))
    return NULL;
  g_autoptr (MelCnn) model = make_model (&architecture, config, spec->labels, spec->threads, error);
  if (model == NULL || !mel_cnn_weights_new (model, error))
    return NULL;
  mel_cnn_weights_init (model, spec->seed, FALSE);
  mel_cnn_weights_changed (model);
  return g_steal_pointer (&model);
}

static gpointer
mel_cnn_load (const char *folder, const void *config, const SegueModelSpec *spec, GError **error)
{
  MelCnnArchitecture architecture;
  g_auto (GStrv) labels = NULL;
  if (!mel_cnn_folder_read (folder, spec->rate, &architecture, &labels, error))
    return NULL;
  if (labels == NULL && spec->labels == NULL) {
    g_autofree char *shown = g_filename_display_name (folder);
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "‘%s/config.json’ has no id2label, so its answers have no names; train it first",
                 shown);
    return NULL;
  }
  gboolean same = labels != NULL && (spec->labels == NULL ||
                                     g_strv_equal (spec->labels, (const char *const *) labels));
  g_autoptr (MelCnn) model =
    make_model (&architecture, config, same ? (const char *const *) labels : spec->labels,
                spec->threads, error);
  if (model == NULL) {
    g_autofree char *shown = g_filename_display_name (folder);
    g_prefix_error (error, "‘%s/config.json’: ", shown);
    return NULL;
  }
  if (!mel_cnn_folder_read_weights (model, folder, same, error))
    return NULL;
  if (!same)
    mel_cnn_weights_init (model, spec->seed, TRUE);
  mel_cnn_weights_changed (model);
  return g_steal_pointer (&model);
}

static void
mel_cnn_describe (gpointer data, SegueModelInfo *info)
{
  const MelCnn *model = data;
  const SegueNnLogMelConfig *frames = &model->architecture.frames;
  *info = (SegueModelInfo){
    .struct_size = sizeof (SegueModelInfo),
    .labels = (const char *const *) model->labels,
    .n_labels = model->n_labels,
    .rate = (guint) frames->rate,
    .min_length = frames->window + (mel_cnn_min_frames (&model->architecture) - 1) * frames->hop,
    .coupled = TRUE,
  };
}

static GArray *
mel_cnn_list_tensors (gpointer data)
{
  const MelCnn *model = data;
  return g_array_copy (model->tensors);
}

static void
mel_cnn_changed (gpointer data)
{
  mel_cnn_weights_changed (data);
}

static void
mel_cnn_set_cancellable (gpointer data, GCancellable *cancellable)
{
  MelCnn *model = data;
  model->cancellable = cancellable;
}

static const SegueRecipe recipe = {
  .struct_size = sizeof (SegueRecipe),
  .epochs = 24,
  .batch = 32,
  .learning_rate = 3e-3,
  .weight_decay = 0.02,
  .warmup = 0.3,
  .label_smoothing = 0.1,
  .schedule = SEGUE_SCHEDULE_ONE_CYCLE,
};

static const char *const config_types[] = { "segue-mel-cnn", NULL };

static const SegueModelType mel_cnn_type = {
  .struct_size = sizeof (SegueModelType),
  .name = "mel-cnn",
  .summary = "A small convolutional network over log-mel frames, trained from nothing",
  .doc =
    "Log-mel frames, then blocks of a 3×3 convolution over time and mel bands, batch "
    "normalisation, ReLU and pooling; mean over bands, mean and maximum over time, and a linear "
    "classifier. It needs no other model's weights and trains in minutes on two cores.\n\n"
    "Frames are a frozen prefix: they are computed once per segment. Everything random in "
    "training (crop, gain, tilt, masks, dropout) is made inside the model, from the seed, the step "
    "and the segment, and is described by its own parameters.",
  .result_version = 1,
  .params = mel_cnn_params,
  .config_size = sizeof (MelCnnConfig),
  .recipe = &recipe,
  .config_types = config_types,
  .create = mel_cnn_create,
  .load = mel_cnn_load,
  .save = mel_cnn_save,
  .free = mel_cnn_free,
  .describe = mel_cnn_describe,
  .list_tensors = mel_cnn_list_tensors,
  .changed = mel_cnn_changed,
  .prefix_size = mel_cnn_prefix_size,
  .prefix = mel_cnn_prefix,
  .plan = mel_cnn_plan_bytes,
  .forward = mel_cnn_forward,
  .backward = mel_cnn_backward,
  .fingerprint = segue_nn_fingerprint,
  .set_cancellable = mel_cnn_set_cancellable,
};

static const SegueModelType *const models[] = { &mel_cnn_type, NULL };

SEGUE_PLUGIN (.name = "mel-cnn", .version = "1.0", .licence = "MIT", .models = models)
