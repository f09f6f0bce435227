/* GStreamer itself: initialised once per process, without messages, with segue's own registry. */
#pragma once

#include <segue/context.h>

/**
 * framework_init: (any thread)
 *
 * The first call may take seconds: GStreamer scans every installed plugin and stores the result in
 * a registry file. That file is segue's own, in its cache folder, unless GST_REGISTRY is set: a
 * player that runs at the same time must not be disturbed.
 */
gboolean framework_init (GError **error);

/** framework_allow: lets an isolated stage load any of GStreamer's plugins later, wherever they are installed;
 * after framework_init(). */
void framework_allow (SegueContext *context);

/** framework_describe: (transfer full): versions of GStreamer and of every plugin that may take
 * part in decoding; after framework_init(). */
char *framework_describe (void);
