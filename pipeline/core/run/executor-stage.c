/* A SOURCE, SERIAL or COLLECT stage: its result from the store, or computed and stored. */
#include "params/params-paths.h"
#include "run/run-private.h"
#include "run/stage-output.h"
#include "run/step-state.h"
#include "stage/stage-run.h"
#include "store/tree.h"

#include <segue/file.h>
#include <string.h>

/* Sources read their inputs each time: that is how changes are detected. A stage that writes
 * outside of the run's folder has to check whether its files still exist. */
static gboolean
may_be_kept (const SegueGraphStage *stage)
{
  return stage->type->mode != SEGUE_MODE_SOURCE &&
         !segue_params_find_output (stage->type->params, stage->config);
}

static SegueStepState *
recall (SegueRun *run, SegueStageRun *at)
{
  SegueStepState *state = segue_step_state_load (
    segue_store_get_folder (run->store), run->pipeline->name, at->stage->id,
    segue_stage_key_get_components (at->parts), segue_stage_key_get_names (at->parts));
  GHashTableIter iter;
  gpointer id, digest;
  g_hash_table_iter_init (&iter, segue_stage_key_get_songs (at->parts));
  while (g_hash_table_iter_next (&iter, &id, &digest))
    segue_step_state_note (state, id, digest);
  return state;
}

static void
note_reads (SegueStageRun *at, SegueStepState *state, const char *const *names)
{
  for (guint i = 0; names[i]; i++)
    segue_step_state_note_read (state, names[i], segue_stage_key_digest_read (at->parts, names[i]));
}

static void
explain (SegueRun *run, SegueStageRun *at, const char *problem)
{
  g_free (at->why);
  if (run->fresh) {
    at->why = g_strdup ("--fresh was given");
  } else if (problem) {
    at->why = g_strdup ("its result was damaged");
    segue_run_log (run, at->stage->id, G_LOG_LEVEL_WARNING, "recomputed: %s", problem);
  } else {
    g_autoptr (SegueStepState) state = recall (run, at);
    note_reads (at, state, segue_step_state_get_reads (state));
    at->why = segue_step_state_explain_all (state);
  }
}

static void
remember (SegueRun *run, SegueStageRun *at, const char *const *names)
{
  g_autoptr (SegueStepState) state = recall (run, at);
  note_reads (at, state, names);
  segue_step_state_save (state);
}

gboolean
segue_executor_find_parts (SegueRun *run, SegueStageRun *at, GError **error)
{
  const SegueGraphStage *stage = at->stage;
  g_autofree const char **producers = g_new0 (const char *, stage->n_inputs + 1);
  for (guint i = 0; i < stage->n_inputs; i++)
    if (stage->inputs[i].producer != SEGUE_NOT_CONNECTED)
      producers[i] = run->stages[stage->inputs[i].producer].stage->id;
    else if (stage->inputs[i].kind == SEGUE_KIND_SUMMARY)
      producers[i] = stage->id;
  g_clear_pointer (&at->parts, segue_stage_key_free);
  if (!segue_run_connect_summary (run, at, error))
    return FALSE;
  at->parts = segue_stage_key_new (stage, at->inputs, producers, &run->keys, error);
  return at->parts != NULL;
}

/* The names of metadata that results depend on, as far as is known. NULL: none are known. */
static GStrv
find_reads (SegueRun *run, SegueStageRun *at, char **problem, GError **error)
{
  const char *base = segue_stage_key_get_base (at->parts);
  g_autoptr (SegueResult) result = segue_store_read_result (run->store, base, problem, error);
  if (!result || !result->is_reads)
    return NULL;
  return g_steal_pointer (&result->reads);
}

/* (transfer full) (nullable): the stored result. @names: (out): see find_reads(). */
static SegueResult *
find_result (SegueRun *run, SegueStageRun *at, GStrv *names, char **problem, GError **error)
{
  *problem = NULL;
  *names = find_reads (run, at, problem, error);
  if (!*names)
    return NULL;
  g_free (at->key);
  at->key = segue_stage_key_with_reads (at->parts, (const char *const *) *names);
  if (run->fresh && !g_hash_table_contains (run->made, at->key))
    return NULL;
  return segue_store_read_result (run->store, at->key, problem, error);
}

/* Outputs of @result, whose folder is at @folder or will be. */
static gboolean
join (SegueRun *run, SegueStageRun *at, const SegueResult *result, const char *folder)
{
  const SegueGraphStage *stage = at->stage;
  g_autofree char *path = segue_store_get_result_path (run->store, result->key);
  g_autofree char *items = g_build_filename (path, "items", NULL);
  g_autofree SegueDataset **outputs = g_new0 (SegueDataset *, stage->n_outputs + 1);
  if (!segue_stage_output_join (stage, at->inputs, result, items, folder, outputs))
    return FALSE;
  for (guint i = 0; i < stage->n_outputs; i++)
    segue_run_set_output (at, i, outputs[i]);
  return TRUE;
}

