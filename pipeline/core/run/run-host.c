/* What stages ask of the run, and what the run tells its host. */
#include "graph/advice.h"
#include "item/item-error.h"
#include "run/run-private.h"

#include <string.h>

guint
segue_run_index_of (SegueRun *run, const SegueGraphStage *stage)
{
  guint i = 0;
  while (run->stages[i].stage != stage)
    i++;
  return i;
}

void
segue_run_started (SegueRun *run, const char *unit, guint index)
{
  segue_journal_event (run->journal, unit, "started");
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&run->observer_lock);
  if (run->observer.stage_started)
    run->observer.stage_started (run->observer.data, unit, index, run->units->len);
}

void
segue_run_finished (SegueRun *run, const char *unit, gboolean cached, double seconds)
{
  segue_journal_event (run->journal, unit, cached ? "taken from the cache" : "finished");
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&run->observer_lock);
  if (cached && run->observer.stage_cached)
    run->observer.stage_cached (run->observer.data, unit);
  if (run->observer.stage_finished)
    run->observer.stage_finished (run->observer.data, unit, seconds);
}

void
segue_run_progress (SegueRun *run, const char *unit, guint64 done, guint64 total,
                    const char *detail)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&run->observer_lock);
  if (run->observer.progress)
    run->observer.progress (run->observer.data, unit, done, total, detail);
}

void
segue_run_progress_unit (SegueRun *run, const char *unit, const char *counted)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&run->observer_lock);
  if (run->observer.progress_unit)
    run->observer.progress_unit (run->observer.data, unit, counted);
}

static void
log_message (SegueRun *run, const char *stage, GLogLevelFlags level, const char *message)
{
  g_autofree char *advised = segue_advise (message, run->pipeline->stages, stage);
  segue_journal_log (run->journal, stage, level, advised);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&run->observer_lock);
  if (run->observer.log)
    run->observer.log (run->observer.data, stage, level, advised);
}

void
segue_run_log (SegueRun *run, const char *stage, GLogLevelFlags level, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  log_message (run, stage, level, message);
}

void
segue_run_quarantine (SegueRun *run, const char *stage, const char *id, const GError *error)
{
  g_autoptr (GError) named = segue_error_name_item (error, id, NULL, id);
  segue_advise_error (&named, run->pipeline->stages, stage);
  SegueQuarantined quarantined = { g_strdup (stage), g_strdup (id), g_strdup (named->message) };
  g_mutex_lock (&run->lock);
  g_array_append_val (run->quarantined, quarantined);
  g_mutex_unlock (&run->lock);
  segue_journal_failed (run->journal, stage, id, named->message);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&run->observer_lock);
  if (run->observer.item_failed)
    run->observer.item_failed (run->observer.data, stage, id, named);
}

static void
add_point (SegueRun *run, guint stage, const char *tag, guint64 step, double value)
{
  if (run->curves)
    segue_curves_add (run->curves, stage, tag, step, value);
  segue_journal_scalar (run->journal, run->stages[stage].stage->id, tag, step, value);
}

void
segue_run_repeat (SegueRun *run, SegueStageRun *at, const SegueResult *result)
{
  const char *stage = at->stage->id;
  guint index = segue_run_index_of (run, at->stage);
  for (guint i = 0; i < result->counts->len; i++) {
    const SegueCount *count = &g_array_index (result->counts, SegueCount, i);
    segue_counts_add (run->counts, index, count->name, count->n);
  }
  for (guint i = 0; i < result->lines->len; i++) {
    const SegueResultLine *line = &g_array_index (result->lines, SegueResultLine, i);
    if (line->level)
      log_message (run, stage, line->level & G_LOG_LEVEL_MASK, line->text);
    else
      add_point (run, index, line->text, line->step, line->value);
  }
  for (guint i = 0; i < result->failures->len; i++) {
    const SegueResultFailure *failure = &g_array_index (result->failures, SegueResultFailure, i);
    g_autoptr (GError) error = g_error_new_literal (SEGUE_ERROR, SEGUE_ERROR_DATA, failure->reason);
    segue_run_quarantine (run, stage, failure->id, error);
  }
}

