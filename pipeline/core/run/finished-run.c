/* A COLLECT stage over a finished run. */
#include "base/file-type.h"
#include "registry/registry.h"
#include "run/saved-items.h"
#include "run/sinks.h"
#include "stage/context-private.h"
#include "stage/dataset-private.h"
#include "stage/stage-run.h"

#include <errno.h>
#include <segue/file.h>
#include <segue/host/segue.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  SegueSinks sinks;
  const char *output;
  SegueDataset *metrics, *predictions, *summary;
} FinishedRun;

static SegueDataset *
get_input (gpointer data, const SegueGraphStage *stage, const char *port, guint nth)
{
  FinishedRun *finished = data;
  guint index = segue_graph_stage_find_input (stage, port, nth);
  switch (index < stage->n_inputs ? stage->inputs[index].kind : SEGUE_KIND_ANY) {
  case SEGUE_KIND_METRICS:
    return finished->metrics;
  case SEGUE_KIND_PREDICTIONS:
    return finished->predictions;
  case SEGUE_KIND_SUMMARY:
    return finished->summary;
  default:
    return NULL;
  }
}

static const char *
get_folder (gpointer data, const SegueGraphStage *stage, gboolean work, GError **error)
{
  FinishedRun *finished = data;
  if (!work)
    return finished->output;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL,
               "stage type ‘%s’ requested a work folder, which is only available in a run",
               stage->type->name);
  return NULL;
}

static void
take_event (gpointer data, const SegueGraphStage *stage, const SegueEvent *event)
{
  segue_sinks_tell (&((FinishedRun *) data)->sinks, event);
}

static const SegueStageHost host = {
  .get_input = get_input,
  .get_folder = get_folder,
  .event = take_event,
};

/* The stage leaves files; the run takes no more items. */
static gboolean
take_item (gpointer data, SegueItem *item, GError **error)
{
  segue_item_unref (item);
  return TRUE;
}

/* (transfer full) (nullable): the text is untrusted, and checked by the stage that reads it. */
static SegueDataset *
find_summary (const char *run, GError **error)
{
  g_autofree char *record = g_build_filename (run, "run.json", NULL);
  g_autofree char *summary = g_build_filename (run, "summary.json", NULL);
  g_autofree char *shown = g_filename_display_name (run);
  mode_t record_type, summary_type;
  if (!segue_file_type (record, &record_type, error) ||
      !segue_file_type (summary, &summary_type, error))
    return NULL;
  if (!record_type) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
                 "‘%s’ is not the folder of a run: it has no run.json; give one such as "
                 "runs/artist/latest",
                 shown);
    return NULL;
  }
  if (!summary_type) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
                 "the run in ‘%s’ has no summary.json: it is active or was killed, or an older "
                 "version of segue made it; run its pipeline again with `segue run`, which reads "
                 "cached results, and then `segue report` on that run",
                 shown);
    return NULL;
  }
  g_autoptr (SegueItem) item = segue_item_new_folder (SEGUE_KIND_SUMMARY, "summary", run);
  return segue_dataset_new_from_items (&item, 1);
}

/* (transfer full) (nullable): where the file or folder @name of @run is, which may be an alias of a stage's;
 * %NULL: it is not below @run. */
static char *
find_result (const char *run, const char *name)
{
  g_autofree char *alias = g_build_filename (run, name, NULL);
  char *path = realpath (alias, NULL), *base = realpath (run, NULL);
  gsize length = base ? strlen (base) : 0;
  gboolean inside = path && base && strncmp (path, base, length) == 0 && path[length] == '/';
  char *found = inside ? g_strdup (path) : NULL;
  free (path);
  free (base);
  return found;
}

static gboolean
lacks (const char *run, const char *name, const char *why, GError **error)
{
  g_autofree char *shown = g_filename_display_name (run);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
               "the run in ‘%s’ has no %s in its folder: %s", shown, name, why);
  return FALSE;
}

static gboolean
needs (const SegueStageType *type, SegueKind kind)
{
  for (const SeguePort *const *port = type->inputs; port && *port; port++)
    if ((*port)->kind == kind)
      return TRUE;
  return FALSE;
}

