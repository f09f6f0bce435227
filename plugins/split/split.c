/* split: which songs are for training, and which are kept for validation and test. */
#include "deal.h"
#include "index.h"
#include "too-few.h"

#include <segue/collect.h>
#include <segue/format.h>
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

enum { TOO_FEW_FAIL, TOO_FEW_TRAIN_ONLY, TOO_FEW_LEAVE_OUT };
static const char *const too_few_choices[] = { "fail", "train_only", "leave_out", NULL };

static const SegueParam *const params[] = {
  SEGUE_PARAM (SplitConfig, by, SEGUE_PARAM_STRING, .def = "song",
               .doc = "What stays together in one set: `song`, `album`, or any other metadata. "
                      "The same album name under two labels is one group."),
  SEGUE_PARAM (SplitConfig, test, SEGUE_PARAM_DOUBLE, .def = "0.2", .min = 0, .max = 1000000,
               .doc = "Test songs of each label: a fraction below 1, or a number of songs."),
  SEGUE_PARAM (SplitConfig, validation, SEGUE_PARAM_DOUBLE, .def = "0.1", .min = 0, .max = 1000000,
               .doc = "Validation songs of each label, likewise."),
  SEGUE_PARAM (SplitConfig, min_test, SEGUE_PARAM_INT, .def = "1", .min = 1, .max = 1000000,
               .doc = "Minimum number of test songs of each label."),
  SEGUE_PARAM (SplitConfig, folds, SEGUE_PARAM_INT, .def = "0", .min = 0, .max = 100,
               .doc = "Cross-validation: split each label's songs into this many folds of equal "
                      "size; `fold` is then test, and `test` is not used. 0: none."),
  SEGUE_PARAM (SplitConfig, fold, SEGUE_PARAM_INT, .def = "0", .min = 0, .max = 99,
               .doc = "The fold that is the test set, counted from 0."),
  SEGUE_PARAM (SplitConfig, too_few, SEGUE_PARAM_CHOICE, .def = "fail", .choices = too_few_choices,
               .doc = "What to do when a label has too few songs (or albums) to be in every set: "
                      "`fail` ends the run and lists them, `train_only` trains on them and does "
                      "not test them, `leave_out` excludes them and lists them."),
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

static gboolean
is_by_song (const SplitConfig *config)
{
  return g_str_equal (config->by, SEGUE_META_SONG);
}

static DealAmount
make_amount (double value, guint least)
{
  return value < 1 ? (DealAmount){ .share = value, .least = value > 0 ? least : 0 }
                   : (DealAmount){ .count = (guint) value, .least = least };
}

static int
compare_keys (gconstpointer a, gconstpointer b, gpointer unused)
{
  return strcmp (a, b);
}

static void
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
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
               "no song has the metadata ‘%s’ that ‘by’ requires; available: %s", by, list->str);
}

/* The assignment of the remaining songs, and the list of these. */
typedef struct {
  Deal *deal;
  GArray *songs;        /* DealSong, those that are assigned: borrowed by the deal */
  gboolean *left_out;   /* by label */
  gboolean *train_only; /* by label */
} Outcome;