gboolean
segue_run_check_failures (SegueRun *run, GError **error)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&run->lock);
  guint n = run->quarantined->len;
  guint limit = run->pipeline->fail_on_error ? 0 : run->pipeline->max_failures;
  if (n <= limit)
    return TRUE;
  const SegueQuarantined *last = &g_array_index (run->quarantined, SegueQuarantined, n - 1);
  if (run->pipeline->fail_on_error)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "stage '%s': %s (on_error: fail)",
                 last->stage, last->reason);
  else
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "%u items failed, max_failures is %u; the last: stage '%s': %s", n, limit,
                 last->stage, last->reason);
  return FALSE;
}

static SegueDataset *
get_input (gpointer data, const SegueGraphStage *stage, const char *port)
{
  SegueRun *run = data;
  const SegueStageRun *at = &run->stages[segue_run_index_of (run, stage)];
  for (guint i = 0; i < stage->n_inputs; i++)
    if (strcmp (stage->inputs[i].port->name, port) == 0)
      return at->inputs[i];
  return NULL;
}

/* What is said to a stage's notes, too, where its result may be kept. */
static SegueStageNotes *
notes_of (SegueRun *run, const SegueGraphStage *stage)
{
  return run->stages[segue_run_index_of (run, stage)].notes;
}

static void
quarantine (gpointer data, const SegueGraphStage *stage, const char *id, const GError *error)
{
  SegueStageNotes *notes = notes_of (data, stage);
  if (notes)
    segue_stage_notes_failed (notes, id, error);
  segue_run_quarantine (data, stage->id, id, error);
}

static void
count (gpointer data, const SegueGraphStage *stage, const char *name, gint64 n)
{
  SegueRun *run = data;
  SegueStageNotes *notes = notes_of (run, stage);
  if (notes)
    segue_stage_notes_count (notes, name, n);
  segue_counts_add (run->counts, segue_run_index_of (run, stage), name, n);
}

static const char *
get_folder (gpointer data, const SegueGraphStage *stage, gboolean work, GError **error)
{
  SegueRun *run = data;
  SegueStageRun *at = &run->stages[segue_run_index_of (run, stage)];
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&run->lock);
  if (stage->type->mode == SEGUE_MODE_MAP) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL,
                 "stage '%s' asked for a folder: a MAP stage's result is its items and may come "
                 "from the cache",
                 stage->id);
    return NULL;
  }
  if (!work) {
    if (!at->output_folder)
      at->output_folder =
        segue_run_folder_make_stage (run->folder, stage->id, &at->output_fd, error);
    return at->output_folder;
  }
  if (!at->work) {
    g_autofree char *about =
      g_strdup_printf ("stage '%s' of pipeline '%s'", stage->id, run->pipeline->name);
    g_autofree char *key = segue_stage_key_of_work (at->parts);
    at->work = segue_work_folder_open (segue_store_get_folder (run->store), key, about, error);
  }
  return at->work ? at->work->path : NULL;
}

static void
progress (gpointer data, const SegueGraphStage *stage, guint64 done, guint64 total,
          const char *detail)
{
  /* A chain reports as one, in songs. */
  if (stage->type->mode != SEGUE_MODE_MAP)
    segue_run_progress (data, stage->id, done, total, detail);
}

static void
progress_unit (gpointer data, const SegueGraphStage *stage, const char *unit)
{
  if (stage->type->mode != SEGUE_MODE_MAP)
    segue_run_progress_unit (data, stage->id, unit);
}

static void
log_line (gpointer data, const SegueGraphStage *stage, GLogLevelFlags level, const char *message)
{
  SegueStageNotes *notes = notes_of (data, stage);
  if (notes)
    segue_stage_notes_message (notes, level, message);
  log_message (data, stage->id, level, message);
}

static void
scalar (gpointer data, const SegueGraphStage *stage, const char *tag, guint64 step, double value)
{
  SegueRun *run = data;
  SegueStageNotes *notes = notes_of (run, stage);
  if (notes)
    segue_stage_notes_scalar (notes, tag, step, value);
  add_point (run, segue_run_index_of (run, stage), tag, step, value);
}

static const char *
get_account (gpointer data, const SegueGraphStage *stage)
{
  SegueRun *run = data;
  return run->stages[segue_run_index_of (run, stage)].account;
}

const SegueStageHost segue_run_host = {
  .get_input = get_input,
  .quarantine = quarantine,
  .count = count,
  .get_folder = get_folder,
  .progress = progress,
  .progress_unit = progress_unit,
  .log = log_line,
  .scalar = scalar,
  .get_account = get_account,
};
