/* Check that a MAP stage is deterministic (internal). */
#pragma once

#include "stage/chain.h"

/**
 * segue_again_check: processes @item twice with @chain, which has its own instances and reports nothing,
 * and compares the results with @output (element-type SegueItem). A stage that keeps state between items,
 * or reads a clock, fails with %SEGUE_ERROR_INTERNAL.
 */
gboolean segue_again_check (SegueChain *chain, const SegueGraphStage *stage, SegueItem *item,
                            GPtrArray *output, GCancellable *cancellable, GError **error);
