/* evaluate: a model's predictions for every segment and song, their accuracy, and the completed model. */
#include "formats.h"
#include "metrics.h"
#include "table.h"
#include "unsure.h"

#include <segue/aggregation.h>
#include <segue/collect.h>
#include <segue/file.h>
#include <segue/model.h>
#include <segue/plugin.h>
#include <segue/tensor.h>

/* Segments of a song per pass through the model. */
#define BATCH 16

/* Data of a segment kept until its song ends. */
typedef struct {
  double start, duration;
} Place;

typedef struct {
  SegueModel *model;
  char *model_folder;
  SegueModelInfo info;
  GHashTable *label_numbers; /* label → index + 1 */
  EvaluateSet sets[SEGUE_N_SETS];
  EvaluateTable *table;
  EvaluateUnsure *unsure;

  /* The current song. */
  SegueItem *first;     /* of its segments; NULL: none yet */
  GPtrArray *waiting;   /* SegueItem: the next batch */
  GArray *places;       /* Place, of all its segments */
  GArray *rows;         /* float [segments, labels], of those that were predicted */
  GArray *points;       /* float [segments, axes], likewise, in the model's space */
  GError *song_failure; /* the song is skipped */

  GError *first_failure; /* of any song */
  guint n_songs;         /* predicted */
  guint n_seen, n_items; /* segments; 0: not known */
} Evaluator;

static void
evaluator_free (gpointer instance)
{
  Evaluator *evaluator = instance;
  for (guint i = 0; i < SEGUE_N_SETS; i++) {
    g_clear_pointer (&evaluator->sets[i].tally, evaluate_tally_free);
    g_clear_pointer (&evaluator->sets[i].unknown, g_hash_table_unref);
  }
  g_clear_pointer (&evaluator->model, segue_model_free);
  g_free (evaluator->model_folder);
  g_clear_pointer (&evaluator->label_numbers, g_hash_table_unref);
  g_clear_pointer (&evaluator->table, evaluate_table_free);
  g_clear_pointer (&evaluator->unsure, evaluate_unsure_free);
  g_clear_pointer (&evaluator->first, segue_item_unref);
  g_clear_pointer (&evaluator->waiting, g_ptr_array_unref);
  g_clear_pointer (&evaluator->places, g_array_unref);
  g_clear_pointer (&evaluator->rows, g_array_unref);
  g_clear_pointer (&evaluator->points, g_array_unref);
  g_clear_error (&evaluator->song_failure);
  g_clear_error (&evaluator->first_failure);
  g_free (evaluator);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Evaluator, evaluator_free)

typedef struct {
  int aggregation; /* SegueAggregation */
  int precision;   /* SegueModelPrecision */
  double unsure;   /* % */
} EvaluateConfig;

static gboolean
load_model (Evaluator *evaluator, SegueContext *context, GError **error)
{
  SegueDataset *models = segue_context_get_input (context, "model");
  if (!models || segue_dataset_get_length (models) != 1) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "one model is evaluated at a time, but there are %u",
                 models ? segue_dataset_get_length (models) : 0);
    return FALSE;
  }
  g_autoptr (SegueReader) reader = segue_reader_new (models, 0);
  g_autoptr (SegueItem) item =
    segue_reader_get (reader, 0, segue_context_get_cancellable (context), error);
  if (!item)
    return FALSE;
  const EvaluateConfig *config = segue_context_get_config (context);
  const SegueModelSpec spec =
    SEGUE_INIT (SegueModelSpec, .threads = segue_context_get_threads (context),
                .precision = (SegueModelPrecision) config->precision);
  evaluator->model_folder = g_strdup (segue_item_get_path (item));
  evaluator->model = segue_model_load (segue_context_get_registry (context),
                                       evaluator->model_folder, NULL, NULL, &spec, error);
  return evaluator->model != NULL;
}

