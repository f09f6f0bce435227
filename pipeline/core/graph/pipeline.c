/* A pipeline file, read, resolved and checked: settings, variables, stages, connections. */
#include "base/suggest.h"
#include "graph/pipeline-private.h"
#include "params/params.h"
#include "yaml/scalar.h"
#include <segue/error.h>
#include <string.h>

#define ROW(...) SEGUE_PARAM (SeguePipelineSettings, __VA_ARGS__)

static const char *const on_error_choices[] = { "skip", "fail", NULL };

const SegueParam *const segue_pipeline_settings[] = {
  ROW (segue, SEGUE_PARAM_INT, .min = 1, .max = 1,
       .doc = "Version of the pipeline format; 1 is the only one."),
  ROW (name, SEGUE_PARAM_STRING, .flags = SEGUE_PARAM_OPTIONAL,
       .doc = "Name of the pipeline; its runs are stored in a folder of that name. Default: the "
              "file's name."),
  ROW (seed, SEGUE_PARAM_INT, .def = "0", .min = 0, .max = (double) G_MAXINT64,
       .doc = "Seed of all random numbers; the same seed gives the same result."),
  ROW (on_error, SEGUE_PARAM_CHOICE, .def = "skip", .choices = on_error_choices,
       .doc = "What to do with a song that can't be used: skip it and continue, or fail."),
  ROW (max_failures, SEGUE_PARAM_INT, .flags = SEGUE_PARAM_OPTIONAL, .min = 0,
       .max = G_MAXUINT - 1.0,
       .doc = "Fail once more songs than this were skipped. Default: no limit."),
  NULL,
};

static const char *const root_keys[] = { "segue",        "name", "seed",   "on_error",
                                         "max_failures", "vars", "stages", NULL };

gboolean
segue_loading_goes_on (SegueLoading *loading)
{
  if (loading->problems && *loading->error)
    g_ptr_array_add (loading->problems, g_steal_pointer (loading->error));
  return loading->problems != NULL;
}

gboolean
segue_loading_refuse_key (SegueLoading *loading, const SegueNode *key, const char *const *known,
                          const char *where)
{
  g_autofree char *near = segue_suggest (key->text, known);
  g_autofree char *list = g_strjoinv (", ", (char **) known);
  if (near)
    return segue_node_error (key, loading->error, "%sunknown key '%s'; did you mean '%s'?", where,
                             key->text, near);
  return segue_node_error (key, loading->error, "%sunknown key '%s'; known are %s", where,
                           key->text, list);
}

gboolean
segue_loading_check_keys (SegueLoading *loading, const SegueNode *map, const char *const *known,
                          const char *where)
{
  for (guint i = 0; i < map->keys->len; i++) {
    const SegueNode *key = g_ptr_array_index (map->keys, i);
    if (!g_strv_contains (known, key->text) &&
        !segue_loading_refuse_key (loading, key, known, where) && !segue_loading_goes_on (loading))
      return FALSE;
  }
  return TRUE;
}

static gboolean
check_version (SegueLoading *loading)
{
  const SegueNode *root = loading->pipeline->root;
  if (root->type != SEGUE_NODE_MAP)
    return segue_node_error (root, loading->error,
                             "a pipeline is a map that begins with the line 'segue: 1'");
  const SegueNode *version = segue_node_get (root, "segue");
  for (guint i = 0; !version && i < root->keys->len; i++) {
    const SegueNode *key = g_ptr_array_index (root->keys, i);
    if (!g_ascii_strcasecmp (key->text, "segue"))
      return segue_loading_refuse_key (loading, key, root_keys, "");
  }
  if (!version)
    return segue_node_error (root, loading->error, "no 'segue: 1'; put that line at the top");
  gint64 number = 0;
  if (version->type == SEGUE_NODE_SCALAR &&
      segue_scalar_to_int (version->text, &number) == SEGUE_SCALAR_OK && number == 1)
    return TRUE;
  g_autofree char *shown = segue_node_shown (version);
  return segue_node_error (version, loading->error,
                           "segue must be 1, the one pipeline format that this version reads, "
                           "got %s",
                           shown);
}

