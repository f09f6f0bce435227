/* The executor: takes the stages in order, chains of MAP stages at once. */
#include "key.h"
#include "run-private.h"
#include "stage-run.h"

#include <segue/file.h>
#include <string.h>

static SegueStageRun *
stage_at (SegueRun *run, guint index)
{
  return &run->stages[index];
}

static gboolean
is_stored_map (const SegueGraphStage *stage)
{
  return stage->type->mode == SEGUE_MODE_MAP && !(stage->type->flags & SEGUE_STAGE_LIVE);
}

/* The stage that alone reads @index's output; SEGUE_NOT_CONNECTED: there are none or several. */
static guint
find_only_reader (SegueRun *run, guint index)
{
  guint reader = SEGUE_NOT_CONNECTED, n = 0;
  for (guint i = index + 1; i < run->n_stages; i++) {
    const SegueGraphStage *stage = stage_at (run, i)->stage;
    for (guint j = 0; j < stage->n_inputs; j++)
      if (stage->inputs[j].producer == index) {
        reader = i;
        n++;
      }
  }
  return n == 1 ? reader : SEGUE_NOT_CONNECTED;
}

/* The chain that begins at @first, as indices of stages; one of them for any other stage. */
static GArray *
find_chain (SegueRun *run, guint first)
{
  GArray *chain = g_array_new (FALSE, FALSE, sizeof (guint));
  for (guint at = first; at != SEGUE_NOT_CONNECTED;) {
    g_array_append_val (chain, at);
    const SegueGraphStage *stage = stage_at (run, at)->stage;
    if (!is_stored_map (stage) || stage->cache)
      break;
    guint next = find_only_reader (run, at);
    if (next == SEGUE_NOT_CONNECTED || !is_stored_map (stage_at (run, next)->stage))
      break;
    at = next;
  }
  return chain;
}

static char *
name_chain (SegueRun *run, GArray *chain)
{
  const char *first = stage_at (run, g_array_index (chain, guint, 0))->stage->id;
  const char *last = stage_at (run, g_array_index (chain, guint, chain->len - 1))->stage->id;
  return chain->len == 1   ? g_strdup (first)
         : chain->len == 2 ? g_strdup_printf ("%s, %s", first, last)
                           : g_strdup_printf ("%s … %s", first, last);
}

void
segue_run_connect_inputs (SegueRun *run, SegueStageRun *at)
{
  const SegueGraphStage *stage = at->stage;
  at->inputs = g_new0 (SegueDataset *, stage->n_inputs + 1);
  for (guint i = 0; i < stage->n_inputs; i++) {
    const SegueGraphInput *input = &stage->inputs[i];
    if (input->producer == SEGUE_NOT_CONNECTED)
      continue;
    SegueDataset *dataset = stage_at (run, input->producer)->outputs[input->producer_port];
    gboolean wants_live =
      (input->port->flags & SEGUE_PORT_LIVE) || (stage->type->flags & SEGUE_STAGE_LIVE);
    at->inputs[i] = wants_live ? segue_dataset_ref (dataset) : segue_dataset_without_live (dataset);
  }
}

void
segue_run_set_output (SegueStageRun *at, guint port, SegueDataset *dataset)
{
  at->outputs[port] = dataset;
  at->n_outputs[port] = segue_dataset_get_length (dataset);
}

/* Frees what nobody reads after stage @index. */
static void
release_datasets (SegueRun *run, guint index)
{
  for (guint i = 0; i <= index; i++) {
    SegueStageRun *at = stage_at (run, i);
    if (i == index)
      for (guint j = 0; at->inputs && j < at->stage->n_inputs; j++)
        g_clear_pointer (&at->inputs[j], segue_dataset_unref);
    for (guint j = 0; at->last_use <= index && j < at->stage->n_outputs; j++)
      g_clear_pointer (&at->outputs[j], segue_dataset_unref);
  }
}

static guint
find_output (const SegueGraphStage *stage, SegueKind kind)
{
  for (guint i = 0; i < stage->n_outputs; i++)
    if (stage->outputs[i] == kind || stage->outputs[i] == SEGUE_KIND_ANY)
      return i;
  return 0;
}

/* What a stage emits, by output port. */
typedef struct {
  const SegueGraphStage *stage;
  const char *key;
  SegueBuilder **builders;
} Output;

