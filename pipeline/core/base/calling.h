/* What the current thread calls outside of the core: for a host's message if a plugin ends the program (internal).
 *
 * Per thread, and safe to read in a signal handler. Calls are nested: a stage that emits an item calls the next. */
#pragma once

#include <glib.h>
#include <segue/version.h>

/** SegueCalling: @what: (nullable): "plugin", "stage", "model type"; %NULL: nothing
 * @name: the plugin's path, or the name; borrowed for the call
 * @can_isolate: a MAP stage, which a pipeline could run in a separate process */
typedef struct {
  const char *what, *name;
  gboolean can_isolate;
} SegueCalling;

/** segue_calling_begin: returns what was called before, for segue_calling_end(). */
SegueCalling segue_calling_begin (const char *what, const char *name, gboolean can_isolate);
void segue_calling_end (SegueCalling outer);
SEGUE_API
SegueCalling segue_calling_get (void);
