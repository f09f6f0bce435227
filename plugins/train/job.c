/* Prepares a training before its first step: the data's shape, a model, and every buffer. */
#include "job.h"

#include <segue/error.h>
#include <segue/nn/cross-entropy.h>
#include <stdlib.h>
#include <string.h>

/* A batch that needs more workspace than this passes in parts where its items don't influence each
 * other: large models gain nothing from tall matrices, and a cancel has to wait for one part. A
 * constant, so that the result does not depend on the machine's memory. */
#define MAX_WORKSPACE ((gsize) 256 * 1024 * 1024)
#define INFER_BATCH   16
/* Live stages may cost more than the model; more threads than this would only wait for the disk. */
#define MAX_FEED_THREADS 4

/* Rate and length of all items are those of the first. */
static gboolean
measure (TrainJob *job, SegueDataset *items, const SegueModelType *type, GError **error)
{
  g_autoptr (SegueReader) reader = segue_reader_new (items, 0);
  g_autoptr (SegueItem) item = segue_reader_get (
    reader, job->sets->train.samples[0].index, segue_context_get_cancellable (job->context), error);
  if (!item)
    return FALSE;
  SegueKind takes = segue_model_type_takes (type);
  if (segue_item_get_kind (item) != takes) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE, "model type '%s' takes %s, not %s",
                 type->name, takes == SEGUE_KIND_TENSOR ? "vectors" : "audio",
                 segue_kind_to_string (segue_item_get_kind (item)));
    return FALSE;
  }
  job->like = g_strdup (segue_item_get_id (item));
  if (takes == SEGUE_KIND_AUDIO) {
    segue_item_get_frames (item, &job->length);
    job->rate = segue_item_get_rate (item);
  } else {
    job->length = g_bytes_get_size (segue_item_get_bytes (item)) / sizeof (float);
  }
  job->train = (TrainSource){ .dataset = items,
                              .set = &job->sets->train,
                              .width = job->length,
                              .info = &job->info,
                              .like = job->like };
  job->validation = job->train;
  job->validation.set = &job->sets->validation;
  return TRUE;
}

SegueModel *
train_make_model (SegueRegistry *registry, const TrainConfig *config, const SegueModelSpec *spec,
                  GError **error)
{
  if (!config->init)
    return segue_model_new (config->model.type, config->model.config, spec, error);
  g_autofree char *folder = segue_model_ref_resolve (config->init, error);
  return folder ? segue_model_load (registry, folder, config->model.type, config->model.config,
                                    spec, error)
                : NULL;
}

static gboolean
make_model (TrainJob *job, const TrainConfig *config, GError **error)
{
  const SegueModelSpec spec =
    SEGUE_INIT (SegueModelSpec, .labels = (const char *const *) job->sets->labels,
                .length = job->length, .rate = job->rate, .seed = job->settings.seed,
                .threads = segue_context_get_threads (job->context),
                .precision = (SegueModelPrecision) config->precision);
  job->model = train_make_model (segue_context_get_registry (job->context), config, &spec, error);
  if (!job->model)
    return FALSE;
  segue_model_set_cancellable (job->model, segue_context_get_cancellable (job->context));

  job->type = segue_model_get_type (job->model);
  job->impl = segue_model_get_impl (job->model);
  job->info.struct_size = sizeof job->info;
  segue_model_describe (job->model, &job->info);
  if (job->info.notice)
    segue_context_log (job->context, G_LOG_LEVEL_WARNING, "%s", job->info.notice);
  if (job->info.n_labels != job->sets->n_labels || job->info.rate != job->rate) {
    g_set_error (
      error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL,
      "model type '%s' created a model of %u labels at %u Hz instead of %u labels at %u Hz",
      job->type->name, job->info.n_labels, job->info.rate, job->sets->n_labels, job->rate);
    return FALSE;
  }
  return segue_model_check_length (job->model, job->length, error);
}

static gsize
plan_infer (TrainJob *job, guint batch)
{
  return job->type->plan (job->impl, batch, job->length, SEGUE_MODEL_INFER);
}

static gsize
plan_train (TrainJob *job, guint batch)
{
  return job->type->plan (job->impl, batch, job->length, SEGUE_MODEL_TRAIN);
}

/* The largest batch, at most @batch, that fits into the workspace. */
static guint
choose_part (TrainJob *job, guint batch, gsize (*plan) (TrainJob *, guint))
{
  while (batch > 1 && plan (job, batch) > MAX_WORKSPACE)
    batch = (batch + 1) / 2;
  return batch;
}

static gboolean
no_memory (GError **error, gsize bytes)
{
  g_autofree char *size = g_format_size (bytes);
  g_set_error (
    error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
    "not enough memory for a batch, which takes %s; reduce `batch` or the length of the segments",
    size);
  return FALSE;
}

