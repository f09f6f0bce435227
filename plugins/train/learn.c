/* Mini-batch training with AdamW. All random values (orders, dropout) are functions of seed, epoch, step and
 * item, so an interrupted run resumes bit for bit. */
#include "learn.h"
#include "checkpoint.h"
#include "epochs.h"
#include "validate.h"

#include <math.h>
#include <segue/error.h>
#include <segue/nn/cross-entropy.h>
#include <segue/nn/random.h>

/* The name of the shuffle among the users of the seed. */
#define LAYER_ORDER 0x6f726472

static const TrainEpoch *
get_epoch (const TrainJob *job, guint index)
{
  return &g_array_index (job->progress.epochs, TrainEpoch, index);
}

static gboolean
not_finite (TrainJob *job, const char *what, GError **error)
{
  const guint64 per_epoch = job->settings.steps_per_epoch;
  const guint n = job->progress.epochs->len;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED,
               "the %s is no longer a finite number in epoch %u, step %" G_GUINT64_FORMAT
               "; reduce learning_rate (%g), increase warmup, or set gradient_clip",
               what, n + 1, MIN (job->progress.step + 1 - n * per_epoch, per_epoch),
               job->settings.learning_rate);
  return FALSE;
}

/* Σ of the loss weights of the items order[first … first + n − 1]: the divisor of a step's loss. */
static double
step_divisor (const TrainJob *job, guint first, guint n)
{
  double sum = 0;
  for (guint i = first; i < first + n; i++) {
    gint32 label = job->sets->train.samples[job->order[i]].label;
    sum += job->weights ? (double) job->weights[label] : 1.0;
  }
  return sum;
}

/* Forward and backward of one part of a step; its share of the loss is added to @loss. */
static gboolean
run_part (TrainJob *job, const float *rows, guint first, guint n, double divisor, double *loss,
          GError **error)
{
  for (guint i = 0; i < n; i++) {
    const TrainSample *sample = &job->sets->train.samples[job->order[first + i]];
    job->targets[i] = sample->label;
    job->keys[i] = sample->key;
  }
  SegueModelPass pass =
    SEGUE_INIT (SegueModelPass, .mode = SEGUE_MODEL_TRAIN, .batch = n, .length = job->length,
                .input = rows, .items = job->keys, .seed = job->settings.seed,
                .step = job->progress.step, .workspace = job->workspace, .logits = job->logits);
  const SegueNnCrossEntropy loss_of = { .batch = n,
                                        .classes = job->info.n_labels,
                                        .label_smoothing = (float) job->settings.label_smoothing,
                                        .class_weights = job->weights,
                                        .divisor = divisor };
  if (!segue_model_forward (job->model, &pass, error))
    return FALSE;
  double share =
    segue_nn_cross_entropy_forward (&loss_of, job->logits, job->targets, job->gradient);
  if (!isfinite (share))
    return not_finite (job, "loss", error);
  *loss += share;
  segue_nn_cross_entropy_backward (&loss_of, job->gradient, job->targets, job->gradient);
  return segue_model_backward (job->model, &pass, job->gradient, error);
}

/* The points of finished step @step, counted from 0. */
static void
log_step (TrainJob *job, guint64 step)
{
  const TrainStep *at = &g_array_index (job->progress.steps, TrainStep, step);
  segue_context_scalar (job->context, "train/loss", step + 1, at->loss);
  segue_context_scalar (job->context, "train/learning_rate", step + 1,
                        train_settings_get_rate (&job->settings, step));
  segue_context_scalar (job->context, "train/gradient_norm", step + 1, at->norm);
}

static void
report_step (TrainJob *job)
{
  TrainProgress *progress = &job->progress;
  guint n = progress->epochs->len;
  g_autoptr (GString) detail = g_string_new (NULL);
  g_string_append_printf (detail, "epoch %u/%u, loss %.3f", n + 1, job->settings.epochs,
                          progress->loss_sum / progress->loss_weight);
  segue_context_progress (job->context, progress->step, job->settings.schedule.total_steps,
                          detail->str);
  log_step (job, progress->step - 1);
}

/* One optimiser's step over the items from position @first on. */
static gboolean
run_step (TrainJob *job, guint first, GError **error)
{
  guint n_step = MIN (job->settings.step_items, job->sets->train.n - first);
  double divisor = step_divisor (job, first, n_step);
  TrainStep step = { 0 };
  for (guint done = 0; done < n_step;) {
    guint at = 0, n = 0;
    const float *rows = train_feed_next (job->feed, &at, &n, error);
    if (!rows || !segue_context_check_cancelled (job->context, error) ||
        !run_part (job, rows, at, n, divisor, &step.loss, error))
      return FALSE;
    done += n;
  }
  if (!train_optimiser_step (job->optimiser, job->progress.step, &step.norm))
    return not_finite (job, "gradient", error);

  g_array_append_val (job->progress.steps, step);
  job->progress.step++;
  job->progress.loss_sum += step.loss * divisor;
  job->progress.loss_weight += divisor;
  report_step (job);
  return TRUE;
}

