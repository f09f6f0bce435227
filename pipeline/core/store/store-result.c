/* The store's results of stages. */
#include "store/shard.h"
#include "store/store.h"
#include "store/tree.h"

#define RESULTS "results"

char *
segue_store_get_result_path (SegueStore *store, const char *key)
{
  g_autofree char *name = segue_shard_path (RESULTS, key);
  return g_build_filename (segue_store_get_folder (store), name, NULL);
}

/* (transfer full): the file of a result that is stamped, see segue_store_use(). */
static char *
header_name (const char *key)
{
  g_autofree char *name = segue_shard_path (RESULTS, key);
  return g_build_filename (name, "result", NULL);
}

SegueResult *
segue_store_read_result (SegueStore *store, const char *key, char **problem, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autofree char *header = header_name (key);
  g_autofree char *path = segue_store_get_result_path (store, key);
  *problem = NULL;
  if (!segue_store_use (store, header, error))
    return NULL;
  SegueResult *result = segue_result_read (path, key, &local);
  if (result)
    return result;
  if (g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_RESOURCE))
    g_propagate_error (error, g_steal_pointer (&local));
  else if (!g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT))
    *problem = g_strdup_printf ("%s (%s)", local->message, path);
  return NULL;
}

static guint64
measure (const SegueResult *result, GPtrArray *payloads)
{
  guint64 bytes = 0;
  for (guint i = 0; i < payloads->len; i++) {
    const SegueItem *entry = g_ptr_array_index (payloads, i);
    bytes += entry ? entry->body->extent.length : 0;
  }
  for (guint i = 0; i < result->files->len; i++) {
    const SegueTreeFile *file = g_ptr_array_index (result->files, i);
    bytes += MIN (file->size, G_MAXINT64 - bytes);
  }
  return bytes;
}

gboolean
segue_store_write_result (SegueStore *store, SegueResult *result, GPtrArray *payloads,
                          const char *files_folder, GHashTable *twins, gboolean replace,
                          GCancellable *cancellable, GError **error)
{
  g_autofree char *path = segue_store_get_result_path (store, result->key);
  g_autofree char *header = header_name (result->key);
  if (!segue_shard_make (path, error) ||
      !segue_store_make_room (store, measure (result, payloads), "the result of a stage", error) ||
      !segue_result_write (path, result, payloads, files_folder, twins, replace, cancellable,
                           error))
    return FALSE;
  segue_store_note_written (store);
  segue_store_use_written (store, header);
  return TRUE;
}

gboolean
segue_store_write_reads (SegueStore *store, const char *key, const char *const *names,
                         GError **error)
{
  g_autofree char *path = segue_store_get_result_path (store, key);
  g_autofree char *header = header_name (key);
  if (!segue_shard_make (path, error) || !segue_result_write_reads (path, key, names, error))
    return FALSE;
  segue_store_use_written (store, header);
  return TRUE;
}
