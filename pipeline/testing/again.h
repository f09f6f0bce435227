/* Whether a MAP stage makes the same of the same item each time (internal). */
#pragma once

#include "stage/chain.h"

/**
 * segue_again_check: puts @item through @chain twice, which has instances of its own and reports nothing,
 * and compares what comes out with @output (element-type SegueItem).  A stage that keeps something from
 * item to item, or looks at a clock, fails with %SEGUE_ERROR_INTERNAL.
 */
gboolean segue_again_check (SegueChain *chain, const SegueGraphStage *stage, SegueItem *item,
                            GPtrArray *output, GCancellable *cancellable, GError **error);
