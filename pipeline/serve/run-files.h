/* Files of one run, opened beneath its folder.
 *
 * An entry at the top of an active run's folder is an alias: a link to the same name in a stage's
 * folder (docs/architecture.md). Only links of this kind are followed. */
#pragma once

#include <glib.h>

/** run_file_open: a descriptor of the regular file @path in @run (a descriptor of its folder); -1
 * on failure.
 * @path: parts separated by single slashes, none of them `.` or `..` */
int run_file_open (int run, const char *path);
/** run_file_exists: whether it can be opened. */
gboolean run_file_exists (int run, const char *path);
/** run_part_is_plain: whether @part is allowed in a path: not empty, hidden, `.` or `..`, without
 * slashes. */
gboolean run_part_is_plain (const char *part);
