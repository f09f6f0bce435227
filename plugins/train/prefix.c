/* Rows of float32, one per sample of a set, without a header: a file gets its name only when it is
 * whole, and the name says what it holds. */
#include "prefix.h"

#include <errno.h>
#include <fcntl.h>
#include <segue/error.h>
#include <segue/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

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

/* Batches come in order, so the file is written from front to back. */
static gboolean
compute (TrainJob *job, const TrainSource *source, gsize width, SegueFileWriter *writer,
         guint64 done, guint64 total, GError **error)
{
  const TrainPass pass = { .source = source, .part = job->infer_part, .batch = job->infer_part };
  g_autofree float *output = g_try_malloc_n (job->infer_part, width * sizeof (float));
  const float *rows;
  guint first, n;
  GError *local = NULL;

  if (output == NULL) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                         "no memory to prepare features in");
    return FALSE;
  }
  train_feed_start (job->feed, &pass);
  while ((rows = train_feed_next (job->feed, &first, &n, &local)) != NULL) {
    if (!segue_context_check_cancelled (job->context, error) ||
        !job->type->prefix (job->impl, n, source->width, rows, job->workspace, output, error) ||
        !segue_file_writer_write (writer, output, n * width * sizeof (float), error))
      return FALSE;
    segue_context_progress (job->context, done + first + n, total, "preparing features");
  }
  if (local == NULL)
    return TRUE;
  g_propagate_error (error, local);
  return FALSE;
}

static gboolean
make_file (TrainJob *job, const TrainSource *source, gsize width, const char *path, guint64 done,
           guint64 total, GError **error)
{
  g_autoptr (SegueFileWriter) writer = segue_file_writer_new (path, error);
  return writer != NULL && compute (job, source, width, writer, done, total, error) &&
         segue_file_writer_commit (writer, error);
}

/* −1 where there is no such file of the right size. */
static int
open_file (const char *path, guint64 bytes)
{
  struct stat st;
  int fd = open (path, O_RDONLY | O_CLOEXEC);
  if (fd >= 0 && (fstat (fd, &st) < 0 || (guint64) st.st_size != bytes)) {
    close (fd);
    fd = -1;
  }
  return fd;
}

/* Makes @source read features: from a file that an interrupted run left, or a new one. */
static gboolean
prepare (TrainJob *job, TrainSource *source, const char *path, guint64 done, guint64 total,
         GError **error)
{
  gsize width = job->prefix;
  guint64 bytes = (guint64) source->set->n * width * sizeof (float);
  int fd = open_file (path, bytes);
  if (fd < 0) {
    if (!make_file (job, source, width, path, done, total, error))
      return FALSE;
    fd = open_file (path, bytes);
  }
  if (fd < 0)
    return segue_set_error_from_errno (error, EIO, SEGUE_ERROR_IO, "cannot read back", path);
  source->features = fd; /* closed with the job */
  source->width = width;
  return TRUE;
}

gboolean
train_prefix_prepare (TrainJob *job, GError **error)
{
  guint64 n_train = job->prefix_train ? job->sets->train.n : 0;
  guint64 n_validation = job->prefix > 0 ? job->sets->validation.n : 0;
  if (n_train + n_validation == 0)
    return TRUE;

  const char *folder = segue_context_get_work_folder (job->context, error);
  if (folder == NULL)
    return FALSE;
  g_autofree char *stem = g_strdup_printf ("%s" G_DIR_SEPARATOR_S "features-%016" //
                                           G_GINT64_MODIFIER "x",
                                           folder, job->fingerprint);
  g_autofree char *train = g_strconcat (stem, "-train.f32", NULL);
  g_autofree char *validation = g_strconcat (stem, "-validation.f32", NULL);
  guint64 missing = (g_file_test (train, G_FILE_TEST_EXISTS) ? 0 : n_train) +
                    (g_file_test (validation, G_FILE_TEST_EXISTS) ? 0 : n_validation);

  return check_space (folder, missing * job->prefix * sizeof (float), error) &&
         (n_train == 0 || prepare (job, &job->train, train, 0, n_train + n_validation, error)) &&
         (n_validation == 0 ||
          prepare (job, &job->validation, validation, n_train, n_train + n_validation, error));
}
