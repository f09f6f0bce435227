/* Seeds and hashes (internal). */
#pragma once

#include <glib.h>

/** segue_seed_derive: a seed that depends on all of its arguments and on nothing else.
 * @stage_seed: `seed:` of the stage, or SEGUE_UNSET_INT
 * @epoch: -1: no epoch
 * @item: (nullable): id */
guint64 segue_seed_derive (guint64 run_seed, const char *stage_type, gint64 stage_seed,
                           gint64 epoch, const char *item);
