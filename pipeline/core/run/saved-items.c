/* Items of a dataset ↔ a folder. */
#include "run/saved-items.h"
#include "store/result.h"

#include <segue/error.h>

/* Results are stored by key; a folder that is found by its name has always this one. */
static char *
saved_key (void)
{
  return g_compute_checksum_for_string (G_CHECKSUM_SHA256, "segue saved items", -1);
}

/* An entry as a source item: its whole id, and all of its metadata. */
static void
describe_item (const SegueItem *entry, SegueResultItem *item)
{
  *item = (SegueResultItem){ .key = g_strdup (entry->body->key) };
  segue_item_form_of (entry, NULL, &item->form);
  g_clear_pointer (&item->form.delta, g_variant_unref);
  item->form.delta = segue_metadata_to_variant (entry->metadata, FALSE);
}

gboolean
segue_saved_items_write (const char *path, SegueDataset *dataset, GCancellable *cancellable,
                         GError **error)
{
  g_autofree char *key = saved_key ();
  g_autoptr (SegueResult) result = segue_result_new (key);
  g_autoptr (GPtrArray) payloads = g_ptr_array_new ();
  for (guint i = 0; i < segue_dataset_get_length (dataset); i++) {
    SegueItem *entry = segue_dataset_get_entry (dataset, i);
    SegueResultItem item;
    describe_item (entry, &item);
    g_array_append_val (result->items, item);
    g_ptr_array_add (payloads, entry);
  }
  return segue_result_write (path, result, payloads, NULL, NULL, TRUE, cancellable, error);
}

static gboolean
is_source_item (const SegueResultItem *item, SegueKind kind)
{
  return !item->passed && item->form.kind == kind && item->form.origin < 0;
}

static gboolean
has_repeated_id (SegueDataset *dataset)
{
  for (guint i = 1; i < segue_dataset_get_length (dataset); i++)
    if (g_str_equal (segue_item_get_id (segue_dataset_get_entry (dataset, i - 1)),
                     segue_item_get_id (segue_dataset_get_entry (dataset, i))))
      return TRUE;
  return FALSE;
}

static SegueDataset *
refuse (const char *path, const char *why, GError **error)
{
  g_autofree char *shown = g_filename_display_name (path);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’: %s", shown, why);
  return NULL;
}

SegueDataset *
segue_saved_items_read (const char *path, SegueKind kind, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autofree char *key = saved_key ();
  g_autoptr (SegueResult) result = segue_result_read (path, key, &local);
  if (!result && g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_DATA))
    return refuse (path, local->message, error);
  if (!result) {
    g_propagate_error (error, g_steal_pointer (&local));
    return NULL;
  }
  g_autofree char *bytes = g_build_filename (path, "items", NULL);
  g_autoptr (SegueStorage) storage = segue_storage_new_path (bytes);
  g_autoptr (GPtrArray) entries =
    g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  for (guint i = 0; i < result->items->len; i++) {
    const SegueResultItem *item = &g_array_index (result->items, SegueResultItem, i);
    if (!is_source_item (item, kind))
      return refuse (path, "it contains other items than a run saves there", error);
    const SegueExtent extent = segue_item_form_locate (&item->form, storage);
    g_autoptr (SegueItem) joined = segue_item_form_join (&item->form, NULL);
    g_ptr_array_add (entries, segue_item_copy_as_entry (joined, &extent));
  }
  g_autoptr (SegueDataset) dataset = segue_dataset_new (g_steal_pointer (&entries), NULL);
  return has_repeated_id (dataset) ? refuse (path, "two of its items have the same id", error)
                                   : g_steal_pointer (&dataset);
}
