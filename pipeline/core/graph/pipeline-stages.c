/* The stages of a pipeline file: types, ids, parameters and their overrides. */
#include "base/suggest.h"
#include "graph/pipeline-private.h"
#include "params/params.h"
#include "registry/registry.h"
#include <string.h>

#define ROW(...) SEGUE_PARAM (SegueStageSettings, __VA_ARGS__)

const SegueParam *const segue_stage_settings[] = {
  ROW (cache, SEGUE_PARAM_BOOL, .def = "false",
       .doc = "Also cache the output of this stage itself."),
  ROW (copies, SEGUE_PARAM_INT, .def = "1", .min = 0, .max = 1000,
       .doc = "Number of augmented copies of each item that this stage also processes and stores, "
              "if stages such as "
              "`augment` come before it. They are used for training only."),
  ROW (isolate, SEGUE_PARAM_BOOL, .flags = SEGUE_PARAM_OPTIONAL,
       .doc = "Run this stage in separate processes, so that a song that makes it crash or hang "
              "affects no other song. Default: true for stages that read files of any kind."),
  ROW (time_limit, SEGUE_PARAM_DOUBLE, .def = "300", .min = 0.1, .max = 86400, .unit = "s",
       .doc = "Time limit of an isolated stage per song. A song that exceeds it fails."),
  ROW (seed, SEGUE_PARAM_INT, .flags = SEGUE_PARAM_OPTIONAL, .min = 0, .max = (double) G_MAXINT64,
       .doc =
         "Gives this stage different random numbers. Without it, equal stages give equal results."),
  NULL,
};

static const char *const stage_keys[] = { "id",     "use",     "with",       "from", "cache",
                                          "copies", "isolate", "time_limit", "seed", NULL };

