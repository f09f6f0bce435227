/* What both stages of the plugin share. */
#pragma once

#include <segue/format.h>
#include <segue/plugin.h>

extern const SegueStageType map_stage;

char *library_fingerprint (const void *config);
gboolean library_negotiate (const void *config, SegueNegotiation *negotiation, GError **error);
