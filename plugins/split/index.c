#include "index.h"

#include <string.h>

static void
names_init (Names *self)
{
  self->names = g_ptr_array_new_with_free_func (g_free);
  self->indices = g_hash_table_new (g_str_hash, g_str_equal);
}

static void
names_clear (Names *self)
{
  g_clear_pointer (&self->indices, g_hash_table_unref);
  g_clear_pointer (&self->names, g_ptr_array_unref);
}

static guint
names_add (Names *self, const char *name)
{
  gpointer index;

  if (g_hash_table_lookup_extended (self->indices, name, NULL, &index))
    return GPOINTER_TO_UINT (index);
  index = GUINT_TO_POINTER (self->names->len);
  g_ptr_array_add (self->names, g_strdup (name));
  g_hash_table_insert (self->indices, g_ptr_array_index (self->names, self->names->len - 1), index);
  return GPOINTER_TO_UINT (index);
}

/* Prefix of the name of a single-song group, which no album has. */
#define ALONE '\001'

void
index_clear (Index *self)
{
  names_clear (&self->songs);
  names_clear (&self->labels);
  names_clear (&self->groups);
  g_clear_pointer (&self->of_song, g_array_unref);
  g_clear_pointer (&self->of_item, g_array_unref);
}

/* (transfer full) (nullable) */
static char *
group_of (const SegueItem *item, const char *by)
{
  const char *text = segue_item_get_string (item, by);
  gint64 number = segue_item_get_int (item, by, G_MININT64);

  if (text && *text)
    return g_utf8_normalize (text, -1, G_NORMALIZE_NFC);
  return number == G_MININT64 ? NULL : g_strdup_printf ("%" G_GINT64_FORMAT, number);
}

/* Groups that have to stay together: both contain the same recording. */
typedef struct {
  GHashTable *of_recording; /* recording → group */
  GArray *parents;          /* guint, by group: a forest; a root is its own parent */
} Joins;

static guint
find_root (const Joins *self, guint group)
{
  guint *parents = (guint *) (gpointer) self->parents->data;

  for (; group < self->parents->len && parents[group] != group; group = parents[group])
    parents[group] = parents[parents[group]]; /* path halving */
  return group;
}

static void
join_recording (const Index *index, Joins *self, const char *recording, guint group)
{
  gpointer known;
  gboolean first;
  guint a, b;

  for (guint i = self->parents->len; i < index->groups.names->len; i++)
    g_array_append_val (self->parents, i);
  if (!g_hash_table_lookup_extended (self->of_recording, recording, NULL, &known)) {
    g_hash_table_insert (self->of_recording, g_strdup (recording), GUINT_TO_POINTER (group));
    return;
  }
  a = find_root (self, group);
  b = find_root (self, GPOINTER_TO_UINT (known));
  /* The first in the order of names is the root, whatever order they come in. */
  first = strcmp (index_get_group (index, a), index_get_group (index, b)) < 0;
  g_array_index (self->parents, guint, first ? b : a) = first ? a : b;
}

static void
join_groups (Index *self, const Joins *joins)
{
  for (guint i = 0; i < self->of_song->len; i++) {
    DealSong *song = &g_array_index (self->of_song, DealSong, i);

    song->group = find_root (joins, song->group);
  }
}

static void
add_song (Index *self, Joins *joins, const SegueItem *item, const char *by)
{
  const char *id = segue_item_get_song (item),
             *label = segue_item_get_string (item, SEGUE_META_LABEL);
  const char *recording = segue_item_get_string (item, SEGUE_META_RECORDING);
  gboolean by_song = g_str_equal (by, SEGUE_META_SONG);
  g_autofree char *group = by_song ? g_strdup (id) : group_of (item, by);
  DealSong song;

  if (!group) {
    group = g_strdup_printf ("%c%s", ALONE, id);
    self->n_alone++;
  }
  song.label = names_add (&self->labels, label ? label : "");
  song.group = names_add (&self->groups, group);
  g_array_append_val (self->of_song, song);
  if (recording)
    join_recording (self, joins, recording, song.group);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Labels are assigned one by one, in an order that does not depend on their songs' ids. */
static void
sort_labels (Index *self)
{
  g_autoptr (GPtrArray) sorted = g_ptr_array_new ();

  for (guint i = 0; i < self->labels.names->len; i++)
    g_ptr_array_add (sorted, g_ptr_array_index (self->labels.names, i));
  g_ptr_array_sort (sorted, compare_names);
  for (guint i = 0; i < sorted->len; i++)
    g_hash_table_insert (self->labels.indices, g_ptr_array_index (sorted, i), GUINT_TO_POINTER (i));
  for (guint i = 0; i < self->of_song->len; i++) {
    DealSong *song = &g_array_index (self->of_song, DealSong, i);

    song->label = GPOINTER_TO_UINT (g_hash_table_lookup (
      self->labels.indices, g_ptr_array_index (self->labels.names, song->label)));
  }
  for (guint i = 0; i < sorted->len; i++)
    self->labels.names->pdata[i] = g_ptr_array_index (sorted, i);
}

void
index_read (Index *self, SegueDataset *dataset, const char *by)
{
  Joins joins = { g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL),
                  g_array_new (FALSE, FALSE, sizeof (guint)) };

  names_init (&self->songs);
  names_init (&self->labels);
  names_init (&self->groups);
  self->of_song = g_array_new (FALSE, FALSE, sizeof (DealSong));
  self->of_item = g_array_new (FALSE, FALSE, sizeof (guint));
  for (guint i = 0; i < segue_dataset_get_length (dataset); i++) {
    SegueItem *item = segue_dataset_get_entry (dataset, i);
    guint song = names_add (&self->songs, segue_item_get_song (item));

    if (song == self->of_song->len)
      add_song (self, &joins, item, by);
    g_array_append_val (self->of_item, song);
  }
  join_groups (self, &joins);
  sort_labels (self);
  g_hash_table_unref (joins.of_recording);
  g_array_unref (joins.parents);
}

const char *
index_get_label (const Index *self, guint label)
{
  return g_ptr_array_index (self->labels.names, label);
}

const char *
index_get_group (const Index *self, guint group)
{
  const char *name = g_ptr_array_index (self->groups.names, group);

  return name + (*name == ALONE);
}
