/* The folder that an export fills: ours alone, never emptied by mistake, taken up again where a run
 * was interrupted.
 *
 * `.segue-export` lists every file that was ever written here, with its SHA-256 once the export is whole.  A
 * folder that is not empty and has no such list belongs to somebody else.  The list itself may be a stranger's,
 * or older than what people changed: only files with the bytes that it says are replaced or removed.
 */
#pragma once

#include <glib.h>

typedef struct _Target Target;

/** target_check: whether an export may write to @path, as far as can be said before there is one. */
gboolean target_check (const char *path, GError **error);
/** target_open: makes @path where it is not there; %SEGUE_ERROR_CANNOT_CREATE for a folder that
 * holds other people's files. @files: (element-type utf8): all that will be written, below @path. */
Target *target_open (const char *path, const GPtrArray *files, GError **error);
/** target_free: accepts %NULL. */
void target_free (Target *target);
/** target_write: @file below the folder; nothing happens where it holds these bytes already, and
 * %SEGUE_ERROR_CANNOT_CREATE where it holds what no export wrote. */
gboolean target_write (Target *target, const char *file, GBytes *bytes, GError **error);
/** target_has_room: whether @bytes more fit on the disk. */
gboolean target_has_room (Target *target, guint64 bytes, GError **error);
/** target_finish: removes what earlier exports left here, unchanged, and this one did not write. */
gboolean target_finish (Target *target, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Target, target_free)
