/* Where the bytes of an item are stored while they are not loaded (internal). */
#pragma once

#include <gio/gio.h>

/** SegueStorage: a file that payloads are read from: a record of the store (by path, opened for
 * each read), or a run's spool (by descriptor). Reference-counted, any thread. */
typedef struct _SegueStorage SegueStorage;

SegueStorage *segue_storage_new_path (const char *path);
/** segue_storage_new_fd: owns @fd. */
SegueStorage *segue_storage_new_fd (int fd);
SegueStorage *segue_storage_ref (SegueStorage *storage);
void segue_storage_unref (SegueStorage *storage);

/** SegueExtent: @length bytes of @storage from @offset, or @memory. */
typedef struct {
  SegueStorage *storage;
  GBytes *memory;
  guint64 offset;
  gsize length;
} SegueExtent;

/**
 * segue_extent_read: (transfer full):
 *
 * A new buffer, read with pread(): a mapping would let the resident memory grow with the library.
 * %SEGUE_ERROR_RESOURCE where memory is short, %SEGUE_ERROR_IO where the file is missing, truncated
 * or unreadable.
 */
GBytes *segue_extent_read (const SegueExtent *extent, GError **error);

/** segue_pread_all: reads exactly @length bytes; at the end of the file sets %SEGUE_ERROR_IO.
 * @path is for the message. */
gboolean segue_pread_all (int fd, void *buffer, gsize length, guint64 offset, const char *path,
                          GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueStorage, segue_storage_unref)
