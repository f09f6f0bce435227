/* What is at a path (internal). g_file_test () can't tell a file that is missing from one that can't be examined. */
#pragma once

#include <glib.h>
#include <segue/version.h>
#include <sys/stat.h>

/**
 * segue_file_type: finds the type of the file or folder at @path, through links.
 * @type: (out): an S_IF… of <sys/stat.h>; 0 where nothing is there, or a link that leads nowhere
 *
 * Returns: %FALSE with %SEGUE_ERROR_NO_INPUT if it may not be examined, %SEGUE_ERROR_IO if that failed
 */
SEGUE_API
gboolean segue_file_type (const char *path, mode_t *type, GError **error);
/** segue_file_type_of_link: as segue_file_type(), of a link itself. */
gboolean segue_file_type_of_link (const char *path, mode_t *type, GError **error);
