/* A COLLECT stage over a finished run. */
#include "registry/registry.h"
#include "run/revisit-account.h"
#include "run/sinks.h"
#include "stage/context-private.h"
#include "stage/dataset-private.h"
#include "stage/stage-run.h"

#include <errno.h>
#include <segue/file.h>
#include <segue/segue.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  SegueSinks sinks;
  const char *output;
  char *account;
  SegueDataset *metrics;
} Visit;

static SegueDataset *
get_input (gpointer data, const SegueGraphStage *stage, const char *port)
{
  Visit *visit = data;
  for (guint i = 0; i < stage->n_inputs; i++)
    if (strcmp (stage->inputs[i].port->name, port) == 0)
      return stage->inputs[i].kind == SEGUE_KIND_METRICS ? visit->metrics : NULL;
  return NULL;
}

static const char *
get_folder (gpointer data, const SegueGraphStage *stage, gboolean work, GError **error)
{
  Visit *visit = data;
  if (!work)
    return visit->output;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL,
               "stage type ‘%s’ requested a work folder, which is only available in a run",
               stage->type->name);
  return NULL;
}

static const char *
get_account (gpointer data, const SegueGraphStage *stage)
{
  return ((Visit *) data)->account;
}

static void
take_event (gpointer data, const SegueGraphStage *stage, const SegueEvent *event)
{
  segue_sinks_tell (&((Visit *) data)->sinks, event);
}

static const SegueStageHost host = {
  .get_input = get_input,
  .get_folder = get_folder,
  .get_account = get_account,
  .event = take_event,
};

/* A revisit produces files, not items. */
static gboolean
take_item (gpointer data, SegueItem *item, GError **error)
{
  segue_item_unref (item);
  return TRUE;
}

/* The run's metrics.json; an alias of a stage's file. */
static SegueDataset *
find_metrics (const char *run, GError **error)
{
  g_autofree char *alias = g_build_filename (run, "metrics.json", NULL);
  char *file = realpath (alias, NULL), *base = realpath (run, NULL);
  g_autofree char *folder = file ? g_path_get_dirname (file) : NULL;
  gsize length = base ? strlen (base) : 0;
  gboolean inside = folder && base && strncmp (folder, base, length) == 0 &&
                    (folder[length] == '/' || folder[length] == '\0');
  free (file);
  free (base);
  if (!inside) {
    g_autofree char *shown = g_filename_display_name (run);
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
                 "the run in ‘%s’ has no metrics.json in its folder: it did not reach `evaluate`, "
                 "or has no such stage",
                 shown);
    return NULL;
  }
  g_autoptr (SegueItem) item = segue_item_new_folder (SEGUE_KIND_METRICS, "metrics", folder);
  return segue_dataset_new_from_items (&item, 1);
}

static gboolean
check_type (SegueRegistry *registry, const SegueStageType *type, const char *use, GError **error)
{
  if (!type)
    return segue_registry_check_whole (registry, error) &&
           (g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                         "no plugin provides the stage type ‘%s’; `segue inspect` lists the "
                         "available stage types",
                         use),
            FALSE);
  gboolean fits = type->mode == SEGUE_MODE_COLLECT;
  for (const SeguePort *const *port = type->inputs; port && *port; port++)
    fits = fits && ((*port)->kind == SEGUE_KIND_METRICS || (*port)->flags & SEGUE_PORT_OPTIONAL);
  if (!fits)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE,
                 "the stage type ‘%s’ needs inputs that a finished run does not have", use);
  return fits;
}

static gboolean
carry_out (Visit *visit, const SegueScope *scope, const SegueGraphStage *stage, GError **error)
{
  g_auto (SegueContext) context = { .scope = scope,
                                    .stage = stage,
                                    .cancellable = visit->sinks.cancellable,
                                    .epoch = -1,
                                    .emit = take_item,
                                    .emit_data = visit };
  return segue_stage_collect (&context, error);
}

gboolean
segue_run_revisit (SegueRegistry *registry, const char *folder, const char *use, const char *with,
                   const char *output, const SegueRunOptions *options, GCancellable *cancellable,
                   GError **error)
{
  SegueRunOptions given = { 0 };
  g_autofree char *problem = NULL;
  const SegueStageType *type = segue_registry_find_stage (registry, use);
  memcpy (&given, options, MIN (options->struct_size, sizeof given));
  if (!check_type (registry, type, use, error))
    return FALSE;
  g_autoptr (SegueNode) node = segue_node_parse (with ? with : "{}", -1, use, error);
  g_autoptr (SegueGraphStage) stage =
    node ? segue_graph_stage_new (registry, type, type->name, node, NULL, error) : NULL;
  if (!stage)
    return FALSE;
  Visit visit = { .output = output };
  const SegueScope scope = { .registry = registry,
                             .threads = given.workers > 0 ? given.workers : g_get_num_processors (),
                             .host = &host,
                             .host_data = &visit };
  segue_sinks_init (&visit.sinks, cancellable);
  segue_sinks_add (&visit.sinks, given.sinks, given.n_sinks);
  visit.account = segue_revisit_account (folder, use, &problem, error);
  visit.metrics = visit.account ? find_metrics (folder, error) : NULL;
  if (problem)
    segue_sinks_tell (&visit.sinks,
                      SEGUE_EVENT (LOG, stage->id, .level = G_LOG_LEVEL_WARNING, .text = problem));
  gboolean ok = visit.metrics && carry_out (&visit, &scope, stage, error);
  segue_sinks_clear (&visit.sinks);
  g_clear_pointer (&visit.metrics, segue_dataset_unref);
  g_free (visit.account);
  return ok;
}
