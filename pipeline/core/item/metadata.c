/* Metadata of an item, and the set of keys that a chain read. */
#include "item/metadata.h"
#include "base/interned.h"

#include <math.h>
#include <string.h>

typedef struct {
  GRefString *key;
  SegueMetadataValue value;
} Entry;

/* A handful of keys: a sorted array beats a hash table in time and memory. */
struct _SegueMetadata {
  gatomicrefcount refs;
  guint n;
  SegueMetadata *base; /* nullable: keys that are not in @entries; has no base and no own values */
  Entry entries[];
};

static gsize
size_of (guint n)
{
  return sizeof (SegueMetadata) + n * sizeof (Entry);
}

SegueMetadata *
segue_metadata_new (void)
{
  SegueMetadata *metadata = g_malloc0 (size_of (0));
  g_atomic_ref_count_init (&metadata->refs);
  return metadata;
}

SegueMetadata *
segue_metadata_ref (SegueMetadata *metadata)
{
  g_atomic_ref_count_inc (&metadata->refs);
  return metadata;
}

static void
clear_value (SegueMetadataValue *value)
{
  if (value->type == 's')
    segue_interned_release (value->s);
}

void
segue_metadata_unref (SegueMetadata *metadata)
{
  if (!metadata || !g_atomic_ref_count_dec (&metadata->refs))
    return;
  for (guint i = 0; i < metadata->n; i++) {
    segue_interned_release (metadata->entries[i].key);
    clear_value (&metadata->entries[i].value);
  }
  segue_metadata_unref (metadata->base);
  g_free (metadata);
}

/* The index of @key in the table itself, or where it would be inserted. */
static guint
find (const SegueMetadata *metadata, const char *key, gboolean *found)
{
  guint low = 0, high = metadata->n;
  *found = FALSE;
  while (low < high) {
    guint middle = low + (high - low) / 2;
    int order = strcmp (metadata->entries[middle].key, key);
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

const SegueMetadataValue *
segue_metadata_find (const SegueMetadata *metadata, const char *key)
{
  for (; metadata; metadata = metadata->base) {
    gboolean found;
    guint at = find (metadata, key, &found);
    if (found)
      return &metadata->entries[at].value;
  }
  return NULL;
}

const char *
segue_metadata_find_not_finite (const SegueMetadata *metadata)
{
  for (guint i = 0; i < metadata->n; i++) {
    const SegueMetadataValue *value = &metadata->entries[i].value;
    if (value->own && value->type == 'd' && !isfinite (value->d))
      return metadata->entries[i].key;
  }
  return NULL;
}

/* (transfer full): floating */
static GVariant *
to_variant (const SegueMetadataValue *value)
{
  switch (value->type) {
  case 's':
    return g_variant_new_string (value->s);
  case 'd':
    return g_variant_new_double (value->d);
  default:
    return g_variant_new_int64 (value->x);
  }
}

static SegueMetadataValue
from_variant (GVariant *variant)
{
  SegueMetadataValue value = { .type = *g_variant_get_type_string (variant), .own = TRUE };
  switch (value.type) {
  case 's':
    value.s = segue_interned_new (g_variant_get_string (variant, NULL));
    break;
  case 'd':
    value.d = g_variant_get_double (variant);
    break;
  default:
    value.x = g_variant_get_int64 (variant);
  }
  return value;
}

GVariant *
segue_metadata_get (const SegueMetadata *metadata, const char *key)
{
  const SegueMetadataValue *value = segue_metadata_find (metadata, key);
  return value ? g_variant_ref_sink (to_variant (value)) : NULL;
}

static gboolean
has_own (const SegueMetadata *metadata)
{
  for (guint i = 0; i < metadata->n; i++)
    if (metadata->entries[i].value.own)
      return TRUE;
  return FALSE;
}

/* The same values in an unshared table. */
static SegueMetadata *
copy (SegueMetadata *metadata)
{
  SegueMetadata *table = g_memdup2 (metadata, size_of (metadata->n));
  g_atomic_ref_count_init (&table->refs);
  for (guint i = 0; i < table->n; i++) {
    g_ref_string_acquire (table->entries[i].key);
    if (table->entries[i].value.type == 's')
      g_ref_string_acquire (table->entries[i].value.s);
  }
  if (table->base)
    segue_metadata_ref (table->base);
  return table;
}

/* An empty table over @metadata, which came from outside as a whole. */
static SegueMetadata *
lay_over (SegueMetadata *metadata)
{
  SegueMetadata *table = segue_metadata_new ();
  table->base = segue_metadata_ref (metadata);
  return table;
}

static void
make_writable (SegueMetadata **metadata)
{
  SegueMetadata *shared = *metadata;
  if (g_atomic_ref_count_compare (&shared->refs, 1))
    return;
  *metadata = shared->base || has_own (shared) ? copy (shared) : lay_over (shared);
  segue_metadata_unref (shared);
}

void
segue_metadata_set (SegueMetadata **metadata, const char *key, GVariant *value)
{
  gboolean found;
  g_autoptr (GVariant) sunk = g_variant_ref_sink (value);
  make_writable (metadata);
  guint at = find (*metadata, key, &found);
  if (found) {
    clear_value (&(*metadata)->entries[at].value);
  } else {
    SegueMetadata *table = g_realloc (*metadata, size_of ((*metadata)->n + 1));
    memmove (&table->entries[at + 1], &table->entries[at], (table->n - at) * sizeof (Entry));
    table->entries[at].key = segue_interned_new (key);
    table->n++;
    *metadata = table;
  }
  (*metadata)->entries[at].value = from_variant (sunk);
}

void
segue_metadata_disown (SegueMetadata **metadata)
{
  if (!has_own (*metadata))
    return;
  make_writable (metadata);
  for (guint i = 0; i < (*metadata)->n; i++)
    (*metadata)->entries[i].value.own = FALSE;
}

static void
add (GVariantBuilder *builder, const Entry *entry, gboolean own)
{
  if (!own || entry->value.own)
    g_variant_builder_add (builder, "{sv}", entry->key, to_variant (&entry->value));
}

GVariant *
segue_metadata_to_variant (const SegueMetadata *metadata, gboolean own)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  const SegueMetadata *base = metadata->base;
  guint below = 0;
  for (guint i = 0; i < metadata->n; i++) {
    const Entry *entry = &metadata->entries[i];
    int order = -1;
    for (; base && below < base->n; below++) {
      if ((order = strcmp (base->entries[below].key, entry->key)) >= 0)
        break;
      add (&builder, &base->entries[below], own);
    }
    below += order == 0; /* overridden by @entry */
    add (&builder, entry, own);
  }
  for (; base && below < base->n; below++)
    add (&builder, &base->entries[below], own);
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
  SegueReadsWatch *watch; /* nullable: of the innermost call */
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
  SegueReadsWatch *watch = reads->watch;
  for (guint i = 0; watch && !watch->found && watch->keys && watch->keys[i]; i++)
    if (g_str_equal (watch->keys[i], key))
      watch->found = watch->keys[i];
}

SegueReadsWatch *
segue_reads_watch (SegueReads *reads, SegueReadsWatch *watch)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&reads->lock);
  SegueReadsWatch *outer = reads->watch;
  reads->watch = watch;
  return outer;
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
