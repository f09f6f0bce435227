/* What a SERIAL or COLLECT stage says while it runs, to be kept with its result (internal).
 *
 * A run that takes the result from the store says it again: a warning still holds, a report finds the
 * learning curve in log.ndjson.  Any thread. */
#pragma once

#include "store/result.h"

typedef struct _SegueStageNotes SegueStageNotes;

SegueStageNotes *segue_stage_notes_new (void);
void segue_stage_notes_free (SegueStageNotes *notes);
void segue_stage_notes_count (SegueStageNotes *notes, const char *name, gint64 n);
void segue_stage_notes_message (SegueStageNotes *notes, GLogLevelFlags level, const char *message);
void segue_stage_notes_scalar (SegueStageNotes *notes, const char *tag, guint64 step, double value);
/** segue_stage_notes_failed: an item that was left out; for a reason that is not in its bytes, the
 * result can't be kept. */
void segue_stage_notes_failed (SegueStageNotes *notes, const char *id, const GError *error);
/** segue_stage_notes_get_problem: (nullable): why the result can't be kept. */
const char *segue_stage_notes_get_problem (SegueStageNotes *notes);
/** segue_stage_notes_fill: @result gets all of it; @notes is empty afterwards. */
void segue_stage_notes_fill (SegueStageNotes *notes, SegueResult *result);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueStageNotes, segue_stage_notes_free)