static gboolean
evaluate_open (SegueContext *context, gpointer *instance, GError **error)
{
  g_autoptr (Evaluator) evaluator = g_new0 (Evaluator, 1);
  const EvaluateConfig *config = segue_context_get_config (context);
  const char *folder = load_model (evaluator, context, error)
                         ? segue_context_get_output_folder (context, error)
                         : NULL;
  if (!folder)
    return FALSE;

  evaluator->info.struct_size = sizeof evaluator->info;
  segue_model_describe (evaluator->model, &evaluator->info);
  g_autofree char *path = g_build_filename (folder, "predictions.csv", NULL);
  evaluator->table = evaluate_table_new (path, evaluator->info.labels, error);
  if (!evaluator->table)
    return FALSE;
  evaluator->unsure = evaluate_unsure_new (
    evaluator->model_folder, (SegueAggregation) config->aggregation, config->unsure / 100, error);
  if (!evaluator->unsure)
    return FALSE;
  SegueDataset *items = segue_context_get_input (context, "items");
  evaluator->n_items = items ? segue_dataset_get_length (items) : 0;
  evaluator->label_numbers = g_hash_table_new (g_str_hash, g_str_equal);
  for (guint c = 0; c < evaluator->info.n_labels; c++)
    g_hash_table_insert (evaluator->label_numbers, (gpointer) evaluator->info.labels[c],
                         GUINT_TO_POINTER (c + 1));
  for (guint i = 0; i < SEGUE_N_SETS; i++)
    evaluator->sets[i] = (EvaluateSet){
      .name = segue_set_get_name (i),
      .tally = evaluate_tally_new (evaluator->info.n_labels),
      .unknown = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL),
    };
  evaluator->waiting = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  evaluator->places = g_array_new (FALSE, FALSE, sizeof (Place));
  evaluator->rows = g_array_new (FALSE, FALSE, sizeof (float));
  evaluator->points = g_array_new (FALSE, FALSE, sizeof (float));
  for (guint i = 0; i < SEGUE_N_SETS; i++)
    if (!evaluator->sets[i].tally) {
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                   "not enough memory for the confusion matrix of %u labels",
                   evaluator->info.n_labels);
      return FALSE;
    }
  segue_context_set_progress_unit (context, "segments");
  *instance = g_steal_pointer (&evaluator);
  return TRUE;
}

static gsize
count_bytes (SegueItem *item)
{
  return g_bytes_get_size (segue_item_get_bytes (item));
}

/* Of an item that does not know it. */
static double
measure_duration (SegueItem *item)
{
  gsize n_frames = 0;
  if (segue_item_get_kind (item) != SEGUE_KIND_AUDIO)
    return 0;
  segue_item_get_frames (item, &n_frames);
  return (double) n_frames / segue_item_get_rate (item);
}

/* Predicts the waiting segments. An error of the song itself is recorded, and the song skipped;
 * other errors end the stage. */
static gboolean
answer_waiting (Evaluator *evaluator, SegueContext *context, GError **error)
{
  g_autoptr (GError) local = NULL;
  guint n = evaluator->waiting->len, known = evaluator->rows->len;
  guint located = evaluator->points->len;
  if (n == 0 || evaluator->song_failure)
    return TRUE;
  g_array_set_size (evaluator->rows, known + n * evaluator->info.n_labels);
  g_array_set_size (evaluator->points, located + n * evaluator->info.n_axes);
  if (segue_model_predict (evaluator->model, (SegueItem **) evaluator->waiting->pdata, n,
                           (float *) (void *) evaluator->rows->data + known,
                           (float *) (void *) evaluator->points->data + located,
                           segue_context_get_cancellable (context), &local)) {
    g_ptr_array_set_size (evaluator->waiting, 0);
    return TRUE;
  }
  if (!segue_error_is_about_item (local)) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  evaluator->song_failure = g_steal_pointer (&local);
  return TRUE;
}

