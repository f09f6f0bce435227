/* log.ndjson: the events of a run, one JSON object per line, written as they occur (internal). */
#pragma once

#include <segue/host/event.h>

typedef struct _SegueJournal SegueJournal;

SegueJournal *segue_journal_new (const char *path, GError **error);
void segue_journal_free (SegueJournal *journal);
/** segue_journal_take: (#SegueEventFunc): writes one line, except for progress, counters and the
 * view of the data; any thread. A line that can't be written (disk full) is skipped: writing the
 * results, which matter more, reports that error. */
gboolean segue_journal_take (gpointer journal, const SegueEvent *event);
/** segue_journal_level: "error", "warning", "info", "debug". */
const char *segue_journal_level (GLogLevelFlags level);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueJournal, segue_journal_free)
