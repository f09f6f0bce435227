/* log.ndjson: what happened in a run, one JSON object a line, as it happens (internal). */
#pragma once

#include <glib.h>

typedef struct _SegueJournal SegueJournal;

SegueJournal *segue_journal_new (const char *path, GError **error);
void segue_journal_free (SegueJournal *journal);
/* Each writes one line; any thread.  A line that can't be written (disk full) is left out: the
 * run's
 * results matter more, and they will say so. */
void segue_journal_log (SegueJournal *journal, const char *stage, GLogLevelFlags level,
                        const char *message);
void segue_journal_scalar (SegueJournal *journal, const char *stage, const char *tag, guint64 step,
                           double value);
void segue_journal_failed (SegueJournal *journal, const char *stage, const char *id,
                           const char *reason);
/** segue_journal_event: "started", "finished". */
void segue_journal_event (SegueJournal *journal, const char *stage, const char *event);
/** segue_journal_level: "error", "warning", "info", "debug". */
const char *segue_journal_level (GLogLevelFlags level);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueJournal, segue_journal_free)
