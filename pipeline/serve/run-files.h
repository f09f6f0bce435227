/* Files of one run, opened beneath its folder.
 *
 * What stands at the top of a run's folder is often an alias: a link to the same name in a stage's
 * folder (docs/architecture.md).  That one kind of link is understood; no other is followed. */
#pragma once

#include <glib.h>
#include <jansson.h>

/** run_file_open: a descriptor of the regular file @path in @run (a handle of its folder); -1.
 * @path: parts separated by single slashes, none of them `.` or `..` */
int run_file_open (int run, const char *path);
/** run_file_exists: it can be opened. */
gboolean run_file_exists (int run, const char *path);
/** run_file_read_json: (transfer full) (nullable): the object in a file that is not too large. */
json_t *run_file_read_json (int run, const char *path);
/** run_part_is_plain: may stand in a path: not empty, hidden, `.` or `..`, without slashes. */
gboolean run_part_is_plain (const char *part);
