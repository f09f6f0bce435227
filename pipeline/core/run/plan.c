/* What a run would do: the executor's order of stages, without computing. */
#include "graph/advice.h"
#include "run/preview.h"
#include "run/run-private.h"

#include <segue/file.h>
#include <string.h>

static void
free_reason (gpointer data)
{
  g_free (((SeguePlanReason *) data)->why);
  g_free (data);
}

static void
free_step (gpointer data)
{
  SeguePlanStep *step = data;
  g_free (step->name);
  g_ptr_array_unref (step->reasons);
  g_free (step);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SeguePlanStep, free_step)

static SeguePlanStep *
new_step (const char *name)
{
  SeguePlanStep *step = g_new0 (SeguePlanStep, 1);
  step->name = g_strdup (name);
  step->reasons = g_ptr_array_new_with_free_func (free_reason);
  return step;
}

static void
add_reason (SeguePlanStep *planned, const char *why, guint n)
{
  SeguePlanReason *reason = g_new0 (SeguePlanReason, 1);
  reason->why = g_strdup (why);
  reason->n = n;
  g_ptr_array_add (planned->reasons, reason);
}

/* The first stage before @stage that would run; NULL: none. Of songs, the inputs of stages tell. */
static const char *
find_running (SegueRun *run, const SegueGraphStage *stage)
{
  for (guint i = 0; run->stages[i].stage != stage; i++) {
    const SegueStageRun *at = &run->stages[i];
    SegueMode mode = at->stage->type->mode;
    if ((mode == SEGUE_MODE_SERIAL || mode == SEGUE_MODE_COLLECT) && !at->cached)
      return at->stage->id;
  }
  return NULL;
}

/* The step that has to run before @stage can be looked up; NULL: none. */
static const char *
find_missing (SegueRun *run, const SegueGraphStage *stage)
{
  for (guint i = 0; i < stage->n_inputs; i++) {
    const SegueGraphInput *input = &stage->inputs[i];
    const char *running = input->kind == SEGUE_KIND_SUMMARY ? find_running (run, stage) : NULL;
    if (running)
      return running;
    if (input->producer == SEGUE_NOT_CONNECTED)
      continue;
    const SegueStageRun *made = &run->stages[input->producer];
    if (made->outputs[input->producer_port])
      continue;
    return made->step == SEGUE_NOT_CONNECTED
             ? find_missing (run, made->stage)
             : g_array_index (run->steps, SegueRunStep, made->step).name;
  }
  return NULL;
}

static gboolean
plan_source (SegueRun *run, SegueStageRun *at, SeguePlanStep *planned, GError **error)
{
  planned->source = planned->known = TRUE;
  if (!segue_executor_run_stage (run, at, error))
    return FALSE;
  planned->n_computed = at->n_outputs[0];
  add_reason (planned, "always rescanned", planned->n_computed);
  return TRUE;
}

static gboolean
plan_chain (SegueRun *run, SegueRunStep *step, SeguePlanStep *planned, GError **error)
{
  SegueStageRun *first = &run->stages[g_array_index (step->stages, guint, 0)];
  planned->chain = planned->known = TRUE;
  if (run->fresh) {
    if (!segue_run_connect_inputs (run, first))
      return FALSE;
    planned->n_computed = segue_dataset_count_songs (first->inputs[0]);
    add_reason (planned, "--fresh was given", planned->n_computed);
    return TRUE;
  }
  if (!segue_executor_run_chain (run, step, SEGUE_SONG_LOOK, error))
    return FALSE;
  planned->n_cached = first->n_cached;
  g_autoptr (GArray) reasons = segue_counts_list (first->computed);
  for (guint i = 0; i < reasons->len; i++) {
    const SegueCount *reason = &g_array_index (reasons, SegueCount, i);
    add_reason (planned, reason->name, (guint) reason->n);
    planned->n_computed += (guint) reason->n;
  }
  return TRUE;
}

static gboolean
plan_stage (SegueRun *run, SegueStageRun *at, SeguePlanStep *planned, GError **error)
{
  g_autoptr (GError) local = NULL;
  planned->known = TRUE;
  if (!segue_run_connect_inputs (run, at))
    return FALSE;
  if (segue_executor_look_up_stage (run, at, &local)) {
    planned->n_cached = 1;
    return TRUE;
  }
  if (local) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  planned->n_computed = 1;
  add_reason (planned, at->why, 1);
  return TRUE;
}

