/* JSON Schema (draft 2020-12) of pipeline files, from the tables: for editors that complete, explain
 * and check a pipeline while it is written. */
#include "describe/describe.h"
#include "graph/graph.h"
#include "graph/pipeline-private.h"
#include "registry/registry.h"
#include "yaml/json-node.h"
#include <string.h>

/* Every value may also be a variable. */
#define VARIABLE_PATTERN "^\\$\\{[a-z][a-z0-9_-]*\\}$"

static void write_value (SegueJson *json, const SegueParam *row);
static void write_object (SegueJson *json, const SegueParam *const *rows, const char *tag,
                          const char *name);

static gboolean
is_optional (const SegueParam *row)
{
  return (row->flags & SEGUE_PARAM_OPTIONAL) != 0 && row->type != SEGUE_PARAM_LIST;
}

/* "type": the given ones, string for a variable, null where the row may be unset. */
static void
write_types (SegueJson *json, const SegueParam *row, const char *first, const char *second)
{
  segue_json_key_open (json, "type", '[');
  segue_json_string (json, first);
  if (second)
    segue_json_string (json, second);
  segue_json_string (json, "string");
  if (is_optional (row))
    segue_json_string (json, "null");
  segue_json_close (json, '[');
  segue_json_key_string (json, "pattern", VARIABLE_PATTERN);
}

/* A whole number that does not fit into the field is refused, even where the row has no bounds. */
static void
write_limits_of_integers (SegueJson *json, const SegueParam *row)
{
  gboolean open = row->min == 0 && row->max == 0;
  if (open || row->min <= (double) G_MININT64) {
    segue_json_key (json, "minimum");
    segue_json_int (json, G_MININT64 + 1);
  }
  if (open || row->max >= (double) G_MAXINT64) {
    segue_json_key (json, "maximum");
    segue_json_int (json, G_MAXINT64);
  }
}

static void
write_bounds (SegueJson *json, const SegueParam *row)
{
  if (row->min == 0 && row->max == 0)
    return;
  if (isfinite (row->min) && row->min > (double) G_MININT64) {
    segue_json_key (json, "minimum");
    segue_json_double (json, row->min);
  }
  if (isfinite (row->max) && row->max < (double) G_MAXINT64) {
    segue_json_key (json, "maximum");
    segue_json_double (json, row->max);
  }
}

static void
write_range (SegueJson *json, const SegueParam *row)
{
  SegueParam end = *row;
  end.flags = 0;
  write_types (json, row, "array", "number");
  write_bounds (json, row);
  segue_json_key_open (json, "items", '{');
  write_types (json, &end, "number", NULL);
  write_bounds (json, row);
  segue_json_close (json, '{');
  segue_json_key (json, "minItems");
  segue_json_int (json, 2);
  segue_json_key (json, "maxItems");
  segue_json_int (json, 2);
}

static void
write_list (SegueJson *json, const SegueParam *row)
{
  SegueParam element = segue_param_read (row->element);
  write_types (json, row, "array", NULL);
  segue_json_key (json, "minItems");
  segue_json_uint (json, row->min_items);
  segue_json_key (json, "maxItems");
  segue_json_uint (json, segue_param_max_items (row));
  segue_json_key_open (json, "items", '{');
  write_value (json, &element);
  segue_json_close (json, '{');
}

static void
open_any_of (SegueJson *json, const SegueParam *row)
{
  segue_json_key_open (json, "anyOf", '[');
  segue_json_open (json, '{');
  segue_json_key_string (json, "type", "string");
  segue_json_key_string (json, "pattern", VARIABLE_PATTERN);
  segue_json_close (json, '{');
  if (!is_optional (row))
    return;
  segue_json_open (json, '{');
  segue_json_key_string (json, "type", "null");
  segue_json_close (json, '{');
}

static void
write_choice (SegueJson *json, const SegueParam *row)
{
  open_any_of (json, row);
  segue_json_open (json, '{');
  segue_json_key_open (json, "enum", '[');
  for (guint i = 0; row->choices[i]; i++)
    segue_json_string (json, row->choices[i]);
  segue_json_close (json, '[');
  segue_json_close (json, '{');
  segue_json_close (json, '[');
}