static gboolean
evaluate_process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  Evaluator *evaluator = instance;
  const Place place = { segue_item_get_double (item, SEGUE_META_START, 0),
                        segue_item_get_double (item, SEGUE_META_DURATION,
                                               measure_duration (item)) };
  if (!evaluator->first)
    evaluator->first = segue_item_ref (item);
  g_array_append_val (evaluator->places, place);
  segue_context_progress (context, ++evaluator->n_seen, evaluator->n_items, NULL);

  /* All segments of a batch have one length. */
  gboolean fits = evaluator->waiting->len == 0 ||
                  count_bytes (g_ptr_array_index (evaluator->waiting, 0)) == count_bytes (item);
  if (!fits && !answer_waiting (evaluator, context, error))
    return FALSE;
  if (evaluator->song_failure)
    return TRUE;
  g_ptr_array_add (evaluator->waiting, segue_item_ref (item));
  return evaluator->waiting->len < BATCH || answer_waiting (evaluator, context, error);
}

/* The set of the current song; %NULL: one that is not evaluated. */
static EvaluateSet *
find_set (Evaluator *evaluator)
{
  const char *name = segue_item_get_string (evaluator->first, SEGUE_META_SET);
  SegueSet set = name ? segue_set_from_name (name) : SEGUE_SET_TRAIN;
  return set < SEGUE_N_SETS ? &evaluator->sets[set] : NULL;
}

/* @song: how unsure its prediction is; completed */
static void
count_song (Evaluator *evaluator, EvaluateSet *set, EvaluateSong *song)
{
  const char *label = segue_item_get_string (evaluator->first, SEGUE_META_LABEL);
  const float *rows = (const float *) (const void *) evaluator->rows->data;
  guint n_segments = evaluator->places->len;
  int truth = TALLY_NO_LABEL;
  if (label) {
    guint number = GPOINTER_TO_UINT (g_hash_table_lookup (evaluator->label_numbers, label));
    truth = number > 0 ? (int) number - 1 : TALLY_UNKNOWN;
  }
  for (guint s = 0; s < n_segments; s++)
    evaluate_tally_add_segment (set->tally, truth, rows + (gsize) s * evaluator->info.n_labels);
  evaluate_tally_add_song (set->tally, truth, song->answer);
  song->set = (SegueSet) (set - evaluator->sets);
  song->truth = truth;
  evaluate_unsure_add (evaluator->unsure, song);
  if (truth == TALLY_UNKNOWN) {
    guint before = GPOINTER_TO_UINT (g_hash_table_lookup (set->unknown, label));
    g_hash_table_insert (set->unknown, g_strdup (label), GUINT_TO_POINTER (before + n_segments));
  }
}

/* (transfer full): the predictions for the current song, with the metadata that its segments share. */
static SegueItem *
make_predictions (const Evaluator *evaluator, const EvaluateSong *song, GError **error)
{
  static const char *const shared[] = { SEGUE_META_SOURCE, SEGUE_META_LABEL, SEGUE_META_GROUP,
                                        SEGUE_META_SET };
  guint n_labels = song->n_labels;
  double *row;
  SegueItem *item = segue_item_new_predictions (NULL, segue_item_get_song (evaluator->first),
                                                evaluator->places->len, n_labels, &row, error);
  if (!item)
    return NULL;
  for (guint s = 0; s < evaluator->places->len; s++) {
    const Place *place = &g_array_index (evaluator->places, Place, s);
    row[SEGUE_PREDICTION_START] = place->start;
    row[SEGUE_PREDICTION_DURATION] = place->duration;
    for (guint c = 0; c < n_labels; c++)
      row[SEGUE_PREDICTION_LABELS + c] = (double) song->segments[(gsize) s * n_labels + c];
    row += SEGUE_PREDICTION_LABELS + n_labels;
  }
  for (guint i = 0; i < G_N_ELEMENTS (shared); i++) {
    const char *value = segue_item_get_string (evaluator->first, shared[i]);
    if (value)
      segue_item_set_string (item, shared[i], value);
  }
  segue_item_set_string (item, SEGUE_META_PREDICTED, evaluator->info.labels[song->answer]);
  segue_item_set_double (item, SEGUE_META_PROBABILITY, song->confidence);
  if (evaluator->info.n_axes > 0)
    segue_item_set_double (item, SEGUE_META_DISTANCE, song->distance);
  return item;
}

