/* split: which songs are trained on, and which are kept for the questions. */
#include "deal.h"

#include <segue/plugin.h>
#include <string.h>

typedef struct {
  char *by;
  double test;
  double validation;
  gint64 min_test;
  gint64 folds;
  gint64 fold;
  int too_few;
} SplitConfig;

enum { TOO_FEW_FAIL, TOO_FEW_TRAIN_ONLY };
static const char *const too_few_choices[] = { "fail", "train_only", NULL };
static const char *const set_names[N_SETS] = { "train", "validation", "test" };

/* Names in an error: more would not be read. */
#define MAX_NAMES 12

static const SegueParam *const params[] = {
  SEGUE_PARAM (SplitConfig, by, SEGUE_PARAM_STRING, .def = "song",
               .doc = "What stays together in one set: `song`, `album`, or any other metadata.  "
                      "The same album name under two labels is one group."),
  SEGUE_PARAM (SplitConfig, test, SEGUE_PARAM_DOUBLE, .def = "0.2", .min = 0, .max = 1000000,
               .doc = "How much of each label's songs is test: a share below 1, or a number of "
                      "songs."),
  SEGUE_PARAM (SplitConfig, validation, SEGUE_PARAM_DOUBLE, .def = "0.1", .min = 0, .max = 1000000,
               .doc = "How much of them is validation, likewise."),
  SEGUE_PARAM (SplitConfig, min_test, SEGUE_PARAM_INT, .def = "1", .min = 1, .max = 1000000,
               .doc = "Least number of test songs of each label."),
  SEGUE_PARAM (SplitConfig, folds, SEGUE_PARAM_INT, .def = "0", .min = 0, .max = 100,
               .doc = "Cross-validation: deal each label's songs to this many folds of equal size; "
                      "`fold` is then test, and `test` is not used.  0: none."),
  SEGUE_PARAM (SplitConfig, fold, SEGUE_PARAM_INT, .def = "0", .min = 0, .max = 99,
               .doc = "Which fold is test, from 0."),
  SEGUE_PARAM (SplitConfig, too_few, SEGUE_PARAM_CHOICE, .def = "fail", .choices = too_few_choices,
               .doc = "What to do when a label has too few songs (or albums) to be in every set: "
                      "`fail` names all such labels, `train_only` trains on them only."),
  NULL,
};

static gboolean
fail (GError **error, const char *what)
{
  g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE, what);
  return FALSE;
}

static gboolean
check (const void *data, GError **error)
{
  const SplitConfig *config = data;
  double shares = (config->test < 1 && config->folds == 0 ? config->test : 0) +
                  (config->validation < 1 ? config->validation : 0);

  if ((config->test >= 1 && config->test != floor (config->test)) ||
      (config->validation >= 1 && config->validation != floor (config->validation)))
    return fail (error, "test and validation are shares below 1 or whole numbers of songs");
  if (shares >= 1)
    return fail (error, "test and validation together leave nothing to train on");
  if (config->folds == 1)
    return fail (error, "folds must be 0 or at least 2");
  if (config->folds > 0 && config->fold >= config->folds)
    return fail (error, "fold must be below folds: the first is 0");
  if (*config->by == '\0')
    return fail (error, "by must name what stays together: song, album or other metadata");
  return TRUE;
}

static DealAmount
make_amount (double value, guint least)
{
  return value < 1 ? (DealAmount){ .share = value, .least = value > 0 ? least : 0 }
                   : (DealAmount){ .count = (guint) value, .least = least };
}

/* Names by index and back. */
typedef struct {
  GPtrArray *names;
  GHashTable *indices;
} Names;

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

/* The index, read once: each item's song, each song's label and group. */
typedef struct {
  Names songs, labels, groups;
  GArray *of_song; /* DealSong */
  GArray *of_item; /* guint: song */
  guint n_alone;   /* songs without the metadata that groups them */
} Index;