static gboolean
has_required (const SegueParam *const *rows)
{
  for (; rows && *rows; rows++) {
    SegueParam row = segue_param_read (*rows);
    if (segue_param_is_required (&row))
      return TRUE;
  }
  return FALSE;
}

/* A map; or only the value of its first key, if that is enough. */
static void
write_record (SegueJson *json, const SegueParam *row)
{
  const SegueParam *const *rows = row->group->params;
  gboolean is_short = segue_params_have_short_form (rows);
  if (is_short) {
    SegueParam first = segue_param_read (rows[0]);
    segue_json_key_open (json, "anyOf", '[');
    segue_json_open (json, '{');
    write_value (json, &first);
    segue_json_close (json, '{');
    segue_json_open (json, '{');
  }
  write_types (json, row, "object", NULL);
  write_object (json, rows, NULL, NULL);
  if (is_short) {
    segue_json_close (json, '{');
    segue_json_close (json, '[');
  }
}

static void
write_variant (SegueJson *json, const SegueParam *row)
{
  open_any_of (json, row);
  segue_json_open (json, '{');
  segue_json_key_open (json, "enum", '[');
  for (const SegueParamGroup *const *one = row->cases; *one; one++)
    if (!has_required ((*one)->params))
      segue_json_string (json, (*one)->name);
  segue_json_close (json, '[');
  segue_json_close (json, '{');
  for (const SegueParamGroup *const *one = row->cases; *one; one++) {
    segue_json_open (json, '{');
    segue_json_key_string (json, "type", "object");
    if ((*one)->doc)
      segue_json_key_string (json, "description", (*one)->doc);
    write_object (json, (*one)->params, row->tag, (*one)->name);
    segue_json_close (json, '{');
  }
  segue_json_close (json, '[');
}

static void
write_value (SegueJson *json, const SegueParam *row)
{
  switch (row->type) {
  case SEGUE_PARAM_BOOL:
    write_types (json, row, "boolean", NULL);
    break;
  case SEGUE_PARAM_INT:
    write_types (json, row, "integer", NULL);
    write_bounds (json, row);
    write_limits_of_integers (json, row);
    break;
  case SEGUE_PARAM_DOUBLE:
    write_types (json, row, "number", NULL);
    write_bounds (json, row);
    break;
  case SEGUE_PARAM_CHOICE:
    write_choice (json, row);
    break;
  case SEGUE_PARAM_RANGE:
    write_range (json, row);
    break;
  case SEGUE_PARAM_LIST:
    write_list (json, row);
    break;
  case SEGUE_PARAM_RECORD:
    write_record (json, row);
    break;
  case SEGUE_PARAM_VARIANT:
    write_variant (json, row);
    break;
  case SEGUE_PARAM_MODEL:
    segue_json_key_string (json, "$ref", "#/$defs/model");
    break;
  default:
    /* Text needs no quotes, even where it looks like a number: `label: 1984`. */
    segue_json_key_open (json, "type", '[');
    segue_json_string (json, "string");
    segue_json_string (json, "number");
    segue_json_string (json, "boolean");
    if (is_optional (row))
      segue_json_string (json, "null");
    segue_json_close (json, '[');
    if (row->type != SEGUE_PARAM_STRING) {
      segue_json_key (json, "minLength");
      segue_json_int (json, 1);
    }
  }
}

static void
write_row (SegueJson *json, const SegueParam *row)
{
  g_autofree char *words = segue_param_value_words (row);
  g_autofree char *description = g_strdup_printf ("%s\n\n%s", row->doc ? row->doc : "", words);
  segue_json_key_open (json, row->name, '{');
  segue_json_key_string (json, "description", row->doc ? description : words);
  if (row->def) {
    segue_json_key (json, "default");
    segue_json_yaml (json, row->def);
  }
  write_value (json, row);
  segue_json_close (json, '{');
}

