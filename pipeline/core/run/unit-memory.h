/* What a chain or a stage was when it last ran, to say why it is recomputed (internal).
 *
 * One small file per pipeline and unit in the cache.  It is only ever used for words: losing it
 * loses no result, and nothing is taken for granted that it says. */
#pragma once

#include <glib.h>

typedef struct _SegueUnitMemory SegueUnitMemory;

/** segue_unit_memory_load: @pipeline, @unit: what it is known by.  An empty one where there is
 * none.
 * @components, @stage_ids: as they are now, %NULL-terminated, of one length */
SegueUnitMemory *segue_unit_memory_load (const char *cache, const char *pipeline, const char *unit,
                                         const char *const *components,
                                         const char *const *stage_ids);
void segue_unit_memory_free (SegueUnitMemory *memory);

/** segue_unit_memory_note: song @id went in with @input_key this time. */
void segue_unit_memory_note (SegueUnitMemory *memory, const char *id, const char *input_key);
/** segue_unit_memory_get_reads: (transfer none): names of the metadata that it looked at last time. */
const char *const *segue_unit_memory_get_reads (SegueUnitMemory *memory);
/** segue_unit_memory_note_read: it looks at metadata @name, whose values have @digest this time. */
void segue_unit_memory_note_read (SegueUnitMemory *memory, const char *name, const char *digest);
/** segue_unit_memory_save: what was noted becomes what is remembered. */
void segue_unit_memory_save (SegueUnitMemory *memory);

/** segue_unit_memory_get_change: (transfer none) (nullable): what about its stages is not as it was.
 * @place: (out): of the first such stage; 0, too, where stages were added or removed */
const char *segue_unit_memory_get_change (SegueUnitMemory *memory, guint *place);
/** segue_unit_memory_explain_song: (transfer full): why song @id, whose input now has @input_key, has
 * no result: "new", "its bytes changed", "parameter length of stage 'segment' changed", … */
char *segue_unit_memory_explain_song (SegueUnitMemory *memory, const char *id,
                                      const char *input_key);
/** segue_unit_memory_explain_all: (transfer full): why all that was noted together has no result:
 * "1 song is new", "parameter epochs of stage 'train' changed", … */
char *segue_unit_memory_explain_all (SegueUnitMemory *memory);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueUnitMemory, segue_unit_memory_free)
