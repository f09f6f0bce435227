/* A run's events, on their way to the sinks: the run's record, its curves, the host's sinks, the
 * journal. */
#include "graph/advice.h"
#include "item/item-error.h"
#include "run/run-private.h"

#include <string.h>

static guint
find_stage (SegueRun *run, const char *id)
{
  guint i = 0;
  while (i < run->n_stages && strcmp (run->stages[i].stage->id, id) != 0)
    i++;
  return i;
}

/* SegueEventFunc: for the run's own record. */
static gboolean
record (gpointer data, const SegueEvent *event)
{
  SegueRun *run = data;
  if (event->type == SEGUE_EVENT_COUNT)
    segue_counts_add (run->counts, find_stage (run, event->stage), event->text, event->n);
  if (event->type == SEGUE_EVENT_ITEM_FAILED) {
    SegueQuarantined quarantined = { g_strdup (event->stage), g_strdup (event->text),
                                     g_strdup (event->error->message) };
    g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&run->lock);
    g_array_append_val (run->quarantined, quarantined);
  }
  return TRUE;
}

void
segue_run_add_sink (SegueRun *run, SegueEventFunc take, gpointer data)
{
  const SegueSink sink = { .take = take, .data = data };
  segue_sinks_add (&run->sinks, &sink, 1);
}

void
segue_run_open_sinks (SegueRun *run, const SegueRunOptions *options, GCancellable *cancellable)
{
  segue_sinks_init (&run->sinks, cancellable);
  segue_run_add_sink (run, record, run);
  segue_run_add_sink (run, segue_curves_take, run->curves);
  segue_sinks_add (&run->sinks, options->sinks, options->n_sinks);
}

/* Advice and names in messages are those of the current run. */
void
segue_run_tell (SegueRun *run, const SegueEvent *event)
{
  SegueEvent told = *event;
  g_autofree char *advised = NULL;
  g_autoptr (GError) named = NULL;
  if (event->type == SEGUE_EVENT_LOG)
    told.text = advised = segue_advise (event->text, run->pipeline->stages, event->stage);
  if (event->type == SEGUE_EVENT_ITEM_FAILED) {
    named = segue_error_name_item (event->error, event->text, NULL, event->text);
    segue_advise_error (&named, run->pipeline->stages, event->stage);
    told.error = named;
  }
  segue_sinks_tell (&run->sinks, &told);
}

void
segue_run_log (SegueRun *run, const char *stage, GLogLevelFlags level, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *message = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  segue_run_tell (run, SEGUE_EVENT (LOG, stage, .level = level, .text = message));
}

void
segue_run_repeat (SegueRun *run, SegueStageRun *at, const SegueResult *result)
{
  const char *stage = at->stage->id;
  for (guint i = 0; i < result->counts->len; i++) {
    const SegueCount *count = &g_array_index (result->counts, SegueCount, i);
    segue_run_tell (run, SEGUE_EVENT (COUNT, stage, .text = count->name, .n = count->n));
  }
  for (guint i = 0; i < result->lines->len; i++) {
    const SegueResultLine *line = &g_array_index (result->lines, SegueResultLine, i);
    if (line->level)
      segue_run_log (run, stage, line->level & G_LOG_LEVEL_MASK, "%s", line->text);
    else
      segue_run_tell (run, SEGUE_EVENT (SCALAR, stage, .text = line->text, .n = (gint64) line->step,
                                        .value = line->value));
  }
  for (guint i = 0; i < result->failures->len; i++) {
    const SegueResultFailure *failure = &g_array_index (result->failures, SegueResultFailure, i);
    g_autoptr (GError) error = g_error_new_literal (SEGUE_ERROR, SEGUE_ERROR_DATA, failure->reason);
    segue_run_tell (run, SEGUE_EVENT (ITEM_FAILED, stage, .text = failure->id, .error = error));
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