/* Gives the run a copy of the stage's output. %FALSE with a @problem, or an @error. */
static gboolean
restore (SegueRun *run, SegueStageRun *at, const SegueResult *result, char **problem,
         GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autofree char *path = segue_store_get_result_path (run->store, result->key);
  g_autofree char *folder = g_build_filename (run->folder, "stages", at->stage->id, NULL);
  if (!join (run, at, result, folder)) {
    *problem = g_strdup ("damaged result: it does not match its stage or inputs");
    return FALSE;
  }
  if (result->files->len > 0) {
    g_autoptr (GHashTable) twins = segue_run_find_twins (run, at, FALSE);
    if (segue_result_copy_files (path, result, folder, twins, run->cancellable, &local)) {
      at->output_folder = g_strdup (folder);
    } else if (g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_DATA)) {
      *problem = g_strdup_printf ("damaged result: %s", local->message);
      return FALSE;
    } else {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
  }
  segue_run_repeat (run, at, result);
  return TRUE;
}

gboolean
segue_executor_look_up_stage (SegueRun *run, SegueStageRun *at, GError **error)
{
  g_auto (GStrv) names = NULL;
  g_autofree char *problem = NULL;
  g_autoptr (GError) local = NULL;
  if (!may_be_kept (at->stage)) {
    at->why = g_strdup ("always runs, to check its output path");
    return FALSE;
  }
  if (!segue_executor_find_parts (run, at, error))
    return FALSE;
  g_autoptr (SegueResult) result = find_result (run, at, &names, &problem, &local);
  if (local) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  g_autofree char *path = result ? segue_store_get_result_path (run->store, result->key) : NULL;
  g_autofree char *files = path ? g_build_filename (path, "files", NULL) : NULL;
  at->cached = result && join (run, at, result, files);
  if (at->cached)
    segue_run_repeat (run, at, result);
  else
    explain (run, at, problem);
  return at->cached;
}

/* What a running stage emits. */
typedef struct {
  const SegueGraphStage *stage;
  SegueBuilder **builders; /* by output port */
} Output;

/* Items are identified by their content. */
static gboolean
take_output (gpointer data, SegueItem *item, GError **error)
{
  Output *output = data;
  g_autoptr (SegueItem) owned = item;
  if (!owned->body->key && owned->bytes) {
    SegueItem *keyed = segue_item_copy (owned);
    g_autofree char *key = segue_key_of_bytes (owned);
    segue_item_own_body (keyed)->key = g_ref_string_new (key);
    segue_item_unref (owned);
    owned = keyed;
  }
  return segue_builder_add (
    output->builders[segue_run_find_output (output->stage, owned->body->kind)], owned, error);
}

static gboolean
call_stage (SegueStageRun *at, SegueContext *context, GError **error)
{
  switch (at->stage->type->mode) {
  case SEGUE_MODE_SOURCE:
    return segue_stage_produce (context, error);
  case SEGUE_MODE_COLLECT:
    return segue_stage_collect (context, error);
  case SEGUE_MODE_SERIAL:
    return segue_stage_stream (context, at->inputs[0], error);
  case SEGUE_MODE_MAP:
    break;
  }
  g_return_val_if_reached (FALSE);
}

/* The emitted items, by port; still with their origins. */
static gboolean
finish_outputs (SegueStageRun *at, SegueBuilder **builders, SegueContext *context,
                SegueDataset **outputs, GError **error)
{
  for (guint i = 0; i < at->stage->n_outputs; i++)
    if (!(outputs[i] = segue_builder_finish (builders[i], error)))
      return FALSE;
  if (!context->output || at->stage->n_outputs == 0)
    return TRUE;
  guint port = 0;
  if (segue_dataset_get_length (context->output) > 0)
    port =
      segue_run_find_output (at->stage, segue_dataset_get_entry (context->output, 0)->body->kind);
  segue_dataset_unref (outputs[port]);
  outputs[port] = segue_dataset_ref (context->output);
  return TRUE;
}

static gboolean
is_folder (SegueKind kind)
{
  return kind == SEGUE_KIND_MODEL || kind == SEGUE_KIND_METRICS;
}

