/* Log messages about files that are not songs. */
#pragma once

#include <segue/context.h>

/** ignored_log: @ignored: extension in lower case ("": none) → GUINT_TO_POINTER (number of files) */
void ignored_log (GHashTable *ignored, SegueContext *context);
