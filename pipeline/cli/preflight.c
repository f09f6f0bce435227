/* Checks before a run: reports missing inputs now rather than after an hour of decoding. */
#include "preflight.h"

#include <segue/json.h>
#include <string.h>

static void
need_free (gpointer data)
{
  SegueNeed *need = data;
  g_free (need->stage);
  g_free (need->stage_type);
  g_free (need->parameter);
  g_clear_error (&need->error);
  g_free (need);
}

/* A description shows a path that is not UTF-8 as a file: address. */
static char *
path_from_text (const char *text)
{
  char *path = g_str_has_prefix (text, "file:///") ? g_filename_from_uri (text, NULL, NULL) : NULL;
  return path ? path : g_strdup (text);
}

static gboolean
check_path (const char *text, GError **error)
{
  g_autofree char *path = path_from_text (text);
  if (g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  g_autofree char *shown = segue_text_printable (path);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT, "there is no ‘%s’%s", shown,
               strchr (path, '$') ? " (shell variables are not expanded in a pipeline)" : "");
  return FALSE;
}

static gboolean
check_model (const char *text, GError **error)
{
  g_autofree char *ref = path_from_text (text);
  g_autofree char *folder = segue_model_ref_resolve (ref, error);
  return folder != NULL;
}

static gboolean
check_value (const SegueParam *row, const char *value, GError **error)
{
  if (row->type == SEGUE_PARAM_INPUT_PATH)
    return check_path (value, error);
  if (row->type == SEGUE_PARAM_MODEL_REF)
    return check_model (value, error);
  return TRUE;
}

/* The option that changes @value: of a variable with that value, else of the stage's parameter. */
static char *
name_option (const json_t *root, const char *stage, const char *parameter, const char *value)
{
  const char *name;
  json_t *held;
  json_object_foreach (json_object_get (root, "vars"), name,
                       held) if (g_strcmp0 (json_string_value (held), value) ==
                                 0) return g_strdup (name);
  return g_strdup_printf ("%s.%s", stage, parameter);
}

/* Weights may be stored elsewhere: advises to give their folder, for offline use or own weights. */
static void
advise_folder (GError **error, const char *option)
{
  GError *old = *error;
  *error = g_error_new (old->domain, old->code, "%s; or give a model folder: --set %s=FOLDER",
                        old->message, option);
  g_error_free (old);
}

/* The search for needs of one stage. */
typedef struct {
  GPtrArray *needs;
  const json_t *root;
  const char *stage, *use;
} Search;

static void
add_need (const Search *search, const SegueParam *row, const char *path, const char *value,
          GError *error)
{
  SegueNeed *need = g_new0 (SegueNeed, 1);
  g_autofree char *option = name_option (search->root, search->stage, path, value);
  if (row->type == SEGUE_PARAM_MODEL_REF)
    advise_folder (&error, option);
  need->stage = g_strdup (search->stage);
  need->stage_type = g_strdup (search->use);
  need->parameter = g_strdup (path);
  need->error = error;
  g_ptr_array_add (search->needs, need);
}

/* In the value of @row, whose parameter is @path. */
static void
search_value (const Search *search, const SegueParam *row, const json_t *value, const char *path)
{
  GError *error = NULL;
  if (json_is_string (value) && !check_value (row, json_string_value (value), &error))
    add_need (search, row, path, json_string_value (value), error);
  for (size_t i = 0; row->type == SEGUE_PARAM_LIST && i < json_array_size (value); i++) {
    g_autofree char *member = g_strdup_printf ("%s[%zu]", path, i);
    search_value (search, row->element, json_array_get (value, i), member);
  }
  const SegueParam *const *rows = row->type == SEGUE_PARAM_RECORD ? row->group->params : NULL;
  for (; rows && *rows; rows++) {
    g_autofree char *inner = g_strdup_printf ("%s.%s", path, (*rows)->name);
    search_value (search, *rows, json_object_get (value, (*rows)->name), inner);
  }
}

GPtrArray *
segue_preflight (SegueRegistry *registry, SeguePipeline *pipeline)
{
  GPtrArray *needs = g_ptr_array_new_with_free_func (need_free);
  g_autofree char *text = segue_pipeline_describe (pipeline);
  json_t *root = segue_json_parse (text, -1, "the pipeline", SEGUE_JSON_SETTINGS, NULL, NULL);
  size_t i;
  json_t *stage;
  json_array_foreach (json_object_get (root, "stages"), i, stage)
  {
    const Search search = { needs, root, json_string_value (json_object_get (stage, "id")),
                            json_string_value (json_object_get (stage, "use")) };
    const SegueStageType *type =
      search.use ? segue_registry_find_stage (registry, search.use) : NULL;
    const json_t *with = json_object_get (stage, "with");
    for (const SegueParam *const *row = type ? type->params : NULL; row && *row; row++)
      search_value (&search, *row, json_object_get (with, (*row)->name), (*row)->name);
  }
  json_decref (root);
  return needs;
}
