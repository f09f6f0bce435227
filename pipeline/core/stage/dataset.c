/* Datasets: an immutable index over payloads, and views of it. */
#include "item/item-private.h"
#include "model/preparation.h"
#include "stage/dataset-private.h"

#include <string.h>

struct _SegueDataset {
  gatomicrefcount refs;
  GPtrArray *entries; /* SegueItem, by song and id; shared by views that change no entry */
  SeguePreparation *preparation;
  const SegueScope *scope; /* of live stages */
  GPtrArray *live;         /* const SegueGraphStage, borrowed; NULL: none */
  guint port;              /* see segue_dataset_as_input() */
};

SegueDataset *
segue_dataset_new (GPtrArray *entries, SeguePreparation *preparation)
{
  SegueDataset *dataset = g_new0 (SegueDataset, 1);
  g_atomic_ref_count_init (&dataset->refs);
  g_ptr_array_sort (entries, segue_item_compare);
  dataset->entries = entries;
  dataset->preparation = segue_preparation_ref (preparation);
  dataset->port = SEGUE_NOT_CONNECTED;
  return dataset;
}

/* A copy with other entries (transfer full), which are sorted. */
static SegueDataset *
new_view (SegueDataset *dataset, GPtrArray *entries)
{
  SegueDataset *view = g_new0 (SegueDataset, 1);
  g_atomic_ref_count_init (&view->refs);
  view->entries = entries;
  view->preparation = segue_preparation_ref (dataset->preparation);
  view->scope = dataset->scope;
  view->live = dataset->live ? g_ptr_array_ref (dataset->live) : NULL;
  view->port = dataset->port;
  return view;
}

static GPtrArray *
new_entries (guint n)
{
  return g_ptr_array_new_full (n, (GDestroyNotify) segue_item_unref);
}

SegueDataset *
segue_dataset_new_from_items (SegueItem *const *items, guint n_items)
{
  GPtrArray *entries = new_entries (n_items);
  for (guint i = 0; i < n_items; i++) {
    SegueExtent extent = { .memory = items[i]->bytes,
                           .length = items[i]->bytes ? g_bytes_get_size (items[i]->bytes) : 0 };
    g_ptr_array_add (entries, segue_item_copy_as_entry (items[i], &extent));
  }
  return segue_dataset_new (entries, NULL);
}

SegueDataset *
segue_dataset_ref (SegueDataset *dataset)
{
  g_atomic_ref_count_inc (&dataset->refs);
  return dataset;
}

void
segue_dataset_unref (SegueDataset *dataset)
{
  if (!dataset || !g_atomic_ref_count_dec (&dataset->refs))
    return;
  g_ptr_array_unref (dataset->entries);
  g_clear_pointer (&dataset->live, g_ptr_array_unref);
  segue_preparation_unref (dataset->preparation);
  g_free (dataset);
}

guint
segue_dataset_get_length (SegueDataset *dataset)
{
  return dataset->entries->len;
}

SegueItem *
segue_dataset_get_entry (SegueDataset *dataset, guint index)
{
  g_return_val_if_fail (index < dataset->entries->len, NULL);
  return g_ptr_array_index (dataset->entries, index);
}

SegueDataset *
segue_dataset_select (SegueDataset *dataset, const char *key, const char *value)
{
  GPtrArray *entries = new_entries (0);
  for (guint i = 0; i < dataset->entries->len; i++) {
    SegueItem *entry = g_ptr_array_index (dataset->entries, i);
    if (g_strcmp0 (segue_item_get_string (entry, key), value) == 0)
      g_ptr_array_add (entries, segue_item_ref (entry));
  }
  return new_view (dataset, entries);
}

SegueDataset *
segue_dataset_annotate (SegueDataset *dataset, const char *key, const char *const *values)
{
  GPtrArray *entries = new_entries (dataset->entries->len);
  for (guint i = 0; i < dataset->entries->len; i++) {
    if (!values[i])
      continue;
    SegueItem *entry = segue_item_copy (g_ptr_array_index (dataset->entries, i));
    segue_item_set_string (entry, key, values[i]);
    /* What a running stage adds stays marked as its own until its output is taken. */
    if (!entry->reads)
      segue_metadata_disown (&entry->metadata);
    segue_item_seal (entry);
    g_ptr_array_add (entries, entry);
  }
  return new_view (dataset, entries);
}

static int
compare_strings (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

GStrv
segue_dataset_get_labels (SegueDataset *dataset)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) labels = g_ptr_array_new ();
  for (guint i = 0; i < dataset->entries->len; i++) {
    const char *label =
      segue_item_get_string (g_ptr_array_index (dataset->entries, i), SEGUE_META_LABEL);
    if (label && g_hash_table_add (seen, (gpointer) label))
      g_ptr_array_add (labels, g_strdup (label));
  }
  /* Bytes of UTF-8 sort as their code points do. */
  g_ptr_array_sort (labels, compare_strings);
  g_ptr_array_add (labels, NULL);
  return (GStrv) g_ptr_array_steal (labels, NULL);
}

