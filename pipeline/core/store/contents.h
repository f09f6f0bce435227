/* Contents of files: their SHA-256, cached by path, size and times (internal). */
#pragma once

#include <gio/gio.h>

/** SegueFileStamp: the state of a file when it was read. */
typedef struct {
  guint64 device, inode, size;
  gint64 mtime, ctime; /* ns */
} SegueFileStamp;

/**
 * segue_contents_key: (transfer full): SHA-256 of the file at @path.
 * @folder: (nullable): where hashes are cached
 * @stamp: (out)
 *
 * Errors are about the item where the file is missing, not readable, a folder or a device; about the
 * environment otherwise.
 */
char *segue_contents_key (const char *folder, const char *path, SegueFileStamp *stamp,
                          GCancellable *cancellable, GError **error);
/** segue_contents_recall: (transfer full) (nullable): the cached hash of the file at @path in its
 * current state. */
char *segue_contents_recall (const char *folder, const char *path);
/** segue_contents_check: whether @path still matches @stamp; else %SEGUE_ERROR_DATA. */
gboolean segue_contents_check (const char *path, const SegueFileStamp *stamp, GError **error);
/** segue_contents_is_gone: whether the cached hash in file @memory is useless: invalid, or of a file
 * that is no longer in its folder. A folder that is missing may be on a disk that is not plugged
 * in. */
gboolean segue_contents_is_gone (const char *memory);
