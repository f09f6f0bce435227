/* Files that a stage shares with the stages before it. */
#include "run/run-private.h"
#include "store/tree.h"

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