/* What a source makes is known by its content; the rest by what it was made from. */
static gboolean
take_output (gpointer data, SegueItem *item, GError **error)
{
  Output *output = data;
  g_autoptr (SegueItem) owned = item;
  SegueBuilder *builder = output->builders[find_output (output->stage, item->kind)];
  gboolean source = output->stage->type->mode == SEGUE_MODE_SOURCE;
  gboolean by_content = owned->kind == SEGUE_KIND_FILE || (source && owned->bytes);
  if (!owned->key && !by_content) {
    SegueItem *keyed = segue_item_copy (owned);
    keyed->key = g_ref_string_new (output->key);
    keyed->key_index = segue_builder_get_length (builder);
    segue_item_unref (owned);
    owned = keyed;
  }
  return segue_builder_add (builder, owned, error);
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

static gboolean
finish_outputs (SegueStageRun *at, Output *output, SegueContext *context, GError **error)
{
  for (guint i = 0; i < at->stage->n_outputs; i++) {
    SegueDataset *dataset = segue_builder_finish (output->builders[i], error);
    if (!dataset)
      return FALSE;
    segue_run_set_output (at, i, dataset);
  }
  if (!context->output || at->stage->n_outputs == 0)
    return TRUE;
  guint port = 0;
  if (segue_dataset_get_length (context->output) > 0)
    port = find_output (at->stage, segue_dataset_get_entry (context->output, 0)->kind);
  g_clear_pointer (&at->outputs[port], segue_dataset_unref);
  segue_run_set_output (at, port, segue_dataset_ref (context->output));
  return TRUE;
}

/* SOURCE, SERIAL or COLLECT. */
static gboolean
run_stage (SegueRun *run, SegueStageRun *at, GError **error)
{
  const SegueGraphStage *stage = at->stage;
  g_autofree char *spool = g_build_filename (segue_store_get_folder (run->store), "work", NULL);
  if (!segue_file_make_folder (spool, error))
    return FALSE;
  segue_run_connect_inputs (run, at);
  at->key =
    segue_key_of_stage (stage, run->scope.seed, at->inputs,
                        segue_store_get_contents_folder (run->store), run->cancellable, error);
  if (!at->key)
    return FALSE;
  g_autoptr (GPtrArray) builders =
    g_ptr_array_new_with_free_func ((GDestroyNotify) segue_builder_free);
  for (guint i = 0; i <= stage->n_outputs; i++)
    g_ptr_array_add (builders, segue_builder_new (spool));
  Output output = { .stage = stage, .key = at->key, .builders = (SegueBuilder **) builders->pdata };
  g_auto (SegueContext) context = { .scope = &run->scope,
                                    .stage = stage,
                                    .cancellable = run->cancellable,
                                    .epoch = -1,
                                    .emit = take_output,
                                    .emit_data = &output };
  if (!call_stage (at, &context, error) || !finish_outputs (at, &output, &context, error) ||
      !segue_run_check_failures (run, error))
    return FALSE;
  if (stage->type->mode == SEGUE_MODE_SOURCE && stage->outputs[0] != SEGUE_KIND_MODEL &&
      stage->outputs[0] != SEGUE_KIND_METRICS)
    run->n_sources += segue_dataset_get_length (at->outputs[0]);
  return !at->output_folder || segue_run_folder_alias (run->folder, stage->id, error);
}

static gboolean
run_unit (SegueRun *run, GArray *chain, const char *name, GError **error)
{
  guint index = g_array_index (chain, guint, 0);
  SegueStageRun *at = stage_at (run, index);
  g_autoptr (GError) local = NULL;
  gboolean ok = is_stored_map (at->stage) ? segue_executor_run_chain (run, chain, name, &local)
                                          : run_stage (run, at, &local);
  if (ok || g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_CANCELLED)) {
    if (!ok)
      g_propagate_error (error, g_steal_pointer (&local));
  } else if (!segue_run_check_failures (run, error)) {
    /* The failure that was one too many says it better. */
    ok = FALSE;
  } else {
    g_propagate_prefixed_error (error, g_steal_pointer (&local), "stage '%s': ", name);
  }
  segue_work_folder_close (g_steal_pointer (&at->work), ok);
  return ok;
}

static void
find_last_uses (SegueRun *run)
{
  for (guint i = 0; i < run->n_stages; i++) {
    SegueStageRun *at = stage_at (run, i);
    at->last_use = MAX (at->last_use, i);
    for (guint j = 0; j < at->stage->n_inputs; j++)
      if (at->stage->inputs[j].producer != SEGUE_NOT_CONNECTED)
        stage_at (run, at->stage->inputs[j].producer)->last_use = i;
  }
}

/* Counts what will be run, and not what is only carried along. */
static guint
count_units (SegueRun *run)
{
  g_autofree gboolean *seen = g_new0 (gboolean, run->n_stages + 1);
  guint n = 0;
  for (guint i = 0; i < run->n_stages; i++) {
    if (seen[i] || (stage_at (run, i)->stage->type->flags & SEGUE_STAGE_LIVE))
      continue;
    g_autoptr (GArray) chain = find_chain (run, i);
    for (guint j = 0; j < chain->len; j++)
      seen[g_array_index (chain, guint, j)] = TRUE;
    n++;
  }
  return n;
}

static void
attach_live (SegueRun *run, SegueStageRun *at)
{
  segue_run_connect_inputs (run, at);
  segue_run_set_output (at, 0, segue_dataset_with_live (at->inputs[0], &run->scope, at->stage));
}

gboolean
segue_executor_run (SegueRun *run, GError **error)
{
  find_last_uses (run);
  run->n_units = count_units (run);
  for (guint i = 0; i < run->n_stages; i++) {
    SegueStageRun *at = stage_at (run, i);
    if (at->done)
      continue;
    if (at->stage->type->flags & SEGUE_STAGE_LIVE) {
      attach_live (run, at);
      at->done = TRUE;
      release_datasets (run, i);
      continue;
    }
    g_autoptr (GArray) chain = find_chain (run, i);
    g_autofree char *name = name_chain (run, chain);
    g_autoptr (GTimer) timer = g_timer_new ();
    segue_run_started (run, name);
    if (!run_unit (run, chain, name, error))
      return FALSE;
    SegueUnit unit = { g_strdup (name), g_timer_elapsed (timer, NULL) };
    segue_run_finished (run, name, unit.seconds);
    g_array_append_val (run->units, unit);
    for (guint j = 0; j < chain->len; j++)
      stage_at (run, g_array_index (chain, guint, j))->done = TRUE;
    release_datasets (run, i);
  }
  return TRUE;
}
