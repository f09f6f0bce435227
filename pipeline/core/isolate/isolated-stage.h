/* A stage of a chain in a process of its own (internal).
 *
 * The process lives as long as the chain does.  One that crashes, hangs or talks nonsense costs the
 * item at hand and is replaced: a crash is tried once more in a fresh process, since only what
 * happens twice is the item's fault. */
#pragma once

#include "context-private.h"
#include "item-private.h"

typedef struct _SegueIsolatedStage SegueIsolatedStage;

/** segue_isolated_stage_may: whether @stage, which asks for it, can run in a process of its own: its
 * plugin has a file that another process can load. */
gboolean segue_isolated_stage_may (SegueRegistry *registry, const SegueGraphStage *stage);

/** segue_isolated_stage_new: starts the process, and does not wait for it: it opens its stage while
 * this one goes on.  What open () has to say is said by the first item.
 * @context: the chain's for this stage; borrowed for life */
SegueIsolatedStage *segue_isolated_stage_new (SegueContext *context, GError **error);
void segue_isolated_stage_free (SegueIsolatedStage *isolated);

/** segue_isolated_stage_process: as the stage type's process (): what @item becomes is emitted into
 * the context. */
gboolean segue_isolated_stage_process (SegueIsolatedStage *isolated, SegueItem *item,
                                       GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueIsolatedStage, segue_isolated_stage_free)