static void
forget_song (Evaluator *evaluator)
{
  g_clear_pointer (&evaluator->first, segue_item_unref);
  g_clear_error (&evaluator->song_failure);
  g_ptr_array_set_size (evaluator->waiting, 0);
  g_array_set_size (evaluator->places, 0);
  g_array_set_size (evaluator->rows, 0);
  g_array_set_size (evaluator->points, 0);
}

/* From its segments. */
static void
predict_song (const Evaluator *evaluator, const EvaluateConfig *config, EvaluateSong *song)
{
  g_autofree float *probabilities = g_new (float, song->n_labels);
  song->answer = segue_song_aggregate ((SegueAggregation) config->aggregation, song->segments,
                                       song->n_segments, song->n_labels, probabilities);
  song->confidence = (double) probabilities[song->answer];
  song->distance = segue_model_measure_distance (
    &evaluator->info, (const float *) (const void *) evaluator->points->data, song->n_segments);
}

static gboolean
evaluate_end_song (gpointer instance, SegueContext *context, GError **error)
{
  Evaluator *evaluator = instance;
  if (!evaluator->first)
    return TRUE;
  if (!answer_waiting (evaluator, context, error))
    return FALSE;
  if (evaluator->song_failure) {
    segue_context_quarantine (context, segue_item_get_song (evaluator->first),
                              evaluator->song_failure);
    if (!evaluator->first_failure)
      evaluator->first_failure = g_error_copy (evaluator->song_failure);
    forget_song (evaluator);
    return TRUE;
  }

  EvaluateSong song = { .segments = (const float *) (const void *) evaluator->rows->data,
                        .n_segments = evaluator->places->len,
                        .n_labels = evaluator->info.n_labels };
  predict_song (evaluator, segue_context_get_config (context), &song);
  EvaluateSet *set = find_set (evaluator);
  if (set)
    count_song (evaluator, set, &song);
  else
    segue_context_count (context, "songs of other sets, not judged", 1);
  evaluator->n_songs++;
  g_autoptr (SegueItem) item = make_predictions (evaluator, &song, error);
  forget_song (evaluator);
  return item && evaluate_table_add (evaluator->table, item, error) &&
         segue_context_emit (context, g_steal_pointer (&item), error);
}

static void
report_unknown (Evaluator *evaluator, SegueContext *context)
{
  for (guint i = 0; i < SEGUE_N_SETS; i++) {
    const EvaluateTally *tally = evaluator->sets[i].tally;
    if (tally->songs.unknown > 0)
      segue_context_log (context, G_LOG_LEVEL_WARNING,
                         "%" G_GUINT64_FORMAT " songs of the set `%s` have labels that the model "
                         "does not know; they count as wrong",
                         tally->songs.unknown, segue_set_get_name (i));
  }
}

/* The model's folder with calibration.json: with that it is complete, also when it is copied elsewhere. */
static gboolean
emit_model (Evaluator *evaluator, const char *folder, SegueContext *context, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "model", NULL);
  return segue_model_copy (evaluator->model_folder, path, error) &&
         evaluate_unsure_write (evaluator->unsure, path, error) &&
         segue_context_emit (context, segue_item_new_folder (SEGUE_KIND_MODEL, "model", path),
                             error);
}

static gboolean
evaluate_finish (gpointer instance, SegueContext *context, GError **error)
{
  Evaluator *evaluator = instance;
  if (evaluator->n_songs == 0 && evaluator->first_failure) {
    g_propagate_error (error, g_steal_pointer (&evaluator->first_failure));
    return FALSE;
  }
  const char *folder = segue_context_get_output_folder (context, error);
  if (!folder || !evaluate_table_commit (evaluator->table, error))
    return FALSE;
  report_unknown (evaluator, context);
  const EvaluateConfig *config = segue_context_get_config (context);
  EvaluateUnsureFigures unsure;
  evaluate_unsure_count (evaluator->unsure, &unsure);
  g_autofree char *text =
    evaluate_metrics_to_json (segue_aggregation_names ()[config->aggregation], evaluator->sets,
                              evaluator->info.labels, &unsure);
  g_autofree char *path = g_build_filename (folder, "metrics.json", NULL);
  return segue_file_write (path, text, -1, error) &&
         emit_model (evaluator, folder, context, error) &&
         segue_context_emit (context, segue_item_new_folder (SEGUE_KIND_METRICS, "metrics", folder),
                             error);
}

