/* The figures of each set as JSON, keys in a fixed order, numbers to nine digits in any locale. */
#include "metrics.h"

#include <math.h>
#include <segue/json.h>

static json_t *
integer (guint64 value)
{
  return json_integer ((json_int_t) value);
}

static double
share (guint64 part, guint64 whole)
{
  return whole > 0 ? (double) part / (double) whole : NAN;
}

/* One label's figures, under the same names as those of the whole set. */
static json_t *
describe_label (const EvaluateTally *tally, guint c)
{
  guint n = tally->n_labels;
  gsize diagonal = (gsize) c * n + c;
  guint64 n_segments = evaluate_counts_row (&tally->segments, n, c);
  guint64 n_songs = evaluate_counts_row (&tally->songs, n, c);
  guint64 right = tally->segments.confusion[diagonal];
  json_t *object = json_object ();
  json_object_set_new (object, "segment_accuracy", segue_json_number (share (right, n_segments)));
  json_object_set_new (object, "song_accuracy",
                       segue_json_number (share (tally->songs.confusion[diagonal], n_songs)));
  json_object_set_new (object, "macro_f1",
                       segue_json_number (evaluate_counts_f1 (&tally->segments, n, c)));
  json_object_set_new (
    object, "precision",
    segue_json_number (share (right, evaluate_counts_column (&tally->segments, n, c))));
  json_object_set_new (
    object, "loss",
    segue_json_number (n_segments > 0 ? tally->loss[c] / (double) n_segments : NAN));
  json_object_set_new (object, "segments", integer (n_segments));
  json_object_set_new (object, "songs", integer (n_songs));
  return object;
}

static json_t *
describe_matrix (const EvaluateCounts *counts, guint n)
{
  json_t *rows = json_array ();
  for (guint t = 0; t < n; t++) {
    json_t *row = json_array ();
    for (guint a = 0; a < n; a++)
      json_array_append_new (row, integer (counts->confusion[(gsize) t * n + a]));
    json_array_append_new (rows, row);
  }
  return rows;
}

/* Rows are true labels, columns predictions. */
static json_t *
describe_confusion (const EvaluateTally *tally, const char *const *labels)
{
  json_t *names = json_array (), *object = json_object ();
  for (guint c = 0; c < tally->n_labels; c++)
    json_array_append_new (names, json_string (labels[c]));
  json_object_set_new (object, "labels", names);
  json_object_set_new (object, "segments", describe_matrix (&tally->segments, tally->n_labels));
  json_object_set_new (object, "songs", describe_matrix (&tally->songs, tally->n_labels));
  return object;
}

static json_t *
describe_unknown (GHashTable *unknown)
{
  json_t *object = json_object ();
  g_autoptr (GList) names = g_list_sort (g_hash_table_get_keys (unknown), (GCompareFunc) g_strcmp0);
  for (GList *name = names; name; name = name->next)
    json_object_set_new (object, name->data,
                         integer (GPOINTER_TO_UINT (g_hash_table_lookup (unknown, name->data))));
  return object;
}

static json_t *
describe_interval (const EvaluateCounts *counts, guint n)
{
  double low, high;
  evaluate_counts_interval (counts, n, &low, &high);
  return json_pack ("[o, o]", segue_json_number (low), segue_json_number (high));
}

static json_t *
describe_set (const EvaluateSet *set, const char *const *labels)
{
  const EvaluateTally *tally = set->tally;
  guint n = tally->n_labels;
  guint64 n_segments = evaluate_counts_total (&tally->segments, n);
  guint64 n_known = n_segments - tally->segments.unknown;
  double loss = 0;
  for (guint c = 0; c < n; c++)
    loss += tally->loss[c];

  json_t *object = json_object (), *by_label = json_object ();
  json_object_set_new (object, "segment_accuracy",
                       segue_json_number (evaluate_counts_accuracy (&tally->segments, n)));
  json_object_set_new (object, "song_accuracy",
                       segue_json_number (evaluate_counts_accuracy (&tally->songs, n)));
  json_object_set_new (object, "song_accuracy_interval", describe_interval (&tally->songs, n));
  json_object_set_new (object, "chance", segue_json_number (n > 0 ? 1.0 / n : NAN));
  json_object_set_new (object, "majority",
                       segue_json_number (evaluate_counts_majority (&tally->songs, n)));
  json_object_set_new (object, "macro_f1",
                       segue_json_number (evaluate_counts_macro_f1 (&tally->segments, n)));
  json_object_set_new (object, "song_macro_f1",
                       segue_json_number (evaluate_counts_macro_f1 (&tally->songs, n)));
  json_object_set_new (object, "loss",
                       segue_json_number (n_known > 0 ? loss / (double) n_known : NAN));
  json_object_set_new (object, "segments", integer (n_segments));
  json_object_set_new (object, "songs", integer (evaluate_counts_total (&tally->songs, n)));
  for (guint c = 0; c < n; c++)
    json_object_set_new (by_label, labels[c], describe_label (tally, c));
  json_object_set_new (object, "labels", by_label);
  json_object_set_new (object, "confusion", describe_confusion (tally, labels));
  if (g_hash_table_size (set->unknown) > 0)
    json_object_set_new (object, "unknown_labels", describe_unknown (set->unknown));
  if (tally->segments.unlabelled > 0)
    json_object_set_new (object, "unlabelled_segments", integer (tally->segments.unlabelled));
  return object;
}

static json_t *
describe_unsure (const EvaluateUnsureFigures *unsure)
{
  if (!unsure->judges)
    return json_null ();
  return json_pack ("{s:s, s:o, s:o, s:o}", "measure",
                    segue_measure_get_name (unsure->threshold.measure), "threshold",
                    segue_json_number (unsure->threshold.limit), "share",
                    segue_json_number (unsure->share), "measured", integer (unsure->measured));
}

/* How many songs of a set are unsure. */
static json_t *
describe_unsure_songs (const EvaluateUnsureFigures *unsure, SegueSet set)
{
  return json_pack ("{s:o, s:o, s:o}", "right", integer (unsure->right[set]), "wrong",
                    integer (unsure->wrong[set]), "unlabelled", integer (unsure->unlabelled[set]));
}

char *
evaluate_metrics_to_json (const char *aggregation, const EvaluateSet sets[SEGUE_N_SETS],
                          const char *const *labels, const EvaluateUnsureFigures *unsure)
{
  json_t *root = json_object ();
  json_object_set_new (root, "aggregation", json_string (aggregation));
  json_object_set_new (root, "unsure", describe_unsure (unsure));
  for (guint i = 0; i < SEGUE_N_SETS; i++) {
    const EvaluateTally *tally = sets[i].tally;
    if (evaluate_counts_total (&tally->segments, tally->n_labels) == 0 &&
        tally->segments.unlabelled == 0)
      continue;
    json_t *set = describe_set (&sets[i], labels);
    if (unsure->judges)
      json_object_set_new (set, "unsure", describe_unsure_songs (unsure, (SegueSet) i));
    json_object_set_new (root, sets[i].name, set);
  }
  g_autofree char *text = segue_json_print (root, JSON_INDENT (2) | JSON_REAL_PRECISION (9));
  return g_strconcat (text, "\n", NULL);
}