static gboolean
read_predictions (FinishedRun *finished, const char *run, GError **error)
{
  g_autofree char *path = find_result (run, "predictions");
  if (!path)
    return lacks (run, "predictions", "an older version of segue made it; run its pipeline again",
                  error);
  finished->predictions = segue_saved_items_read (path, SEGUE_KIND_PREDICTIONS, error);
  return finished->predictions != NULL;
}

static gboolean
read_results (FinishedRun *finished, const char *run, const SegueStageType *type, GError **error)
{
  g_autofree char *file = find_result (run, "metrics.json");
  if (!file)
    return lacks (run, "metrics.json", "it did not reach `evaluate`, or has no such stage", error);
  g_autofree char *folder = g_path_get_dirname (file);
  g_autoptr (SegueItem) item = segue_item_new_folder (SEGUE_KIND_METRICS, "metrics", folder);
  finished->metrics = segue_dataset_new_from_items (&item, 1);
  return !needs (type, SEGUE_KIND_PREDICTIONS) || read_predictions (finished, run, error);
}

/* Whether a finished run has it. */
static gboolean
is_result (SegueKind kind)
{
  return kind == SEGUE_KIND_METRICS || kind == SEGUE_KIND_PREDICTIONS || kind == SEGUE_KIND_SUMMARY;
}

static gboolean
check_type (SegueRegistry *registry, const SegueStageType *type, const char *use, GError **error)
{
  if (!type) {
    g_autofree char *why = segue_registry_explain_missing (registry, use);
    if (segue_registry_check_whole (registry, error))
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                   "no stage type '%s'; %s; `segue inspect` lists the available stage types", use,
                   why);
    return FALSE;
  }
  gboolean fits = type->mode == SEGUE_MODE_COLLECT;
  for (const SeguePort *const *port = type->inputs; port && *port; port++)
    fits = fits && (is_result ((*port)->kind) || (*port)->flags & SEGUE_PORT_OPTIONAL);
  if (!fits)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE,
                 "the stage type ‘%s’ needs inputs that a finished run does not have", use);
  return fits;
}

static gboolean
carry_out (FinishedRun *finished, const SegueScope *scope, const SegueGraphStage *stage,
           GError **error)
{
  g_auto (SegueContext) context = { .scope = scope,
                                    .stage = stage,
                                    .cancellable = finished->sinks.cancellable,
                                    .epoch = -1,
                                    .emit = take_item,
                                    .emit_data = finished };
  return segue_stage_collect (&context, error);
}

gboolean
segue_finished_run_apply (SegueRegistry *registry, const char *folder, const char *use,
                          const char *with, const char *output, const SegueRunOptions *options,
                          GCancellable *cancellable, GError **error)
{
  SegueRunOptions given = { 0 };
  const SegueStageType *type = segue_registry_find_stage (registry, use);
  memcpy (&given, options, MIN (options->struct_size, sizeof given));
  if (!check_type (registry, type, use, error))
    return FALSE;
  g_autoptr (SegueNode) node = segue_node_parse (with ? with : "{}", -1, use, error);
  g_autoptr (SegueGraphStage) stage =
    node ? segue_graph_stage_new (registry, type, type->name, node, NULL, error) : NULL;
  if (!stage)
    return FALSE;
  FinishedRun finished = { .output = output };
  const SegueScope scope = { .registry = registry,
                             .threads = given.workers > 0 ? given.workers : g_get_num_processors (),
                             .host = &host,
                             .host_data = &finished };
  segue_sinks_init (&finished.sinks, cancellable);
  segue_sinks_add (&finished.sinks, given.sinks, given.n_sinks);
  finished.summary = find_summary (folder, error);
  gboolean ok = finished.summary && read_results (&finished, folder, type, error) &&
                carry_out (&finished, &scope, stage, error);
  segue_sinks_clear (&finished.sinks);
  g_clear_pointer (&finished.metrics, segue_dataset_unref);
  g_clear_pointer (&finished.predictions, segue_dataset_unref);
  g_clear_pointer (&finished.summary, segue_dataset_unref);
  return ok;
}
