/* What is known about a predicted song decides what it counts for; the figures follow after the last song. */
#include "judge.h"
#include "metrics.h"
#include "table.h"

#include <math.h>
#include <segue/error.h>
#include <segue/file.h>
#include <segue/tensor.h>

struct _EvaluateJudge {
  EvaluateRules rules;
  const char *const *labels;
  guint n_labels;
  GHashTable *label_numbers; /* label → index + 1 */
  EvaluateSet sets[SEGUE_N_SETS];
  EvaluateTable *table;
  EvaluateUnsure *unsure;
};

void
evaluate_judge_free (EvaluateJudge *judge)
{
  if (!judge)
    return;
  for (guint i = 0; i < SEGUE_N_SETS; i++) {
    g_clear_pointer (&judge->sets[i].tally, evaluate_tally_free);
    g_clear_pointer (&judge->sets[i].unknown, g_hash_table_unref);
  }
  g_clear_pointer (&judge->label_numbers, g_hash_table_unref);
  g_clear_pointer (&judge->table, evaluate_table_free);
  g_clear_pointer (&judge->unsure, evaluate_unsure_free);
  g_free (judge);
}

static gboolean
make_sets (EvaluateJudge *judge, GError **error)
{
  for (guint i = 0; i < SEGUE_N_SETS; i++) {
    judge->sets[i] = (EvaluateSet){
      .name = segue_set_get_name (i),
      .tally = evaluate_tally_new (judge->n_labels),
      .unknown = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL),
    };
    if (!judge->sets[i].tally) {
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                   "not enough memory for the confusion matrix of %u labels", judge->n_labels);
      return FALSE;
    }
  }
  return TRUE;
}

EvaluateJudge *
evaluate_judge_new (const EvaluateRules *rules, const char *model, const char *const *labels,
                    SegueContext *context, GError **error)
{
  const char *folder = segue_context_get_output_folder (context, error);
  if (!folder)
    return NULL;
  g_autoptr (EvaluateJudge) judge = g_new0 (EvaluateJudge, 1);
  judge->rules = *rules;
  judge->labels = labels;
  judge->n_labels = g_strv_length ((char **) labels);
  judge->label_numbers = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint c = 0; c < judge->n_labels; c++)
    g_hash_table_insert (judge->label_numbers, (gpointer) labels[c], GUINT_TO_POINTER (c + 1));
  g_autofree char *path = g_build_filename (folder, "predictions.csv", NULL);
  judge->table = evaluate_table_new (path, labels, error);
  if (!judge->table)
    return NULL;
  judge->unsure = evaluate_unsure_new (model, rules->aggregation, rules->unsure / 100, error);
  return judge->unsure && make_sets (judge, error) ? g_steal_pointer (&judge) : NULL;
}

/* The set of a song; %NULL: one that is not evaluated. */
static EvaluateSet *
find_set (EvaluateJudge *judge, const SegueItem *item)
{
  const char *name = segue_item_get_string (item, SEGUE_META_SET);
  SegueSet set = name ? segue_set_from_name (name) : SEGUE_SET_TRAIN;
  return set < SEGUE_N_SETS ? &judge->sets[set] : NULL;
}

/* @song: completed */
static void
count_song (EvaluateJudge *judge, EvaluateSet *set, const SegueItem *item, EvaluateSong *song)
{
  const char *label = segue_item_get_string (item, SEGUE_META_LABEL);
  song->set = (SegueSet) (set - judge->sets);
  song->truth = TALLY_NO_LABEL;
  if (label) {
    guint number = GPOINTER_TO_UINT (g_hash_table_lookup (judge->label_numbers, label));
    song->truth = number > 0 ? (int) number - 1 : TALLY_UNKNOWN;
  }
  for (guint s = 0; s < song->n_segments; s++)
    evaluate_tally_add_segment (set->tally, song->truth,
                                song->segments + (gsize) s * judge->n_labels);
  evaluate_tally_add_song (set->tally, song->truth, song->answer);
  evaluate_unsure_add (judge->unsure, song);
  if (song->truth == TALLY_UNKNOWN) {
    guint before = GPOINTER_TO_UINT (g_hash_table_lookup (set->unknown, label));
    g_hash_table_insert (set->unknown, g_strdup (label),
                         GUINT_TO_POINTER (before + song->n_segments));
  }
}

