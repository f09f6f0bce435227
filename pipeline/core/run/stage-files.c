/* Files of a stage in its run's folder and in the store, besides those that it writes itself. */
#include "run/run-private.h"
#include "run/saved-items.h"
#include "store/tree.h"

#include <segue/file.h>

/* The files of @maker's result by their hash: those in the store, or its output in the run. */
static void
add_files (SegueRun *run, const SegueStageRun *maker, gboolean in_store, GHashTable *twins)
{
  g_autofree char *problem = NULL;
  g_autoptr (SegueResult) result =
    maker->key ? segue_store_read_result (run->store, maker->key, &problem, NULL) : NULL;
  if (!result || (!in_store && !maker->output_folder))
    return;
  g_autofree char *path = segue_store_get_result_path (run->store, maker->key);
  for (guint i = 0; i < result->files->len; i++) {
    const SegueTreeFile *file = g_ptr_array_index (result->files, i);
    g_hash_table_insert (twins, g_strdup (file->key),
                         in_store ? g_build_filename (path, "files", file->name, NULL)
                                  : g_build_filename (maker->output_folder, file->name, NULL));
  }
}

GHashTable *
segue_run_find_twins (SegueRun *run, const SegueStageRun *at, gboolean in_store)
{
  GHashTable *twins = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (guint i = 0; i < at->stage->n_inputs; i++) {
    const SegueGraphInput *input = &at->stage->inputs[i];
    if (input->producer != SEGUE_NOT_CONNECTED && input->kind == SEGUE_KIND_MODEL)
      add_files (run, &run->stages[input->producer], in_store, twins);
  }
  return twins;
}

/* %FALSE: an error of the environment. The run is complete without them. */
static gboolean
save (SegueRun *run, SegueStageRun *at, SegueDataset *predictions, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autofree char *path = g_build_filename (at->output_folder, "predictions", NULL);
  if (segue_saved_items_write (path, predictions, run->cancellable, &local))
    return TRUE;
  if (!g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_DATA)) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  segue_run_log (run, at->stage->id, G_LOG_LEVEL_WARNING,
                 "its predictions can't be saved, so `segue report` can't rewrite the report: %s",
                 local->message);
  return TRUE;
}

gboolean
segue_run_save_predictions (SegueRun *run, SegueStageRun *at, GError **error)
{
  for (guint port = 0; port < at->stage->n_outputs; port++) {
    if (at->stage->outputs[port] != SEGUE_KIND_PREDICTIONS)
      continue;
    if (!at->output_folder)
      at->output_folder = g_build_filename (run->folder, "stages", at->stage->id, NULL);
    if (!segue_file_make_folder (at->output_folder, error) ||
        !save (run, at, at->outputs[port], error))
      return FALSE;
  }
  return TRUE;
}
