/* What libraries say by GLib's log while the worker is at an item: kept for the run's log, since a
 * terminal has no use for what a decoder thinks of a damaged file. */
#pragma once

#include <glib.h>

/** notes_install: from now on, in all threads. */
void notes_install (void);
/** notes_take: (transfer full) (nullable): the lines since it was last called, not all of them where
 * they are many. */
char *notes_take (void);
