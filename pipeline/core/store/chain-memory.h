/* What a chain was when it last ran, to say why its songs are made anew (internal).
 *
 * One small file per pipeline and chain in the cache.  It is only ever used for words: losing it
 * loses no result, and nothing is taken for granted that it says. */
#pragma once

#include <glib.h>

typedef struct _SegueChainMemory SegueChainMemory;

/** segue_chain_memory_load: @pipeline, @chain: what it is known by.  An empty one where there is
 * none. */
SegueChainMemory *segue_chain_memory_load (const char *cache, const char *pipeline,
                                           const char *chain, const char *const *components,
                                           const char *const *stage_ids);
void segue_chain_memory_free (SegueChainMemory *memory);
/** segue_chain_memory_explain: (transfer full): why song @id, whose input now has @input_key, has
 * no
 * result: "new", "its bytes changed", "parameter length of stage 'segment' changed", … */
char *segue_chain_memory_explain (SegueChainMemory *memory, const char *id, const char *input_key);
/** segue_chain_memory_note: song @id went in with @input_key this time. */
void segue_chain_memory_note (SegueChainMemory *memory, const char *id, const char *input_key);
/** segue_chain_memory_save: what was noted becomes what is remembered. */
void segue_chain_memory_save (SegueChainMemory *memory);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueChainMemory, segue_chain_memory_free)
