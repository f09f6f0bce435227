/* summary.json: the results of a run before a stage, the same text for the same run. */
#include "base/sha256.h"
#include "item/item-private.h"
#include "params/params-json.h"
#include "run/run-private.h"
#include "stage/dataset-private.h"

#include <segue/file.h>
#include <string.h>

static void
write_stage (SegueJson *json, SegueRun *run, guint index)
{
  const SegueGraphStage *stage = run->stages[index].stage;
  const SegueStageType *type = stage->type;
  const SeguePluginEntry *entry = segue_registry_get_plugin_of (run->scope.registry, type);
  segue_json_open (json, '{');
  segue_json_key_string (json, "id", stage->id);
  segue_json_key_string (json, "use", type->name);
  segue_json_key_string (json, "plugin", entry ? entry->plugin->name : NULL);
  segue_json_key_string (json, "plugin_version", entry ? entry->plugin->version : NULL);
  segue_json_key (json, "result_version");
  segue_json_uint (json, type->result_version);
  segue_json_key (json, "with");
  segue_params_write (json, type->params, stage->config, SEGUE_PARAMS_CANONICAL);
  segue_run_write_counters (json, run, index);
  segue_json_key (json, "curves");
  segue_curves_write (run->curves, stage->id, json);
  segue_json_close (json, '{');
}

/* (transfer full): of the first @n_stages stages. */
static char *
make_text (SegueRun *run, guint n_stages)
{
  SegueJson json;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&run->lock);
  segue_json_init (&json, FALSE);
  segue_json_open (&json, '{');
  segue_json_key_string (&json, "segue", SEGUE_VERSION);
  segue_json_key_string (&json, "name", run->pipeline->name);
  segue_json_key (&json, "seed");
  segue_json_uint (&json, run->scope.seed);
  segue_json_key_open (&json, "stages", '[');
  for (guint i = 0; i < n_stages; i++)
    write_stage (&json, run, i);
  segue_json_close (&json, '[');
  segue_run_write_quarantined (&json, run);
  segue_json_close (&json, '{');
  return segue_json_finish (&json);
}

/* (transfer full) (nullable): the digest of the text. */
static char *
write_summary (SegueRun *run, guint n_stages, GError **error)
{
  g_autofree char *path = g_build_filename (run->folder, "summary.json", NULL);
  g_autofree char *text = make_text (run, n_stages);
  if (!segue_file_write (path, text, -1, error))
    return NULL;
  return segue_sha256_of (text, strlen (text));
}

static gboolean
reads_summary (const SegueGraphInput *input)
{
  return input->kind == SEGUE_KIND_SUMMARY;
}

gboolean
segue_run_connect_summary (SegueRun *run, SegueStageRun *at, GError **error)
{
  for (guint i = 0; i < at->stage->n_inputs; i++) {
    if (!reads_summary (&at->stage->inputs[i]))
      continue;
    g_autofree char *digest = write_summary (run, segue_run_index_of (run, at->stage), error);
    if (!digest)
      return FALSE;
    g_autoptr (SegueItem) item = segue_item_new_folder (SEGUE_KIND_SUMMARY, "summary", run->folder);
    item->body->key = g_ref_string_new (digest);
    segue_dataset_unref (at->inputs[i]);
    at->inputs[i] = segue_dataset_new_from_items (&item, 1);
    run->summarised = TRUE;
  }
  return TRUE;
}

/* The stages before the last one that would have read a summary; if there is none, all. */
static guint
count_summarised (SegueRun *run)
{
  for (guint i = run->n_stages; i > 0; i--) {
    const SegueGraphStage *stage = run->stages[i - 1].stage;
    for (guint j = 0; j < stage->n_inputs; j++)
      if (reads_summary (&stage->inputs[j]))
        return i - 1;
  }
  return run->n_stages;
}

gboolean
segue_run_leave_summary (SegueRun *run, GError **error)
{
  if (run->summarised)
    return TRUE;
  g_autofree char *digest = write_summary (run, count_summarised (run), error);
  return digest != NULL;
}
