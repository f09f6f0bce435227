/* log.ndjson: what happened in a run, one JSON object a line, as it happens (internal). */
#pragma once

#include <segue/event.h>

typedef struct _SegueJournal SegueJournal;

SegueJournal *segue_journal_new (const char *path, GError **error);
void segue_journal_free (SegueJournal *journal);
/** segue_journal_take: (#SegueEventFunc): one line, but for progress, counters and the view of the data, which
 * are not in it; any thread.  A line that can't be written (disk full) is left out: the run's results matter
 * more, and they will say so. */
gboolean segue_journal_take (gpointer journal, const SegueEvent *event);
/** segue_journal_level: "error", "warning", "info", "debug". */
const char *segue_journal_level (GLogLevelFlags level);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueJournal, segue_journal_free)
