/* The passage of a song that is wanted: of a file item, for decoders (internal).
 *
 * It is sent to a worker with the metadata. Reads of it are not recorded: files of runs have none, so no result in the
 * store depends on it. */
#pragma once

#include "item/item-private.h"

/** segue_item_set_passage: of a file item that is not sealed: from @start to @end, in s. */
void segue_item_set_passage (SegueItem *file, double start, double end);
