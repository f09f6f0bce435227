/* train: a dataset of labelled segments → a model folder. */
#include "fit.h"
#include "history.h"
#include "job.h"
#include "learn.h"

#include <segue/collect.h>
#include <segue/format.h>
#include <segue/model.h>
#include <segue/nn/backend.h>
#include <segue/plugin.h>
#include <string.h>

#define BY_RECIPE " Unset: from the model type's recipe."

static const SegueParam *const params[] = {
  SEGUE_PARAM (TrainConfig, model, SEGUE_PARAM_MODEL, .def = "mel-cnn",
               .doc = "The model type, by name or with its own parameters: `{ use: NAME, … }`."),
  SEGUE_PARAM (TrainConfig, init, SEGUE_PARAM_MODEL_REF, .flags = SEGUE_PARAM_OPTIONAL,
               .doc = "Weights to start from: a model folder, or ORG/NAME of a fetched one. A head "
                      "for other labels is reinitialised. Unset: random weights."),
  SEGUE_PARAM (TrainConfig, epochs, SEGUE_PARAM_INT, .min = 1, .max = 100000,
               .flags = SEGUE_PARAM_OPTIONAL,
               .doc = "Number of passes over all training segments." BY_RECIPE),
  SEGUE_PARAM (TrainConfig, batch, SEGUE_PARAM_INT, .min = 1, .max = 4096,
               .flags = SEGUE_PARAM_OPTIONAL, .unit = "segments",
               .doc = "Number of segments that pass through the model together." BY_RECIPE),
  SEGUE_PARAM (TrainConfig, accumulate, SEGUE_PARAM_INT, .def = "1", .min = 1, .max = 4096,
               .doc = "Batches whose gradients make one step of the optimiser: a large batch in "
                      "the memory of a small one."),
  SEGUE_PARAM (TrainConfig, learning_rate, SEGUE_PARAM_DOUBLE, .min = 1e-9, .max = 10,
               .flags = SEGUE_PARAM_OPTIONAL,
               .doc = "The maximum learning rate, which the schedule scales." BY_RECIPE),
  SEGUE_PARAM (TrainConfig, schedule, SEGUE_PARAM_CHOICE, .choices = SEGUE_SCHEDULE_CHOICES,
               .flags = SEGUE_PARAM_OPTIONAL,
               .doc = "How the learning rate falls after the warm-up." BY_RECIPE),
  SEGUE_PARAM (TrainConfig, warmup, SEGUE_PARAM_DOUBLE, .min = 0, .max = 1e9,
               .flags = SEGUE_PARAM_OPTIONAL,
               .doc = "How long the learning rate rises: up to 1, a share of all steps; above, a "
                      "number of steps." BY_RECIPE),
  SEGUE_PARAM (TrainConfig, weight_decay, SEGUE_PARAM_DOUBLE, .min = 0, .max = 10,
               .flags = SEGUE_PARAM_OPTIONAL,
               .doc = "Decoupled weight decay (AdamW); never on biases and norms." BY_RECIPE),
  SEGUE_PARAM (TrainConfig, label_smoothing, SEGUE_PARAM_DOUBLE, .min = 0, .max = 0.9,
               .flags = SEGUE_PARAM_OPTIONAL,
               .doc = "Share of the target spread over all labels." BY_RECIPE),
  SEGUE_PARAM (TrainConfig, gradient_clip, SEGUE_PARAM_DOUBLE, .min = 0, .max = 1e6,
               .flags = SEGUE_PARAM_OPTIONAL,
               .doc = "Largest L2 norm of all gradients together; 0 clips nothing." BY_RECIPE),
  SEGUE_PARAM (TrainConfig, class_weights, SEGUE_PARAM_CHOICE, .def = "none",
               .choices = TRAIN_WEIGHTS_CHOICES,
               .doc = "`balanced`: a label with fewer segments weighs more in the loss, so that "
                      "all labels count the same."),
  SEGUE_PARAM (
    TrainConfig, best, SEGUE_PARAM_CHOICE, .def = "accuracy", .choices = TRAIN_BEST_CHOICES,
    .doc = "The epoch whose weights are kept: the one with the best accuracy on validation "
           "segments (of equals, the one with the lower loss), the one with the lowest validation "
           "loss, or the last. Without a validation set: the last."),
  SEGUE_PARAM (TrainConfig, early_stopping, SEGUE_PARAM_INT, .def = "0", .min = 0, .max = 100000,
               .unit = "epochs",
               .doc = "Stop after this many epochs without improvement; 0: never."),
  SEGUE_PARAM (
    TrainConfig, precision, SEGUE_PARAM_CHOICE, .def = "auto",
    .choices = SEGUE_MODEL_TRAINING_CHOICES,
    .doc =
      "Number format of matrix multiplications; weights, gradients and sums are always float32. "
      "`auto`: bfloat16 where the processor has instructions for it, which is as accurate and "
      "nearly twice as fast; float32 elsewhere, and in model types that support nothing else."),
  SEGUE_PARAM (TrainConfig, checkpoint, SEGUE_PARAM_DOUBLE, .def = "5", .min = 0, .max = 1440,
               .unit = "minutes", .flags = SEGUE_PARAM_VOLATILE,
               .doc =
                 "How much training a power cut may lose: a checkpoint is written this often, and "
                 "after each epoch; 0: after each step. Ctrl-C loses only the step in progress."),
  NULL,
};