/* (element-type utf8 filename): the folders of all emitted items that are in the output folder, relative to it. */
static GPtrArray *
list_folders (SegueStageRun *at, SegueDataset **outputs)
{
  GPtrArray *folders = g_ptr_array_new ();
  for (guint port = 0; port < at->stage->n_outputs; port++)
    for (guint i = 0;
         is_folder (at->stage->outputs[port]) && i < segue_dataset_get_length (outputs[port]);
         i++) {
      const SegueItem *item = segue_dataset_get_entry (outputs[port], i);
      const char *below = segue_stage_output_below (at->output_folder, item->body->path);
      if (below)
        g_ptr_array_add (folders, (gpointer) below);
    }
  return folders;
}

/* Folders are identified by their content; where one is inside another, a file belongs to the inner one alone: the
 * metrics of `evaluate` are the same if only the weights of the model beside them differ. @files: (nullable): of the
 * output folder. */
static gboolean
set_folder_keys (SegueRun *run, SegueStageRun *at, GPtrArray *files, SegueDataset **outputs,
                 GError **error)
{
  g_autoptr (GPtrArray) folders = files ? list_folders (at, outputs) : NULL;
  for (guint port = 0; port < at->stage->n_outputs; port++) {
    guint n = segue_dataset_get_length (outputs[port]);
    for (guint i = 0; i < n && is_folder (at->stage->outputs[port]); i++) {
      SegueItem *item = segue_dataset_get_entry (outputs[port], i);
      if (item->body->key)
        continue;
      const char *below =
        files ? segue_stage_output_below (at->output_folder, item->body->path) : NULL;
      g_autoptr (GPtrArray) own =
        below ? g_ptr_array_ref (files)
              : segue_tree_list (item->body->path, segue_store_get_contents_folder (run->store),
                                 TRUE, run->cancellable, error);
      if (!own)
        return FALSE;
      g_autofree char *key =
        below ? segue_tree_key (own, below, folders) : segue_tree_key (own, "", NULL);
      segue_item_own_body (item)->key = g_ref_string_new (key); /* the item is not shared yet */
    }
  }
  return TRUE;
}

/* Stores the stage's output. If it can't be stored, that is not a failure: the next run recomputes
 * it. */
static gboolean
stage_keep (SegueRun *run, SegueStageRun *at, SegueReads *reads, GPtrArray *files,
            SegueDataset **outputs, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (GPtrArray) payloads = NULL;
  g_auto (GStrv) names = segue_reads_list (reads);
  const char *problem = segue_stage_notes_get_problem (at->notes);
  g_free (at->key);
  at->key = segue_stage_key_with_reads (at->parts, (const char *const *) names);
  g_autoptr (SegueResult) result = segue_result_new (at->key);
  segue_stage_notes_fill (at->notes, result);
  if (!problem && at->output_folder && !files)
    problem = "its folder contains something other than regular files";
  if (files) {
    g_ptr_array_unref (result->files);
    result->files = g_ptr_array_ref (files);
  }
  if (!problem && !segue_stage_output_describe (at->stage, at->inputs, reads, outputs,
                                                at->output_folder, result, &payloads))
    problem = "its output is not in its folder";
  if (problem) {
    segue_run_log (run, at->stage->id, G_LOG_LEVEL_DEBUG, "not cached: %s", problem);
    return TRUE;
  }
  const char *base = segue_stage_key_get_base (at->parts);
  g_autoptr (GHashTable) twins = segue_run_find_twins (run, at, TRUE);
  if (segue_store_write_result (run->store, result, payloads, at->output_folder, twins, at->damaged,
                                run->cancellable, &local) &&
      segue_store_write_reads (run->store, base, (const char *const *) names, &local)) {
    remember (run, at, (const char *const *) names);
    g_hash_table_add (run->made, g_strdup (at->key));
    return TRUE;
  }
  if (g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_CANCELLED)) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  segue_run_log (run, at->stage->id, G_LOG_LEVEL_WARNING,
                 "its result can't be stored in the cache; the next run will recompute it: %s",
                 local->message);
  return TRUE;
}

/* Replaces the inputs by views that record reads of metadata. */
static void
watch_inputs (SegueStageRun *at, SegueReads *reads)
{
  guint first = 0;
  for (guint i = 0; i < at->stage->n_inputs; i++) {
    SegueDataset *plain = at->inputs[i];
    if (!plain)
      continue;
    at->inputs[i] = segue_dataset_as_input (plain, reads, i, first);
    first += segue_dataset_get_length (plain);
    segue_dataset_unref (plain);
  }
}

