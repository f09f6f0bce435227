/* GStreamer itself: brought up once a process, quietly, with a registry of segue's own. */
#pragma once

#include <segue/context.h>

/**
 * framework_init: (any thread)
 *
 * The first call may take seconds: GStreamer looks at every plugin that is installed and writes
 * down what it found.  That file is segue's own, in its cache folder, unless GST_REGISTRY says
 * otherwise: a player that runs at the same time must not be disturbed.
 */
gboolean framework_init (GError **error);

/** framework_allow: lets an isolated stage load any of GStreamer's plugins later, wherever they lie;
 * after framework_init(). */
void framework_allow (SegueContext *context);

/** framework_describe: (transfer full): versions of GStreamer and of every plugin that may take
 * part in decoding; after framework_init(). */
char *framework_describe (void);
