/* The folder that an export fills: written by segue only, never emptied by mistake, resumed where a run was
 * interrupted.
 *
 * `.segue-export` lists every file that was ever written here, with its SHA-256 once the export is complete. A
 * folder that is not empty and has no such list belongs to other programs or people. The list itself may be
 * untrusted, or older than changes made by people: only files with the listed bytes are replaced or removed.
 */
#pragma once

#include <glib.h>

typedef struct _Target Target;

/** target_check: whether an export may write to @path, as far as can be checked before there is an export. */
gboolean target_check (const char *path, GError **error);
/** target_open: creates @path where it does not exist; %SEGUE_ERROR_CANNOT_CREATE for a folder that contains other
 * files. @files: (element-type utf8): all that will be written, below @path. */
Target *target_open (const char *path, const GPtrArray *files, GError **error);
/** target_free: accepts %NULL. */
void target_free (Target *target);
/** target_write: @file below the folder; does nothing where the file has these bytes already;
 * %SEGUE_ERROR_CANNOT_CREATE where its content was not written by an export. */
gboolean target_write (Target *target, const char *file, GBytes *bytes, GError **error);
/** target_has_room: whether @bytes more fit on the disk. */
gboolean target_has_room (Target *target, guint64 bytes, GError **error);
/** target_finish: removes unchanged files of earlier exports that this one did not write. */
gboolean target_finish (Target *target, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Target, target_free)
