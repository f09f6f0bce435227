/* Hashing files, once for each time that they change. */
#include "contents.h"
#include "key.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/base16.h>
#include <nettle/sha2.h>
#include <segue/file.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK (256 * 1024)
/* A file may change twice within one tick of the file system's clock: what is younger than this is
 * hashed again next time. */
#define SETTLED_NS (2 * G_GINT64_CONSTANT (1000000000))

static SegueFileStamp
stamp_from_stat (const struct stat *st)
{
  return (SegueFileStamp){
    .device = st->st_dev,
    .inode = st->st_ino,
    .size = (guint64) st->st_size,
    .mtime = (gint64) st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec,
    .ctime = (gint64) st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec,
  };
}

static char *
describe_stamp (const SegueFileStamp *stamp)
{
  return g_strdup_printf ("segue file 1 %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT
                          " %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " ",
                          stamp->device, stamp->inode, stamp->size, stamp->mtime, stamp->ctime);
}

/* Opens a regular file without waiting for anyone (a FIFO would). */
static int
open_regular (const char *path, struct stat *st, GError **error)
{
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0 && (errno == ENXIO || errno == ENODEV)) {
    g_autofree char *shown = g_filename_display_name (path);
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT, "‘%s’ is not a regular file", shown);
    return -1;
  }
  if (fd < 0 || fstat (fd, st) != 0) {
    segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't open", path);
    if (fd >= 0)
      close (fd);
    return -1;
  }
  if (!S_ISREG (st->st_mode)) {
    g_autofree char *shown = g_filename_display_name (path);
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT, "‘%s’ is %s, not a file", shown,
                 S_ISDIR (st->st_mode) ? "a folder" : "a device or a pipe");
    close (fd);
    return -1;
  }
  return fd;
}

static char *
finish_hex (struct sha256_ctx *sha)
{
  guint8 digest[SHA256_DIGEST_SIZE];
  char hex[BASE16_ENCODE_LENGTH (SHA256_DIGEST_SIZE) + 1] = { 0 };
  sha256_digest (sha, sizeof digest, digest);
  base16_encode_update (hex, sizeof digest, digest);
  return g_strdup (hex);
}

static char *
hash_fd (int fd, const char *path, GCancellable *cancellable, GError **error)
{
  struct sha256_ctx sha;
  sha256_init (&sha);
  g_autofree guint8 *buffer = g_malloc (CHUNK);
  for (;;) {
    if (cancellable && g_cancellable_is_cancelled (cancellable)) {
      g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped");
      return NULL;
    }
    gssize n = read (fd, buffer, CHUNK);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't read", path);
      return NULL;
    }
    if (n == 0)
      return finish_hex (&sha);
    sha256_update (&sha, (gsize) n, buffer);
  }
}

static char *
memory_path (const char *folder, const char *path)
{
  g_autofree char *name = g_compute_checksum_for_string (G_CHECKSUM_SHA256, path, -1);
  return g_strdup_printf ("%s/%.2s/%s", folder, name, name + 2);
}

static char *
recall (const char *memory, const SegueFileStamp *stamp)
{
  g_autofree char *text = NULL;
  gsize length;
  g_autofree char *expected = describe_stamp (stamp);
  if (!g_file_get_contents (memory, &text, &length, NULL) || !g_str_has_prefix (text, expected))
    return NULL;
  const char *key = g_strchomp (text + strlen (expected));
  return segue_key_is_valid (key) ? g_strdup (key) : NULL;
}

/* Only a convenience: without it the file is hashed again. */
static void
remember (const char *memory, const SegueFileStamp *stamp, const char *key)
{
  gint64 now = g_get_real_time () * 1000;
  if (now - stamp->mtime < SETTLED_NS || now - stamp->ctime < SETTLED_NS)
    return;
  g_autofree char *folder = g_path_get_dirname (memory);
  g_autofree char *prefix = describe_stamp (stamp);
  g_autofree char *text = g_strconcat (prefix, key, "\n", NULL);
  if (segue_file_make_folder (folder, NULL))
    segue_file_write (memory, text, -1, NULL);
}

char *
segue_contents_key (const char *folder, const char *path, SegueFileStamp *stamp,
                    GCancellable *cancellable, GError **error)
{
  struct stat st;
  int fd = open_regular (path, &st, error);
  if (fd < 0)
    return NULL;
  *stamp = stamp_from_stat (&st);
  g_autofree char *memory = folder ? memory_path (folder, path) : NULL;
  g_autofree char *key = memory ? recall (memory, stamp) : NULL;
  if (key) {
    close (fd);
    return g_steal_pointer (&key);
  }
  key = hash_fd (fd, path, cancellable, error);
  close (fd);
  if (!key || !segue_contents_check (path, stamp, error))
    return NULL;
  if (memory)
    remember (memory, stamp, key);
  return g_steal_pointer (&key);
}

gboolean
segue_contents_check (const char *path, const SegueFileStamp *stamp, GError **error)
{
  struct stat st;
  SegueFileStamp now = { 0 };
  if (stat (path, &st) == 0)
    now = stamp_from_stat (&st);
  /* Not ctime: that changes with the file's permissions and names, too. */
  if (now.device == stamp->device && now.inode == stamp->inode && now.size == stamp->size &&
      now.mtime == stamp->mtime)
    return TRUE;
  g_autofree char *shown = g_filename_display_name (path);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
               "‘%s’ changed while it was read; run again when it is complete", shown);
  return FALSE;
}
