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
free_unit (gpointer data)
{
  SeguePlanUnit *unit = data;
  g_free (unit->name);
  g_ptr_array_unref (unit->reasons);
  g_free (unit);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SeguePlanUnit, free_unit)

static SeguePlanUnit *
new_unit (const char *name)
{
  SeguePlanUnit *unit = g_new0 (SeguePlanUnit, 1);
  unit->name = g_strdup (name);
  unit->reasons = g_ptr_array_new_with_free_func (free_reason);
  return unit;
}

static void
add_reason (SeguePlanUnit *planned, const char *why, guint n)
{
  SeguePlanReason *reason = g_new0 (SeguePlanReason, 1);
  reason->why = g_strdup (why);
  reason->n = n;
  g_ptr_array_add (planned->reasons, reason);
}

/* The unit that has to run before @stage can be looked up; NULL: none. */
static const char *
find_missing (SegueRun *run, const SegueGraphStage *stage)
{
  for (guint i = 0; i < stage->n_inputs; i++) {
    const SegueGraphInput *input = &stage->inputs[i];
    if (input->producer == SEGUE_NOT_CONNECTED)
      continue;
    const SegueStageRun *made = &run->stages[input->producer];
    if (made->outputs[input->producer_port])
      continue;
    return made->unit == SEGUE_NOT_CONNECTED
             ? find_missing (run, made->stage)
             : g_array_index (run->units, SegueUnit, made->unit).name;
  }
  return NULL;
}

static gboolean
plan_source (SegueRun *run, SegueStageRun *at, SeguePlanUnit *planned, GError **error)
{
  planned->source = planned->known = TRUE;
  if (!segue_executor_run_stage (run, at, error))
    return FALSE;
  planned->n_computed = at->n_outputs[0];
  add_reason (planned, "always rescanned", planned->n_computed);
  return TRUE;
}

static gboolean
plan_chain (SegueRun *run, SegueUnit *unit, SeguePlanUnit *planned, GError **error)
{
  SegueStageRun *first = &run->stages[g_array_index (unit->stages, guint, 0)];
  planned->chain = planned->known = TRUE;
  if (run->fresh) {
    if (!segue_run_connect_inputs (run, first))
      return FALSE;
    planned->n_computed = segue_dataset_count_songs (first->inputs[0]);
    add_reason (planned, "--fresh was given", planned->n_computed);
    return TRUE;
  }
  if (!segue_executor_run_chain (run, unit, SEGUE_SONG_LOOK, error))
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
plan_stage (SegueRun *run, SegueStageRun *at, SeguePlanUnit *planned, GError **error)
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
plan_unit (SegueRun *run, SegueUnit *unit, SeguePlanUnit *planned, GError **error)
{
  SegueStageRun *at = &run->stages[g_array_index (unit->stages, guint, 0)];
  const char *missing = find_missing (run, at->stage);
  gboolean chain = segue_run_is_chain (run, unit);
  if (missing) {
    g_autofree char *why = g_strdup_printf ("depends on '%s', which would run", missing);
    planned->chain = chain;
    add_reason (planned, why, 1);
    return TRUE;
  }
  g_autoptr (GError) local = NULL;
  gboolean ok = chain ? plan_chain (run, unit, planned, &local)
                : at->stage->type->mode == SEGUE_MODE_SOURCE
                  ? plan_source (run, at, planned, &local)
                  : plan_stage (run, at, planned, &local);
  segue_advise_error (&local, run->pipeline->stages, unit->name);
  if (!ok)
    g_propagate_prefixed_error (error, g_steal_pointer (&local), "stage '%s': ", unit->name);
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
    if (at->unit == SEGUE_NOT_CONNECTED) {
      segue_run_attach_live (run, at);
      continue;
    }
    SegueUnit *unit = &g_array_index (run->units, SegueUnit, at->unit);
    if (unit->done)
      continue;
    SeguePlanUnit *planned = new_unit (unit->name);
    g_ptr_array_add (plan, planned);
    segue_run_tell (run,
                    SEGUE_EVENT (STARTED, unit->name, .done = at->unit, .total = run->units->len));
    if (!plan_unit (run, unit, planned, error))
      return FALSE;
    unit->done = TRUE;
    segue_run_tell (
      run, SEGUE_EVENT (FINISHED, unit->name, .n = planned->known && planned->n_computed == 0));
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
  g_autoptr (GPtrArray) plan = g_ptr_array_new_with_free_func (free_unit);
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
    SegueUnit *unit = &g_array_index (run->units, SegueUnit, at->unit);
    g_autoptr (SeguePlanUnit) planned = new_unit (unit->name);
    segue_run_tell (run,
                    SEGUE_EVENT (STARTED, unit->name, .done = at->unit, .total = run->units->len));
    if (!plan_unit (run, unit, planned, error))
      return FALSE;
    segue_run_tell (run, SEGUE_EVENT (FINISHED, unit->name));
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
