/* The songs that all members predict, in the order of the first member's. */
#include "members.h"

#include <segue/model.h>
#include <segue/tensor.h>
#include <string.h>

typedef struct {
  SegueDataset *predictions; /* borrowed */
  SegueReader *reader;
  char *folder;
  GArray *places;  /* guint: index of each song in its predictions */
  GArray *aligned; /* float [segments, labels] of the current song */
} Member;

struct _CombineMembers {
  GPtrArray *all;     /* Member */
  GPtrArray *folders; /* borrowed from those */
  GStrv labels;
  guint n_left_out;
  GArray *spans; /* SegueSpan, of the current song */
  GPtrArray *rows;
};

static void
member_free (gpointer data)
{
  Member *member = data;
  g_clear_pointer (&member->reader, segue_reader_free);
  g_array_unref (member->places);
  g_array_unref (member->aligned);
  g_free (member->folder);
  g_free (member);
}

void
combine_members_free (CombineMembers *members)
{
  if (!members)
    return;
  g_ptr_array_unref (members->all);
  g_ptr_array_unref (members->folders);
  g_ptr_array_unref (members->rows);
  g_array_unref (members->spans);
  g_strfreev (members->labels);
  g_free (members);
}

static Member *
member_at (const CombineMembers *members, guint index)
{
  return g_ptr_array_index (members->all, index);
}

/* ---- Models ---- */

/* (transfer full): the labels of the model in @folder. */
static GStrv
read_labels (const char *folder, SegueContext *context, GError **error)
{
  const SegueModelSpec spec = SEGUE_INIT (SegueModelSpec, .threads = 1, .blank = TRUE);
  g_autoptr (SegueModel) model =
    segue_model_load (segue_context_get_registry (context), folder, NULL, NULL, &spec, error);
  if (!model)
    return NULL;
  SegueModelInfo info = SEGUE_INIT (SegueModelInfo);
  segue_model_describe (model, &info);
  return g_strdupv ((char **) info.labels);
}

static gboolean
refuse_labels (const char *one, const char *other, guint member, GError **error)
{
  g_set_error (
    error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
    "the models have different labels: where the first model has ‘%s’, model %u has ‘%s’; "
    "train all of them on the same songs",
    one ? one : "no other", member + 1, other ? other : "no other");
  return FALSE;
}

/* All members choose between the same labels, in the same order. */
static gboolean
take_labels (CombineMembers *members, const char *folder, SegueContext *context, GError **error)
{
  g_auto (GStrv) labels = read_labels (folder, context, error);
  if (!labels)
    return FALSE;
  if (!members->labels) {
    members->labels = g_steal_pointer (&labels);
    return TRUE;
  }
  guint i = 0;
  while (labels[i] && g_strcmp0 (labels[i], members->labels[i]) == 0)
    i++;
  return (!labels[i] && !members->labels[i]) ||
         refuse_labels (members->labels[i], labels[i], members->all->len, error);
}

static gboolean
add_member (CombineMembers *members, SegueDataset *predictions, SegueDataset *models,
            SegueContext *context, GError **error)
{
  if (segue_dataset_get_length (models) != 1) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                 "input 'model' takes one model from each stage, but there are %u",
                 segue_dataset_get_length (models));
    return FALSE;
  }
  g_autoptr (SegueReader) reader = segue_reader_new (models, 0);
  g_autoptr (SegueItem) item =
    segue_reader_get (reader, 0, segue_context_get_cancellable (context), error);
  if (!item || !take_labels (members, segue_item_get_path (item), context, error))
    return FALSE;
  Member *member = g_new0 (Member, 1);
  member->predictions = predictions;
  member->reader = segue_reader_new (predictions, 0);
  member->folder = g_strdup (segue_item_get_path (item));
  member->places = g_array_new (FALSE, FALSE, sizeof (guint));
  member->aligned = g_array_new (FALSE, FALSE, sizeof (float));
  g_ptr_array_add (members->all, member);
  g_ptr_array_add (members->folders, member->folder);
  return TRUE;
}

