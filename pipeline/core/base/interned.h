/* Interned strings, one copy of each while it is referenced: labels, names of metadata, tags of curves
 * (internal). */
#pragma once

#include <glib.h>

/** segue_interned_new: (transfer full): any thread; more references by g_ref_string_acquire(). */
GRefString *segue_interned_new (const char *text);
/** segue_interned_release: any thread; never g_ref_string_release() instead. */
void segue_interned_release (GRefString *text);
