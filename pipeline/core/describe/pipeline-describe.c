/* A resolved pipeline as JSON: for run.json and for `--json`. */
#include "graph/graph.h"
#include "params/params-json.h"
#include "params/params-paths.h"
#include "yaml/json-node.h"
#include <stdlib.h>
#include <string.h>

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

static void
write_variables (SegueJson *json, const SeguePipeline *pipeline)
{
  guint n;
  g_autofree const char **names =
    (const char **) g_hash_table_get_keys_as_array (pipeline->variables, &n);
  qsort (names, n, sizeof *names, compare_names);
  segue_json_key_open (json, "vars", '{');
  for (guint i = 0; i < n; i++) {
    const SegueNode *value = g_hash_table_lookup (pipeline->variables, names[i]);
    segue_json_key (json, names[i]);
    if (value->type != SEGUE_NODE_SCALAR) {
      segue_json_node (json, value);
      continue;
    }
    g_autofree char *text = segue_path_to_text (value->text);
    segue_json_string (json, text);
  }
  segue_json_close (json, '{');
}

/* The stage whose items @input of @stage reads: the clean ones, unless it takes those of live stages. */
static const SegueGraphStage *
find_producer (const SeguePipeline *pipeline, const SegueGraphStage *stage,
               const SegueGraphInput *input, guint *port)
{
  gboolean clean =
    !(input->port->flags & SEGUE_PORT_LIVE) && !(stage->type->flags & SEGUE_STAGE_LIVE);
  const SegueGraphStage *producer = g_ptr_array_index (pipeline->stages, input->producer);
  *port = input->producer_port;
  while (clean && producer->type->flags & SEGUE_STAGE_LIVE &&
         producer->inputs[0].producer != SEGUE_NOT_CONNECTED) {
    *port = producer->inputs[0].producer_port;
    producer = g_ptr_array_index (pipeline->stages, producer->inputs[0].producer);
  }
  return producer;
}

static void
write_input (SegueJson *json, const SeguePipeline *pipeline, const SegueGraphStage *stage,
             const SegueGraphInput *input)
{
  gboolean connected = input->producer != SEGUE_NOT_CONNECTED;
  if (!connected && input->kind != SEGUE_KIND_SUMMARY) {
    segue_json_null (json);
    return;
  }
  segue_json_open (json, '{');
  if (connected) {
    guint port;
    const SegueGraphStage *producer = find_producer (pipeline, stage, input, &port);
    segue_json_key_string (json, "stage", producer->id);
    segue_json_key_string (json, "output", producer->type->outputs[port]->name);
  }
  segue_json_key_string (json, "kind", segue_kind_to_string (input->kind));
  segue_json_close (json, '{');
}

/* By port; those of a port that takes several are a list. */
static void
write_inputs (SegueJson *json, const SeguePipeline *pipeline, const SegueGraphStage *stage)
{
  segue_json_key_open (json, "inputs", '{');
  for (guint i = 0; i < stage->n_inputs; i++) {
    const SeguePort *port = stage->inputs[i].port;
    gboolean several = (port->flags & SEGUE_PORT_SEVERAL) != 0;
    gboolean first = i == 0 || stage->inputs[i - 1].port != port;
    gboolean last = i + 1 == stage->n_inputs || stage->inputs[i + 1].port != port;
    if (first)
      segue_json_key (json, port->name);
    if (first && several)
      segue_json_open (json, '[');
    write_input (json, pipeline, stage, &stage->inputs[i]);
    if (last && several)
      segue_json_close (json, '[');
  }
  segue_json_close (json, '{');
}

static void
write_stage (SegueJson *json, const SeguePipeline *pipeline, const SegueGraphStage *stage)
{
  const SegueStageType *type = stage->type;
  const SeguePluginEntry *entry = segue_registry_get_plugin_of (pipeline->registry, type);
  segue_json_open (json, '{');
  segue_json_key_string (json, "id", stage->id);
  segue_json_key_string (json, "use", type->name);
  segue_json_key_string (json, "mode", segue_mode_to_string (type->mode));
  segue_json_key (json, "live");
  segue_json_bool (json, (type->flags & SEGUE_STAGE_LIVE) != 0);
  segue_json_key (json, "cache");
  segue_json_bool (json, stage->cache);
  if (type->mode == SEGUE_MODE_MAP) {
    segue_json_key (json, "isolate");
    segue_json_bool (json, stage->isolate);
    segue_json_key (json, "time_limit");
    segue_json_double (json, stage->time_limit);
  }
  if (stage->seed != SEGUE_UNSET_INT) {
    segue_json_key (json, "seed");
    segue_json_uint (json, (guint64) stage->seed);
  }
  segue_json_key_string (json, "plugin", entry ? entry->plugin->name : NULL);
  segue_json_key_string (json, "plugin_version", entry ? entry->plugin->version : NULL);
  segue_json_key (json, "result_version");
  segue_json_uint (json, type->result_version);
  segue_json_key (json, "with");
  segue_params_write (json, type->params, stage->config, SEGUE_PARAMS_ALL);
  write_inputs (json, pipeline, stage);
  segue_json_key_open (json, "outputs", '{');
  for (guint i = 0; i < stage->n_outputs; i++)
    segue_json_key_string (json, type->outputs[i]->name, segue_kind_to_string (stage->outputs[i]));
  segue_json_close (json, '{');
  segue_json_close (json, '{');
}

char *
segue_pipeline_describe (SeguePipeline *pipeline)
{
  SegueJson json;
  segue_json_init (&json, TRUE);
  segue_json_open (&json, '{');
  segue_json_key (&json, "segue");
  segue_json_int (&json, 1);
  segue_json_key_string (&json, "name", pipeline->name);
  g_autofree char *absolute = g_canonicalize_filename (pipeline->path, NULL);
  g_autofree char *path = segue_path_to_text (absolute);
  segue_json_key_string (&json, "file", path);
  segue_json_key (&json, "seed");
  segue_json_uint (&json, pipeline->seed);
  segue_json_key_string (&json, "on_error", pipeline->fail_on_error ? "fail" : "skip");
  segue_json_key (&json, "max_failures");
  if (pipeline->max_failures == G_MAXUINT)
    segue_json_null (&json);
  else
    segue_json_uint (&json, pipeline->max_failures);
  write_variables (&json, pipeline);
  segue_json_key_open (&json, "stages", '[');
  for (guint i = 0; i < pipeline->stages->len; i++)
    write_stage (&json, pipeline, g_ptr_array_index (pipeline->stages, i));
  segue_json_close (&json, '[');
  segue_json_close (&json, '{');
  return segue_json_finish (&json);
}
