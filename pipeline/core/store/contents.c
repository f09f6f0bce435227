/* Hashing of files, once per change. */
#include "store/contents.h"
#include "base/sha256.h"
#include "store/shard.h"

#include <errno.h>
#include <fcntl.h>
#include <segue/error.h>
#include <segue/file.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK      (64 * 1024)
#define MAGIC      "segue file 2 "
#define KEY_LENGTH 64
#define MAX_MEMORY (16 * 1024) /* bytes, most of them the path */
/* Above the largest existing model. A sparse file uses no disk, and hashing a malicious one could take
 * arbitrarily long. */
#define MAX_FILE ((off_t) 64 << 30)
/* A file may change twice within one tick of the file system's clock: a file that is younger than this
 * when it is read is hashed again next time. So is a file from the future, whether its time or the
 * clock is wrong. */
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

/* Without the device: its number changes when a disk is plugged in again. */
static char *
describe_stamp (const SegueFileStamp *stamp)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT
                          " %" G_GINT64_FORMAT " ",
                          stamp->inode, stamp->size, stamp->mtime, stamp->ctime);
}

/* Opens a regular file without blocking (a FIFO would block). */
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
  if (st->st_size > MAX_FILE) {
    g_autofree char *shown = g_filename_display_name (path);
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "‘%s’ is larger than %d GiB, the limit for songs and models", shown,
                 (int) (MAX_FILE >> 30));
    close (fd);
    return -1;
  }
  return fd;
}

/* Empty files are not read: the kernel's files report size 0, and reading some of them blocks or fails. */
static char *
hash_fd (int fd, gboolean empty, const char *path, GCancellable *cancellable, GError **error)
{
  struct sha256_ctx sha;
  sha256_init (&sha);
  guint8 buffer[CHUNK];
  for (;;) {
    if (cancellable && g_cancellable_is_cancelled (cancellable)) {
      g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped");
      return NULL;
    }
    gssize n = empty ? 0 : read (fd, buffer, CHUNK);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't read", path);
      return NULL;
    }
    if (n == 0)
      return segue_sha256_finish (&sha);
    sha256_update (&sha, (gsize) n, buffer);
  }
}

static char *
memory_path (const char *folder, const char *path)
{
  g_autofree char *name = g_compute_checksum_for_string (G_CHECKSUM_SHA256, path, -1);
  return segue_shard_path (folder, name);
}

/* The cached text for @path: a line with its checksum, one with stamp and key, and the path. */
static char *
compose (const char *stamp, const char *key, const char *path)
{
  g_autofree char *body = g_strdup_printf ("%s%s\n%s", stamp, key, path);
  g_autofree char *digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, body, -1);
  return g_strdup_printf (MAGIC "%s\n%s", digest, body);
}

/* Ignores a memory file that is damaged, of another format or of another state of the file. */
static char *
recall (const char *memory, const char *path, const SegueFileStamp *stamp)
{
  gsize length;
  g_autofree char *text = segue_file_read (memory, MAX_MEMORY, &length, NULL);
  const char *line = text ? strchr (text, '\n') : NULL;
  g_autofree char *prefix = describe_stamp (stamp);
  if (!line || !g_str_has_prefix (line + 1, prefix))
    return NULL;
  g_autofree char *key = g_strndup (line + 1 + strlen (prefix), KEY_LENGTH);
  g_autofree char *expected = compose (prefix, key, path);
  if (!segue_sha256_is_valid (key) || length != strlen (expected) || strcmp (text, expected) != 0)
    return NULL;
  /* Marks it as used, so that it is not removed first. */
  (void) utimensat (AT_FDCWD, memory, NULL, AT_SYMLINK_NOFOLLOW);
  return g_steal_pointer (&key);
}

/* Optional: without it the file is hashed again.
 * @began: ns, before the file was opened: a later change must be visible in its times */
static void
remember (const char *memory, const char *path, const SegueFileStamp *stamp, const char *key,
          gint64 began)
{
  if (began - stamp->mtime < SETTLED_NS || began - stamp->ctime < SETTLED_NS)
    return;
  g_autofree char *prefix = describe_stamp (stamp);
  g_autofree char *text = compose (prefix, key, path);
  if (strlen (text) <= MAX_MEMORY && segue_shard_make (memory, NULL))
    segue_file_write (memory, text, -1, NULL);
}

char *
segue_contents_key (const char *folder, const char *path, SegueFileStamp *stamp,
                    GCancellable *cancellable, GError **error)
{
  struct stat st;
  gint64 began = g_get_real_time () * 1000;
  int fd = open_regular (path, &st, error);
  if (fd < 0)
    return NULL;
  *stamp = stamp_from_stat (&st);
  g_autofree char *memory = folder ? memory_path (folder, path) : NULL;
  g_autofree char *key = memory ? recall (memory, path, stamp) : NULL;
  if (key) {
    close (fd);
    return g_steal_pointer (&key);
  }
  key = hash_fd (fd, st.st_size == 0, path, cancellable, error);
  close (fd);
  if (!key || !segue_contents_check (path, stamp, error))
    return NULL;
  if (memory)
    remember (memory, path, stamp, key, began);
  return g_steal_pointer (&key);
}

gboolean
segue_contents_is_gone (const char *memory)
{
  struct stat st;
  g_autofree char *text = segue_file_read (memory, MAX_MEMORY, NULL, NULL);
  if (!text || !g_str_has_prefix (text, MAGIC))
    return TRUE;
  const char *path = strchr (text, '\n');
  path = path ? strchr (path + 1, '\n') : NULL;
  if (!path || !g_path_is_absolute (path + 1))
    return !path;
  if (lstat (path + 1, &st) == 0 || errno != ENOENT)
    return FALSE;
  g_autofree char *folder = g_path_get_dirname (path + 1);
  return lstat (folder, &st) == 0;
}

char *
segue_contents_recall (const char *folder, const char *path)
{
  struct stat st;
  if (stat (path, &st) != 0)
    return NULL;
  SegueFileStamp stamp = stamp_from_stat (&st);
  g_autofree char *memory = memory_path (folder, path);
  return recall (memory, path, &stamp);
}

gboolean
segue_contents_check (const char *path, const SegueFileStamp *stamp, GError **error)
{
  struct stat st;
  SegueFileStamp now = { 0 };
  if (stat (path, &st) == 0)
    now = stamp_from_stat (&st);
  else if (errno != ENOENT && errno != ENOTDIR)
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't access", path);
  /* Not ctime: it also changes with the file's permissions and names. */
  if (now.device == stamp->device && now.inode == stamp->inode && now.size == stamp->size &&
      now.mtime == stamp->mtime)
    return TRUE;
  g_autofree char *shown = g_filename_display_name (path);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
               "‘%s’ changed while it was being read; run again when it is complete", shown);
  return FALSE;
}
