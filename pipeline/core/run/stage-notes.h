/* The events of a running SERIAL or COLLECT stage, to be stored with its result (internal).
 *
 * A run that takes the result from the store repeats them: a warning still applies, a report finds
 * the learning curve in log.ndjson. Any thread. */
#pragma once

#include "store/result.h"
#include <segue/host/event.h>

typedef struct _SegueStageNotes SegueStageNotes;

SegueStageNotes *segue_stage_notes_new (void);
void segue_stage_notes_free (SegueStageNotes *notes);
/** segue_stage_notes_take: (#SegueEventFunc): messages, points of curves, counters, and skipped
 * items: if the reason is not in an item's bytes, the result can't be stored. */
gboolean segue_stage_notes_take (gpointer notes, const SegueEvent *event);
/** segue_stage_notes_get_problem: (nullable): why the result can't be stored. */
const char *segue_stage_notes_get_problem (SegueStageNotes *notes);
/** segue_stage_notes_fill: moves all of them to @result; @notes is empty afterwards. */
void segue_stage_notes_fill (SegueStageNotes *notes, SegueResult *result);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueStageNotes, segue_stage_notes_free)