static gboolean
add_all (CombineMembers *members, SegueContext *context, GError **error)
{
  for (guint i = 0;; i++) {
    SegueDataset *predictions = segue_context_get_nth_input (context, "predictions", i);
    SegueDataset *models = segue_context_get_nth_input (context, "model", i);
    if (!predictions) /* nor a model: both inputs are of the same stages */
      return TRUE;
    if (i == SEGUE_MAX_MEMBERS) {
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                   "at most %d models can be combined; remove some from the list under from:",
                   SEGUE_MAX_MEMBERS);
      return FALSE;
    }
    if (!add_member (members, predictions, models, context, error))
      return FALSE;
  }
}

/* ---- Songs ---- */

/* (transfer full): song → its index + 1. @any: the songs are added to it */
static GHashTable *
index_songs (SegueDataset *predictions, GHashTable *any)
{
  GHashTable *songs = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint i = 0; i < segue_dataset_get_length (predictions); i++) {
    const char *song = segue_item_get_song (segue_dataset_get_entry (predictions, i));
    g_hash_table_insert (songs, (gpointer) song, GUINT_TO_POINTER (i + 1));
    g_hash_table_add (any, (gpointer) song);
  }
  return songs;
}

/* A song that one member was trained on and another is tested on would be judged by one that knows it. */
static gboolean
check_song (const SegueItem *first, const SegueItem *other, guint member, GError **error)
{
  static const char *const keys[] = { SEGUE_META_SET, SEGUE_META_LABEL };
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++) {
    const char *one = segue_item_get_string (first, keys[i]);
    const char *two = segue_item_get_string (other, keys[i]);
    if (g_strcmp0 (one, two) == 0)
      continue;
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                 "‘%s’: its %s is ‘%s’ for the first model and ‘%s’ for model %u; all models must "
                 "be trained on the same sets: put one `split` before the stages that differ",
                 segue_item_get_song (first), keys[i], one ? one : "", two ? two : "", member + 1);
    return FALSE;
  }
  return TRUE;
}

/* The places of @song of the first member in all others; %FALSE without an error: not all of them predict it. */
static gboolean
find_song (const CombineMembers *members, GPtrArray *indices, guint song, guint *places,
           GError **error)
{
  const SegueItem *first = segue_dataset_get_entry (member_at (members, 0)->predictions, song);
  places[0] = song;
  for (guint m = 1; m < members->all->len; m++) {
    guint place = GPOINTER_TO_UINT (
      g_hash_table_lookup (g_ptr_array_index (indices, m), segue_item_get_song (first)));
    if (place == 0)
      return FALSE;
    places[m] = place - 1;
  }
  for (guint m = 1; m < members->all->len; m++)
    if (!check_song (first,
                     segue_dataset_get_entry (member_at (members, m)->predictions, places[m]), m,
                     error))
      return FALSE;
  return TRUE;
}

static gboolean
match_songs (CombineMembers *members, GError **error)
{
  g_autoptr (GPtrArray) indices =
    g_ptr_array_new_with_free_func ((GDestroyNotify) g_hash_table_unref);
  g_autofree guint *places = g_new (guint, members->all->len);
  g_autoptr (GHashTable) any = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint m = 0; m < members->all->len; m++)
    g_ptr_array_add (indices, index_songs (member_at (members, m)->predictions, any));
  guint n = segue_dataset_get_length (member_at (members, 0)->predictions);
  for (guint i = 0; i < n; i++) {
    g_autoptr (GError) local = NULL;
    gboolean found = find_song (members, indices, i, places, &local);
    if (local) {
      g_propagate_error (error, g_steal_pointer (&local));
      return FALSE;
    }
    for (guint m = 0; found && m < members->all->len; m++)
      g_array_append_val (member_at (members, m)->places, places[m]);
  }
  members->n_left_out = g_hash_table_size (any) - member_at (members, 0)->places->len;
  if (member_at (members, 0)->places->len > 0)
    return TRUE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
               "there is no song that all models predict; train all of them on the same songs");
  return FALSE;
}

