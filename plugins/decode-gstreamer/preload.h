/* Loads in advance the parts of GStreamer that most songs need. */
#pragma once

/** preload_plugins: after framework_init(). Leaves no thread behind. */
void preload_plugins (void);
