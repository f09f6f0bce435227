/* Paths beneath a folder, without following a link on the way (internal).
 *
 * For untrusted folders: a link in them never leads outside, a FIFO never blocks, every read is
 * bounded. */
/* SEGUE_API marks what the command and the server call; none of it is installed. */
#pragma once

#include <glib.h>
#include <segue/version.h>

/** SEGUE_FILE_TEMPORARY: prefix of the names of incomplete files, see
 * segue_file_is_temporary(). */
#define SEGUE_FILE_TEMPORARY ".segue-tmp-"

/**
 * segue_beneath_open_parent: a handle (O_PATH) of the folder that contains @path; -1 with errno:
 * ELOOP or ENOTDIR where a link or a file is in the way.
 * @folder: a handle of the folder that @path is relative to
 * @path: parts separated by single slashes, none of them `.` or `..`
 * @name: (out): the last part, a pointer into @path
 */
SEGUE_API
int segue_beneath_open_parent (int folder, const char *path, const char **name);
/** segue_beneath_open_file: a handle to read the regular file at @path with; -1 with errno: EINVAL where it is none. */
SEGUE_API
int segue_beneath_open_file (int folder, const char *path);
/** segue_beneath_open_folder: a handle to list @path with; -1 with errno. */
SEGUE_API
int segue_beneath_open_folder (int folder, const char *path);
/** segue_beneath_remove: removes @name in @parent, a folder with its contents; succeeds where it does
 * not exist.
 * @shown: for the error's message */
gboolean segue_beneath_remove (int parent, const char *name, const char *shown, GError **error);
