/* The events of a running stage. */
#include "run/stage-notes.h"
#include "base/interned.h"
#include "item/counts.h"

#include <segue/error.h>

/* Ten million steps of training with a point in each tenth; results with more lines are not
 * stored. */
#define MAX_LINES (1024 * 1024)

struct _SegueStageNotes {
  GMutex lock;
  SegueCounts *counts;
  SegueResult *said; /* lines and failures */
  const char *problem;
};

SegueStageNotes *
segue_stage_notes_new (void)
{
  SegueStageNotes *notes = g_new0 (SegueStageNotes, 1);
  g_mutex_init (&notes->lock);
  notes->counts = segue_counts_new ();
  notes->said = segue_result_new (NULL);
  return notes;
}

void
segue_stage_notes_free (SegueStageNotes *notes)
{
  if (!notes)
    return;
  segue_counts_free (notes->counts);
  segue_result_free (notes->said);
  g_mutex_clear (&notes->lock);
  g_free (notes);
}

static void
add_line (SegueStageNotes *notes, guint level, const char *text, guint64 step, double value)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  SegueResultLine line = {
    .level = level, .text = segue_interned_new (valid), .step = step, .value = value
  };
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&notes->lock);
  if (notes->said->lines->len < MAX_LINES) {
    g_array_append_val (notes->said->lines, line);
    return;
  }
  notes->problem = "too many log lines";
  segue_interned_release (line.text);
}

static void
add_failure (SegueStageNotes *notes, const char *id, const GError *error)
{
  SegueResultFailure failure = { .id = g_utf8_make_valid (id, -1),
                                 .reason = g_utf8_make_valid (error->message, -1) };
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&notes->lock);
  if (!segue_error_is_lasting (error))
    notes->problem = "a failed item may be retried";
  g_array_append_val (notes->said->failures, failure);
}

gboolean
segue_stage_notes_take (gpointer data, const SegueEvent *event)
{
  SegueStageNotes *notes = data;
  switch (event->type) {
  case SEGUE_EVENT_LOG:
    add_line (notes, event->level & G_LOG_LEVEL_MASK, event->text, 0, 0);
    break;
  case SEGUE_EVENT_SCALAR:
    add_line (notes, 0, event->text, (guint64) event->n, event->value);
    break;
  case SEGUE_EVENT_COUNT:
    segue_counts_add (notes->counts, 0, event->text, event->n);
    break;
  case SEGUE_EVENT_ITEM_FAILED:
    add_failure (notes, event->text, event->error);
    break;
  case SEGUE_EVENT_STARTED:
  case SEGUE_EVENT_PROGRESS_UNIT:
  case SEGUE_EVENT_PROGRESS:
  case SEGUE_EVENT_FINISHED:
  case SEGUE_EVENT_DATA:
    break;
  }
  return TRUE;
}

const char *
segue_stage_notes_get_problem (SegueStageNotes *notes)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&notes->lock);
  return notes->problem;
}

void
segue_stage_notes_fill (SegueStageNotes *notes, SegueResult *result)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&notes->lock);
  g_array_unref (result->counts);
  result->counts = segue_counts_list (notes->counts);
  g_array_unref (result->lines);
  g_array_unref (result->failures);
  result->lines = notes->said->lines;
  result->failures = notes->said->failures;
  SegueResult *empty = segue_result_new (NULL);
  notes->said->lines = g_array_ref (empty->lines);
  notes->said->failures = g_array_ref (empty->failures);
  segue_result_free (empty);
}
