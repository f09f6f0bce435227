/* Paths beneath a folder, without following a link on the way (internal).
 *
 * For folders that somebody else may have filled: a link in them never leads out, a FIFO never
 * blocks, whatever is read is bounded. */
/* SEGUE_API marks what the command and the server call; none of it is installed. */
#pragma once

#include <glib.h>
#include <segue/version.h>

/** SEGUE_FILE_TEMPORARY: how the names of files begin that are not whole yet, see
 * segue_file_is_temporary(). */
#define SEGUE_FILE_TEMPORARY ".segue-tmp-"

/**
 * segue_beneath_open_parent: a handle (O_PATH) of the folder that @path lies in; -1 with errno:
 * ELOOP or ENOTDIR where a link or a file is in the way.
 * @folder: a handle of the folder that @path is relative to
 * @path: parts separated by single slashes, none of them `.` or `..`
 * @name: (out): the last part, inside of @path
 */
SEGUE_API
int segue_beneath_open_parent (int folder, const char *path, const char **name);
/** segue_beneath_open_folder: a handle to list @path with; -1 with errno. */
SEGUE_API
int segue_beneath_open_folder (int folder, const char *path);
/** segue_beneath_remove: @name in @parent, where it is a folder with all that is in it; fine where it
 * is not there.
 * @shown: for the error's message */
gboolean segue_beneath_remove (int parent, const char *name, const char *shown, GError **error);
