/* The stages that made items from a file, and the files that belong to them. */
#include "model/preparation.h"

#include <segue/file.h>
#include <segue/model.h>

struct _SeguePreparation {
  gatomicrefcount refs;
  char *stages;
  GPtrArray *files; /* NULL: none */
};

SeguePreparation *
segue_preparation_new (const char *stages, GPtrArray *files)
{
  SeguePreparation *preparation = g_new0 (SeguePreparation, 1);
  g_atomic_ref_count_init (&preparation->refs);
  preparation->stages = g_strdup (stages);
  preparation->files = files ? g_ptr_array_ref (files) : NULL;
  return preparation;
}

SeguePreparation *
segue_preparation_ref (SeguePreparation *preparation)
{
  if (preparation)
    g_atomic_ref_count_inc (&preparation->refs);
  return preparation;
}

void
segue_preparation_unref (SeguePreparation *preparation)
{
  if (!preparation || !g_atomic_ref_count_dec (&preparation->refs))
    return;
  g_free (preparation->stages);
  g_clear_pointer (&preparation->files, g_ptr_array_unref);
  g_free (preparation);
}

const char *
segue_preparation_get_stages (const SeguePreparation *preparation)
{
  return preparation ? preparation->stages : "[]";
}

GPtrArray *
segue_preparation_get_files (const SeguePreparation *preparation)
{
  return preparation ? preparation->files : NULL;
}

gboolean
segue_preparation_save_files (const SeguePreparation *preparation, const char *folder,
                              GError **error)
{
  const GPtrArray *files = segue_preparation_get_files (preparation);
  if (!files || files->len == 0)
    return TRUE;
  g_autofree char *into = g_build_filename (folder, SEGUE_PREPARATION_FOLDER, NULL);
  if (!segue_file_make_folder (into, error))
    return FALSE;
  for (guint i = 0; i < files->len; i++) {
    g_autofree char *name = g_strdup_printf ("%u", i);
    g_autofree char *path = g_build_filename (into, name, NULL);
    if (!segue_model_copy (g_ptr_array_index (files, i), path, error))
      return FALSE;
  }
  return TRUE;
}
