/* Files of one run, opened beneath its folder.
 *
 * What stands at the top of a running run's folder is an alias: a link to the same name in a stage's
 * folder (docs/architecture.md).  That one kind of link is understood; no other is followed. */
#pragma once

#include <glib.h>

/** run_file_open: a descriptor of the regular file @path in @run (a handle of its folder); -1.
 * @path: parts separated by single slashes, none of them `.` or `..` */
int run_file_open (int run, const char *path);
/** run_file_exists: it can be opened. */
gboolean run_file_exists (int run, const char *path);
/** run_part_is_plain: may stand in a path: not empty, hidden, `.` or `..`, without slashes. */
gboolean run_part_is_plain (const char *part);
