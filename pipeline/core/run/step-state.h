/* The state of a chain or stage at its last run, to explain why it is recomputed (internal).
 *
 * One small file per pipeline and step in the cache. It is only used for messages: losing it loses
 * no result, and nothing relies on its content. */
#pragma once

#include <glib.h>

typedef struct _SegueStepState SegueStepState;

/** segue_step_state_load: @pipeline, @step: identify it. An empty one if there is none.
 * @components, @stage_ids: the current ones, %NULL-terminated, of one length */
SegueStepState *segue_step_state_load (const char *cache, const char *pipeline, const char *step,
                                       const char *const *components, const char *const *stage_ids);
void segue_step_state_free (SegueStepState *state);

/** segue_step_state_note: song @id has @input_key this time. */
void segue_step_state_note (SegueStepState *state, const char *id, const char *input_key);
/** segue_step_state_get_reads: (transfer none): names of the metadata that it read last time. */
const char *const *segue_step_state_get_reads (SegueStepState *state);
/** segue_step_state_note_read: it reads metadata @name, whose values have @digest this time. */
void segue_step_state_note_read (SegueStepState *state, const char *name, const char *digest);
/** segue_step_state_save: saves what was noted. */
void segue_step_state_save (SegueStepState *state);

/** segue_step_state_get_change: (transfer none) (nullable): what has changed in its stages.
 * @place: (out): of the first such stage; also 0 if stages were added or removed */
const char *segue_step_state_get_change (SegueStepState *state, guint *place);
/** segue_step_state_explain_song: (transfer full): why song @id, whose input now has @input_key, has
 * no result: "new", "its bytes changed", "parameter length of stage 'segment' changed", … */
char *segue_step_state_explain_song (SegueStepState *state, const char *id, const char *input_key);
/** segue_step_state_explain_all: (transfer full): why the step as a whole has no result: "1 song
 * is new", "parameter epochs of stage 'train' changed", … */
char *segue_step_state_explain_all (SegueStepState *state);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueStepState, segue_step_state_free)
