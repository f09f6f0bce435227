/* `segue inspect --json`: types as data, for programs that show forms or check pipelines. */
#include "describe/describe.h"
#include "graph/graph.h"
#include "params/params-paths.h"
#include "yaml/json-node.h"
#include <string.h>

static const char *
type_name (SegueParamType type)
{
  static const char *const names[] = {
    [SEGUE_PARAM_BOOL] = "bool",
    [SEGUE_PARAM_INT] = "int",
    [SEGUE_PARAM_DOUBLE] = "double",
    [SEGUE_PARAM_STRING] = "string",
    [SEGUE_PARAM_CHOICE] = "choice",
    [SEGUE_PARAM_RANGE] = "range",
    [SEGUE_PARAM_LIST] = "list",
    [SEGUE_PARAM_RECORD] = "record",
    [SEGUE_PARAM_VARIANT] = "variant",
    [SEGUE_PARAM_INPUT_PATH] = "input-path",
    [SEGUE_PARAM_OUTPUT_PATH] = "output-path",
    [SEGUE_PARAM_MODEL_REF] = "model-ref",
    [SEGUE_PARAM_MODEL] = "model",
  };
  return names[type];
}

static void write_rows (SegueJson *json, const SegueParam *const *rows);

static void
write_bounds (SegueJson *json, const SegueParam *row)
{
  if (row->min == 0 && row->max == 0)
    return;
  if (isfinite (row->min)) {
    segue_json_key (json, "min");
    segue_json_double (json, row->min);
  }
  if (isfinite (row->max)) {
    segue_json_key (json, "max");
    segue_json_double (json, row->max);
  }
}

static void
write_cases (SegueJson *json, const SegueParam *row)
{
  segue_json_key_string (json, "tag", row->tag);
  segue_json_key_open (json, "cases", '[');
  for (const SegueParamGroup *const *one = row->cases; *one; one++) {
    segue_json_open (json, '{');
    segue_json_key_string (json, "name", (*one)->name);
    segue_json_key_string (json, "doc", (*one)->doc);
    write_rows (json, (*one)->params);
    segue_json_close (json, '{');
  }
  segue_json_close (json, '[');
}

/* The rules for a value, without its name and default: of a row, or of a list's members. */
static void
write_value_rules (SegueJson *json, const SegueParam *row)
{
  segue_json_key_string (json, "type", type_name (row->type));
  write_bounds (json, row);
  if (row->unit)
    segue_json_key_string (json, "unit", row->unit);
  if (row->type == SEGUE_PARAM_CHOICE) {
    segue_json_key_open (json, "choices", '[');
    for (guint i = 0; row->choices[i]; i++)
      segue_json_string (json, row->choices[i]);
    segue_json_close (json, '[');
  }
  if (row->type == SEGUE_PARAM_LIST) {
    SegueParam element = segue_param_read (row->element);
    segue_json_key (json, "min_items");
    segue_json_uint (json, row->min_items);
    segue_json_key (json, "max_items");
    segue_json_uint (json, segue_param_max_items (row));
    segue_json_key_open (json, "element", '{');
    write_value_rules (json, &element);
    segue_json_close (json, '{');
  }
  if (row->type == SEGUE_PARAM_RECORD)
    write_rows (json, row->group->params);
  if (row->type == SEGUE_PARAM_VARIANT)
    write_cases (json, row);
}

static void
write_row (SegueJson *json, const SegueParam *row)
{
  segue_json_open (json, '{');
  segue_json_key_string (json, "name", row->name);
  segue_json_key_string (json, "doc", row->doc);
  write_value_rules (json, row);
  if (row->def) {
    segue_json_key (json, "default");
    segue_json_yaml (json, row->def);
  }
  gboolean optional = row->def || (row->flags & SEGUE_PARAM_OPTIONAL) != 0;
  segue_json_key (json, "required");
  segue_json_bool (json, !optional && row->type != SEGUE_PARAM_RECORD);
  segue_json_key (json, "volatile");
  segue_json_bool (json, (row->flags & SEGUE_PARAM_VOLATILE) != 0);
  segue_json_close (json, '{');
}

static void
write_rows (SegueJson *json, const SegueParam *const *rows)
{
  segue_json_key_open (json, "params", '[');
  for (; rows && *rows; rows++) {
    SegueParam row = segue_param_read (*rows);
    write_row (json, &row);
  }
  segue_json_close (json, '[');
}

static void
write_plugin (SegueJson *json, const SeguePluginEntry *entry)
{
  g_autofree char *path = segue_path_to_text (entry->path);
  segue_json_open (json, '{');
  segue_json_key_string (json, "path", path);
  if (entry->plugin) {
    segue_json_key_string (json, "name", entry->plugin->name);
    segue_json_key_string (json, "version", entry->plugin->version);
    segue_json_key_string (json, "licence", entry->plugin->licence);
  } else {
    segue_json_key_string (json, "refusal", entry->refusal);
  }
  segue_json_close (json, '{');
}