static gboolean
train_check (const void *config, GError **error)
{
  return train_settings_check (config, error);
}

static char *
train_fingerprint (const void *config)
{
  return segue_nn_fingerprint ();
}

static gboolean
check_kind (const SegueModelType *type, const SegueFormat *items, SegueNegotiation *negotiation,
            GError **error)
{
  SegueKind takes = segue_model_type_takes (type);
  if (items->kind == takes)
    return TRUE;
  return segue_negotiation_refuse (
    negotiation, "model", error,
    takes == SEGUE_KIND_TENSOR
      ? "model type '%s' takes vectors, and its input is audio; put `embed` before this stage"
      : "model type '%s' takes audio, and its input is vectors; use a type that takes vectors, such "
        "as `lda`, or name a stage that produces audio with from:",
    type->name);
}

static gboolean
check_audio (const SegueFormat *audio, SegueNegotiation *negotiation, GError **error)
{
  static const SegueFormat mono = SEGUE_INIT (SegueFormat, .channels = 1);
  static const SegueFormat one_rate = SEGUE_INIT (SegueFormat, .rate = SEGUE_FORMAT_SAME);
  if (!segue_negotiation_require (negotiation, "items", &mono, "channels: mono", error) ||
      !segue_negotiation_require (negotiation, "items", &one_rate, "rate: 16000", error))
    return FALSE;
  if (audio->frames == SEGUE_FORMAT_VARIES)
    return segue_negotiation_refuse (
      negotiation, NULL, error,
      "items differ in length, and models take one length; put `segment` before it (without "
      "`shortest`)");
  return TRUE;
}

static gboolean
check_vectors (SegueNegotiation *negotiation, GError **error)
{
  static const SegueFormat vector =
    SEGUE_INIT (SegueFormat, .rank = 1, .dtype = SEGUE_DTYPE_F32, .shape = { SEGUE_FORMAT_SAME });
  return segue_negotiation_require (negotiation, "items", &vector, NULL, error);
}

/* Checks a step's workspace, assuming enough segments for a whole batch: it is better to fail now than after hours
 * of decoding. */