CombineMembers *
combine_members_new (SegueContext *context, GError **error)
{
  g_autoptr (CombineMembers) members = g_new0 (CombineMembers, 1);
  members->all = g_ptr_array_new_with_free_func (member_free);
  members->folders = g_ptr_array_new ();
  members->rows = g_ptr_array_new ();
  members->spans = g_array_new (FALSE, FALSE, sizeof (SegueSpan));
  return add_all (members, context, error) && match_songs (members, error)
           ? g_steal_pointer (&members)
           : NULL;
}

const char *const *
combine_members_get_folders (const CombineMembers *members, guint *n)
{
  *n = members->folders->len;
  return (const char *const *) members->folders->pdata;
}

const char *const *
combine_members_get_labels (const CombineMembers *members)
{
  return (const char *const *) members->labels;
}

guint
combine_members_count_songs (const CombineMembers *members, guint *n_left_out)
{
  if (n_left_out)
    *n_left_out = members->n_left_out;
  return member_at (members, 0)->places->len;
}

const SegueItem *
combine_members_get_song (const CombineMembers *members, guint index)
{
  const Member *first = member_at (members, 0);
  return segue_dataset_get_entry (first->predictions, g_array_index (first->places, guint, index));
}

/* The segments of a predictions item, where they are and what they are. */
static gboolean
read_segments (const SegueItem *item, guint n_labels, GArray *spans, GArray *rows, GError **error)
{
  guint n, labels;
  const double *row = segue_item_get_predictions (item, &n, &labels, error);
  if (row && labels != n_labels) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "‘%s’: its predictions are for %u labels, and its model has %u",
                 segue_item_get_song (item), labels, n_labels);
    return FALSE;
  }
  g_array_set_size (spans, 0);
  g_array_set_size (rows, 0);
  for (guint s = 0; row && s < n; s++, row += SEGUE_PREDICTION_LABELS + n_labels) {
    const SegueSpan span = { row[SEGUE_PREDICTION_START], row[SEGUE_PREDICTION_DURATION] };
    g_array_append_val (spans, span);
    for (guint c = 0; c < n_labels; c++) {
      float probability = (float) row[SEGUE_PREDICTION_LABELS + c];
      g_array_append_val (rows, probability);
    }
  }
  return row != NULL;
}

gboolean
combine_members_read (CombineMembers *members, guint index, CombineRows *rows,
                      SegueContext *context, GError **error)
{
  guint n_labels = g_strv_length (members->labels);
  g_autoptr (GArray) spans = g_array_new (FALSE, FALSE, sizeof (SegueSpan));
  g_autoptr (GArray) own = g_array_new (FALSE, FALSE, sizeof (float));
  g_ptr_array_set_size (members->rows, 0);
  for (guint m = 0; m < members->all->len; m++) {
    Member *member = member_at (members, m);
    g_autoptr (SegueItem) item =
      segue_reader_get (member->reader, g_array_index (member->places, guint, index),
                        segue_context_get_cancellable (context), error);
    if (!item || !read_segments (item, n_labels, m == 0 ? members->spans : spans, own, error))
      return FALSE;
    const GArray *of_member = m == 0 ? members->spans : spans;
    guint n = members->spans->len;
    g_array_set_size (member->aligned, n * n_labels);
    segue_combination_align ((const SegueSpan *) (const void *) members->spans->data, n,
                             (const SegueSpan *) (const void *) of_member->data, of_member->len,
                             (const float *) (const void *) own->data, n_labels,
                             (float *) (void *) member->aligned->data);
    g_ptr_array_add (members->rows, member->aligned->data);
  }
  *rows = (CombineRows){ .n = members->spans->len,
                         .spans = (const SegueSpan *) (const void *) members->spans->data,
                         .rows = (const float *const *) members->rows->pdata };
  return TRUE;
}
