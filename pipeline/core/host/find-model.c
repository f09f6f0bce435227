/* Finds a model by a run's folder, a model's folder, or a name. */
#include <fcntl.h>
#include <segue/calibration.h>
#include <segue/host/segue.h>
#include <unistd.h>

static gboolean
is_model_folder (const char *folder)
{
  g_autofree char *config = g_build_filename (folder, "config.json", NULL);
  return g_file_test (config, G_FILE_TEST_IS_REGULAR);
}

/* The aggregation that the model was evaluated with. */
static gboolean
read_aggregation (const char *folder, SegueAggregation *aggregation, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autoptr (SegueCalibration) calibration = segue_calibration_read (folder, &local);
  *aggregation = calibration ? segue_calibration_get_aggregation (calibration)
                             : SEGUE_AGGREGATE_MEAN_PROBABILITY;
  if (!local)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
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

static char *
find_folder (const char *given, GError **error)
{
  g_autofree char *inside = g_build_filename (given, "model", NULL);
  if (is_model_folder (inside))
    return g_steal_pointer (&inside);
  if (is_model_folder (given) || !is_run_without (given, error))
    return segue_model_ref_resolve (given, error);
  return NULL;
}

char *
segue_predictor_find_model (const char *given, SegueAggregation *aggregation, GError **error)
{
  g_autofree char *folder = find_folder (given, error);
  SegueAggregation found;
  if (!folder || !read_aggregation (folder, &found, error))
    return NULL;
  if (aggregation)
    *aggregation = found;
  return g_steal_pointer (&folder);
}