/* The keys of an object schema for @rows, with the constant @name under @tag where there is one. */
static void
write_object (SegueJson *json, const SegueParam *const *rows, const char *tag, const char *name)
{
  segue_json_key (json, "additionalProperties");
  segue_json_bool (json, FALSE);
  if (tag || has_required (rows)) {
    segue_json_key_open (json, "required", '[');
    if (tag)
      segue_json_string (json, tag);
    for (const SegueParam *const *one = rows; one && *one; one++)
      if (has_required ((const SegueParam *const[]){ *one, NULL }))
        segue_json_string (json, (*one)->name);
    segue_json_close (json, '[');
  }
  segue_json_key_open (json, "properties", '{');
  if (tag) {
    segue_json_key_open (json, tag, '{');
    segue_json_key_string (json, "const", name);
    segue_json_close (json, '{');
  }
  for (; rows && *rows; rows++) {
    SegueParam row = segue_param_read (*rows);
    write_row (json, &row);
  }
  segue_json_close (json, '{');
}

static void
write_models (SegueJson *json, SegueRegistry *registry)
{
  g_autoptr (GPtrArray) models = segue_registry_list_models (registry);
  SegueParam any = { 0 };
  segue_json_key_open (json, "model", '{');
  open_any_of (json, &any);
  segue_json_open (json, '{');
  segue_json_key_open (json, "enum", '[');
  for (guint i = 0; i < models->len; i++)
    segue_json_string (json, ((const SegueModelType *) g_ptr_array_index (models, i))->name);
  segue_json_close (json, '[');
  segue_json_close (json, '{');
  for (guint i = 0; i < models->len; i++) {
    const SegueModelType *type = g_ptr_array_index (models, i);
    segue_json_open (json, '{');
    segue_json_key_string (json, "type", "object");
    segue_json_key_string (json, "description", type->summary);
    write_object (json, type->params, "use", type->name);
    segue_json_close (json, '{');
  }
  segue_json_close (json, '[');
  segue_json_close (json, '{');
}

static void
write_refused (SegueJson *json, const char *key)
{
  segue_json_key (json, key);
  segue_json_bool (json, FALSE);
}

static void
write_not_true (SegueJson *json, const char *key)
{
  segue_json_key_open (json, key, '{');
  segue_json_key_open (json, "not", '{');
  segue_json_key (json, "const");
  segue_json_bool (json, TRUE);
  segue_json_close (json, '{');
  segue_json_close (json, '{');
}

static gboolean
takes_several (const SegueStageType *type)
{
  for (guint i = 0; type->inputs[i]; i++)
    if (type->inputs[i]->flags & SEGUE_PORT_SEVERAL)
      return TRUE;
  return FALSE;
}

static const char one_producer[] =
  "{\"type\": [\"string\", \"object\"], \"additionalProperties\": {\"type\": [\"string\", \"null\"]}}";
/* Not which of the inputs it is. */
static const char several_producers[] =
  "{\"type\": [\"array\", \"object\"], \"minItems\": 2, \"uniqueItems\": true, "
  "\"additionalProperties\": {\"minItems\": 2, \"uniqueItems\": true}}";

static void
write_from (SegueJson *json, const SegueStageType *type)
{
  if (!type->inputs || !type->inputs[0]) {
    write_refused (json, "from");
    return;
  }
  g_autoptr (SegueNode) form =
    segue_node_parse (takes_several (type) ? several_producers : one_producer, -1, "from", NULL);
  segue_json_key (json, "from");
  segue_json_node (json, form);
}

/* Settings for stages of one mode, and the inputs that `from` may name. */
static void
write_settings_of (SegueJson *json, const SegueStageType *type)
{
  gboolean map = type->mode == SEGUE_MODE_MAP;
  if (!map || (type->flags & SEGUE_STAGE_LIVE))
    write_not_true (json, "cache");
  if (!segue_stage_type_makes_copies (type))
    write_refused (json, "copies");
  if (!map) {
    write_not_true (json, "isolate");
    write_refused (json, "time_limit");
  }
  if (!(type->flags & SEGUE_STAGE_SEEDED) && type->mode != SEGUE_MODE_SOURCE)
    write_refused (json, "seed");
  write_from (json, type);
}