gboolean
segue_dataset_is_live (SegueDataset *dataset)
{
  return dataset->live != NULL;
}

SeguePreparation *
segue_dataset_get_preparation (SegueDataset *dataset)
{
  return dataset->preparation;
}

void
segue_dataset_set_preparation (SegueDataset *dataset, SeguePreparation *preparation)
{
  segue_preparation_unref (dataset->preparation);
  dataset->preparation = segue_preparation_ref (preparation);
}

SegueDataset *
segue_dataset_with_live (SegueDataset *dataset, const SegueScope *scope,
                         const SegueGraphStage *stage)
{
  SegueDataset *view = new_view (dataset, g_ptr_array_ref (dataset->entries));
  g_clear_pointer (&view->live, g_ptr_array_unref);
  view->live = g_ptr_array_new ();
  for (guint i = 0; dataset->live && i < dataset->live->len; i++)
    g_ptr_array_add (view->live, g_ptr_array_index (dataset->live, i));
  g_ptr_array_add (view->live, (gpointer) stage);
  view->scope = scope;
  return view;
}

SegueDataset *
segue_dataset_without_live (SegueDataset *dataset)
{
  if (!dataset->live)
    return segue_dataset_ref (dataset);
  SegueDataset *view = new_view (dataset, g_ptr_array_ref (dataset->entries));
  g_clear_pointer (&view->live, g_ptr_array_unref);
  return view;
}

SegueDataset *
segue_dataset_without_copies (SegueDataset *dataset)
{
  GPtrArray *entries = new_entries (0);
  for (guint i = 0; i < dataset->entries->len; i++) {
    SegueItem *entry = g_ptr_array_index (dataset->entries, i);
    if (!segue_metadata_find (entry->metadata, SEGUE_META_COPY))
      g_ptr_array_add (entries, segue_item_ref (entry));
  }
  SegueDataset *view = new_view (dataset, entries);
  g_clear_pointer (&view->live, g_ptr_array_unref);
  return view;
}

SegueDataset *
segue_dataset_as_input (SegueDataset *dataset, SegueReads *reads, guint port, guint first)
{
  GPtrArray *entries = new_entries (dataset->entries->len);
  for (guint i = 0; i < dataset->entries->len; i++) {
    const SegueItem *entry = g_ptr_array_index (dataset->entries, i);
    g_ptr_array_add (entries, segue_item_copy_as_input (entry, reads, first + i));
  }
  SegueDataset *view = new_view (dataset, entries);
  view->port = port;
  return view;
}

SegueDataset *
segue_dataset_as_output (SegueDataset *dataset)
{
  GPtrArray *entries = new_entries (dataset->entries->len);
  for (guint i = 0; i < dataset->entries->len; i++) {
    const SegueItem *entry = g_ptr_array_index (dataset->entries, i);
    g_ptr_array_add (entries, segue_item_copy_as_entry (entry, &entry->body->extent));
  }
  return segue_dataset_with_entries (dataset, entries);
}

SegueDataset *
segue_dataset_with_entries (SegueDataset *dataset, GPtrArray *entries)
{
  SegueDataset *view = new_view (dataset, entries);
  view->port = SEGUE_NOT_CONNECTED;
  return view;
}

guint
segue_dataset_get_port (SegueDataset *dataset)
{
  return dataset->port;
}

guint
segue_dataset_get_song_end (SegueDataset *dataset, guint first)
{
  const SegueItem *begin = g_ptr_array_index (dataset->entries, first);
  guint end = first + 1;
  while (end < dataset->entries->len) {
    const SegueItem *next = g_ptr_array_index (dataset->entries, end);
    if (next->body->song != begin->body->song && strcmp (next->body->song, begin->body->song) != 0)
      break;
    end++;
  }
  return end;
}

guint
segue_dataset_count_songs (SegueDataset *dataset)
{
  guint n = 0;
  for (guint i = 0; i < dataset->entries->len; i = segue_dataset_get_song_end (dataset, i))
    n++;
  return n;
}

const SegueScope *
segue_dataset_get_live (SegueDataset *dataset, const SegueGraphStage *const **stages,
                        guint *n_stages)
{
  if (!segue_dataset_is_live (dataset))
    return NULL;
  *stages = (const SegueGraphStage *const *) dataset->live->pdata;
  *n_stages = dataset->live->len;
  return dataset->scope;
}