/* The remaining steps of the current epoch. */
static gboolean
run_epoch (TrainJob *job, GError **error)
{
  const guint n = job->sets->train.n, epoch = job->progress.epochs->len;
  guint64 done = job->progress.step - epoch * job->settings.steps_per_epoch;
  guint first = (guint) MIN (done * job->settings.step_items, n);
  const SegueNnRandomKey key = { job->settings.seed, epoch, 0, LAYER_ORDER };
  segue_nn_random_permutation (&key, n, job->order);

  const TrainPass pass = { .source = &job->train,
                           .order = job->order,
                           .first = first,
                           .part = job->part,
                           .batch = job->settings.batch,
                           .epoch = epoch };
  train_feed_start (job->feed, &pass);
  for (; first < n; first += MIN (job->settings.step_items, n - first)) {
    if (!run_step (job, first, error) ||
        (train_checkpoint_is_due (job) && !train_checkpoint_save (job, error)))
      return FALSE;
  }
  return TRUE;
}

/* An epoch as a line that fits a terminal of 80 columns. */
static void
say_epoch (TrainJob *job, guint index)
{
  const TrainEpoch *epoch = get_epoch (job, index);
  g_autoptr (GString) line = g_string_new (NULL);
  if (job->type->backward)
    g_string_append_printf (line, "epoch %u/%u: ", index + 1, job->settings.epochs);
  g_string_append_printf (line, "loss %.3f", epoch->loss);
  if (job->sets->validation.n > 0)
    g_string_append_printf (line, ", validation loss %.3f, songs right %.1f %%",
                            epoch->validation_loss, 100 * epoch->validation_song_accuracy);
  segue_context_log (job->context, G_LOG_LEVEL_MESSAGE, "%s", line->str);
}

void
train_log_epoch (TrainJob *job, guint index)
{
  const TrainEpoch *epoch = get_epoch (job, index);
  guint64 step = (index + 1) * job->settings.steps_per_epoch;
  say_epoch (job, index);
  segue_context_scalar (job->context, "train/epoch_loss", step, epoch->loss);
  if (job->sets->validation.n == 0)
    return;
  segue_context_scalar (job->context, "validation/loss", step, epoch->validation_loss);
  segue_context_scalar (job->context, "validation/accuracy", step, epoch->validation_accuracy);
  segue_context_scalar (job->context, "validation/song_accuracy", step,
                        epoch->validation_song_accuracy);
}

/* Validates, records the epoch, and stores its weights where they are the best so far. */
static gboolean
end_epoch (TrainJob *job, GError **error)
{
  TrainProgress *progress = &job->progress;
  guint index = progress->epochs->len;
  TrainEpoch epoch = { .loss = progress->loss_sum / progress->loss_weight,
                       .rate = train_settings_get_rate (&job->settings, progress->step - 1) };
  if (!train_validate (job, &epoch, error))
    return FALSE;
  if (job->sets->validation.n > job->sets->n_unknown && !isfinite (epoch.validation_loss))
    return not_finite (job, "validation loss", error);
  g_array_append_val (progress->epochs, epoch);
  /* The weights first: no checkpoint may refer to an epoch whose weights are missing. */
  if (train_epochs_find_stored (job, progress->epochs) == index &&
      !train_checkpoint_save_epoch (job, index, error)) {
    g_array_set_size (progress->epochs, index);
    return FALSE;
  }
  progress->loss_sum = progress->loss_weight = 0;
  train_log_epoch (job, index);
  return train_checkpoint_save (job, error);
}

/* A resumed run has all points of the curves in its own log, as without an interruption. */
static void
repeat_log (TrainJob *job)
{
  const TrainProgress *progress = &job->progress;
  guint64 per_epoch = job->settings.steps_per_epoch;
  for (guint64 step = 0; step < progress->step; step++) {
    log_step (job, step);
    if ((step + 1) % per_epoch == 0 && (step + 1) / per_epoch <= progress->epochs->len)
      train_log_epoch (job, (guint) ((step + 1) / per_epoch - 1));
  }
}

/* Whatever ends a training early: the unfinished step is dropped, all steps before it are kept. */
static void
keep_steps (TrainJob *job)
{
  g_autoptr (GError) error = NULL;
  train_optimiser_drop_step (job->optimiser);
  if (!train_checkpoint_save (job, &error))
    segue_context_log (job->context, G_LOG_LEVEL_WARNING,
                       "steps since the last checkpoint are lost: %s", error->message);
}

gboolean
train_learn (TrainJob *job, GError **error)
{
  if (!train_checkpoint_load (job, error))
    return FALSE;
  if (job->progress.step > 0)
    segue_context_log (job->context, G_LOG_LEVEL_INFO,
                       "resuming from step %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT,
                       job->progress.step, job->settings.schedule.total_steps);
  repeat_log (job);

  segue_context_set_progress_unit (job->context, "steps");
  while (!train_epochs_are_enough (job)) {
    if (!run_epoch (job, error) || !end_epoch (job, error)) {
      keep_steps (job);
      return FALSE;
    }
  }
  guint kept = train_epochs_get_kept (job);
  return kept + 1 == job->progress.epochs->len || train_checkpoint_load_epoch (job, kept, error);
}