/* (transfer full): the predictions for the song of @known, with the metadata that its segments share. */
static SegueItem *
make_predictions (const EvaluateJudge *judge, const SegueItem *known,
                  const EvaluateSegments *segments, const EvaluateSong *song, GError **error)
{
  static const char *const shared[] = { SEGUE_META_SOURCE, SEGUE_META_LABEL, SEGUE_META_GROUP,
                                        SEGUE_META_SET };
  guint n_labels = judge->n_labels;
  double *row;
  SegueItem *item = segue_item_new_predictions (NULL, segue_item_get_song (known), segments->n,
                                                n_labels, &row, error);
  if (!item)
    return NULL;
  for (guint s = 0; s < segments->n; s++) {
    row[SEGUE_PREDICTION_START] = segments->spans[s].start;
    row[SEGUE_PREDICTION_DURATION] = segments->spans[s].duration;
    for (guint c = 0; c < n_labels; c++)
      row[SEGUE_PREDICTION_LABELS + c] = (double) segments->rows[(gsize) s * n_labels + c];
    row += SEGUE_PREDICTION_LABELS + n_labels;
  }
  for (guint i = 0; i < G_N_ELEMENTS (shared); i++) {
    const char *value = segue_item_get_string (known, shared[i]);
    if (value)
      segue_item_set_string (item, shared[i], value);
  }
  segue_item_set_string (item, SEGUE_META_PREDICTED, judge->labels[song->answer]);
  segue_item_set_double (item, SEGUE_META_PROBABILITY, song->confidence);
  if (!isnan (segments->distance))
    segue_item_set_double (item, SEGUE_META_DISTANCE, segments->distance);
  return item;
}

gboolean
evaluate_judge_add (EvaluateJudge *judge, const SegueItem *item, const EvaluateSegments *segments,
                    SegueContext *context, GError **error)
{
  g_autofree float *probabilities = g_new (float, judge->n_labels);
  EvaluateSong song = { .segments = segments->rows,
                        .n_segments = segments->n,
                        .n_labels = judge->n_labels,
                        .distance = segments->distance };
  song.answer = segue_song_aggregate (judge->rules.aggregation, segments->rows, segments->n,
                                      judge->n_labels, probabilities);
  song.confidence = (double) probabilities[song.answer];
  EvaluateSet *set = find_set (judge, item);
  if (set)
    count_song (judge, set, item, &song);
  else
    segue_context_count (context, "songs of other sets, not judged", 1);
  g_autoptr (SegueItem) predictions = make_predictions (judge, item, segments, &song, error);
  return predictions && evaluate_table_add (judge->table, predictions, error) &&
         segue_context_emit (context, g_steal_pointer (&predictions), error);
}

static void
report_unknown (const EvaluateJudge *judge, SegueContext *context)
{
  for (guint i = 0; i < SEGUE_N_SETS; i++) {
    const EvaluateTally *tally = judge->sets[i].tally;
    if (tally->songs.unknown > 0)
      segue_context_log (context, G_LOG_LEVEL_WARNING,
                         "%" G_GUINT64_FORMAT " songs of the set `%s` have labels that the model "
                         "does not know; they count as wrong",
                         tally->songs.unknown, segue_set_get_name (i));
  }
}

static gboolean
write_metrics (const EvaluateJudge *judge, const char *folder, GError **error)
{
  EvaluateUnsureFigures unsure;
  evaluate_unsure_count (judge->unsure, &unsure);
  g_autofree char *text = evaluate_metrics_to_json (
    segue_aggregation_names ()[judge->rules.aggregation], judge->sets, judge->labels, &unsure);
  g_autofree char *path = g_build_filename (folder, "metrics.json", NULL);
  return segue_file_write (path, text, -1, error);
}

gboolean
evaluate_judge_finish (EvaluateJudge *judge, SegueContext *context, GError **error)
{
  const char *folder = segue_context_get_output_folder (context, error);
  if (!folder || !evaluate_table_commit (judge->table, error))
    return FALSE;
  report_unknown (judge, context);
  g_autofree char *model = g_build_filename (folder, "model", NULL);
  /* With calibration.json the model is complete, also when it is copied elsewhere. */
  return write_metrics (judge, folder, error) &&
         evaluate_unsure_write (judge->unsure, model, error) &&
         segue_context_emit (context, segue_item_new_folder (SEGUE_KIND_MODEL, "model", model),
                             error) &&
         segue_context_emit (context, segue_item_new_folder (SEGUE_KIND_METRICS, "metrics", folder),
                             error);
}