static gboolean
make_buffers (TrainJob *job, GError **error)
{
  job->part =
    job->info.coupled ? job->settings.batch : choose_part (job, job->settings.batch, plan_train);
  job->part = MIN (job->part, job->sets->train.n);
  job->infer_part = choose_part (job, INFER_BATCH, plan_infer);

  gsize bytes = MAX (plan_train (job, job->part), plan_infer (job, job->infer_part));
  gsize part = MAX (job->part, job->infer_part);
  if (bytes > G_MAXSIZE / 2 || job->length > G_MAXSIZE / 8 / sizeof (float) / part)
    return no_memory (error, MIN (bytes, G_MAXSIZE / 2));
  job->workspace = segue_model_new_workspace (job->model, bytes, error);
  if (!job->workspace)
    return FALSE;

  guint threads = segue_context_get_threads (job->context);
  guint feeders =
    segue_dataset_is_live (job->train.dataset) ? CLAMP (threads / 2, 1, MAX_FEED_THREADS) : 1;
  job->feed = train_feed_new (part * job->length, feeders,
                              segue_context_get_cancellable (job->context), error);

  gsize n_logits = part * job->info.n_labels;
  job->logits = g_try_new (float, n_logits);
  job->gradient = g_try_new (float, n_logits);
  job->targets = g_new (gint32, part);
  job->keys = g_new (guint64, part);
  job->order = g_try_new (guint32, job->sets->train.n);
  if (!job->logits || !job->gradient || !job->order)
    return job->feed && no_memory (error, 2 * n_logits * sizeof (float));
  if (job->settings.class_weights == TRAIN_WEIGHTS_BALANCED) {
    job->weights = g_new (float, job->info.n_labels);
    train_sets_fill_weights (job->sets, job->weights);
  }
  return job->feed != NULL;
}

/* Of everything that the bytes in the work folder have to match. */
static guint64
compute_fingerprint (TrainJob *job, const GArray *tensors)
{
  const TrainSettings *s = &job->settings;
  g_autoptr (GString) text = g_string_new (NULL);
  g_string_append_printf (text, "%s %u %u %u %u %u %a %a %a %a %d %" G_GUINT64_FORMAT " %d %d %u",
                          job->type->name, job->type->result_version, job->part, s->epochs,
                          s->batch, s->step_items, s->learning_rate, s->weight_decay,
                          s->label_smoothing, s->gradient_clip, s->schedule.kind,
                          s->schedule.warmup_steps, s->class_weights, s->best, s->patience);
  g_string_append_printf (text, " %" G_GUINT64_FORMAT " %" G_GSIZE_FORMAT, s->seed, job->length);
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *tensor = &g_array_index (tensors, SegueModelTensor, i);
    g_string_append_printf (text, "\n%s %" G_GSIZE_FORMAT " %d", tensor->name, tensor->n_elements,
                            tensor->gradient != NULL);
  }
  for (guint c = 0; c < job->sets->n_labels; c++)
    g_string_append_printf (text, "\n%s", job->sets->labels[c]);

  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_checksum_update (checksum, (const guchar *) text->str, (gssize) text->len);
  const TrainSet *sets[] = { &job->sets->train, &job->sets->validation };
  for (guint i = 0; i < G_N_ELEMENTS (sets); i++) {
    for (guint j = 0; j < sets[i]->n; j++) {
      const TrainSample *sample = &sets[i]->samples[j];
      guint64 words[] = { sample->key, (guint64) (gint64) sample->label, i };
      g_checksum_update (checksum, (const guchar *) words, sizeof words);
    }
  }
  guint8 digest[32];
  gsize length = sizeof digest;
  guint64 result;
  g_checksum_get_digest (checksum, digest, &length);
  memcpy (&result, digest, sizeof result);
  return result;
}

TrainJob *
train_job_new (SegueContext *context, const TrainConfig *config, GError **error)
{
  SegueDataset *items = segue_context_get_input (context, "items");
  g_autoptr (TrainJob) job = g_new0 (TrainJob, 1);
  job->context = context;
  job->progress.epochs = g_array_new (FALSE, FALSE, sizeof (TrainEpoch));
  job->progress.steps = g_array_new (FALSE, FALSE, sizeof (TrainStep));

  job->sets = train_sets_new (items, error);
  if (!job->sets)
    return NULL;
  train_settings_resolve (config, job->sets->train.n, segue_context_get_seed (context),
                          &job->settings);
  if (!measure (job, items, config->model.type, error) || !make_model (job, config, error))
    return NULL;
  if (!make_buffers (job, error))
    return NULL;
  g_autoptr (GArray) tensors = segue_model_list_tensors (job->model, error);
  if (!tensors)
    return NULL;
  if (job->type->backward) {
    job->optimiser =
      train_optimiser_new (job->model, &job->settings, segue_context_get_threads (context), error);
    if (!job->optimiser)
      return NULL;
  }
  job->fingerprint = compute_fingerprint (job, tensors);
  return g_steal_pointer (&job);
}

void
train_job_free (TrainJob *job)
{
  if (!job)
    return;
  g_clear_pointer (&job->feed, train_feed_free); /* first: it reads from the rest */
  g_clear_pointer (&job->optimiser, train_optimiser_free);
  g_clear_pointer (&job->model, segue_model_free);
  g_clear_pointer (&job->calibration, segue_calibration_free);
  g_clear_pointer (&job->sets, train_sets_free);
  g_clear_pointer (&job->progress.epochs, g_array_unref);
  g_clear_pointer (&job->progress.steps, g_array_unref);
  free (job->workspace);
  g_free (job->like);
  g_free (job->weights);
  g_free (job->logits);
  g_free (job->gradient);
  g_free (job->targets);
  g_free (job->keys);
  g_free (job->order);
  g_free (job);
}