static gboolean
check_batch (SegueModel *model, const TrainConfig *config, gsize length, GError **error)
{
  const SegueModelType *type = segue_model_get_type (model);
  gpointer impl = segue_model_get_impl (model);
  SegueModelInfo info = SEGUE_INIT (SegueModelInfo);
  segue_model_describe (model, &info);
  /* Otherwise a batch may pass in parts. */
  guint batch = info.coupled ? train_settings_get_batch (config) : 1;
  gsize bytes = type->plan (impl, batch, length, SEGUE_MODEL_TRAIN);
  return segue_model_check_workspace (model, bytes, error);
}

/* Makes or loads the initial model, so that its errors occur now. @length: of an item; 0: not known */
static gboolean
try_model (const TrainConfig *config, guint rate, guint length, SegueNegotiation *negotiation,
           GError **error)
{
  static const char *const labels[] = { "a", "b", NULL };
  g_autoptr (GError) local = NULL;
  const SegueModelSpec spec = SEGUE_INIT (SegueModelSpec, .labels = labels, .length = length,
                                          .rate = rate, .threads = 1, .blank = TRUE);
  g_autoptr (SegueModel) made =
    train_make_model (segue_negotiation_get_registry (negotiation), config, &spec, &local);
  if (made && (length == 0 || segue_model_check_length (made, length, &local))) {
    if (length == 0 || check_batch (made, config, length, &local))
      return TRUE;
    return segue_negotiation_refuse (negotiation, "batch", error, "%s", local->message);
  }
  /* `segue check` lists weights that were not fetched yet together with everything else that is missing. */
  if (g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT) ||
      g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_RESOURCE))
    return TRUE;
  gboolean by_init = config->init && local->code != SEGUE_ERROR_PIPELINE;
  g_autofree char *word = g_strndup (local->message, strcspn (local->message, " "));
  g_autofree char *parameter = g_strconcat ("model.", word, NULL);
  return segue_negotiation_refuse (negotiation, by_init ? "init" : parameter, error, "%s",
                                   local->message);
}

static gboolean
train_negotiate (const void *data, SegueNegotiation *negotiation, GError **error)
{
  const TrainConfig *config = data;
  const SegueFormat *items = segue_negotiation_get_input (negotiation, "items");
  SegueFormat *model = segue_negotiation_get_output (negotiation, "model");
  if (!items)
    return TRUE;
  gboolean vectors = items->kind == SEGUE_KIND_TENSOR;
  if (!check_kind (config->model.type, items, negotiation, error) ||
      !(vectors ? check_vectors (negotiation, error) : check_audio (items, negotiation, error)))
    return FALSE;
  model->rate = items->rate;
  model->channels = vectors ? 0 : 1;
  model->frames = items->frames;
  model->rank = items->rank;
  model->dtype = items->dtype;
  model->shape[0] = items->shape[0];
  /* What is not known yet can't be wrong. */
  if (vectors ? items->shape[0] == 0 : items->rate == 0)
    return TRUE;
  return try_model (config, items->rate, vectors ? items->shape[0] : items->frames, negotiation,
                    error);
}

static void
report_sets (TrainJob *job)
{
  const TrainSet *train = &job->sets->train, *validation = &job->sets->validation;
  segue_context_log (job->context, G_LOG_LEVEL_INFO,
                     "%s, %u labels: %u segments of %u songs to train on, %u of %u to validate",
                     job->type->name, job->sets->n_labels, train->n, train->n_songs, validation->n,
                     validation->n_songs);
  if (job->info.precision != SEGUE_MODEL_FLOAT32)
    segue_context_log (job->context, G_LOG_LEVEL_INFO, "matrix multiplications in %s",
                       segue_model_precision_names ()[job->info.precision]);
  if (job->part < job->settings.batch && job->part < train->n)
    segue_context_log (job->context, G_LOG_LEVEL_INFO,
                       "batches of %u are computed in parts of %u segments to save memory",
                       job->settings.batch, job->part);
  if (job->sets->n_unknown > 0)
    segue_context_log (job->context, G_LOG_LEVEL_WARNING,
                       "%u validation segments have labels that no training segment has; they "
                       "count as wrong",
                       job->sets->n_unknown);
}