static gboolean
plan_step (SegueRun *run, SegueRunStep *step, SeguePlanStep *planned, GError **error)
{
  SegueStageRun *at = &run->stages[g_array_index (step->stages, guint, 0)];
  const char *missing = find_missing (run, at->stage);
  gboolean chain = segue_run_is_chain (run, step);
  if (missing) {
    g_autofree char *why = g_strdup_printf ("depends on '%s', which would run", missing);
    planned->chain = chain;
    add_reason (planned, why, 1);
    return TRUE;
  }
  g_autoptr (GError) local = NULL;
  gboolean ok = chain ? plan_chain (run, step, planned, &local)
                : at->stage->type->mode == SEGUE_MODE_SOURCE
                  ? plan_source (run, at, planned, &local)
                  : plan_stage (run, at, planned, &local);
  segue_advise_error (&local, run->pipeline->stages, step->name);
  if (!ok)
    g_propagate_prefixed_error (error, g_steal_pointer (&local), "stage '%s': ", step->name);
  return ok;
}

static gboolean
plan_all (SegueRun *run, GPtrArray *plan, GError **error)
{
  gboolean previewed = FALSE;
  for (guint i = 0; i < run->n_stages; i++) {
    SegueStageRun *at = &run->stages[i];
    if (at->stage->type->mode != SEGUE_MODE_SOURCE && !previewed) {
      previewed = TRUE;
      if (!segue_run_preview (run, error))
        return FALSE;
    }
    if (at->step == SEGUE_NOT_CONNECTED) {
      segue_run_attach_live (run, at);
      continue;
    }
    SegueRunStep *step = &g_array_index (run->steps, SegueRunStep, at->step);
    if (step->done)
      continue;
    SeguePlanStep *planned = new_step (step->name);
    g_ptr_array_add (plan, planned);
    segue_run_tell (run,
                    SEGUE_EVENT (STARTED, step->name, .done = at->step, .total = run->steps->len));
    if (!plan_step (run, step, planned, error))
      return FALSE;
    step->done = TRUE;
    segue_run_tell (
      run, SEGUE_EVENT (FINISHED, step->name, .n = planned->known && planned->n_computed == 0));
  }
  return TRUE;
}

/* A run that leaves no files: sources may write some, into a folder that is removed at the end. */
static gboolean
open_quiet_run (SegueRun *run, SeguePipeline *pipeline, const SegueRunOptions *options,
                GCancellable *cancellable, GError **error)
{
  SegueRunOptions given = { 0 };
  g_autoptr (GError) local = NULL;
  memcpy (&given, options, MIN (options->struct_size, sizeof given));
  segue_run_init (run, pipeline, &given, cancellable);
  run->folder = g_dir_make_tmp ("segue-plan-XXXXXX", &local);
  if (!run->folder) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANNOT_CREATE, local->message);
    return FALSE;
  }
  return segue_run_open_store (run, given.cache, error) && segue_run_open_journal (run, error);
}

static void
close_quiet_run (SegueRun *run, SegueRunResult *result)
{
  if (run->folder)
    segue_file_remove_folder (run->folder, NULL);
  g_clear_pointer (&run->folder, g_free);
  segue_run_fill_result (run, result);
}

GPtrArray *
segue_pipeline_plan (SeguePipeline *pipeline, const SegueRunOptions *options,
                     SegueRunResult *result, GCancellable *cancellable, GError **error)
{
  g_auto (SegueRun) run = { 0 };
  g_autoptr (GPtrArray) plan = g_ptr_array_new_with_free_func (free_step);
  gboolean ok =
    open_quiet_run (&run, pipeline, options, cancellable, error) && plan_all (&run, plan, error);
  close_quiet_run (&run, result);
  return ok ? g_steal_pointer (&plan) : NULL;
}

/* Runs sources only, and what depends on them alone. */
static gboolean
survey_all (SegueRun *run, GError **error)
{
  for (guint i = 0; i < run->n_stages; i++) {
    SegueStageRun *at = &run->stages[i];
    if (at->stage->type->mode != SEGUE_MODE_SOURCE)
      continue;
    SegueRunStep *step = &g_array_index (run->steps, SegueRunStep, at->step);
    g_autoptr (SeguePlanStep) planned = new_step (step->name);
    segue_run_tell (run,
                    SEGUE_EVENT (STARTED, step->name, .done = at->step, .total = run->steps->len));
    if (!plan_step (run, step, planned, error))
      return FALSE;
    segue_run_tell (run, SEGUE_EVENT (FINISHED, step->name));
  }
  return segue_run_preview (run, error);
}

gboolean
segue_pipeline_survey (SeguePipeline *pipeline, const SegueRunOptions *options,
                       SegueRunResult *result, GCancellable *cancellable, GError **error)
{
  g_auto (SegueRun) run = { 0 };
  gboolean ok =
    open_quiet_run (&run, pipeline, options, cancellable, error) && survey_all (&run, error);
  close_quiet_run (&run, result);
  return ok;
}