static void
write_ports (SegueJson *json, const char *key, const SeguePort *const *ports)
{
  segue_json_key_open (json, key, '[');
  for (; ports && *ports; ports++) {
    segue_json_open (json, '{');
    segue_json_key_string (json, "name", (*ports)->name);
    segue_json_key_string (
      json, "kind",
      (*ports)->kind == SEGUE_KIND_ANY ? "any" : segue_kind_to_string ((*ports)->kind));
    segue_json_key (json, "optional");
    segue_json_bool (json, ((*ports)->flags & SEGUE_PORT_OPTIONAL) != 0);
    segue_json_key (json, "live");
    segue_json_bool (json, ((*ports)->flags & SEGUE_PORT_LIVE) != 0);
    segue_json_key (json, "several");
    segue_json_bool (json, ((*ports)->flags & SEGUE_PORT_SEVERAL) != 0);
    segue_json_key_string (json, "doc", (*ports)->doc);
    segue_json_close (json, '{');
  }
  segue_json_close (json, '[');
}

static void
write_head (SegueJson *json, SegueRegistry *registry, gconstpointer type, const char *what,
            const char *name, const char *summary, const char *doc, guint result_version)
{
  segue_json_open (json, '{');
  segue_json_key_string (json, "what", what);
  segue_json_key_string (json, "name", name);
  segue_json_key_string (json, "summary", summary);
  segue_json_key_string (json, "doc", doc);
  segue_json_key (json, "result_version");
  segue_json_uint (json, result_version);
  segue_json_key (json, "plugin");
  write_plugin (json, segue_registry_get_plugin_of (registry, type));
}

static void
write_stage (SegueJson *json, SegueRegistry *registry, const SegueStageType *type)
{
  static const struct {
    guint flag;
    const char *name;
  } flags[] = { { SEGUE_STAGE_LIVE, "live" },
                { SEGUE_STAGE_PREPARE, "prepare" },
                { SEGUE_STAGE_SEEDED, "seeded" },
                { SEGUE_STAGE_ISOLATE, "isolate" },
                { SEGUE_STAGE_SHARED, "shared" } };
  write_head (json, registry, type, "stage", type->name, type->summary, type->doc,
              type->result_version);
  segue_json_key_string (json, "mode", segue_mode_to_string (type->mode));
  segue_json_key_open (json, "flags", '[');
  for (guint i = 0; i < G_N_ELEMENTS (flags); i++)
    if (type->flags & flags[i].flag)
      segue_json_string (json, flags[i].name);
  segue_json_close (json, '[');
  write_ports (json, "inputs", type->inputs);
  write_ports (json, "outputs", type->outputs);
  write_rows (json, type->params);
  segue_json_close (json, '{');
}

static void
write_number (SegueJson *json, const char *key, double value)
{
  segue_json_key (json, key);
  segue_json_double (json, value);
}

static void
write_recipe (SegueJson *json, const SegueRecipe *recipe)
{
  segue_json_key_open (json, "recipe", '{');
  write_number (json, "epochs", recipe->epochs);
  write_number (json, "batch", recipe->batch);
  write_number (json, "learning_rate", recipe->learning_rate);
  write_number (json, "weight_decay", recipe->weight_decay);
  write_number (json, "warmup", recipe->warmup);
  write_number (json, "label_smoothing", recipe->label_smoothing);
  write_number (json, "gradient_clip", recipe->gradient_clip);
  segue_json_key_string (json, "schedule", segue_schedule_get_name (recipe->schedule));
  segue_json_close (json, '{');
}

static void
write_model (SegueJson *json, SegueRegistry *registry, const SegueModelType *type)
{
  write_head (json, registry, type, "model", type->name, type->summary, type->doc,
              type->result_version);
  segue_json_key (json, "encoder");
  segue_json_bool (json, type->encoder != NULL);
  if (type->recipe)
    segue_json_key_string (json, "takes", segue_kind_to_string (segue_model_type_takes (type)));
  if (type->recipe)
    write_recipe (json, type->recipe);
  write_rows (json, type->params);
  segue_json_close (json, '{');
}

static void
write_all (SegueJson *json, SegueRegistry *registry)
{
  g_autoptr (GPtrArray) stages = segue_registry_list_stages (registry);
  g_autoptr (GPtrArray) models = segue_registry_list_models (registry);
  g_autoptr (GPtrArray) plugins = segue_registry_list (registry);
  segue_json_open (json, '{');
  segue_json_key_open (json, "stages", '[');
  for (guint i = 0; i < stages->len; i++)
    write_stage (json, registry, g_ptr_array_index (stages, i));
  segue_json_close (json, '[');
  segue_json_key_open (json, "models", '[');
  for (guint i = 0; i < models->len; i++)
    write_model (json, registry, g_ptr_array_index (models, i));
  segue_json_close (json, '[');
  segue_json_key_open (json, "plugins", '[');
  for (guint i = 0; i < plugins->len; i++)
    write_plugin (json, g_ptr_array_index (plugins, i));
  segue_json_close (json, '[');
  segue_json_close (json, '{');
}

char *
segue_inspect_json (SegueRegistry *registry, const char *name, GError **error)
{
  const SegueStageType *stage = name ? segue_registry_find_stage (registry, name) : NULL;
  const SegueModelType *model = name ? segue_registry_find_model (registry, name) : NULL;
  if (name && !stage && !model) {
    segue_docs_unknown (registry, name, error);
    return NULL;
  }
  SegueJson json;
  segue_json_init (&json, TRUE);
  if (stage)
    write_stage (&json, registry, stage);
  else if (model)
    write_model (&json, registry, model);
  else
    write_all (&json, registry);
  return segue_json_finish (&json);
}