static gboolean
parse_overrides (SegueLoading *loading, const char *const *assignments)
{
  for (; assignments && *assignments; assignments++) {
    SegueOverride *override = segue_override_parse (*assignments, loading->error);
    if (override)
      g_ptr_array_add (loading->overrides, override);
    else if (!segue_loading_goes_on (loading))
      return FALSE;
  }
  return TRUE;
}

static gboolean
is_setting (const char *key)
{
  return strcmp (key, "segue") && strcmp (key, "vars") && strcmp (key, "stages") &&
         g_strv_contains (root_keys, key);
}

static gboolean
refuse_override (SegueLoading *loading, const SegueOverride *override, const SegueNode *vars)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (guint k = 0; vars && vars->keys && k < vars->keys->len; k++)
    g_ptr_array_add (names, ((SegueNode *) g_ptr_array_index (vars->keys, k))->text);
  g_ptr_array_add (names, NULL);
  g_autofree char *near = segue_suggest (override->key, (const char *const *) names->pdata);
  g_autofree char *list = g_strjoinv (", ", (char **) names->pdata);
  if (near)
    return segue_node_error (override->value, loading->error,
                             "the pipeline has no variable '%s'; did you mean '%s'?", override->key,
                             near);
  return segue_node_error (override->value, loading->error,
                           "the pipeline has no variable '%s' (it has: %s); a stage's "
                           "parameter is set with STAGE.PARAMETER=VALUE",
                           override->key, *list ? list : "none");
}

static gboolean
override_key (SegueLoading *loading, const SegueOverride *override)
{
  SegueNode *root = loading->pipeline->root;
  SegueNode *vars = (SegueNode *) segue_node_get (root, "vars");
  gboolean setting = is_setting (override->key);
  const SegueNode *like = segue_node_get (setting ? root : vars, override->key);
  if (!setting && !like)
    return refuse_override (loading, override, vars);
  SegueNode *value = segue_override_value (override, like, loading->error);
  if (value)
    segue_node_set (setting ? root : vars, override->key, value);
  return value != NULL;
}

/* `seed=7` and `music=…`: settings and variables, set in the tree before anything reads it. */
static gboolean
override_root (SegueLoading *loading)
{
  for (guint i = 0; i < loading->overrides->len; i++) {
    const SegueOverride *override = g_ptr_array_index (loading->overrides, i);
    if (!strchr (override->key, '.') && !override_key (loading, override) &&
        !segue_loading_goes_on (loading))
      return FALSE;
  }
  return TRUE;
}

static gboolean
resolve_variable (SegueLoading *loading, const SegueNode *key, SegueNode *value)
{
  SeguePipeline *pipeline = loading->pipeline;
  gboolean ok =
    (segue_name_is_valid (key->text, TRUE) && !g_strv_contains (root_keys, key->text)) ||
    segue_node_error (key, loading->error,
                      "variable '%s': a name is [a-z][a-z0-9_-]* and none of the keys of "
                      "a pipeline; rename it",
                      key->text);
  ok = ok && segue_variables_expand (&loading->variables, value, 2, loading->error);
  /* A wrong one is also known: references to it are not reported as errors. */
  g_hash_table_insert (pipeline->variables, key->text, value);
  if (!pipeline->first_variable)
    pipeline->first_variable = g_strdup (key->text);
  return ok;
}

static gboolean
resolve_variables (SegueLoading *loading)
{
  const SegueNode *vars = segue_node_get (loading->pipeline->root, "vars");
  if (!vars || vars->type == SEGUE_NODE_NULL)
    return TRUE;
  if (vars->type != SEGUE_NODE_MAP)
    return segue_node_error (vars, loading->error, "vars must be a map of name: value");
  for (guint i = 0; i < vars->keys->len; i++)
    if (!resolve_variable (loading, g_ptr_array_index (vars->keys, i),
                           g_ptr_array_index (vars->values, i)) &&
        !segue_loading_goes_on (loading))
      return FALSE;
  return TRUE;
}

