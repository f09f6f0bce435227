/* Groups of songs, assigned to folds in turn. */
#include "folds.h"

#include <segue/random.h>
#include <string.h>

/* @root: of the songs that stay together: the one with the first id. @hash: of its id */
typedef struct {
  guint root;
  gint32 label;
  const char *id;
  guint64 hash;
} Song;

static guint
find_root (const Song *songs, guint song)
{
  while (songs[song].root != song)
    song = songs[song].root;
  return song;
}

static void
join (Song *songs, guint one, guint other)
{
  guint a = find_root (songs, one), b = find_root (songs, other);
  if (strcmp (songs[a].id, songs[b].id) < 0)
    songs[b].root = a;
  else
    songs[a].root = b;
}

/* Joins @song with the songs that have the same value of @key. @seen: "key=value" → song */
static void
join_by (Song *songs, guint song, SegueItem *item, const char *key, GHashTable *seen)
{
  const char *value = segue_item_get_string (item, key);
  gpointer other;
  if (!value || *value == '\0')
    return;
  g_autofree char *name = g_strdup_printf ("%s=%s", key, value);
  if (g_hash_table_lookup_extended (seen, name, NULL, &other))
    join (songs, song, GPOINTER_TO_UINT (other));
  else
    g_hash_table_insert (seen, g_steal_pointer (&name), GUINT_TO_POINTER (song));
}

/* What `split` keeps together, too: it sets `group` unless it splits by song. */
static Song *
list_songs (SegueDataset *dataset, const TrainSet *set, guint64 seed)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Song *songs = g_new0 (Song, set->n_songs);
  for (guint i = 0; i < set->n; i++) {
    guint number = set->samples[i].song;
    SegueItem *item = segue_dataset_get_entry (dataset, set->samples[i].index);
    if (songs[number].id)
      continue;
    const char *id = segue_item_get_song (item);
    songs[number] =
      (Song){ number, set->samples[i].label, id, segue_random_hash_string (seed, id) };
    join_by (songs, number, item, SEGUE_META_GROUP, seen);
    join_by (songs, number, item, SEGUE_META_RECORDING, seen);
  }
  return songs;
}

static int
compare_roots (gconstpointer a, gconstpointer b, gpointer data)
{
  const Song *songs = data, *x = &songs[*(const guint *) a], *y = &songs[*(const guint *) b];
  if (x->label != y->label)
    return x->label < y->label ? -1 : 1;
  if (x->hash != y->hash)
    return x->hash < y->hash ? -1 : 1;
  return strcmp (x->id, y->id);
}

/* Takes all groups out of folds that contain every song of a label. */
static void
keep_labels (const Song *songs, guint n_songs, guint n_labels, int *folds)
{
  g_autofree guint *counts = g_new0 (guint, (gsize) n_labels * TRAIN_N_FOLDS);
  g_autofree guint *totals = g_new0 (guint, n_labels);
  g_autofree gboolean *stays = g_new0 (gboolean, n_songs);
  for (guint s = 0; s < n_songs; s++) {
    counts[songs[s].label * TRAIN_N_FOLDS + folds[s]]++;
    totals[songs[s].label]++;
  }
  for (guint s = 0; s < n_songs; s++)
    stays[find_root (songs, s)] |=
      counts[songs[s].label * TRAIN_N_FOLDS + folds[s]] == totals[songs[s].label];
  for (guint s = 0; s < n_songs; s++)
    if (stays[find_root (songs, s)])
      folds[s] = TRAIN_NO_FOLD;
}

int *
train_folds_new (SegueDataset *dataset, const TrainSet *set, guint n_labels, guint64 seed)
{
  g_autofree Song *songs = list_songs (dataset, set, seed);
  g_autofree guint *roots = g_new (guint, set->n_songs);
  int *folds = g_new (int, set->n_songs);
  guint n_roots = 0;
  for (guint s = 0; s < set->n_songs; s++)
    if (songs[s].root == s)
      roots[n_roots++] = s;
  g_qsort_with_data (roots, (gint) n_roots, sizeof *roots, compare_roots, songs);
  /* On from label to label, so that folds have equal sizes. */
  for (guint i = 0; i < n_roots; i++)
    folds[roots[i]] = (int) (i % TRAIN_N_FOLDS);
  for (guint s = 0; s < set->n_songs; s++)
    folds[s] = folds[find_root (songs, s)];
  keep_labels (songs, set->n_songs, n_labels, folds);
  return folds;
}