static void
index_clear (Index *self)
{
  names_clear (&self->songs);
  names_clear (&self->labels);
  names_clear (&self->groups);
  g_clear_pointer (&self->of_song, g_array_unref);
  g_clear_pointer (&self->of_item, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Index, index_clear)

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

static void
add_song (Index *self, const SegueItem *item, const char *by)
{
  const char *id = segue_item_get_song (item), *label = segue_item_get_string (item, "label");
  gboolean by_song = g_str_equal (by, SEGUE_META_SONG);
  g_autofree char *group = by_song ? g_strdup (id) : group_of (item, by);
  DealSong song;

  if (!group) { /* a group of its own, whose name no album has */
    group = g_strconcat ("\001", id, NULL);
    self->n_alone++;
  }
  song.label = names_add (&self->labels, label ? label : "");
  song.group = names_add (&self->groups, group);
  g_array_append_val (self->of_song, song);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Labels are dealt one after the other: in an order that their songs' ids don't decide. */
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

static void
index_read (Index *self, SegueDataset *dataset, const char *by)
{
  names_init (&self->songs);
  names_init (&self->labels);
  names_init (&self->groups);
  self->of_song = g_array_new (FALSE, FALSE, sizeof (DealSong));
  self->of_item = g_array_new (FALSE, FALSE, sizeof (guint));
  for (guint i = 0; i < segue_dataset_get_length (dataset); i++) {
    SegueItem *item = segue_dataset_get_entry (dataset, i);
    guint song = names_add (&self->songs, segue_item_get_song (item));

    if (song == self->of_song->len)
      add_song (self, item, by);
    g_array_append_val (self->of_item, song);
  }
  sort_labels (self);
}

static int
compare_keys (gconstpointer a, gconstpointer b, gpointer unused)
{
  return strcmp (a, b);
}

static gboolean
unknown_key (SegueDataset *dataset, const char *by, GError **error)
{
  g_autoptr (GTree) keys = g_tree_new_full (compare_keys, NULL, g_free, NULL);
  g_autoptr (GString) list = g_string_new (SEGUE_META_SONG);

  for (guint i = 0; i < segue_dataset_get_length (dataset); i++) {
    g_autoptr (GVariant) metadata = segue_item_get_metadata (segue_dataset_get_entry (dataset, i));
    GVariantIter iter;
    const char *key;

    g_variant_iter_init (&iter, metadata);
    while (g_variant_iter_next (&iter, "{&sv}", &key, NULL))
      g_tree_replace (keys, g_strdup (key), NULL);
  }
  for (GTreeNode *node = g_tree_node_first (keys); node; node = g_tree_node_next (node))
    g_string_append_printf (list, ", %s", (const char *) g_tree_node_key (node));
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
               "no song has the metadata ‘%s’ that ‘by’ asks for; there are: %s", by, list->str);
  return FALSE;
}

static gboolean
too_few (const SplitConfig *config, const Index *index, const Deal *deal,
         const gboolean *short_labels, guint n_short, GError **error)
{
  gboolean by_song = g_str_equal (config->by, SEGUE_META_SONG);
  const char *unit = by_song ? "song" : config->by;
  g_autofree guint *counts = g_new0 (guint, index->labels.names->len);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GString) list = g_string_new (NULL);
  guint n_named = 0;

  for (guint i = 0; i < index->of_song->len; i++) {
    const DealSong *song = &g_array_index (index->of_song, DealSong, i);

    counts[song->label] +=
      g_hash_table_add (seen, g_strdup_printf ("%u %u", song->label, song->group));
  }
  for (guint l = 0; l < index->labels.names->len && n_named < MAX_NAMES; l++)
    if (short_labels[l])
      g_string_append_printf (list, "%s‘%s’ has %u", n_named++ ? ", " : "",
                              (const char *) g_ptr_array_index (index->labels.names, l), counts[l]);
  if (n_short > n_named)
    g_string_append_printf (list, " and %u more", n_short - n_named);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
               "%u label%s too few %ss to be in every set: %s; each needs at least %u: add songs, "
               "leave such labels out (min_songs of scan), lower the numbers of test and "
               "validation, or choose ‘too_few: train_only’",
               n_short, n_short == 1 ? " has" : "s have", unit, list->str,
               deal_get_need (deal, by_song));
  return FALSE;
}

/* Labels that can't be in every set go to train; what they took along may make others too few. */
static gboolean
deal_all (const SplitConfig *config, const Index *index, Deal *deal, SegueContext *context,
          GError **error)
{
  guint n_labels = index->labels.names->len, n_short;
  g_autofree gboolean *train_only = g_new0 (gboolean, n_labels);
  g_autofree gboolean *short_labels = g_new0 (gboolean, n_labels);

  while ((n_short = deal_run (deal, train_only, short_labels)) > 0) {
    if (config->too_few == TOO_FEW_FAIL)
      return too_few (config, index, deal, short_labels, n_short, error);
    for (guint l = 0; l < n_labels; l++)
      train_only[l] |= short_labels[l];
    if (!segue_context_check_cancelled (context, error))
      return FALSE;
  }
  for (guint l = 0; l < n_labels; l++)
    if (train_only[l])
      segue_context_log (context, G_LOG_LEVEL_WARNING,
                         "‘%s’ has too few %ss to be tested: it is trained on only",
                         (const char *) g_ptr_array_index (index->labels.names, l), config->by);
  return TRUE;
}

static SegueDataset *
annotate (SegueDataset *dataset, const Index *index, const Deal *deal, const char *key,
          const char *(*value) (const Index *, const Deal *, guint group, char buffer[16]))
{
  guint n = index->of_item->len;
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < n; i++) {
    guint song = g_array_index (index->of_item, guint, i);
    char buffer[16];

    g_ptr_array_add (
      values,
      g_strdup (value (index, deal, g_array_index (index->of_song, DealSong, song).group, buffer)));
  }
  return segue_dataset_annotate (dataset, key, (const char *const *) values->pdata);
}