static gboolean
check_validation (TrainJob *job, GError **error)
{
  if (job->settings.patience == 0 || job->sets->validation.n > job->sets->n_unknown)
    return TRUE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
               "early_stopping needs a validation set with labels that are trained on; create "
               "one" SEGUE_ADVICE (" with ", "split:validation=0.1")
                 SEGUE_ADVICE (", or switch it off with ", "early_stopping=0"));
  return FALSE;
}

static gboolean
train_collect (gpointer instance, SegueContext *context, GError **error)
{
  g_autoptr (TrainJob) job = train_job_new (context, segue_context_get_config (context), error);
  if (!job || !check_validation (job, error))
    return FALSE;
  report_sets (job);
  if ((job->type->fit && !train_fit (job, error)) ||
      (job->type->backward && !train_learn (job, error)))
    return FALSE;

  const char *folder = segue_context_get_output_folder (context, error);
  if (!folder)
    return FALSE;
  g_autofree char *path = g_build_filename (folder, "model", NULL);
  SeguePreparation *preparation = segue_dataset_get_preparation (job->train.dataset);
  return train_history_write (job, folder, error) &&
         segue_model_save (job->model, path, preparation, error) &&
         (!job->calibration || segue_calibration_write (job->calibration, path, error)) &&
         segue_context_emit (context, segue_item_new_folder (SEGUE_KIND_MODEL, "model", path),
                             error);
}

/* The labels are known before any song is decoded. */
static gboolean
train_preview (SegueContext *context, GError **error)
{
  g_autoptr (TrainSets) sets = train_sets_new (segue_context_get_input (context, "items"), error);
  return sets != NULL;
}

static const SeguePort *const inputs[] = {
  SEGUE_PORT ("items", SEGUE_KIND_EXAMPLES,
              "Labelled segments: mono audio of one length and rate, or vectors, as the model "
              "type takes them. Those without a set are trained on.",
              .flags = SEGUE_PORT_LIVE | SEGUE_PORT_SETS),
  NULL
};

static const SeguePort *const outputs[] = {
  SEGUE_PORT ("model", SEGUE_KIND_MODEL, "A folder in the Hugging Face layout, with segue.json."),
  NULL
};

static const SegueStageType train = {
  SEGUE_STAGE_TYPE,
  .name = "train",
  .summary = "Trains a classifier on labelled segments",
  .doc =
    "Trains a model type on the items of the set `train` and evaluates it on those of `validation` "
    "after each epoch. Parameters that the pipeline does not set (epochs, batch, learning_rate, "
    "schedule, warmup, weight_decay, label_smoothing, gradient_clip) are taken from the recipe of "
    "the model type, which `segue inspect MODEL` shows.\n\nThe optimiser is AdamW. The same seed "
    "gives the same model, whatever the number of threads. An interrupted training resumes where "
    "it stopped.\n\nA model type that is computed in one step (`lda`, `knn`) is also trained without each "
    "fifth of the songs, to measure how strange songs are to a model that was not trained on them: "
    "`calibration.json`, by which songs of unknown artists are shown as unsure.\n\nWrites `model/` "
    "and `history.json`. The stage `evaluate` completes the model.",
  .result_version = 4,
  .mode = SEGUE_MODE_COLLECT,
  .flags = SEGUE_STAGE_SEEDED,
  .inputs = inputs,
  .outputs = outputs,
  .params = params,
  .config_size = sizeof (TrainConfig),
  .check = train_check,
  .fingerprint = train_fingerprint,
  .collect = train_collect,
  .negotiate = train_negotiate,
  .preview = train_preview,
};

static const SegueStageType *const stages[] = { &train, NULL };

SEGUE_PLUGIN (.name = "train", .version = "1.0", .licence = "MIT", .stages = stages)
