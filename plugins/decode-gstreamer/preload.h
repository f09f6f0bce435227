/* Loading, ahead of time, what most songs need of GStreamer. */
#pragma once

/** preload_plugins: after framework_init().  Leaves no thread behind. */
void preload_plugins (void);
