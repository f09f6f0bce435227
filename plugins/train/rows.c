/* Rows on disk, and the record of them. */
#include "rows.h"

#include <errno.h>
#include <fcntl.h>
#include <segue/error.h>
#include <segue/file.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of the file next to it: a number and a digest. */
#define MAX_COUNT_BYTES 128
#define BLOCK           ((gsize) 1 << 20)
#define DIGEST_DIGITS   (2 * SHA256_DIGEST_SIZE)

void
train_rows_clear (TrainRows *rows)
{
  if (rows->path && rows->fd >= 0)
    close (rows->fd);
  g_clear_pointer (&rows->path, g_free);
  g_clear_pointer (&rows->count_path, g_free);
}

/* The digest of all data in @sha so far, which can be continued. */
static void
write_digest (const struct sha256_ctx *sha, char text[DIGEST_DIGITS + 1])
{
  struct sha256_ctx copy = *sha;
  guint8 digest[SHA256_DIGEST_SIZE];
  sha256_digest (&copy, sizeof digest, digest);
  for (guint i = 0; i < sizeof digest; i++)
    g_snprintf (text + 2 * i, 3, "%02x", digest[i]);
}

/* Reads the file next to it: %FALSE where there is none, or its content is invalid. */
static gboolean
read_count (const TrainRows *rows, guint max, guint batch, guint64 *n,
            char digest[DIGEST_DIGITS + 1])
{
  struct stat st;
  g_autofree char *text = segue_file_read (rows->count_path, MAX_COUNT_BYTES, NULL, NULL);
  g_auto (GStrv) words = g_strsplit (text ? g_strchomp (text) : "", " ", 3);
  if (g_strv_length (words) != 2 || strlen (words[1]) != DIGEST_DIGITS ||
      !g_ascii_string_to_unsigned (words[0], 10, 1, max, n, NULL))
    return FALSE;
  memcpy (digest, words[1], DIGEST_DIGITS + 1);
  return (*n == max || *n % batch == 0) && fstat (rows->fd, &st) == 0 &&
         (guint64) st.st_size / rows->row_bytes >= *n;
}

/* Reads the first @n rows into the digest; %FALSE without @error where they can't be read. */
static gboolean
digest_rows (TrainRows *rows, guint64 n, SegueContext *context, GError **error)
{
  const guint64 bytes = n * rows->row_bytes;
  g_autofree guint8 *block = g_try_malloc (BLOCK);
  if (!block) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                         "not enough memory to check prepared features");
    return FALSE;
  }
  for (guint64 at = 0; at < bytes;) {
    gssize got = pread (rows->fd, block, (gsize) MIN ((guint64) BLOCK, bytes - at), (off_t) at);
    if (!segue_context_check_cancelled (context, error))
      return FALSE;
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return FALSE;
    sha256_update (&rows->sha, (gsize) got, block);
    at += (guint64) got;
    segue_context_progress (context, at / rows->row_bytes, n, "checking prepared features");
  }
  return TRUE;
}

/* Counts the rows of an earlier run. */
static gboolean
take_up (TrainRows *rows, guint max, guint batch, SegueContext *context, GError **error)
{
  guint64 n = 0;
  char said[DIGEST_DIGITS + 1], is[DIGEST_DIGITS + 1] = "";
  g_autoptr (GError) local = NULL;
  if (!read_count (rows, max, batch, &n, said))
    return TRUE;
  if (digest_rows (rows, n, context, &local))
    write_digest (&rows->sha, is);
  if (local) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  if (g_str_equal (said, is)) {
    rows->n_synced = (guint) n;
    return TRUE;
  }
  g_autofree char *shown = g_filename_display_name (rows->path);
  segue_context_log (context, G_LOG_LEVEL_WARNING,
                     "the prepared features ‘%s’ are damaged: recomputed", shown);
  sha256_init (&rows->sha);
  return TRUE;
}

gboolean
train_rows_open (TrainRows *rows, const char *path, guint max, guint batch, SegueContext *context,
                 GError **error)
{
  rows->path = g_strdup (path);
  rows->count_path = g_strconcat (path, ".rows", NULL);
  sha256_init (&rows->sha);
  /* The cache may belong to another user: only a regular file is opened. */
  rows->fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (rows->fd < 0)
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_CANNOT_CREATE, "cannot create",
                                       path);
  return take_up (rows, max, batch, context, error);
}

gboolean
train_rows_append (TrainRows *rows, const float *values, guint first, guint n, GError **error)
{
  const guint8 *at = (const guint8 *) values;
  guint64 offset = (guint64) first * rows->row_bytes;
  gsize bytes = n * rows->row_bytes;
  while (bytes > 0) {
    gssize done = pwrite (rows->fd, at, bytes, (off_t) offset);
    if (done < 0 && errno == EINTR)
      continue;
    if (done <= 0)
      return segue_set_error_from_errno (error, done < 0 ? errno : EIO, SEGUE_ERROR_IO,
                                         "cannot write", rows->path);
    at += done;
    offset += (guint64) done;
    bytes -= (gsize) done;
  }
  sha256_update (&rows->sha, n * rows->row_bytes, (const guint8 *) values);
  return TRUE;
}

gboolean
train_rows_sync (TrainRows *rows, guint n, GError **error)
{
  char digest[DIGEST_DIGITS + 1];
  if (fdatasync (rows->fd) < 0)
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_IO, "cannot write", rows->path);
  write_digest (&rows->sha, digest);
  g_autofree char *text = g_strdup_printf ("%u %s\n", n, digest);
  if (!segue_file_write (rows->count_path, text, -1, error))
    return FALSE;
  rows->n_synced = n;
  return TRUE;
}
