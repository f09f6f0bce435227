#include "twins.h"

#include "span.h"

#include <fcntl.h>
#include <segue/error.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Maximum number of warnings about recordings with several labels; the log contains the others. */
#define MAX_WARNINGS 12
/* Files of one length are distinguished by a sample from their middle; only files with equal samples are read
 * whole. */
#define SAMPLE_BYTES ((gsize) 16 << 10)
#define BLOCK_BYTES  ((gsize) 256 << 10)
/* Maximum number of files with the same length and sample that a file is compared with: more are made on
 * purpose. */
#define MAX_ALIKE 64

typedef struct {
  SegueItem *song;
  guint64 device, inode;
  Span span;
  gboolean is_known; /* could be read */
  gboolean is_sampled;
  gint first; /* the first file with this recording, or itself */
} File;

static int
open_song (SegueItem *song, struct stat *info)
{
  int fd = open (segue_item_get_path (song), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

  if (fd < 0 || (fstat (fd, info) == 0 && S_ISREG (info->st_mode)))
    return fd;
  close (fd);
  return -1;
}

static void
look_at (File *file)
{
  struct stat info;
  int fd = open_song (file->song, &info);

  if (fd < 0) /* its reader will report the error */
    return;
  file->device = info.st_dev;
  file->inode = info.st_ino;
  file->is_known = span_find (fd, (guint64) info.st_size, &file->span);
  close (fd);
}

/* Whether all bytes are equal. */
static gboolean
agree (int a, const File *x, int b, const File *y, guint8 *buffer)
{
  SpanReader first = span_read_from (a, &x->span, 0), second = span_read_from (b, &y->span, 0);
  gssize n;

  do {
    n = span_read (&first, buffer, BLOCK_BYTES);
    if (n < 0 || span_read (&second, buffer + BLOCK_BYTES, BLOCK_BYTES) != n ||
        memcmp (buffer, buffer + BLOCK_BYTES, (gsize) n) != 0)
      return FALSE;
  } while (n == (gssize) BLOCK_BYTES);
  return TRUE;
}

/* @buffer: of two blocks. */
static gboolean
is_same (const File *x, const File *y, guint8 *buffer)
{
  struct stat info;
  gboolean same = FALSE;
  int a, b;

  if (x->device == y->device && x->inode == y->inode)
    return TRUE;
  if (x->span.is_whole || y->span.is_whole)
    return x->span.is_whole && y->span.is_whole &&
           memcmp (x->span.digest, y->span.digest, sizeof x->span.digest) == 0;
  if (x->span.is_paged != y->span.is_paged ||
      (!x->span.is_paged && x->span.length != y->span.length))
    return FALSE;
  a = open_song (x->song, &info);
  b = open_song (y->song, &info);
  if (a >= 0 && b >= 0)
    same = agree (a, x, b, y, buffer);
  if (a >= 0)
    close (a);
  if (b >= 0)
    close (b);
  return same;
}

static void
take_sample (File *file, guint8 *buffer)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_MD5);
  gsize size = sizeof file->span.digest;
  struct stat info;
  int fd = open_song (file->song, &info);
  gssize n = -1;

  if (fd >= 0) {
    SpanReader reader = span_read_from (fd, &file->span, file->span.length / 2);

    n = span_read (&reader, buffer, SAMPLE_BYTES);
    close (fd);
  }
  file->is_known = n >= 0;
  if (n < 0)
    return;
  g_checksum_update (checksum, buffer, n);
  g_checksum_get_digest (checksum, file->span.digest, &size);
}

static gboolean
has_digest (const Span *span)
{
  return span->is_whole || span->is_paged;
}

/* Most files have a unique length, and are not read at all. */
static void
take_samples (GArray *files)
{
  g_autoptr (GHashTable) lengths = g_hash_table_new (g_int64_hash, g_int64_equal);
  g_autofree guint8 *buffer = g_malloc (SAMPLE_BYTES);

  for (guint i = 0; i < files->len; i++) {
    File *file = &g_array_index (files, File, i), *other;

    if (!file->is_known || has_digest (&file->span))
      continue;
    other = g_hash_table_lookup (lengths, &file->span.length);
    if (!other) {
      g_hash_table_insert (lengths, &file->span.length, file);
      continue;
    }
    if (!other->is_sampled)
      take_sample (other, buffer);
    take_sample (file, buffer);
    other->is_sampled = file->is_sampled = TRUE;
  }
}

/* Files that may be the same: with equal digests, and equal lengths where the digest is of a sample. */
static guint
hash_file (gconstpointer data)
{
  const File *file = data;
  guint32 word;

  memcpy (&word, file->span.digest, sizeof word);
  return has_digest (&file->span) ? word
                                  : word ^ (guint) (file->span.length ^ file->span.length >> 32);
}