/* The branch of a stage's schema that applies once its type is known. */
static void
write_branch (SegueJson *json, const SegueStageType *type)
{
  g_autofree char *reference = g_strdup_printf ("#/$defs/with-%s", type->name);
  segue_json_open (json, '{');
  segue_json_key_open (json, "if", '{');
  segue_json_key_open (json, "required", '[');
  segue_json_string (json, "use");
  segue_json_close (json, '[');
  segue_json_key_open (json, "properties", '{');
  segue_json_key_open (json, "use", '{');
  segue_json_key_string (json, "const", type->name);
  segue_json_close (json, '{');
  segue_json_close (json, '{');
  segue_json_close (json, '{');
  segue_json_key_open (json, "then", '{');
  if (has_required (type->params)) {
    segue_json_key_open (json, "required", '[');
    segue_json_string (json, "with");
    segue_json_close (json, '[');
  }
  segue_json_key_open (json, "properties", '{');
  segue_json_key_open (json, "with", '{');
  segue_json_key_string (json, "$ref", reference);
  segue_json_close (json, '{');
  write_settings_of (json, type);
  segue_json_close (json, '{');
  segue_json_close (json, '{');
  segue_json_close (json, '{');
}

static void
write_use (SegueJson *json, GPtrArray *stages)
{
  segue_json_key_open (json, "use", '{');
  segue_json_key_string (json, "description", "The stage type: what this stage does.");
  segue_json_key_open (json, "enum", '[');
  for (guint i = 0; i < stages->len; i++)
    segue_json_string (json, ((const SegueStageType *) g_ptr_array_index (stages, i))->name);
  segue_json_close (json, '[');
  /* Editors show these next to each completion; validators ignore them. */
  segue_json_key_open (json, "enumDescriptions", '[');
  for (guint i = 0; i < stages->len; i++)
    segue_json_string (json, ((const SegueStageType *) g_ptr_array_index (stages, i))->summary);
  segue_json_close (json, '[');
  segue_json_close (json, '{');
}

/* The keys of a stage that are the same for every type. */
static const char stage_keys[] =
  "{\"id\": {\"description\": \"Name of this stage in the pipeline. Default: its type.\", "
  "\"type\": [\"string\", \"boolean\"], \"pattern\": \"^[a-z][a-z0-9-]{0,63}$|[$][{]\"}, "
  "\"from\": {\"description\": \"Where its inputs come from, if not from the nearest earlier stage "
  "that fits: a stage's id, or a map of input: id; a list of ids for inputs that take several.\", "
  "\"anyOf\": [{\"type\": \"string\"}, {\"type\": \"array\", \"items\": {\"type\": \"string\"}}, "
  "{\"type\": \"object\", \"additionalProperties\": {\"type\": [\"string\", \"array\", \"null\"], "
  "\"items\": {\"type\": \"string\"}}}]}, "
  "\"with\": {\"description\": \"Its parameters.\", \"type\": [\"object\", \"null\"]}}";

static void
write_stage (SegueJson *json, GPtrArray *stages)
{
  g_autoptr (SegueNode) keys = segue_node_parse (stage_keys, -1, "stage", NULL);
  segue_json_key_open (json, "stage", '{');
  segue_json_key_string (json, "type", "object");
  segue_json_key (json, "additionalProperties");
  segue_json_bool (json, FALSE);
  segue_json_key_open (json, "required", '[');
  segue_json_string (json, "use");
  segue_json_close (json, '[');
  segue_json_key_open (json, "properties", '{');
  write_use (json, stages);
  for (guint i = 0; i < keys->keys->len; i++) {
    segue_json_key (json, ((const SegueNode *) g_ptr_array_index (keys->keys, i))->text);
    segue_json_node (json, g_ptr_array_index (keys->values, i));
  }
  for (const SegueParam *const *one = segue_stage_settings; *one; one++) {
    SegueParam row = segue_param_read (*one);
    write_row (json, &row);
  }
  segue_json_close (json, '{');
  segue_json_key_open (json, "allOf", '[');
  for (guint i = 0; i < stages->len; i++)
    write_branch (json, g_ptr_array_index (stages, i));
  segue_json_close (json, '[');
  segue_json_close (json, '{');
}

