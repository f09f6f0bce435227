/* Finds a model by a run's folder, a model's folder, or a name. */
#include "model/model-folder.h"

#include <fcntl.h>
#include <jansson.h>
#include <segue/host/segue.h>
#include <unistd.h>

static gboolean
is_model_folder (const char *folder)
{
  g_autofree char *config = g_build_filename (folder, "config.json", NULL);
  return g_file_test (config, G_FILE_TEST_IS_REGULAR);
}

/* What `evaluate` recorded in the run's metrics.json.  A run that was not evaluated, or by an older
 * segue, has no such member. */
static gboolean
read_aggregation (const char *run, SegueAggregation *aggregation, GError **error)
{
  g_autoptr (GError) local = NULL;
  json_t *metrics = segue_model_folder_read_object (run, "metrics.json", &local);
  const char *name = json_string_value (json_object_get (metrics, "aggregation"));
  gboolean known = name == NULL;
  for (guint i = 0; name != NULL && i < SEGUE_N_AGGREGATIONS; i++)
    if (g_str_equal (name, segue_aggregation_names ()[i])) {
      *aggregation = (SegueAggregation) i;
      known = TRUE;
    }
  json_decref (metrics);
  if (local != NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  else if (!known) {
    g_autofree char *shown = g_filename_display_name (run);
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "‘%s/metrics.json’ names an unknown \"aggregation\"; update segue, or give the "
                 "folder of the model itself",
                 shown);
  } else
    return TRUE;
  return FALSE;
}

/* A folder, or the path of one in a finished run: the error reports why there is no model in it. */
static gboolean
is_run_without (const char *given, GError **error)
{
  g_autofree char *shown = g_filename_display_name (given);
  g_autofree char *path = g_canonicalize_filename (given, NULL);
  g_autofree char *name = g_path_get_basename (path), *runs = g_path_get_dirname (path);
  int folder = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  gboolean latest =
    folder < 0 && g_str_equal (name, "latest") && g_file_test (runs, G_FILE_TEST_IS_DIR);
  if (latest)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
                 "there is no ‘%s’: no run in that folder has finished; run the same pipeline "
                 "again to continue",
                 shown);
  else if (folder >= 0 && segue_run_is_at_work (folder))
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
                 "the run in ‘%s’ is still running and has no model yet; wait for it to finish",
                 shown);
  else if (folder >= 0)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
                 "there is no model in ‘%s’: neither config.json nor model/config.json; give the "
                 "folder of a finished run or of a model",
                 shown);
  if (folder >= 0)
    close (folder);
  return latest || folder >= 0;
}

char *
segue_predictor_find_model (const char *given, SegueAggregation *aggregation, GError **error)
{
  SegueAggregation noted = SEGUE_AGGREGATE_MEAN_PROBABILITY;
  g_autofree char *inside = g_build_filename (given, "model", NULL);
  if (is_model_folder (inside)) {
    if (!read_aggregation (given, &noted, error))
      return NULL;
    if (aggregation != NULL)
      *aggregation = noted;
    return g_steal_pointer (&inside);
  }
  if (aggregation != NULL)
    *aggregation = noted;
  if (is_model_folder (given) || !is_run_without (given, error))
    return segue_model_ref_resolve (given, error);
  return NULL;
}
