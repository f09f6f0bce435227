/* Weights that are split into several files. */
#include "safetensors-private.h"

#include <segue/error.h>
#include <segue/json.h>
#include <segue/model.h>
#include <string.h>

/* A tensor and the shard that contains it, to sort them together. */
typedef struct {
  SegueTensorInfo info;
  guint16 part;
} Entry;

static int
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp (((const Entry *) a)->info.name, ((const Entry *) b)->info.name);
}

static gboolean
refuse (const SegueSafetensors *file, const char *tensor, const char *what, GError **error)
{
  g_autofree char *shown = g_filename_display_name (file->name);
  g_autofree char *name = g_strescape (tensor, NULL);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
               "‘%s’: tensor ‘%.200s’ %s; download the model again", shown, name, what);
  return FALSE;
}

/* All tensors of all parts, in the order of their names. */
static gboolean
join (SegueSafetensors *file, GError **error)
{
  g_autoptr (GArray) entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  for (guint i = 0; i < file->parts->len; i++) {
    const NnSafetensorsHeader *header =
      &((SegueSafetensors *) g_ptr_array_index (file->parts, i))->header;
    for (gsize j = 0; j < header->n_tensors; j++) {
      const Entry entry = { header->tensors[j], (guint16) i };
      g_array_append_val (entries, entry);
    }
  }
  g_array_sort (entries, by_name);
  file->header.tensors = g_new0 (SegueTensorInfo, entries->len);
  file->part_of = g_new0 (guint16, entries->len);
  for (guint i = 0; i < entries->len; i++) {
    const Entry *entry = &g_array_index (entries, Entry, i);
    if (i > 0 && g_str_equal (entry->info.name, file->header.tensors[i - 1].name))
      return refuse (file, entry->info.name, "is in two files", error);
    file->header.tensors[i] = entry->info;
    file->header.tensors[i].name = g_strdup (entry->info.name);
    file->part_of[i] = entry->part;
    file->header.n_tensors++;
  }
  return TRUE;
}

static SegueSafetensors *
open_shards (const char *folder, const char *index, GError **error)
{
  g_auto (GStrv) names = segue_model_list_shards (index, error);
  if (!names)
    return NULL;
  g_autoptr (SegueSafetensors) file = g_new0 (SegueSafetensors, 1);
  file->name = g_strdup (index);
  file->fd = -1;
  file->parts = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_safetensors_free);
  file->header.metadata = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (guint i = 0; names[i]; i++) {
    g_autofree char *path = g_build_filename (folder, names[i], NULL);
    SegueSafetensors *part = segue_safetensors_open (path, error);
    if (!part)
      return NULL;
    g_ptr_array_add (file->parts, part);
  }
  return join (file, error) ? g_steal_pointer (&file) : NULL;
}

SegueSafetensors *
segue_safetensors_open_folder (const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, SAFETENSORS_WEIGHTS, NULL);
  g_autofree char *index = g_build_filename (folder, SAFETENSORS_INDEX, NULL);
  g_autofree char *pickle = g_build_filename (folder, "pytorch_model.bin", NULL);
  if (!g_file_test (path, G_FILE_TEST_EXISTS) && g_file_test (index, G_FILE_TEST_EXISTS))
    return open_shards (folder, index, error);
  if (g_file_test (path, G_FILE_TEST_EXISTS) || !g_file_test (pickle, G_FILE_TEST_EXISTS))
    return segue_safetensors_open (path, error);
  g_autofree char *shown = g_filename_display_name (pickle);
  g_set_error (
    error, SEGUE_ERROR, SEGUE_ERROR_DATA,
    "‘%s’ is a pickle, which can run any program when it is opened, so segue never reads it; if "
    "you trust it, convert it with transformers: python3 -c \"from transformers import AutoModel; "
    "AutoModel.from_pretrained('FOLDER').save_pretrained('NEW')\"",
    shown);
  return NULL;
}