static gboolean
may_be_same (gconstpointer a, gconstpointer b)
{
  const File *x = a, *y = b;

  return x->span.is_whole == y->span.is_whole && x->span.is_paged == y->span.is_paged &&
         memcmp (x->span.digest, y->span.digest, sizeof x->span.digest) == 0 &&
         (has_digest (&x->span) || x->span.length == y->span.length);
}

/* FALSE: cancelled, or out of memory. */
static gboolean
find_twins (GArray *files, SegueContext *context, GError **error)
{
  g_autoptr (GHashTable) alike =
    g_hash_table_new_full (hash_file, may_be_same, NULL, (GDestroyNotify) g_array_unref);
  g_autofree guint8 *buffer = g_try_malloc (2 * BLOCK_BYTES);

  if (!buffer) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                         "not enough memory to compare songs");
    return FALSE;
  }
  for (guint i = 0; i < files->len; i++) {
    File *file = &g_array_index (files, File, i);
    GArray *known = file->is_known ? g_hash_table_lookup (alike, file) : NULL;

    if (!segue_context_check_cancelled (context, error))
      return FALSE;
    for (guint k = 0; known && k < MIN (known->len, MAX_ALIKE) && file->first == (gint) i; k++) {
      gint other = g_array_index (known, gint, k);

      if (is_same (&g_array_index (files, File, other), file, buffer))
        file->first = other;
    }
    if (!file->is_known || file->first != (gint) i)
      continue;
    if (!known) {
      known = g_array_new (FALSE, FALSE, sizeof (gint));
      g_hash_table_insert (alike, file, known);
    }
    g_array_append_val (known, file->first);
  }
  return TRUE;
}

static void
leave_out (SegueItem *song, SegueItem *first, SegueContext *context)
{
  g_autoptr (GError) error =
    g_error_new (SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’ contains the same recording as ‘%s’",
                 segue_item_get_id (song), segue_item_get_id (first));

  segue_context_quarantine (context, segue_item_get_id (song), error);
}

static void
mark (SegueItem *song, SegueItem *first, SegueContext *context, guint *n_warnings)
{
  segue_item_set_string (song, SEGUE_META_RECORDING, segue_item_get_id (first));
  segue_item_set_string (first, SEGUE_META_RECORDING, segue_item_get_id (first));
  segue_context_log (
    context, (*n_warnings)++ < MAX_WARNINGS ? G_LOG_LEVEL_WARNING : G_LOG_LEVEL_DEBUG,
    "one recording has two labels, ‘%s’ and ‘%s’, and is kept in one set: ‘%s’ is the same as "
    "‘%s’; remove the wrong one",
    segue_item_get_string (first, SEGUE_META_LABEL), segue_item_get_string (song, SEGUE_META_LABEL),
    segue_item_get_id (song), segue_item_get_id (first));
}

GPtrArray *
twins_sort_out (GPtrArray *songs, SegueContext *context, GError **error)
{
  g_autoptr (GArray) files = g_array_new (FALSE, TRUE, sizeof (File));
  /* "recording, label" → the file that represents it */
  g_autoptr (GHashTable) kept = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GPtrArray) taken = g_ptr_array_new ();
  guint n_warnings = 0;

  g_array_set_size (files, songs->len);
  for (guint i = 0; i < songs->len; i++) {
    File *file = &g_array_index (files, File, i);

    *file = (File){ .song = g_ptr_array_index (songs, i), .first = (gint) i };
    look_at (file);
  }
  take_samples (files);
  if (!find_twins (files, context, error))
    return NULL;
  for (guint i = 0; i < songs->len; i++) {
    const File *file = &g_array_index (files, File, i);
    SegueItem *first = g_array_index (files, File, file->first).song, *known;
    const char *label = segue_item_get_string (file->song, SEGUE_META_LABEL);
    g_autofree char *key = g_strdup_printf ("%d,%s", file->first, label ? label : "");

    known = g_hash_table_lookup (kept, key);
    if (known) {
      leave_out (file->song, known, context);
      continue;
    }
    if (file->song != first)
      mark (file->song, first, context, &n_warnings);
    g_hash_table_insert (kept, g_steal_pointer (&key), file->song);
    g_ptr_array_add (taken, file->song);
  }
  if (n_warnings > MAX_WARNINGS)
    segue_context_log (context, G_LOG_LEVEL_WARNING, "%u more recordings have two labels",
                       n_warnings - MAX_WARNINGS);
  return g_steal_pointer (&taken);
}
