/* Outputs of the frozen prefix, computed once: rows in files of the work folder. */
#include "prefix.h"
#include "rows.h"

#include <segue/error.h>
#include <sys/statvfs.h>

/* Synced together: the maximum loss by a kill, in bytes of rows. */
#define SYNC_BYTES ((guint64) 128 * 1024 * 1024)

/* One set's rows. */
typedef struct {
  TrainSource *source;
  TrainRows rows;
} Prepared;

static void
prepared_clear (Prepared *prepared)
{
  train_rows_clear (&prepared->rows);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Prepared, prepared_clear)

static gboolean
prepared_open (Prepared *prepared, TrainJob *job, TrainSource *source, const char *folder,
               const char *name, GError **error)
{
  /* The name identifies the model and the set of the rows: others never use them. */
  g_autofree char *base =
    g_strdup_printf ("features-%016" G_GINT64_MODIFIER "x-%s.f32", job->fingerprint, name);
  g_autofree char *path = g_build_filename (folder, base, NULL);
  prepared->source = source;
  prepared->rows.row_bytes = job->prefix * sizeof (float);
  return train_rows_open (&prepared->rows, path, source->set->n, job->infer_part, job->context,
                          error);
}

/* Prefixes of large models take gigabytes: it is better to fail now than in an hour. */
static gboolean
check_space (const char *folder, guint64 bytes, GError **error)
{
  struct statvfs st;
  if (statvfs (folder, &st) < 0 || (guint64) st.f_bavail * st.f_frsize >= bytes)
    return TRUE;
  g_autofree char *shown = g_filename_display_name (folder);
  g_autofree char *wanted = g_format_size (bytes);
  g_autofree char *free_bytes = g_format_size ((guint64) st.f_bavail * st.f_frsize);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_IO,
               "prepared features need %s, but ‘%s’ has only %s left; free some space, or "
               "recompute them in each epoch with `cache_features: false`",
               wanted, shown, free_bytes);
  return FALSE;
}

/* Computes rows from @first on until the end or an error; @n_written: the number written. */
static gboolean
compute (TrainJob *job, Prepared *prepared, guint first, guint before, guint total,
         guint *n_written, GError **error)
{
  TrainRows *rows = &prepared->rows;
  const TrainPass pass = {
    .source = prepared->source, .first = first, .part = job->infer_part, .batch = job->infer_part
  };
  g_autofree float *output = g_try_malloc_n (job->infer_part, rows->row_bytes);
  const float *input;
  guint at, n;
  GError *local = NULL;

  if (!output) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                         "not enough memory to prepare features");
    return FALSE;
  }
  train_feed_start (job->feed, &pass);
  while ((input = train_feed_next (job->feed, &at, &n, &local))) {
    if (!segue_context_check_cancelled (job->context, error) ||
        !segue_model_prefix (job->model, n, job->length, input, job->workspace, output, error) ||
        !train_rows_append (rows, output, at, n, error))
      return FALSE;
    *n_written = at + n;
    segue_context_progress (job->context, before + at + n, total, "preparing features");
    if ((guint64) (*n_written - rows->n_synced) * rows->row_bytes >= SYNC_BYTES &&
        !train_rows_sync (rows, *n_written, error))
      return FALSE;
  }
  if (!local)
    return TRUE;
  g_propagate_error (error, local);
  return FALSE;
}

/* Computes all rows of one set, then the source reads them. @before: items of the sets before. */
static gboolean
prepare (TrainJob *job, Prepared *prepared, guint before, guint total, GError **error)
{
  TrainRows *rows = &prepared->rows;
  const guint n = prepared->source->set->n;
  guint n_written = rows->n_synced;
  if (n_written < n) {
    gboolean ok = compute (job, prepared, n_written, before, total, &n_written, error);
    if (n_written > rows->n_synced && !train_rows_sync (rows, n_written, ok ? error : NULL))
      return FALSE;
    if (!ok)
      return FALSE;
  }
  prepared->source->features = rows->fd; /* closed with the job */
  prepared->source->width = job->prefix;
  rows->fd = -1;
  return TRUE;
}

gboolean
train_prefix_prepare (TrainJob *job, GError **error)
{
  const guint n_train = job->prefix_train ? job->sets->train.n : 0;
  const guint n_validation = job->prefix > 0 ? job->sets->validation.n : 0;
  if (n_train + n_validation == 0)
    return TRUE;

  g_auto (Prepared) train = { 0 };
  g_auto (Prepared) validation = { 0 };
  const char *folder = segue_context_get_work_folder (job->context, error);
  segue_context_set_progress_unit (job->context, "segments");
  if (!folder ||
      (n_train > 0 && !prepared_open (&train, job, &job->train, folder, "train", error)) ||
      (n_validation > 0 &&
       !prepared_open (&validation, job, &job->validation, folder, "validation", error)))
    return FALSE;

  guint64 missing =
    (guint64) (n_train - train.rows.n_synced) + (n_validation - validation.rows.n_synced);
  return check_space (folder, missing * job->prefix * sizeof (float), error) &&
         (n_train == 0 || prepare (job, &train, 0, n_train + n_validation, error)) &&
         (n_validation == 0 || prepare (job, &validation, n_train, n_train + n_validation, error));
}
