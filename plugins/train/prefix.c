/* Rows of float32, one per sample of a set, in a file that grows from front to back.  A small file
 * beside it says how many rows are surely on disk, so that an interrupted run loses little. */
#include "prefix.h"

#include <errno.h>
#include <fcntl.h>
#include <segue/error.h>
#include <segue/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Synced at once: what a kill may cost, in bytes of rows. */
#define SYNC_BYTES ((guint64) 128 * 1024 * 1024)

/* Of the file that says how many rows there are: one number. */
#define MAX_COUNT_BYTES 64

/* One set's rows.  @n_synced: those that the file beside says are there. */
typedef struct {
  TrainSource *source;
  char *path;
  char *count_path;
  int fd;
  guint n_synced;
} Rows;

static void
rows_clear (Rows *rows)
{
  if (rows->fd >= 0)
    close (rows->fd);
  g_free (rows->path);
  g_free (rows->count_path);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Rows, rows_clear)

static gboolean
rows_open (Rows *rows, TrainJob *job, TrainSource *source, const char *folder, const char *name,
           GError **error)
{
  /* The name says what the rows belong to: another model or another set never finds them. */
  g_autofree char *base =
    g_strdup_printf ("features-%016" G_GINT64_MODIFIER "x-%s.f32", job->fingerprint, name);
  rows->source = source;
  rows->path = g_build_filename (folder, base, NULL);
  rows->count_path = g_strconcat (rows->path, ".rows", NULL);
  /* The cache may be somebody else's: what stands there is a file, or it is left alone. */
  rows->fd = open (rows->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (rows->fd < 0)
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_CANNOT_CREATE, "cannot create",
                                       rows->path);

  g_autofree char *text = segue_file_read (rows->count_path, MAX_COUNT_BYTES, NULL, NULL);
  guint64 n = 0;
  struct stat st;
  if (text != NULL &&
      g_ascii_string_to_unsigned (g_strchomp (text), 10, 0, source->set->n, &n, NULL) &&
      fstat (rows->fd, &st) == 0 && (guint64) st.st_size >= n * job->prefix * sizeof (float))
    rows->n_synced = (guint) n;
  return TRUE;
}

/* Has rows up to @n on disk, and says so. */
static gboolean
rows_sync (Rows *rows, guint n, GError **error)
{
  if (fdatasync (rows->fd) < 0)
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_IO, "cannot write", rows->path);
  g_autofree char *text = g_strdup_printf ("%u\n", n);
  if (!segue_file_write (rows->count_path, text, -1, error))
    return FALSE;
  rows->n_synced = n;
  return TRUE;
}

static gboolean
rows_write (Rows *rows, const float *values, gsize bytes, guint64 offset, GError **error)
{
  const guint8 *at = (const guint8 *) values;
  while (bytes > 0) {
    gssize n = pwrite (rows->fd, at, bytes, (off_t) offset);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return segue_set_error_from_errno (error, n < 0 ? errno : EIO, SEGUE_ERROR_IO, "cannot write",
                                         rows->path);
    at += n;
    offset += (guint64) n;
    bytes -= (gsize) n;
  }
  return TRUE;
}

/* Prefixes of large models take gigabytes: better told now than in an hour. */
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
               "prepared features take %s, ‘%s’ has %s left; make room, or compute them anew in "
               "each epoch with `cache_features: false`",
               wanted, shown, free_bytes);
  return FALSE;
}

/* Computes rows from @first on until the end or an error; @n_written: those that were written. */
static gboolean
compute (TrainJob *job, Rows *rows, guint first, guint before, guint total, guint *n_written,
         GError **error)
{
  const gsize row_bytes = job->prefix * sizeof (float);
  const TrainPass pass = {
    .source = rows->source, .first = first, .part = job->infer_part, .batch = job->infer_part
  };
  g_autofree float *output = g_try_malloc_n (job->infer_part, row_bytes);
  const float *input;
  guint at, n;
  GError *local = NULL;

  if (output == NULL) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                         "no memory to prepare features in");
    return FALSE;
  }
  train_feed_start (job->feed, &pass);
  while ((input = train_feed_next (job->feed, &at, &n, &local)) != NULL) {
    if (!segue_context_check_cancelled (job->context, error) ||
        !job->type->prefix (job->impl, n, job->length, input, job->workspace, output, error) ||
        !rows_write (rows, output, n * row_bytes, at * (guint64) row_bytes, error))
      return FALSE;
    *n_written = at + n;
    segue_context_progress (job->context, before + at + n, total, "preparing features");
    if ((guint64) (*n_written - rows->n_synced) * row_bytes >= SYNC_BYTES &&
        !rows_sync (rows, *n_written, error))
      return FALSE;
  }
  if (local == NULL)
    return TRUE;
  g_propagate_error (error, local);
  return FALSE;
}

/* All rows of one set, then the source reads them.  @before: items of the sets before. */
static gboolean
prepare (TrainJob *job, Rows *rows, guint before, guint total, GError **error)
{
  const guint n = rows->source->set->n;
  /* Whole batches: each has the items that it would have had without an interruption. */
  guint first = rows->n_synced == n ? n : rows->n_synced - rows->n_synced % job->infer_part;
  guint n_written = first;
  if (first < n) {
    gboolean ok = compute (job, rows, first, before, total, &n_written, error);
    if (n_written > rows->n_synced && !rows_sync (rows, n_written, ok ? error : NULL))
      return FALSE;
    if (!ok)
      return FALSE;
  }
  rows->source->features = rows->fd; /* closed with the job */
  rows->source->width = job->prefix;
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

  g_auto (Rows) train = { .fd = -1 };
  g_auto (Rows) validation = { .fd = -1 };
  const char *folder = segue_context_get_work_folder (job->context, error);
  if (folder == NULL ||
      (n_train > 0 && !rows_open (&train, job, &job->train, folder, "train", error)) ||
      (n_validation > 0 &&
       !rows_open (&validation, job, &job->validation, folder, "validation", error)))
    return FALSE;

  segue_context_set_progress_unit (job->context, "segments");
  guint64 missing = (guint64) (n_train - train.n_synced) + (n_validation - validation.n_synced);
  return check_space (folder, missing * job->prefix * sizeof (float), error) &&
         (n_train == 0 || prepare (job, &train, 0, n_train + n_validation, error)) &&
         (n_validation == 0 || prepare (job, &validation, n_train, n_train + n_validation, error));
}
