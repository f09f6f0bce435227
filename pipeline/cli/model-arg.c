/* Which model, and how exactly it multiplies. */
#include "model-arg.h"
#include "params.h"

static gboolean
is_model_folder (const char *folder)
{
  g_autofree char *config = g_build_filename (folder, "config.json", NULL);
  return g_file_test (config, G_FILE_TEST_IS_REGULAR);
}

char *
segue_find_model (const char *given, GError **error)
{
  g_autofree char *inside = g_build_filename (given, "model", NULL);
  if (is_model_folder (inside))
    return g_steal_pointer (&inside);
  if (!g_file_test (given, G_FILE_TEST_IS_DIR) || is_model_folder (given))
    return segue_model_ref_resolve (given, error);
  g_autofree char *shown = segue_text_printable (given);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
               "there is no model in ‘%s’: neither config.json nor model/config.json; give the "
               "folder of a finished run or of a model",
               shown);
  return NULL;
}

gboolean
segue_parse_precision (const SegueVerb *verb, const char *given, SegueModelPrecision *precision,
                       GError **error)
{
  const char *const *names = segue_model_precision_names ();
  *precision = SEGUE_MODEL_AUTO;
  for (guint i = 0; given && names[i]; i++) {
    if (!g_str_equal (names[i], given))
      continue;
    *precision = (SegueModelPrecision) i;
    return TRUE;
  }
  if (!given)
    return TRUE;
  g_autofree char *near = segue_suggest (given, names);
  g_autofree char *all = g_strjoinv (", ", (char **) names);
  g_autofree char *shown = segue_text_printable (given);
  return segue_usage_error (verb, error, "--precision must be one of %s, got ‘%s’%s%s%s", all,
                            shown, near ? "; did you mean " : "", near ? near : "",
                            near ? "?" : "");
}
