/* Metadata of an item, and the set of keys that a chain looked at. */
#include "metadata.h"

#include <string.h>

typedef struct {
  GRefString *key;
  GVariant *value;
  gboolean own;
} Entry;

/* A handful of keys: a sorted array beats a hash table in time and memory. */
struct _SegueMetadata {
  GArray *entries;
};

static void
clear_entry (gpointer data)
{
  Entry *entry = data;
  g_ref_string_release (entry->key);
  g_variant_unref (entry->value);
}

/* The place of @key, or where it would stand. */
static guint
find (const SegueMetadata *metadata, const char *key, gboolean *found)
{
  guint low = 0, high = metadata->entries->len;
  *found = FALSE;
  while (low < high) {
    guint middle = low + (high - low) / 2;
    int order = strcmp (g_array_index (metadata->entries, Entry, middle).key, key);
    if (order == 0) {
      *found = TRUE;
      return middle;
    }
    if (order < 0)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

SegueMetadata *
segue_metadata_new (void)
{
  SegueMetadata *metadata = g_new (SegueMetadata, 1);
  metadata->entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  g_array_set_clear_func (metadata->entries, clear_entry);
  return metadata;
}

void
segue_metadata_free (SegueMetadata *metadata)
{
  if (!metadata)
    return;
  g_array_unref (metadata->entries);
  g_free (metadata);
}

SegueMetadata *
segue_metadata_copy (const SegueMetadata *metadata)
{
  SegueMetadata *copy = segue_metadata_new ();
  for (guint i = 0; i < metadata->entries->len; i++) {
    Entry entry = g_array_index (metadata->entries, Entry, i);
    g_ref_string_acquire (entry.key);
    g_variant_ref (entry.value);
    g_array_append_val (copy->entries, entry);
  }
  return copy;
}

GVariant *
segue_metadata_get (const SegueMetadata *metadata, const char *key)
{
  gboolean found;
  guint at = find (metadata, key, &found);
  return found ? g_array_index (metadata->entries, Entry, at).value : NULL;
}

gboolean
segue_metadata_is_own (const SegueMetadata *metadata, const char *key)
{
  gboolean found;
  guint at = find (metadata, key, &found);
  return found && g_array_index (metadata->entries, Entry, at).own;
}

void
segue_metadata_set (SegueMetadata *metadata, const char *key, GVariant *value)
{
  gboolean found;
  guint at = find (metadata, key, &found);
  g_variant_ref_sink (value);
  if (found) {
    Entry *entry = &g_array_index (metadata->entries, Entry, at);
    g_variant_unref (entry->value);
    entry->value = value;
    entry->own = TRUE;
    return;
  }
  Entry entry = { .key = g_ref_string_new (key), .value = value, .own = TRUE };
  g_array_insert_val (metadata->entries, at, entry);
}

void
segue_metadata_disown (SegueMetadata *metadata)
{
  for (guint i = 0; i < metadata->entries->len; i++)
    g_array_index (metadata->entries, Entry, i).own = FALSE;
}

GVariant *
segue_metadata_to_variant (const SegueMetadata *metadata, gboolean own)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  for (guint i = 0; i < metadata->entries->len; i++) {
    const Entry *entry = &g_array_index (metadata->entries, Entry, i);
    if (!own || entry->own)
      g_variant_builder_add (&builder, "{sv}", entry->key, entry->value);
  }
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

gboolean
segue_metadata_is_valid (GVariant *value)
{
  if (!g_variant_is_of_type (value, G_VARIANT_TYPE_VARDICT))
    return FALSE;
  GVariantIter iter;
  const char *key;
  GVariant *member;
  g_variant_iter_init (&iter, value);
  while (g_variant_iter_loop (&iter, "{&sv}", &key, &member)) {
    if (*key == '\0' || !(g_variant_is_of_type (member, G_VARIANT_TYPE_STRING) ||
                          g_variant_is_of_type (member, G_VARIANT_TYPE_DOUBLE) ||
                          g_variant_is_of_type (member, G_VARIANT_TYPE_INT64))) {
      g_variant_unref (member);
      return FALSE;
    }
  }
  return TRUE;
}

struct _SegueReads {
  GMutex lock;
  GHashTable *keys;
};

SegueReads *
segue_reads_new (void)
{
  SegueReads *reads = g_atomic_rc_box_new0 (SegueReads);
  g_mutex_init (&reads->lock);
  reads->keys = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  return reads;
}

SegueReads *
segue_reads_ref (SegueReads *reads)
{
  return g_atomic_rc_box_acquire (reads);
}

static void
clear_reads (gpointer data)
{
  SegueReads *reads = data;
  g_hash_table_unref (reads->keys);
  g_mutex_clear (&reads->lock);
}

void
segue_reads_unref (SegueReads *reads)
{
  if (reads)
    g_atomic_rc_box_release_full (reads, clear_reads);
}

void
segue_reads_add (SegueReads *reads, const char *key)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&reads->lock);
  if (!g_hash_table_contains (reads->keys, key))
    g_hash_table_add (reads->keys, g_strdup (key));
}

static int
compare_strings (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

GStrv
segue_reads_list (SegueReads *reads)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&reads->lock);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer key;
  g_hash_table_iter_init (&iter, reads->keys);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    g_ptr_array_add (names, g_strdup (key));
  g_ptr_array_sort (names, compare_strings);
  g_ptr_array_add (names, NULL);
  return (GStrv) g_ptr_array_steal (names, NULL);
}
