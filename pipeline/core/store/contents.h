/* What files hold: their SHA-256, remembered by path, size and times (internal). */
#pragma once

#include <gio/gio.h>

/** SegueFileStamp: a file as it was when it was looked at. */
typedef struct {
  guint64 device, inode, size;
  gint64 mtime, ctime; /* ns */
} SegueFileStamp;

/**
 * segue_contents_key: (transfer full): SHA-256 of the file at @path.
 * @folder: (nullable): where hashes are remembered
 * @stamp: (out)
 *
 * Errors are about the item where the file is not there, may not be read, is a folder or a device;
 * about the environment otherwise.
 */
char *segue_contents_key (const char *folder, const char *path, SegueFileStamp *stamp,
                          GCancellable *cancellable, GError **error);
/** segue_contents_recall: (transfer full) (nullable): what is remembered of the file at @path, as it
 * is. */
char *segue_contents_recall (const char *folder, const char *path);
/** segue_contents_check: whether @path is still as it was; else %SEGUE_ERROR_DATA. */
gboolean segue_contents_check (const char *path, const SegueFileStamp *stamp, GError **error);
/** segue_contents_is_gone: whether the hash that is remembered in file @memory is of no use: not one,
 * or of a file that is not in its folder any more.  A folder that is not there may be on a disk that
 * is not plugged in. */
gboolean segue_contents_is_gone (const char *memory);