/* Names of a stage's keys in other programs. */
static const char *
find_usual_key (const char *key)
{
  static const struct {
    const char *key, *usual;
  } words[] = {
    { "type", "use" },    { "stage", "use" },       { "uses", "use" },
    { "plugin", "use" },  { "step", "use" },        { "params", "with" },
    { "config", "with" }, { "parameters", "with" }, { "options", "with" },
    { "args", "with" },   { "settings", "with" },   { "name", "id" },
    { "input", "from" },  { "inputs", "from" },     { "source", "from" },
    { "after", "from" },  { "needs", "from" },      { "depends_on", "from" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (!g_ascii_strcasecmp (words[i].key, key))
      return words[i].usual;
  return NULL;
}

/* A key that no stage has: often a parameter next to `with` instead of in it. */
static gboolean
refuse_key (SegueLoading *loading, const SegueNode *stage, const SegueNode *key)
{
  const SegueNode *use = segue_node_get (stage, "use");
  const SegueStageType *type =
    use && use->type == SEGUE_NODE_SCALAR
      ? segue_registry_find_stage (loading->pipeline->registry, use->text)
      : NULL;
  for (const SegueParam *const *row = type ? type->params : NULL; row && *row; row++)
    if (!strcmp ((*row)->name, key->text))
      return segue_node_error (key, loading->error,
                               "stage: '%s' is a parameter of '%s'; write with: { %s: … }",
                               key->text, type->name, key->text);
  const char *usual = find_usual_key (key->text);
  if (usual && !segue_node_get (stage, usual))
    return segue_node_error (key, loading->error, "stage: unknown key '%s'; did you mean '%s'?",
                             key->text, usual);
  return segue_loading_refuse_key (loading, key, stage_keys, "stage: ");
}

static gboolean
check_keys (SegueLoading *loading, const SegueNode *stage)
{
  for (guint i = 0; i < stage->keys->len; i++) {
    const SegueNode *key = g_ptr_array_index (stage->keys, i);
    if (!g_strv_contains (stage_keys, key->text) && !refuse_key (loading, stage, key) &&
        !segue_loading_goes_on (loading))
      return FALSE;
  }
  return TRUE;
}

/* Whether a refused key was meant as @key. */
static gboolean
is_meant (const SegueNode *stage, const char *key)
{
  for (guint i = 0; i < stage->keys->len; i++)
    if (!g_strcmp0 (find_usual_key (((SegueNode *) g_ptr_array_index (stage->keys, i))->text), key))
      return TRUE;
  return FALSE;
}

static const SegueStageType *
find_type (SegueLoading *loading, const SegueNode *stage)
{
  SegueRegistry *registry = loading->pipeline->registry;
  const SegueNode *use = segue_node_get (stage, "use");
  /* Already reported. */
  if (!use && loading->problems && is_meant (stage, "use"))
    return NULL;
  if (!use || use->type != SEGUE_NODE_SCALAR) {
    segue_node_error (use ? use : stage, loading->error,
                      "a stage needs 'use: TYPE', such as use: decode");
    return NULL;
  }
  const SegueStageType *type = segue_registry_find_stage (registry, use->text);
  if (type || !segue_registry_check_whole (registry, loading->error))
    return type;
  g_autoptr (GPtrArray) names = segue_registry_stage_names (registry);
  g_autofree char *near = segue_suggest (use->text, (const char *const *) names->pdata);
  g_autofree char *refusal = segue_registry_refusal_of (registry, use->text);
  g_autofree char *why = segue_registry_explain_missing (registry, use->text);
  g_autofree char *shown = segue_node_shown (use);
  if (refusal)
    segue_node_error (use, loading->error, "no stage type '%s'; %s", shown, refusal);
  else if (near)
    segue_node_error (use, loading->error, "no stage type '%s'; did you mean '%s'?", shown, near);
  else if (!g_str_is_ascii (use->text))
    segue_node_error (use, loading->error,
                      "no stage type '%s'; it contains characters other than [a-z0-9-], such as a "
                      "typographic quote: remove them",
                      shown);
  else if (names->len == 1)
    segue_node_error (use, loading->error,
                      "no stage type '%s': no plugin was found; %s; $SEGUE_PLUGIN_PATH names their "
                      "folders",
                      shown, why);
  else
    segue_node_error (use, loading->error, "no stage type '%s'; %s; segue inspect lists them",
                      shown, why);
  return NULL;
}

/* The id of @stage: `id:`, else its type. */
static const char *
find_id (SegueLoading *loading, const SegueNode *stage, const SegueStageType *type)
{
  const SegueNode *id = segue_node_get (stage, "id");
  if (!id)
    return type->name;
  if (id->type == SEGUE_NODE_SCALAR && segue_name_is_valid (id->text, FALSE))
    return id->text;
  g_autofree char *shown = segue_node_shown (id);
  g_autofree char *name = id->type == SEGUE_NODE_SCALAR ? segue_name_from (id->text) : NULL;
  segue_node_error (id, loading->error, "id %s: an id is [a-z][a-z0-9-]*; write %s", shown,
                    name ? name : type->name);
  return NULL;
}

static gboolean
check_id (SegueLoading *loading, GHashTable *ids, const char *id, SegueNode *stage)
{
  const SegueNode *first = g_hash_table_lookup (ids, id);
  if (!first) {
    g_hash_table_insert (ids, (gpointer) id, stage);
    return TRUE;
  }
  const SegueNode *at = segue_node_get (stage, "id");
  return segue_node_error (at ? at : stage, loading->error,
                           "two stages have the id '%s' (first in line %u); give this one another "
                           "id: …",
                           id, first->line);
}

static gboolean
override_stage (SegueLoading *loading, const char *id, SegueNode *stage, const SegueStageType *type,
                gboolean *applied)
{
  gsize length = strlen (id);
  for (guint i = 0; i < loading->overrides->len; i++) {
    const SegueOverride *override = g_ptr_array_index (loading->overrides, i);
    if (strncmp (override->key, id, length) || override->key[length] != '.')
      continue;
    applied[i] = TRUE;
    if (!segue_override_apply (override, override->key + length + 1, stage,
                               loading->pipeline->registry, type, loading->error))
      return FALSE;
  }
  return TRUE;
}

/* Only the stage's settings, to check them against their table. */
static SegueNode *
copy_settings (const SegueNode *node)
{
  SegueNode *map = segue_node_new (SEGUE_NODE_MAP, node);
  SegueNodeBudget budget = SEGUE_NODE_BUDGET;
  for (const SegueParam *const *row = segue_stage_settings; *row; row++) {
    const SegueNode *value = segue_node_get (node, (*row)->name);
    if (value)
      segue_node_set (map, (*row)->name, segue_node_copy (value, 0, &budget));
  }
  return map;
}

/* Whether settings for stages of one mode are used only at such a stage. */
static gboolean
check_settings (SegueLoading *loading, const SegueNode *node, const SegueStageSettings *settings,
                const SegueGraphStage *stage)
{
  gboolean map = stage->type->mode == SEGUE_MODE_MAP;
  gboolean live = (stage->type->flags & SEGUE_STAGE_LIVE) != 0;
  if (settings->cache && (!map || live))
    return segue_node_error (segue_node_get (node, "cache"), loading->error,
                             "stage '%s': cache is for stages that turn one item into others and "
                             "store them; remove it",
                             stage->id);
  const SegueNode *copies = segue_node_get (node, "copies");
  if (copies && !segue_stage_type_makes_copies (stage->type))
    return segue_node_error (copies, loading->error,
                             "stage '%s': '%s' stores no augmented copies; remove copies",
                             stage->id, stage->type->name);
  const SegueNode *seed = segue_node_get (node, "seed");
  if (seed && !(stage->type->flags & SEGUE_STAGE_SEEDED) && stage->type->mode != SEGUE_MODE_SOURCE)
    return segue_node_error (seed, loading->error,
                             "stage '%s': '%s' draws no random numbers; remove seed", stage->id,
                             stage->type->name);
  const SegueNode *isolate = segue_node_get (node, "isolate");
  const SegueNode *limit = segue_node_get (node, "time_limit");
  if (!map && (settings->isolate == TRUE || limit))
    return segue_node_error (settings->isolate == TRUE ? isolate : limit, loading->error,
                             "stage '%s': %s is for stages that take one item at a time; remove it",
                             stage->id, settings->isolate == TRUE ? "isolate" : "time_limit");
  const SeguePluginEntry *entry =
    segue_registry_get_plugin_of (loading->pipeline->registry, stage->type);
  if (settings->isolate == TRUE && !g_path_is_absolute (entry->path))
    return segue_node_error (isolate, loading->error,
                             "stage '%s': '%s' is part of this program and can't run in a separate "
                             "process; remove isolate",
                             stage->id, stage->type->name);
  return TRUE;
}

static gboolean
read_settings (SegueLoading *loading, const SegueNode *node, SegueGraphStage *stage)
{
  g_autoptr (SegueNode) map = copy_settings (node);
  g_autofree char *where = g_strdup_printf ("stage '%s': ", stage->id);
  SegueStageSettings settings = { 0 };
  SegueParamScope scope = { .where = where, .at = map, .problems = loading->problems };
  if (!segue_params_parse (segue_stage_settings, map, &settings, &scope, loading->error) ||
      !check_settings (loading, node, &settings, stage))
    return FALSE;
  stage->cache = settings.cache;
  stage->copies = (guint) settings.copies;
  stage->seed = settings.seed;
  segue_graph_stage_isolate (stage, settings.isolate != -1 ? settings.isolate : stage->isolate,
                             settings.time_limit);
  return TRUE;
}

/* A node that is not a stage. */
static gboolean
refuse_node (SegueLoading *loading, const SegueNode *node)
{
  const char *text = node->type == SEGUE_NODE_SCALAR ? node->text : "";
  if (g_str_has_prefix (text, "use:"))
    return segue_node_error (node, loading->error,
                             "a stage is a map: write - use: TYPE, with a plain space after use:");
  g_autofree char *shown = segue_node_shown (node);
  gboolean is_type = segue_registry_find_stage (loading->pipeline->registry, text) != NULL;
  return segue_node_error (node, loading->error, "a stage is a map, got %s; write - use: %s", shown,
                           is_type ? text : "TYPE");
}

static gboolean
add_stage (SegueLoading *loading, SegueNode *node, GHashTable *ids, gboolean *applied)
{
  SeguePipeline *pipeline = loading->pipeline;
  if (node->type != SEGUE_NODE_MAP)
    return refuse_node (loading, node);
  if (!check_keys (loading, node))
    return FALSE;
  const SegueStageType *type = find_type (loading, node);
  const char *id = type ? find_id (loading, node, type) : NULL;
  if (!id || !check_id (loading, ids, id, node) ||
      !override_stage (loading, id, node, type, applied))
    return FALSE;
  SegueGraphStage *stage =
    segue_graph_stage_new_at (pipeline->registry, type, id, segue_node_get (node, "with"),
                              loading->folder, node, loading->problems, loading->error);
  if (!stage) {
    g_ptr_array_add (pipeline->stages, segue_graph_stage_new_faulty (type, id, node));
    return FALSE;
  }
  g_ptr_array_add (pipeline->stages, stage);
  return read_settings (loading, node, stage);
}

/* The id of the first stage of type @name; NULL: there is none. */
static const char *
find_id_of_type (const SeguePipeline *pipeline, const char *name)
{
  for (guint i = 0; i < pipeline->stages->len; i++) {
    const SegueGraphStage *stage = g_ptr_array_index (pipeline->stages, i);
    if (strcmp (stage->type->name, name) == 0)
      return stage->id;
  }
  return NULL;
}

static gboolean
refuse_override (SegueLoading *loading, const SegueOverride *override)
{
  g_autoptr (GPtrArray) ids = g_ptr_array_new ();
  for (guint i = 0; i < loading->pipeline->stages->len; i++)
    g_ptr_array_add (ids,
                     ((SegueGraphStage *) g_ptr_array_index (loading->pipeline->stages, i))->id);
  g_ptr_array_add (ids, NULL);
  const char *dot = strchr (override->key, '.');
  g_autofree char *id = g_strndup (override->key, (gsize) (dot - override->key));
  const char *meant = find_id_of_type (loading->pipeline, id);
  if (meant)
    return segue_node_error (override->value, loading->error,
                             "no stage '%s'; the stage of that type is called '%s': --set %s%s", id,
                             meant, meant, dot);
  g_autofree char *near = segue_suggest (id, (const char *const *) ids->pdata);
  g_autofree char *list = g_strjoinv (", ", (char **) ids->pdata);
  if (near)
    return segue_node_error (override->value, loading->error, "no stage '%s'; did you mean '%s'?",
                             id, near);
  return segue_node_error (override->value, loading->error, "no stage '%s'; stages are: %s", id,
                           list);
}

/* An override whose stage does not exist would otherwise be silently lost. */
static gboolean
check_applied (SegueLoading *loading, const gboolean *applied)
{
  for (guint i = 0; i < loading->overrides->len; i++) {
    const SegueOverride *override = g_ptr_array_index (loading->overrides, i);
    if (strchr (override->key, '.') && !applied[i] && !refuse_override (loading, override) &&
        !segue_loading_goes_on (loading))
      return FALSE;
  }
  return TRUE;
}

static gboolean
has_types (SegueRegistry *registry)
{
  g_autoptr (GPtrArray) names = segue_registry_stage_names (registry);
  return names->len > 1;
}

gboolean
segue_loading_read_stages (SegueLoading *loading)
{
  const SegueNode *root = loading->pipeline->root;
  const SegueNode *stages = segue_node_get (root, "stages");
  if (!stages || stages->type != SEGUE_NODE_LIST || stages->values->len == 0)
    return segue_node_error (stages ? stages : root, loading->error,
                             "a pipeline needs stages: a list of - use: TYPE");
  if (stages->values->len > SEGUE_MAX_STAGES)
    return segue_node_error (stages, loading->error, "a pipeline has at most %d stages, got %u",
                             SEGUE_MAX_STAGES, stages->values->len);
  g_autoptr (GHashTable) ids = g_hash_table_new (g_str_hash, g_str_equal);
  g_autofree gboolean *applied = g_new0 (gboolean, loading->overrides->len + 1);
  for (guint i = 0; i < stages->values->len; i++)
    if (!add_stage (loading, g_ptr_array_index (stages->values, i), ids, applied)) {
      loading->incomplete = loading->incomplete || loading->pipeline->stages->len <= i;
      /* Without any plugin all stages would report the same error. */
      if (!segue_loading_goes_on (loading) || !has_types (loading->pipeline->registry))
        return FALSE;
    }
  return loading->incomplete || check_applied (loading, applied);
}
