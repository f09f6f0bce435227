/* What is said of files that are not songs. */
#pragma once

#include <segue/context.h>

/** ignored_kind: (nullable): what files with this extension are, where that is no audio: "video". */
const char *ignored_kind (const char *extension);
/** ignored_log: @ignored: extension in lower case ("": none) → GUINT_TO_POINTER (number of files) */
void ignored_log (GHashTable *ignored, SegueContext *context);
