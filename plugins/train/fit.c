/* All rows of both sets in memory, and a call. */
#include "fit.h"
#include "calibrate.h"
#include "learn.h"
#include "validate.h"

#include <segue/nn/cross-entropy.h>
#include <stdlib.h>
#include <string.h>

static void
matrix_clear (TrainMatrix *rows)
{
  free (rows->values);
  g_free (rows->labels);
  g_free (rows->songs);
  g_free (rows->copies);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (TrainMatrix, matrix_clear)

/* @before: rows that were read before these. */
static gboolean
read_rows (TrainJob *job, const TrainSource *source, guint before, TrainMatrix *rows,
           GError **error)
{
  const TrainSet *set = source->set;
  gsize row_bytes = job->length * sizeof (float);
  rows->values = segue_model_new_workspace (job->model, set->n * row_bytes, error);
  rows->n = set->n;
  rows->labels = g_new (gint32, set->n);
  rows->songs = g_new (guint32, set->n);
  rows->copies = g_new (guint32, set->n);
  if (!rows->values)
    return FALSE;
  for (guint i = 0; i < set->n; i++) {
    gint32 label = set->samples[i].label;
    rows->labels[i] = label == SEGUE_NN_IGNORE ? -1 : label;
    SegueItem *entry = segue_dataset_get_entry (source->dataset, set->samples[i].index);
    rows->songs[i] = set->samples[i].song;
    rows->copies[i] = (guint32) segue_item_get_int (entry, SEGUE_META_COPY, 0);
  }

  const TrainPass pass = { .source = source, .part = job->infer_part, .batch = job->infer_part };
  guint first, n, total = job->sets->train.n + job->sets->validation.n;
  const float *values;
  GError *local = NULL;
  train_feed_start (job->feed, &pass);
  while ((values = train_feed_next (job->feed, &first, &n, &local))) {
    memcpy (rows->values + first * job->length, values, n * row_bytes);
    segue_context_progress (job->context, before + first + n, total, "reading");
    if (!segue_context_check_cancelled (job->context, error))
      return FALSE;
  }
  if (!local)
    return TRUE;
  g_propagate_error (error, local);
  return FALSE;
}

gboolean
train_fit_rows (SegueModel *model, gsize length, const TrainMatrix *train, gsize n,
                const TrainMatrix *validation, GError **error)
{
  const SegueModelFit fit = SEGUE_INIT (
    SegueModelFit, .length = length, .n = n, .rows = train->values, .labels = train->labels,
    .songs = train->songs, .n_validation = validation->n, .validation_rows = validation->values,
    .validation_labels = validation->labels, .copies = train->copies);
  return segue_model_fit (model, &fit, error);
}

static gboolean
fit_all (TrainJob *job, GError **error)
{
  g_auto (TrainMatrix) train = { 0 };
  g_auto (TrainMatrix) validation = { 0 };
  const TrainSets *sets = job->sets;
  segue_context_set_progress_unit (job->context, "segments");
  return read_rows (job, &job->train, 0, &train, error) &&
         read_rows (job, &job->validation, sets->train.n, &validation, error) &&
         train_fit_rows (job->model, job->length, &train, train.n, &validation, error) &&
         (job->type->backward || train_calibrate (job, &train, &validation, error));
}

/* A pass may need more than before fit (): knn has stored all rows. */
static gboolean
make_workspace (TrainJob *job, GError **error)
{
  gsize bytes = job->type->plan (job->impl, job->infer_part, job->length, SEGUE_MODEL_INFER);
  free (job->workspace);
  job->workspace = segue_model_new_workspace (job->model, bytes, error);
  return job->workspace != NULL;
}

gboolean
train_fit (TrainJob *job, GError **error)
{
  TrainEpoch epoch = { .rate = 0 };
  if (!fit_all (job, error))
    return FALSE;
  if (job->type->backward)
    return TRUE;
  if (!make_workspace (job, error) || !train_measure_loss (job, &job->train, &epoch.loss, error) ||
      !train_validate (job, &epoch, error))
    return FALSE;
  g_array_append_val (job->progress.epochs, epoch);
  train_log_epoch (job, 0);
  return TRUE;
}
