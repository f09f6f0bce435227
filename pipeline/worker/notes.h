/* Messages of libraries to GLib's log while the worker processes an item: kept for the run's log, since
 * a decoder's messages about a damaged file do not belong on the terminal. */
#pragma once

#include <glib.h>

/** notes_install: from now on, in all threads. */
void notes_install (void);
/** notes_take: (transfer full) (nullable): the lines since the last call, truncated if there are many. */
char *notes_take (void);