static gboolean
expand_all (SegueLoading *loading)
{
  const SegueNode *root = loading->pipeline->root;
  for (guint i = 0; i < root->keys->len; i++) {
    const SegueNode *key = g_ptr_array_index (root->keys, i);
    if (strcmp (key->text, "vars") &&
        !segue_variables_expand (&loading->variables, g_ptr_array_index (root->values, i), 1,
                                 loading->error) &&
        !segue_loading_goes_on (loading))
      return FALSE;
  }
  return TRUE;
}

static gboolean
read_variables (SegueLoading *loading)
{
  guint before = loading->problems ? loading->problems->len : 0;
  if (!resolve_variables (loading) || !expand_all (loading))
    return FALSE;
  /* An unresolved reference would cause a second error as a value. */
  return !loading->problems || loading->problems->len == before;
}

char *
segue_name_from (const char *text)
{
  g_autofree char *lower = g_ascii_strdown (text, MIN (strlen (text), 64));
  g_strcanon (lower, "abcdefghijklmnopqrstuvwxyz0123456789-", '-');
  if (g_ascii_isdigit (*lower))
    lower[MIN (strlen (lower), 62)] = '\0';
  g_autofree char *name = g_ascii_isdigit (*lower) ? g_strconcat ("n", lower, NULL) : NULL;
  const char *made = name ? name : lower;
  return segue_name_is_valid (made, FALSE) ? g_strdup (made) : NULL;
}

/* The file's name without its extension. */
static char *
name_from_path (const char *path)
{
  g_autofree char *base = g_path_get_basename (path);
  char *dot = strrchr (base, '.');
  if (dot && dot != base)
    *dot = '\0';
  g_autofree char *name = g_ascii_isdigit (*base) ? NULL : segue_name_from (base);
  return name ? g_steal_pointer (&name) : g_strdup ("pipeline");
}

static gboolean
read_settings (SegueLoading *loading)
{
  SeguePipeline *pipeline = loading->pipeline;
  g_autoptr (SegueNode) map = segue_node_new (SEGUE_NODE_MAP, pipeline->root);
  SegueNodeBudget budget = SEGUE_NODE_BUDGET;
  for (guint i = 0; i < G_N_ELEMENTS (root_keys) - 1; i++) {
    const SegueNode *value = segue_node_get (pipeline->root, root_keys[i]);
    if (value && (is_setting (root_keys[i]) || !strcmp (root_keys[i], "segue")))
      segue_node_set (map, root_keys[i], segue_node_copy (value, 0, &budget));
  }
  SeguePipelineSettings settings = { 0 };
  SegueParamScope scope = { .folder = loading->folder, .at = map, .problems = loading->problems };
  if (!segue_params_parse (segue_pipeline_settings, map, &settings, &scope, loading->error))
    return FALSE;
  gboolean valid = !settings.name || segue_name_is_valid (settings.name, FALSE);
  g_autofree char *name = valid ? NULL : segue_name_from (settings.name);
  if (!valid)
    segue_node_error (segue_node_get (map, "name"), loading->error,
                      "name '%s': a name is [a-z][a-z0-9-]*, at most 64 characters; write %s",
                      settings.name, name ? name : "pipeline");
  pipeline->name = settings.name ? g_strdup (settings.name) : name_from_path (pipeline->path);
  pipeline->seed = (guint64) settings.seed;
  pipeline->fail_on_error = settings.on_error == 1;
  pipeline->max_failures =
    settings.max_failures == SEGUE_UNSET_INT ? G_MAXUINT : (guint) settings.max_failures;
  segue_params_clear (segue_pipeline_settings, &settings);
  return valid;
}

static gboolean
load (SegueLoading *loading, const char *const *overrides)
{
  SeguePipeline *pipeline = loading->pipeline;
  pipeline->root = segue_node_load (pipeline->path, loading->error);
  return pipeline->root && check_version (loading) &&
         segue_loading_check_keys (loading, pipeline->root, root_keys, "") &&
         parse_overrides (loading, overrides) && override_root (loading) &&
         read_variables (loading) && (read_settings (loading) || segue_loading_goes_on (loading)) &&
         (segue_loading_read_stages (loading) || segue_loading_goes_on (loading)) &&
         !loading->incomplete && segue_loading_connect (loading) &&
         segue_loading_check_sets (loading) && segue_loading_negotiate (loading) &&
         (!loading->problems || loading->problems->len == 0);
}