static gboolean
settle_outputs (SegueRun *run, SegueStageRun *at, SegueReads *reads, SegueDataset **outputs,
                GError **error)
{
  g_autoptr (GPtrArray) files = NULL;
  /* A folder that can't be stored may still be useful. */
  if (at->notes && at->output_folder)
    files = segue_tree_list (at->output_folder, NULL, FALSE, run->cancellable, NULL);
  if (g_cancellable_is_cancelled (run->cancellable)) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped");
    return FALSE;
  }
  gboolean whole =
    at->output_fd < 0 || segue_run_folder_check_stage (at->output_folder, at->output_fd, error);
  if (!whole || !set_folder_keys (run, at, files, outputs, error) ||
      (at->notes && !stage_keep (run, at, reads, files, outputs, error)))
    return FALSE;
  for (guint i = 0; i < at->stage->n_outputs; i++)
    segue_run_set_output (at, i, segue_dataset_as_output (outputs[i]));
  return TRUE;
}

static void
clear_outputs (SegueStageRun *at, SegueDataset **outputs)
{
  for (guint i = 0; i < at->stage->n_outputs; i++)
    segue_dataset_unref (outputs[i]);
}

static gboolean
stage_make (SegueRun *run, SegueStageRun *at, GError **error)
{
  const SegueGraphStage *stage = at->stage;
  g_autofree char *spool = g_build_filename (segue_store_get_folder (run->store), "work", NULL);
  g_autofree SegueDataset **outputs = g_new0 (SegueDataset *, stage->n_outputs + 1);
  g_autoptr (SegueReads) reads = segue_reads_new ();
  if (!segue_file_make_folder (spool, error))
    return FALSE;
  watch_inputs (at, reads);
  g_autoptr (GPtrArray) builders =
    g_ptr_array_new_with_free_func ((GDestroyNotify) segue_builder_free);
  for (guint i = 0; i <= stage->n_outputs; i++)
    g_ptr_array_add (builders, segue_builder_new (spool));
  Output output = { .stage = stage, .builders = (SegueBuilder **) builders->pdata };
  g_auto (SegueContext) context = { .scope = &run->scope,
                                    .stage = stage,
                                    .cancellable = run->cancellable,
                                    .epoch = -1,
                                    .emit = take_output,
                                    .emit_data = &output };
  at->notes = may_be_kept (stage) ? segue_stage_notes_new () : NULL;
  gboolean ok = call_stage (at, &context, error) &&
                finish_outputs (at, output.builders, &context, outputs, error) &&
                segue_run_check_failures (run, error) &&
                settle_outputs (run, at, reads, outputs, error);
  g_clear_pointer (&at->notes, segue_stage_notes_free);
  clear_outputs (at, outputs);
  return ok;
}

/* Whether the result came from the store; otherwise at->why contains the reason, unless there is an
 * @error. */
static gboolean
take_from_store (SegueRun *run, SegueStageRun *at, GError **error)
{
  g_auto (GStrv) names = NULL;
  g_autofree char *problem = NULL;
  g_autoptr (GError) local = NULL;
  if (!may_be_kept (at->stage)) {
    at->why = g_strdup ("always runs, to check its output path");
    return FALSE;
  }
  g_autoptr (SegueResult) result = find_result (run, at, &names, &problem, &local);
  at->cached = result && restore (run, at, result, &problem, &local);
  if (local)
    g_propagate_error (error, g_steal_pointer (&local));
  else if (at->cached)
    remember (run, at, (const char *const *) names);
  else
    explain (run, at, problem);
  at->damaged = run->fresh || problem;
  return at->cached;
}

static gboolean
run_stage (SegueRun *run, SegueStageRun *at, GError **error)
{
  g_autoptr (GError) local = NULL;
  if (take_from_store (run, at, &local))
    return TRUE;
  if (local) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  segue_run_log (run, at->stage->id, G_LOG_LEVEL_DEBUG, "recomputed: %s", at->why);
  return segue_executor_check_inputs (run, at, error) && stage_make (run, at, error);
}

gboolean
segue_executor_run_stage (SegueRun *run, SegueStageRun *at, GError **error)
{
  const SegueGraphStage *stage = at->stage;
  gboolean source = stage->type->mode == SEGUE_MODE_SOURCE;
  if (!segue_run_connect_inputs (run, at) ||
      (!source && !segue_executor_find_parts (run, at, error)))
    return FALSE;
  if (!(source ? stage_make (run, at, error) : run_stage (run, at, error)) ||
      !segue_run_check_failures (run, error) || !segue_run_save_predictions (run, at, error))
    return FALSE;
  if (source && !is_folder (stage->outputs[0]))
    run->n_sources += segue_dataset_get_length (at->outputs[0]);
  return !at->output_folder || segue_run_folder_alias (run->folder, stage->id, error);
}
