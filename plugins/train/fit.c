/* All rows of both sets in memory, and a call. */
#include "fit.h"
#include "learn.h"
#include "validate.h"

#include <segue/nn/cross-entropy.h>
#include <stdlib.h>
#include <string.h>

/* @values: [set->n, length] */
typedef struct {
  float *values;
  gint32 *labels;
  guint32 *songs;
} Rows;

static void
rows_clear (Rows *rows)
{
  free (rows->values);
  g_free (rows->labels);
  g_free (rows->songs);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Rows, rows_clear)

/* @before: rows that were read before these. */
static gboolean
read_rows (TrainJob *job, const TrainSource *source, guint before, Rows *rows, GError **error)
{
  const TrainSet *set = source->set;
  gsize row_bytes = job->length * sizeof (float);
  rows->values = segue_model_new_workspace (job->model, set->n * row_bytes, error);
  rows->labels = g_new (gint32, set->n);
  rows->songs = g_new (guint32, set->n);
  if (!rows->values)
    return FALSE;
  for (guint i = 0; i < set->n; i++) {
    gint32 label = set->samples[i].label;
    rows->labels[i] = label == SEGUE_NN_IGNORE ? -1 : label;
    rows->songs[i] = set->samples[i].song;
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

static gboolean
fit_all (TrainJob *job, GError **error)
{
  g_auto (Rows) train = { 0 };
  g_auto (Rows) validation = { 0 };
  const TrainSets *sets = job->sets;
  segue_context_set_progress_unit (job->context, "segments");
  if (!read_rows (job, &job->train, 0, &train, error) ||
      !read_rows (job, &job->validation, sets->train.n, &validation, error))
    return FALSE;
  const SegueModelFit fit =
    SEGUE_INIT (SegueModelFit, .length = job->length, .n = sets->train.n, .rows = train.values,
                .labels = train.labels, .songs = train.songs, .n_validation = sets->validation.n,
                .validation_rows = validation.values, .validation_labels = validation.labels);
  return segue_model_fit (job->model, &fit, error);
}

gboolean
train_fit (TrainJob *job, GError **error)
{
  TrainEpoch epoch = { .rate = 0 };
  if (!fit_all (job, error))
    return FALSE;
  if (job->type->backward)
    return TRUE;
  if (!train_measure_loss (job, &job->train, &epoch.loss, error) ||
      !train_validate (job, &epoch, error))
    return FALSE;
  g_array_append_val (job->progress.epochs, epoch);
  train_log_epoch (job, 0);
  return TRUE;
}