static void
write_definitions (SegueJson *json, SegueRegistry *registry)
{
  g_autoptr (GPtrArray) stages = segue_registry_list_stages (registry);
  segue_json_key_open (json, "$defs", '{');
  write_stage (json, stages);
  write_models (json, registry);
  for (guint i = 0; i < stages->len; i++) {
    const SegueStageType *type = g_ptr_array_index (stages, i);
    g_autofree char *name = g_strdup_printf ("with-%s", type->name);
    segue_json_key_open (json, name, '{');
    segue_json_key_string (json, "description", type->summary);
    segue_json_key_open (json, "type", '[');
    segue_json_string (json, "object");
    if (!has_required (type->params))
      segue_json_string (json, "null");
    segue_json_close (json, '[');
    write_object (json, type->params, NULL, NULL);
    segue_json_close (json, '{');
  }
  segue_json_close (json, '{');
}

static const char lists_of_root[] =
  "{\"vars\": {\"description\": \"Variables, used as ${name}; the command line can set them.\", "
  "\"type\": [\"object\", \"null\"], \"propertyNames\": {\"pattern\": \"^[a-z][a-z0-9_-]{0,63}$\", "
  "\"not\": {\"enum\": [\"segue\", "
  "\"name\", \"seed\", \"on_error\", \"max_failures\", \"vars\", \"stages\"]}}}, "
  "\"stages\": {\"description\": \"The stages, in order.\", \"type\": \"array\", \"minItems\": 1, "
  "\"maxItems\": 256, \"items\": {\"$ref\": \"#/$defs/stage\"}}}";

/* Two of them are checked beyond their rows: the version is not computed, and a name is an id. */
static void
write_setting (SegueJson *json, const SegueParam *row)
{
  gboolean version = strcmp (row->name, "segue") == 0;
  if (!version && strcmp (row->name, "name") != 0) {
    write_row (json, row);
    return;
  }
  segue_json_key_open (json, row->name, '{');
  segue_json_key_string (json, "description", row->doc);
  if (version) {
    segue_json_key (json, "const");
    segue_json_int (json, 1);
  } else {
    segue_json_key_open (json, "type", '[');
    segue_json_string (json, "string");
    segue_json_string (json, "boolean");
    segue_json_string (json, "null");
    segue_json_close (json, '[');
    segue_json_key_string (json, "pattern", "^[a-z][a-z0-9-]{0,63}$|[$][{]");
  }
  segue_json_close (json, '{');
}

char *
segue_schema_pipeline (SegueRegistry *registry)
{
  g_autoptr (SegueNode) lists = segue_node_parse (lists_of_root, -1, "root", NULL);
  SegueJson json;
  segue_json_init (&json, TRUE);
  segue_json_open (&json, '{');
  segue_json_key_string (&json, "$schema", "https://json-schema.org/draft/2020-12/schema");
  segue_json_key_string (&json, "title", "segue pipeline");
  segue_json_key_string (&json, "type", "object");
  segue_json_key (&json, "additionalProperties");
  segue_json_bool (&json, FALSE);
  segue_json_key_open (&json, "required", '[');
  segue_json_string (&json, "segue");
  segue_json_string (&json, "stages");
  segue_json_close (&json, '[');
  segue_json_key_open (&json, "properties", '{');
  for (const SegueParam *const *one = segue_pipeline_settings; *one; one++) {
    SegueParam row = segue_param_read (*one);
    write_setting (&json, &row);
  }
  for (guint i = 0; i < lists->keys->len; i++) {
    segue_json_key (&json, ((const SegueNode *) g_ptr_array_index (lists->keys, i))->text);
    segue_json_node (&json, g_ptr_array_index (lists->values, i));
  }
  segue_json_close (&json, '{');
  write_definitions (&json, registry);
  segue_json_close (&json, '{');
  return segue_json_finish (&json);
}
