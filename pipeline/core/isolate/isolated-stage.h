/* A stage of a chain in processes of its own (internal).
 *
 * Each song has a fresh process: one that a file has taken over sees no other song.  The next one
 * opens its stage while the song at hand is worked on, so that this costs no time.  A process that
 * crashes, hangs or talks nonsense costs the item at hand; a crash is tried once more in another
 * process, since only what happens twice is the item's fault.
 *
 * A LIVE stage sees single segments, millions of them: it keeps its process, and what its process
 * makes is never stored. */
#pragma once

#include "context-private.h"
#include "item-private.h"

typedef struct _SegueIsolatedStage SegueIsolatedStage;

/** segue_isolated_stage_may: whether @stage, which asks for it, can run in a process of its own: its
 * plugin has a file that another process can load. */
gboolean segue_isolated_stage_may (SegueRegistry *registry, const SegueGraphStage *stage);

/** segue_isolated_stage_new: starts the first process, and does not wait for it.  What open () has to
 * say is said by the first item.
 * @context: the chain's for this stage; borrowed for life */
SegueIsolatedStage *segue_isolated_stage_new (SegueContext *context, GError **error);
void segue_isolated_stage_free (SegueIsolatedStage *isolated);

/** segue_isolated_stage_process: as the stage type's process (): what @item becomes is emitted into
 * the context. */
gboolean segue_isolated_stage_process (SegueIsolatedStage *isolated, SegueItem *item,
                                       GError **error);

/** segue_isolated_stage_end_song: the process that has seen the song ends, now. */
void segue_isolated_stage_end_song (SegueIsolatedStage *isolated);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueIsolatedStage, segue_isolated_stage_free)
