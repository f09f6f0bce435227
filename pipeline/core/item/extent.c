/* Reading payloads back, one at a time. */
#include "item/extent.h"

#include <errno.h>
#include <fcntl.h>
#include <segue/error.h>
#include <unistd.h>

struct _SegueStorage {
  char *path; /* NULL: @fd */
  int fd;
};

SegueStorage *
segue_storage_new_path (const char *path)
{
  SegueStorage *storage = g_atomic_rc_box_new0 (SegueStorage);
  storage->path = g_strdup (path);
  storage->fd = -1;
  return storage;
}

SegueStorage *
segue_storage_new_fd (int fd)
{
  SegueStorage *storage = g_atomic_rc_box_new0 (SegueStorage);
  storage->fd = fd;
  return storage;
}

SegueStorage *
segue_storage_ref (SegueStorage *storage)
{
  return g_atomic_rc_box_acquire (storage);
}

static void
clear_storage (gpointer data)
{
  SegueStorage *storage = data;
  if (storage->fd >= 0)
    close (storage->fd);
  g_free (storage->path);
}

void
segue_storage_unref (SegueStorage *storage)
{
  if (storage)
    g_atomic_rc_box_release_full (storage, clear_storage);
}

gboolean
segue_pread_all (int fd, void *buffer, gsize length, guint64 offset, const char *path,
                 GError **error)
{
  guint8 *at = buffer;
  while (length > 0) {
    /* One call moves at most 2 GiB on Linux. */
    gssize n = pread (fd, at, MIN (length, (gsize) 1 << 30), (off_t) offset);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return segue_set_error_from_errno (error, errno, SEGUE_ERROR_IO, "can't read", path);
    if (n == 0) {
      g_autofree char *shown = g_filename_display_name (path);
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_IO,
                   "‘%s’ was truncated; run the same command again to recompute it", shown);
      return FALSE;
    }
    at += n;
    length -= (gsize) n;
    offset += (guint64) n;
  }
  return TRUE;
}

GBytes *
segue_extent_read (const SegueExtent *extent, GError **error)
{
  if (extent->memory)
    return g_bytes_ref (extent->memory);
  if (extent->length == 0)
    return g_bytes_new (NULL, 0);

  const char *path = extent->storage->path ? extent->storage->path : "(spool of the run)";
  g_autofree void *buffer = g_try_malloc (extent->length);
  if (!buffer) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                 "not enough memory for %" G_GSIZE_FORMAT " MiB of a song; use fewer workers (-j)",
                 (extent->length >> 20) + 1);
    return NULL;
  }
  int fd = extent->storage->fd;
  if (fd < 0)
    fd = open (extent->storage->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) {
    segue_set_error_from_errno (error, errno, SEGUE_ERROR_IO, "can't open", path);
    return NULL;
  }
  gboolean ok = segue_pread_all (fd, buffer, extent->length, extent->offset, path, error);
  if (fd != extent->storage->fd)
    close (fd);
  return ok ? g_bytes_new_take (g_steal_pointer (&buffer), extent->length) : NULL;
}
