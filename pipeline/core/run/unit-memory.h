/* The state of a chain or stage at its last run, to explain why it is recomputed (internal).
 *
 * One small file per pipeline and unit in the cache.  It is only used for messages: losing it loses
 * no result, and nothing relies on its content. */
#pragma once

#include <glib.h>

typedef struct _SegueUnitMemory SegueUnitMemory;

/** segue_unit_memory_load: @pipeline, @unit: identify it.  An empty one if there is none.
 * @components, @stage_ids: the current ones, %NULL-terminated, of one length */
SegueUnitMemory *segue_unit_memory_load (const char *cache, const char *pipeline, const char *unit,
                                         const char *const *components,
                                         const char *const *stage_ids);
void segue_unit_memory_free (SegueUnitMemory *memory);

/** segue_unit_memory_note: song @id has @input_key this time. */
void segue_unit_memory_note (SegueUnitMemory *memory, const char *id, const char *input_key);
/** segue_unit_memory_get_reads: (transfer none): names of the metadata that it read last time. */
const char *const *segue_unit_memory_get_reads (SegueUnitMemory *memory);
/** segue_unit_memory_note_read: it reads metadata @name, whose values have @digest this time. */
void segue_unit_memory_note_read (SegueUnitMemory *memory, const char *name, const char *digest);
/** segue_unit_memory_save: saves what was noted. */
void segue_unit_memory_save (SegueUnitMemory *memory);

/** segue_unit_memory_get_change: (transfer none) (nullable): what has changed in its stages.
 * @place: (out): of the first such stage; also 0 if stages were added or removed */
const char *segue_unit_memory_get_change (SegueUnitMemory *memory, guint *place);
/** segue_unit_memory_explain_song: (transfer full): why song @id, whose input now has @input_key, has
 * no result: "new", "its bytes changed", "parameter length of stage 'segment' changed", … */
char *segue_unit_memory_explain_song (SegueUnitMemory *memory, const char *id,
                                      const char *input_key);
/** segue_unit_memory_explain_all: (transfer full): why the unit as a whole has no result: "1 song
 * is new", "parameter epochs of stage 'train' changed", … */
char *segue_unit_memory_explain_all (SegueUnitMemory *memory);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueUnitMemory, segue_unit_memory_free)