static const char *
set_of (const Index *index, const Deal *deal, guint group, char buffer[16])
{
  return set_names[deal_get_set (deal, group)];
}

static const char *
fold_of (const Index *index, const Deal *deal, guint group, char buffer[16])
{
  int fold = deal_get_fold (deal, group);

  if (fold < 0)
    return "none";
  g_snprintf (buffer, 16, "%d", fold);
  return buffer;
}

static const char *
name_of (const Index *index, const Deal *deal, guint group, char buffer[16])
{
  const char *name = g_ptr_array_index (index->groups.names, group);

  return name + (*name == '\001');
}

static void
emit (const SplitConfig *config, SegueDataset *dataset, const Index *index, const Deal *deal,
      SegueContext *context)
{
  g_autoptr (SegueDataset) result = annotate (dataset, index, deal, SEGUE_META_SET, set_of);
  guint counts[N_SETS] = { 0 };

  if (!g_str_equal (config->by, SEGUE_META_SONG)) {
    g_autoptr (SegueDataset) plain = g_steal_pointer (&result);

    result = annotate (plain, index, deal, SEGUE_META_GROUP, name_of);
  }
  if (config->folds > 0) {
    g_autoptr (SegueDataset) plain = g_steal_pointer (&result);

    result = annotate (plain, index, deal, "fold", fold_of);
  }
  for (guint i = 0; i < index->of_song->len; i++)
    counts[deal_get_set (deal, g_array_index (index->of_song, DealSong, i).group)]++;
  for (guint s = 0; s < N_SETS; s++) {
    g_autofree char *name = g_strdup_printf ("%s songs", set_names[s]);

    segue_context_count (context, name, counts[s]);
  }
  segue_context_emit_dataset (context, result);
}

static gboolean
collect (gpointer instance, SegueContext *context, GError **error)
{
  const SplitConfig *config = segue_context_get_config (context);
  SegueDataset *dataset = segue_context_get_input (context, "items");
  g_auto (Index) index = { 0 };
  g_autoptr (Deal) deal = NULL;
  DealPlan plan = { .folds = (guint) config->folds,
                    .fold = (guint) config->fold,
                    .seed = segue_context_get_seed (context) };

  plan.amounts[SET_TEST] = make_amount (config->folds ? 0 : config->test, (guint) config->min_test);
  plan.amounts[SET_VALIDATION] = make_amount (config->validation, 1);
  index_read (&index, dataset, config->by);
  if (index.of_song->len > 0 && index.n_alone == index.of_song->len)
    return unknown_key (dataset, config->by, error);
  if (index.n_alone > 0)
    segue_context_log (context, G_LOG_LEVEL_WARNING,
                       "%u songs have no ‘%s’: each of them is a group of its own", index.n_alone,
                       config->by);
  deal = deal_new (&plan, (const DealSong *) (gpointer) index.of_song->data, index.of_song->len,
                   index.labels.names->len, (const char *const *) index.groups.names->pdata,
                   index.groups.names->len);
  if (!deal_all (config, &index, deal, context, error))
    return FALSE;
  emit (config, dataset, &index, deal, context);
  return TRUE;
}

static const SeguePort *const inputs[] = {
  SEGUE_PORT ("items", SEGUE_KIND_ANY, "Songs or segments."), NULL
};
static const SeguePort *const outputs[] = {
  SEGUE_PORT ("items", SEGUE_KIND_ANY, "The same, each in its set."), NULL
};

static const SegueStageType split = {
  .struct_size = sizeof (SegueStageType),
  .name = "split",
  .summary = "Deals songs to train, validation and test, so that nothing leaks between them",
  .doc =
    "Every label is in every set, and whatever belongs together (the segments of a song; with "
    "`by: album`, the songs of an album) is in one set only.  The payloads are untouched: an item "
    "gets the metadata `set`, and `fold` and `group` where there are any.\n\n"
    "A split by song flatters: songs of an album share their sound.  `by: album` asks the harder "
    "question; report both.\n\n"
    "Which songs are drawn depends on the run's seed and their names alone: songs that come later "
    "don't reshuffle the others.",
  .result_version = 1,
  .mode = SEGUE_MODE_COLLECT,
  .flags = SEGUE_STAGE_SEEDED,
  .inputs = inputs,
  .outputs = outputs,
  .params = params,
  .config_size = sizeof (SplitConfig),
  .check = check,
  .collect = collect,
};

static const SegueStageType *const stages[] = { &split, NULL };

SEGUE_PLUGIN (.name = "split", .version = "1.0", .licence = "MIT", .stages = stages)