static void
outcome_clear (Outcome *self)
{
  g_clear_pointer (&self->deal, deal_free);
  g_clear_pointer (&self->songs, g_array_unref);
  g_clear_pointer (&self->left_out, g_free);
  g_clear_pointer (&self->train_only, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Outcome, outcome_clear)

static DealPlan
make_deal_plan (const SplitConfig *config, guint64 seed)
{
  DealPlan plan = { .folds = (guint) config->folds, .fold = (guint) config->fold, .seed = seed };

  plan.amounts[SEGUE_SET_TEST] =
    make_amount (config->folds ? 0 : config->test, (guint) config->min_test);
  plan.amounts[SEGUE_SET_VALIDATION] = make_amount (config->validation, 1);
  return plan;
}

/* An assignment of all songs whose labels are not excluded. */
static void
start_deal (Outcome *self, const DealPlan *plan, const Index *index)
{
  g_clear_pointer (&self->deal, deal_free);
  g_array_set_size (self->songs, 0);
  for (guint i = 0; i < index->of_song->len; i++) {
    const DealSong *song = &g_array_index (index->of_song, DealSong, i);

    if (!self->left_out[song->label])
      g_array_append_val (self->songs, *song);
  }
  self->deal = deal_new (plan, (const DealSong *) (gpointer) self->songs->data, self->songs->len,
                         index->labels.names->len, (const char *const *) index->groups.names->pdata,
                         index->groups.names->len);
}

/* Labels that can't be in every set go to train or are excluded; groups that they share may leave other labels
 * with too few. */
static gboolean
deal_all (const SplitConfig *config, const Index *index, Outcome *self, SegueContext *context,
          GError **error)
{
  DealPlan plan = make_deal_plan (config, segue_context_get_seed (context));
  guint n_labels = index->labels.names->len, n_short;
  g_autofree gboolean *short_labels = g_new0 (gboolean, n_labels + 1);
  gboolean *given_up;

  *self = (Outcome){ .songs = g_array_new (FALSE, FALSE, sizeof (DealSong)),
                     .left_out = g_new0 (gboolean, n_labels + 1),
                     .train_only = g_new0 (gboolean, n_labels + 1) };
  given_up = config->too_few == TOO_FEW_LEAVE_OUT ? self->left_out : self->train_only;
  start_deal (self, &plan, index);
  while ((n_short = deal_run (self->deal, self->train_only, short_labels)) > 0) {
    if (config->too_few == TOO_FEW_FAIL)
      return too_few_fail (index, config->by, short_labels,
                           deal_get_need (self->deal, is_by_song (config)), error);
    for (guint l = 0; l < n_labels; l++)
      given_up[l] |= short_labels[l];
    if (!segue_context_check_cancelled (context, error))
      return FALSE;
    if (config->too_few == TOO_FEW_LEAVE_OUT)
      start_deal (self, &plan, index);
  }
  return too_few_report (index, config->by, given_up, config->too_few == TOO_FEW_LEAVE_OUT,
                         deal_get_need (self->deal, is_by_song (config)), context, error);
}

typedef const char *(*ValueFunc) (const Index *index, const Deal *deal, guint group,
                                  char buffer[16]);

static const char *
set_of (const Index *index, const Deal *deal, guint group, char buffer[16])
{
  return segue_set_get_name (deal_get_set (deal, group));
}

/* Only the set is not set where a label is excluded: that excludes its items. */
static SegueDataset *
annotate (SegueDataset *dataset, const Index *index, const Outcome *outcome, const char *key,
          ValueFunc value)
{
  g_autoptr (GPtrArray) values = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < index->of_item->len; i++) {
    const DealSong *song =
      &g_array_index (index->of_song, DealSong, g_array_index (index->of_item, guint, i));
    char buffer[16];

    const char *text = outcome->left_out[song->label] && value == set_of
                         ? NULL
                         : value (index, outcome->deal, song->group, buffer);

    g_ptr_array_add (values, g_strdup (text));
  }
  return segue_dataset_annotate (dataset, key, (const char *const *) values->pdata);
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
group_of (const Index *index, const Deal *deal, guint group, char buffer[16])
{
  return index_get_group (index, group);
}

static void
emit (const SplitConfig *config, SegueDataset *dataset, const Index *index, const Outcome *outcome,
      SegueContext *context)
{
  g_autoptr (SegueDataset) grouped = NULL, folded = NULL, result = NULL;
  guint counts[SEGUE_N_SETS] = { 0 };

  grouped = is_by_song (config) ? segue_dataset_ref (dataset)
                                : annotate (dataset, index, outcome, SEGUE_META_GROUP, group_of);
  folded = config->folds == 0 ? segue_dataset_ref (grouped)
                              : annotate (grouped, index, outcome, "fold", fold_of);
  /* Excludes items, so it comes last: the index counts all of them. */
  result = annotate (folded, index, outcome, SEGUE_META_SET, set_of);
  for (guint i = 0; i < outcome->songs->len; i++)
    counts[deal_get_set (outcome->deal, g_array_index (outcome->songs, DealSong, i).group)]++;
  for (guint s = 0; s < SEGUE_N_SETS; s++) {
    g_autofree char *name = g_strdup_printf ("%s songs", segue_set_get_name (s));

    segue_context_count (context, name, counts[s]);
  }
  segue_context_emit_dataset (context, result);
}

/* An index is enough: before songs are decoded, their index determines how they will be split. */
static gboolean
split_index (SegueContext *context, GError **error)
{
  const SplitConfig *config = segue_context_get_config (context);
  SegueDataset *dataset = segue_context_get_input (context, "items");
  g_auto (Index) index = { 0 };
  g_auto (Outcome) outcome = { 0 };

  index_read (&index, dataset, config->by);
  if (index.of_song->len > 0 && index.n_alone == index.of_song->len) {
    unknown_key (dataset, config->by, error);
    return FALSE;
  }
  if (index.n_alone > 0)
    segue_context_log (context, G_LOG_LEVEL_WARNING,
                       "%u songs have no ‘%s’: each of them is a separate group", index.n_alone,
                       config->by);
  if (!deal_all (config, &index, &outcome, context, error))
    return FALSE;
  emit (config, dataset, &index, &outcome, context);
  return TRUE;
}

static gboolean
collect (gpointer instance, SegueContext *context, GError **error)
{
  return split_index (context, error);
}

static gboolean
preview (SegueContext *context, GError **error)
{
  g_autoptr (GError) local = NULL;

  if (split_index (context, &local))
    return TRUE;
  /* A stage in between may still add the metadata that songs are grouped by. */
  if (g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_PIPELINE)) {
    segue_context_log (context, G_LOG_LEVEL_WARNING, "%s", local->message);
    return TRUE;
  }
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

static gboolean
negotiate (const void *config, SegueNegotiation *negotiation, GError **error)
{
  segue_negotiation_pass (negotiation, "items", "items");
  return TRUE;
}

static const SeguePort *const inputs[] = {
  SEGUE_PORT ("items", SEGUE_KIND_ANY, "Songs or segments.", .flags = SEGUE_PORT_LIVE), NULL
};
static const SeguePort *const outputs[] = {
  SEGUE_PORT ("items", SEGUE_KIND_ANY, "The same, each in its set.", .flags = SEGUE_PORT_SETS), NULL
};

static const SegueStageType split = {
  SEGUE_STAGE_TYPE,
  .name = "split",
  .summary =
    "Splits songs into train, validation and test sets, so that nothing leaks between them",
  .doc =
    "Every label is in every set, and whatever belongs together (the segments of a song, copies of "
    "one recording; with `by: album`, the songs of an album) is in one set only. The payloads are "
    "untouched: an item gets the metadata `set`, and `fold` and `group` where there are any.\n\nA "
    "split by song is optimistic: songs of an album share their sound. `by: album` is the harder "
    "test; report both.\n\nWhich songs are drawn depends only on the run's seed and their names: "
    "songs that are added later do not reshuffle the others.",
  .result_version = 2,
  .mode = SEGUE_MODE_COLLECT,
  .flags = SEGUE_STAGE_SEEDED,
  .inputs = inputs,
  .outputs = outputs,
  .params = params,
  .config_size = sizeof (SplitConfig),
  .check = check,
  .collect = collect,
  .negotiate = negotiate,
  .preview = preview,
};

static const SegueStageType *const stages[] = { &split, NULL };

SEGUE_PLUGIN (.name = "split", .version = "1.0", .licence = "MIT", .stages = stages)