static SeguePipeline *
pipeline_new (SegueRegistry *registry, const char *path, const char *const *overrides,
              GPtrArray *problems, GError **error)
{
  SeguePipeline *pipeline = g_new0 (SeguePipeline, 1);
  pipeline->registry = registry;
  pipeline->path = g_strdup (path);
  pipeline->variables = g_hash_table_new (g_str_hash, g_str_equal);
  pipeline->stages = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_graph_stage_free);
  pipeline->warnings = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *absolute = g_canonicalize_filename (path, NULL);
  SegueLoading loading = {
    .pipeline = pipeline,
    .variables = { .values = pipeline->variables,
                   .budget = SEGUE_NODE_BUDGET,
                   .problems = problems },
    .overrides = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_override_free),
    .folder = g_path_get_dirname (absolute),
    .problems = problems,
    .error = error,
  };
  gboolean ok = load (&loading, overrides);
  if (ok)
    segue_graph_find_warnings (pipeline->stages, pipeline->warnings);
  g_ptr_array_add (pipeline->warnings, NULL);
  if (!ok)
    g_clear_pointer (&pipeline, segue_pipeline_free);
  g_ptr_array_unref (loading.overrides);
  g_free (loading.folder);
  return pipeline;
}

SeguePipeline *
segue_pipeline_load (SegueRegistry *registry, const char *path, const char *const *overrides,
                     GError **error)
{
  return pipeline_new (registry, path, overrides, NULL, error);
}

/* A resource that this process lacks is not a problem of the file, and hides those: report only it. */
static void
keep_shortage (GPtrArray *problems)
{
  for (guint i = 0; i < problems->len; i++)
    if (g_error_matches (g_ptr_array_index (problems, i), SEGUE_ERROR, SEGUE_ERROR_RESOURCE)) {
      g_ptr_array_remove_range (problems, i + 1, problems->len - i - 1);
      g_ptr_array_remove_range (problems, 0, i);
    }
}

GPtrArray *
segue_pipeline_find_problems (SegueRegistry *registry, const char *path,
                              const char *const *overrides)
{
  GPtrArray *problems = g_ptr_array_new_with_free_func ((GDestroyNotify) g_error_free);
  GError *last = NULL;
  segue_pipeline_free (pipeline_new (registry, path, overrides, problems, &last));
  if (last)
    g_ptr_array_add (problems, last);
  keep_shortage (problems);
  return problems;
}

void
segue_pipeline_free (SeguePipeline *pipeline)
{
  if (!pipeline)
    return;
  g_ptr_array_unref (pipeline->stages);
  g_ptr_array_unref (pipeline->warnings);
  g_hash_table_unref (pipeline->variables);
  segue_node_free (pipeline->root);
  g_free (pipeline->path);
  g_free (pipeline->name);
  g_free (pipeline->first_variable);
  g_free (pipeline);
}

const char *
segue_pipeline_get_name (SeguePipeline *pipeline)
{
  return pipeline->name;
}

const char *const *
segue_pipeline_get_warnings (SeguePipeline *pipeline)
{
  return (const char *const *) pipeline->warnings->pdata;
}

const char *
segue_pipeline_get_first_variable (SeguePipeline *pipeline)
{
  return pipeline->first_variable;
}

char *
segue_pipeline_peek_first_variable (const char *path, gboolean *has_value, GError **error)
{
  g_autoptr (SegueNode) root = segue_node_load (path, error);
  const SegueNode *vars = root ? segue_node_get (root, "vars") : NULL;
  if (!vars || vars->type != SEGUE_NODE_MAP || vars->keys->len == 0)
    return NULL;
  const SegueNode *key = g_ptr_array_index (vars->keys, 0);
  const SegueNode *value = g_ptr_array_index (vars->values, 0);
  if (has_value)
    *has_value = value->type != SEGUE_NODE_NULL;
  return g_strdup (key->text);
}
