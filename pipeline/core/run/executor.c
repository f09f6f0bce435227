/* The executor: runs the stages in order, and chains of MAP stages together. */
#include "graph/advice.h"
#include "run/preview.h"
#include "run/run-private.h"

static SegueStageRun *
stage_at (SegueRun *run, guint index)
{
  return &run->stages[index];
}

/* Frees datasets that no stage after @index reads. */
static void
release_datasets (SegueRun *run, guint index)
{
  for (guint i = 0; i <= index; i++) {
    SegueStageRun *at = stage_at (run, i);
    if (i == index) {
      segue_run_release_inputs (at);
      g_clear_pointer (&at->parts, segue_stage_key_free);
    }
    for (guint j = 0; at->last_use <= index && j < at->stage->n_outputs; j++)
      g_clear_pointer (&at->outputs[j], segue_dataset_unref);
  }
}

static gboolean check_made (SegueRun *run, guint producer, GError **error);

static gboolean
check_inputs_of (SegueRun *run, const SegueGraphStage *stage, GError **error)
{
  for (guint i = 0; i < stage->n_inputs; i++)
    if (stage->inputs[i].producer != SEGUE_NOT_CONNECTED &&
        !check_made (run, stage->inputs[i].producer, error))
      return FALSE;
  return TRUE;
}

/* Items of @producer may come from a chain, or be passed on from an earlier one. */
static gboolean
check_made (SegueRun *run, guint producer, GError **error)
{
  SegueStageRun *at = stage_at (run, producer);
  SegueRunStep *step =
    at->step != SEGUE_NOT_CONNECTED ? &g_array_index (run->steps, SegueRunStep, at->step) : NULL;
  if (step && step->checked)
    return TRUE;
  const SegueGraphStage *first =
    step ? stage_at (run, g_array_index (step->stages, guint, 0))->stage : at->stage;
  if (!check_inputs_of (run, first, error))
    return FALSE;
  if (!step || !segue_run_is_chain (run, step))
    return TRUE;
  return segue_executor_check_chain (run, step, error);
}

gboolean
segue_executor_check_inputs (SegueRun *run, SegueStageRun *at, GError **error)
{
  return check_inputs_of (run, at->stage, error);
}

/* Whether inputs of @stage come from a chain, directly or passed on. */
static gboolean
reads_records (SegueRun *run, const SegueGraphStage *stage)
{
  for (guint i = 0; i < stage->n_inputs; i++) {
    guint producer = stage->inputs[i].producer;
    if (producer == SEGUE_NOT_CONNECTED)
      continue;
    const SegueGraphStage *made = stage_at (run, producer)->stage;
    if (made->type->mode == SEGUE_MODE_MAP || reads_records (run, made))
      return TRUE;
  }
  return FALSE;
}

/* A chain over another's results checks the store first: if it is complete, it need not read
 * them. */
static gboolean
run_chain (SegueRun *run, SegueRunStep *step, GError **error)
{
  SegueStageRun *first = stage_at (run, g_array_index (step->stages, guint, 0));
  gboolean complete = TRUE;
  if (run->fresh)
    return segue_executor_check_inputs (run, first, error) &&
           segue_executor_run_chain (run, step, SEGUE_SONG_FRESH, error);
  if (reads_records (run, first->stage) &&
      (!segue_executor_probe_chain (run, step, &complete, error) ||
       (!complete && !segue_executor_check_inputs (run, first, error))))
    return FALSE;
  return segue_executor_run_chain (run, step, SEGUE_SONG_MAKE, error);
}

static gboolean
run_step (SegueRun *run, SegueRunStep *step, GError **error)
{
  SegueStageRun *at = stage_at (run, g_array_index (step->stages, guint, 0));
  g_autoptr (GError) local = NULL;
  gboolean ok = segue_run_is_chain (run, step) ? run_chain (run, step, &local)
                                               : segue_executor_run_stage (run, at, &local);
  segue_advise_error (&local, run->pipeline->stages, step->name);
  if (ok || g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_CANCELLED)) {
    if (!ok)
      g_propagate_error (error, g_steal_pointer (&local));
  } else if (!segue_run_check_failures (run, error)) {
    /* The error of the failure that exceeded the limit is more precise. */
    ok = FALSE;
  } else {
    g_propagate_prefixed_error (error, g_steal_pointer (&local), "stage '%s': ", step->name);
  }
  segue_work_folder_close (g_steal_pointer (&at->work), ok);
  return ok;
}

gboolean
segue_executor_run (SegueRun *run, GError **error)
{
  gboolean previewed = FALSE;
  for (guint i = 0; i < run->n_stages; i++) {
    SegueStageRun *at = stage_at (run, i);
    if (at->done)
      continue;
    if (at->stage->type->mode != SEGUE_MODE_SOURCE && !previewed) {
      previewed = TRUE;
      if (!segue_run_preview (run, error))
        return FALSE;
    }
    if (at->stage->type->flags & SEGUE_STAGE_LIVE) {
      at->done = segue_run_attach_live (run, at);
      release_datasets (run, i);
      continue;
    }
    SegueRunStep *step = &g_array_index (run->steps, SegueRunStep, at->step);
    g_autoptr (GTimer) timer = g_timer_new ();
    segue_run_tell (run,
                    SEGUE_EVENT (STARTED, step->name, .done = at->step, .total = run->steps->len));
    if (!run_step (run, step, error))
      return FALSE;
    step->seconds = g_timer_elapsed (timer, NULL);
    step->done = TRUE;
    segue_run_tell (run,
                    SEGUE_EVENT (FINISHED, step->name, .n = at->cached, .value = step->seconds));
    for (guint j = 0; j < step->stages->len; j++)
      stage_at (run, g_array_index (step->stages, guint, j))->done = TRUE;
    release_datasets (run, i);
  }
  return TRUE;
}
