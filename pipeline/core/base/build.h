/* The build of the code that runs (internal). */
#pragma once

#include <glib.h>

/** segue_build_of: (transfer full): identifies the program or shared object that @function lies in, as
 * it was built: its build id; the SHA-256 of its file where it has none.  "" where neither is known.
 * Any thread. */
char *segue_build_of (void (*function) (void));
