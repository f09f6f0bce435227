/* Items by set, checked before anything is computed. */
#include "sets.h"

#include <segue/error.h>
#include <segue/nn/cross-entropy.h>
#include <string.h>

/* Items without a set are for training. */
static SegueSet
set_of (const SegueItem *item)
{
  const char *set = segue_item_get_string (item, SEGUE_META_SET);
  return !set ? SEGUE_SET_TRAIN : segue_set_from_name (set);
}

/* The first eight bytes of SHA-256. */
static guint64
key_of (const char *id)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 digest[32];
  gsize length = sizeof digest;
  g_checksum_update (checksum, (const guchar *) id, -1);
  g_checksum_get_digest (checksum, digest, &length);
  guint64 key = 0;
  for (guint i = 0; i < 8; i++)
    key = key << 8 | digest[i];
  return key;
}

static int
compare_texts (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* The labels of the training items, each once, sorted. UTF-8 sorts by code point as bytes. */
static gboolean
collect_labels (SegueDataset *dataset, TrainSets *sets, GError **error)
{
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GPtrArray) labels = g_ptr_array_new_with_free_func (g_free);
  const char *unlabelled = NULL;
  guint n_unlabelled = 0, n = segue_dataset_get_length (dataset);

  for (guint i = 0; i < n; i++) {
    SegueItem *item = segue_dataset_get_entry (dataset, i);
    if (set_of (item) != SEGUE_SET_TRAIN)
      continue;
    sets->train.n++;
    const char *label = segue_item_get_string (item, SEGUE_META_LABEL);
    if (!label || *label == '\0') {
      unlabelled = unlabelled ? unlabelled : segue_item_get_id (item);
      n_unlabelled++;
    } else if (g_hash_table_add (seen, (gpointer) label)) {
      g_ptr_array_add (labels, g_strdup (label));
    }
  }

  if (sets->train.n == 0)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "there is nothing to train on: none of %u items is in the set `train`", n);
  else if (n_unlabelled > 0)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "%u of %u training items have no label, such as ‘%s’; set `layout` and `label` of "
                 "the `scan` stage",
                 n_unlabelled, sets->train.n, unlabelled);
  else if (labels->len < 2)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "a classifier needs at least two labels, but all %u training items have ‘%s’: add "
                 "songs with another label, or check `layout` and `label` of the `scan` stage",
                 sets->train.n, (const char *) g_ptr_array_index (labels, 0));
  if (sets->train.n == 0 || n_unlabelled > 0 || labels->len < 2)
    return FALSE;

  g_ptr_array_sort (labels, compare_texts);
  sets->n_labels = labels->len;
  g_ptr_array_add (labels, NULL);
  sets->labels = (GStrv) g_ptr_array_free (g_steal_pointer (&labels), FALSE);
  return TRUE;
}

/* Augmented copies are for training only. */
static gboolean
is_in (SegueItem *item, SegueSet kind)
{
  return set_of (item) == kind &&
         (kind == SEGUE_SET_TRAIN || segue_item_get_int (item, SEGUE_META_COPY, 0) == 0);
}

static void
fill_set (SegueDataset *dataset, SegueSet kind, GHashTable *label_numbers, TrainSet *set)
{
  g_autoptr (GHashTable) songs = g_hash_table_new (g_str_hash, g_str_equal);
  guint n = segue_dataset_get_length (dataset);
  set->n = 0;
  for (guint i = 0; i < n; i++)
    set->n += is_in (segue_dataset_get_entry (dataset, i), kind);

  set->samples = g_new0 (TrainSample, set->n);
  TrainSample *sample = set->samples;
  for (guint i = 0; i < n; i++) {
    SegueItem *item = segue_dataset_get_entry (dataset, i);
    if (!is_in (item, kind))
      continue;
    const char *song = segue_item_get_song (item);
    const char *label = segue_item_get_string (item, SEGUE_META_LABEL);
    gpointer number = NULL;
    if (!g_hash_table_lookup_extended (songs, song, NULL, &number)) {
      number = GUINT_TO_POINTER (g_hash_table_size (songs));
      g_hash_table_insert (songs, (gpointer) song, number);
    }
    sample->index = i;
    sample->song = GPOINTER_TO_UINT (number);
    sample->key = key_of (segue_item_get_id (item));
    sample->label = SEGUE_NN_IGNORE;
    if (label && g_hash_table_lookup_extended (label_numbers, label, NULL, &number))
      sample->label = GPOINTER_TO_INT (number);
    sample++;
  }
  set->n_songs = g_hash_table_size (songs);
}

TrainSets *
train_sets_new (SegueDataset *dataset, GError **error)
{
  g_autoptr (TrainSets) sets = g_new0 (TrainSets, 1);
  if (!collect_labels (dataset, sets, error))
    return NULL;

  g_autoptr (GHashTable) numbers = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint c = 0; c < sets->n_labels; c++)
    g_hash_table_insert (numbers, sets->labels[c], GUINT_TO_POINTER (c));
  fill_set (dataset, SEGUE_SET_TRAIN, numbers, &sets->train);
  fill_set (dataset, SEGUE_SET_VALIDATION, numbers, &sets->validation);
  for (guint i = 0; i < sets->validation.n; i++)
    sets->n_unknown += sets->validation.samples[i].label == SEGUE_NN_IGNORE;
  return g_steal_pointer (&sets);
}

void
train_sets_free (TrainSets *sets)
{
  if (!sets)
    return;
  g_strfreev (sets->labels);
  g_free (sets->train.samples);
  g_free (sets->validation.samples);
  g_free (sets);
}

void
train_sets_fill_weights (const TrainSets *sets, float *weights)
{
  g_autofree guint *counts = g_new0 (guint, sets->n_labels);
  for (guint i = 0; i < sets->train.n; i++)
    counts[sets->train.samples[i].label]++;
  for (guint c = 0; c < sets->n_labels; c++)
    weights[c] = (float) ((double) sets->train.n / ((double) sets->n_labels * counts[c]));
}