static const SegueParam *const params[] = {
  SEGUE_PARAM (
    EvaluateConfig, aggregation, SEGUE_PARAM_CHOICE, .def = "mean-probability",
    .choices = SEGUE_AGGREGATION_CHOICES,
    .doc =
      "How the predictions of a song's segments are combined: the mean of their probabilities; the "
      "normalised geometric mean (`mean-logit`), right where segments err independently; the share "
      "of segments that rank a label first (`vote`); or the mean weighted by 1 − normalised "
      "entropy (`confidence-weighted`). `segue predict` does the same with the model."),
  SEGUE_PARAM (EvaluateConfig, precision, SEGUE_PARAM_CHOICE, .def = "auto",
               .choices = SEGUE_MODEL_PRECISION_CHOICES,
               .doc = "Number format of matrix multiplications: see `train`. `int8` is for "
                      "predictions only: the fastest, but it may change some of them."),
  SEGUE_PARAM (
    EvaluateConfig, unsure, SEGUE_PARAM_DOUBLE, .def = "10", .min = 0, .max = 50, .unit = "%",
    .doc = "Which share of the correct predictions may be shown as unsure, so that songs of "
           "unknown artists are. The more, the more of those are recognised; 0: no song is "
           "shown as unsure. `segue predict` and `segue serve` use the same threshold."),
  NULL,
};

static const SeguePort *const inputs[] = {
  SEGUE_PORT ("items", SEGUE_KIND_EXAMPLES,
              "Segments as the model expects them, audio or vectors, without augmentation.",
              .flags = SEGUE_PORT_SETS),
  SEGUE_PORT ("model", SEGUE_KIND_MODEL, "The model to evaluate."), NULL
};

static const SeguePort *const outputs[] = {
  SEGUE_PORT (
    "predictions", SEGUE_KIND_PREDICTIONS,
    "One item per song: [segments, 2 + labels] start, duration and probabilities; metadata "
    "`predicted` and `probability` for the song."),
  SEGUE_PORT ("model", SEGUE_KIND_MODEL, "The model with calibration.json."),
  SEGUE_PORT ("metrics", SEGUE_KIND_METRICS, "The folder with metrics.json and predictions.csv."),
  NULL
};

static const SegueStageType evaluate = {
  SEGUE_STAGE_TYPE,
  .name = "evaluate",
  .summary = "Evaluates a model on every segment and song",
  .doc =
    "Runs the model over all items of all sets, without augmentation. A song's prediction is "
    "combined from its segments' probabilities as `aggregation` states.\n\nWrites "
    "`metrics.json` (accuracy by segment and by song with its 95 % confidence interval, "
    "chance level, macro F1, loss, per label, and confusion matrices, for each of `train`, "
    "`validation` and `test`) and `predictions.csv` (a row per segment). Labels that the "
    "model does not know count as wrong and are listed.\n\nWrites `model/`: the model, completed "
    "with `calibration.json`: the aggregation, and how strange correctly predicted songs are to the "
    "model: songs that `train` held out in a cross-validation, else validation songs. A song that is "
    "stranger is shown as unsure: its artist may be unknown to the model.",
  .result_version = 5,
  .mode = SEGUE_MODE_SERIAL,
  .inputs = inputs,
  .outputs = outputs,
  .params = params,
  .config_size = sizeof (EvaluateConfig),
  .open = evaluate_open,
  .close = evaluator_free,
  .process = evaluate_process,
  .end_song = evaluate_end_song,
  .finish = evaluate_finish,
  .negotiate = evaluate_negotiate,
};

static const SegueStageType *const stages[] = { &evaluate, NULL };

SEGUE_PLUGIN (.name = "evaluate", .version = "1.0", .licence = "MIT", .stages = stages)
