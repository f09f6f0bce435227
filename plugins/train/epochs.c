/* Comparing epochs. */
#include "epochs.h"

/* Whether validation can distinguish epochs: there is a set, with labels that the model has. */
static gboolean
has_validation (const TrainJob *job)
{
  return job->sets->validation.n > job->sets->n_unknown;
}

/* Whether @a is a better epoch than @b. */
static gboolean
is_better (const TrainJob *job, const TrainEpoch *a, const TrainEpoch *b)
{
  if (job->settings.best == TRAIN_BEST_ACCURACY && a->validation_accuracy != b->validation_accuracy)
    return a->validation_accuracy > b->validation_accuracy;
  return a->validation_loss < b->validation_loss;
}

guint
train_epochs_find_best (const TrainJob *job, const GArray *epochs)
{
  if (!has_validation (job) || epochs->len == 0)
    return TRAIN_NO_EPOCH;
  guint best = 0;
  for (guint i = 1; i < epochs->len; i++) {
    if (is_better (job, &g_array_index (epochs, TrainEpoch, i),
                   &g_array_index (epochs, TrainEpoch, best)))
      best = i;
  }
  return best;
}

guint
train_epochs_find_stored (const TrainJob *job, const GArray *epochs)
{
  return job->settings.best == TRAIN_BEST_LAST ? TRAIN_NO_EPOCH
                                               : train_epochs_find_best (job, epochs);
}

guint
train_epochs_get_kept (const TrainJob *job)
{
  guint stored = train_epochs_find_stored (job, job->progress.epochs);
  return stored != TRAIN_NO_EPOCH ? stored : job->progress.epochs->len - 1;
}

gboolean
train_epochs_are_enough (const TrainJob *job)
{
  guint n = job->progress.epochs->len;
  guint best = train_epochs_find_best (job, job->progress.epochs);
  if (n >= job->settings.epochs)
    return TRUE;
  return job->settings.patience > 0 && best != TRAIN_NO_EPOCH &&
         n - 1 - best >= job->settings.patience;
}
