/* The build of the running code (internal). */
#pragma once

#include <glib.h>

/** segue_build_of: (transfer full): identifies the build of the program or shared object that contains
 * @function: its build id; the SHA-256 of its file where it has none. "" where neither is known.
 * Any thread. */
char *segue_build_of (void (*function) (void));
