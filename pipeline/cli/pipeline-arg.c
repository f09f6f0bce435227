/* Finds the pipeline of the command line. */
#include "pipeline-arg.h"

SegueRegistry *
segue_registry_for_cli (void)
{
  SegueRegistry *registry = segue_registry_new ();
  segue_registry_load_search_path (registry);
  return registry;
}

/* A missing file: perhaps a preset was meant. */
static gboolean
explain_missing (const SegueVerb *verb, const char *path, GError **error)
{
  g_autofree char *shown = segue_text_printable (path);
  g_autoptr (SeguePreset) preset = segue_preset_find (path, NULL);
  if (preset)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
                 "there is no file ‘%s’, but a preset of that name: segue %s --preset %s", shown,
                 verb->name, preset->name);
  else if (g_file_test (path, G_FILE_TEST_IS_DIR))
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
                 "‘%s’ is a folder, not a pipeline; give a pipeline before it, or a preset: segue "
                 "run --preset artist-small %s",
                 shown, shown);
  else
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
                 "there is no pipeline ‘%s’; segue presets lists those that come with segue",
                 shown);
  return FALSE;
}

char *
segue_find_pipeline (const SegueVerb *verb, const char *preset, char ***arguments, GError **error)
{
  if (preset) {
    g_autoptr (SeguePreset) found = segue_preset_find (preset, error);
    return found ? g_strdup (found->path) : NULL;
  }
  if (!**arguments) {
    segue_usage_error (verb, error, "a pipeline is missing: a file, or --preset NAME");
    return NULL;
  }
  const char *path = *(*arguments)++;
  if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
    return g_strdup (path);
  /* A pipe or a device can be read like a file; anything else causes an error later. */
  if (g_file_test (path, G_FILE_TEST_EXISTS) && !g_file_test (path, G_FILE_TEST_IS_DIR))
    return g_strdup (path);
  explain_missing (verb, path, error);
  return NULL;
}

char *
segue_find_unset_variable (const char *path, char *const *set)
{
  gboolean has_value = FALSE;
  /* Pipes and devices can be read only once; the code that loads them reports errors. */
  if (!g_file_test (path, G_FILE_TEST_IS_REGULAR))
    return NULL;
  g_autofree char *variable = segue_pipeline_peek_first_variable (path, &has_value, NULL);
  if (!variable || has_value)
    return NULL;
  g_autofree char *start = g_strconcat (variable, "=", NULL);
  for (; set && *set; set++)
    if (g_str_has_prefix (*set, start))
      return NULL;
  return g_steal_pointer (&variable);
}

char *
segue_folder_override (const char *path, const char *folder, GError **error)
{
  GError *local = NULL;
  g_autofree char *variable = segue_pipeline_peek_first_variable (path, NULL, &local);
  if (variable) {
    /* An absolute path can't be confused with `~` or a quoted string. */
    g_autofree char *absolute = g_canonicalize_filename (folder, NULL);
    return g_strconcat (variable, "=", absolute, NULL);
  }
  if (local) {
    g_propagate_error (error, local);
    return NULL;
  }
  g_autofree char *shown = segue_text_printable (path);
  g_set_error (
    error, SEGUE_ERROR, SEGUE_ERROR_USAGE,
    "‘%s’ has no variable that the folder could set; leave the folder out, or add `vars: { "
    "music: … }` to the pipeline",
    shown);
  return NULL;
}

SeguePipeline *
segue_load_pipeline (SegueCli *cli, SegueRegistry *registry, const char *path,
                     const char *const *overrides, GError **error)
{
  g_autoptr (GError) first = NULL;
  SeguePipeline *pipeline = segue_pipeline_load (registry, path, overrides, &first);
  if (pipeline)
    return pipeline;
  /* Pipes and devices can be read only once. */
  g_autoptr (GPtrArray) problems = g_file_test (path, G_FILE_TEST_IS_REGULAR)
                                     ? segue_pipeline_find_problems (registry, path, overrides)
                                     : g_ptr_array_new ();
  for (guint i = 0; i + 1 < problems->len; i++)
    segue_print_error (cli, g_ptr_array_index (problems, i));
  if (problems->len > 1)
    g_propagate_error (error, g_error_copy (g_ptr_array_index (problems, problems->len - 1)));
  else
    g_propagate_error (error, g_steal_pointer (&first));
  return NULL;
}
