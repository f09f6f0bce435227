/* Seeds and hashes (internal). */
#pragma once

#include <glib.h>

/** segue_seed_derive: a seed that depends on all of its arguments and on nothing else.
 * @epoch: -1: not of any epoch
 * @item: (nullable): id */
guint64 segue_seed_derive (guint64 run_seed, const char *stage_type, guint ordinal, gint64 epoch,
                           const char *item);
