/* evaluate: a model's predictions for every segment and song, their accuracy, and the completed model. */
#include "combine.h"
#include "formats.h"
#include "judge.h"

#include <segue/model.h>
#include <segue/plugin.h>

/* Segments of a song per pass through the model. */
#define BATCH 16

typedef struct {
  SegueModel *model;
  char *model_folder;
  SegueModelInfo info;
  EvaluateJudge *judge;

  /* The current song. */
  SegueItem *first;     /* of its segments; NULL: none yet */
  GPtrArray *waiting;   /* SegueItem: the next batch */
  GArray *spans;        /* SegueSpan, of all its segments */
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
  g_clear_pointer (&evaluator->judge, evaluate_judge_free);
  g_clear_pointer (&evaluator->model, segue_model_free);
  g_free (evaluator->model_folder);
  g_clear_pointer (&evaluator->first, segue_item_unref);
  g_clear_pointer (&evaluator->waiting, g_ptr_array_unref);
  g_clear_pointer (&evaluator->spans, g_array_unref);
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
  if (!load_model (evaluator, context, error))
    return FALSE;
  evaluator->info.struct_size = sizeof evaluator->info;
  segue_model_describe (evaluator->model, &evaluator->info);
  const EvaluateRules rules = { (SegueAggregation) config->aggregation, config->unsure };
  evaluator->judge =
    evaluate_judge_new (&rules, evaluator->model_folder, evaluator->info.labels, context, error);
  if (!evaluator->judge)
    return FALSE;
  SegueDataset *items = segue_context_get_input (context, "items");
  evaluator->n_items = items ? segue_dataset_get_length (items) : 0;
  evaluator->waiting = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  evaluator->spans = g_array_new (FALSE, FALSE, sizeof (SegueSpan));
  evaluator->rows = g_array_new (FALSE, FALSE, sizeof (float));
  evaluator->points = g_array_new (FALSE, FALSE, sizeof (float));
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
  const SegueSpan span = { segue_item_get_double (item, SEGUE_META_START, 0),
                           segue_item_get_double (item, SEGUE_META_DURATION,
                                                  measure_duration (item)) };
  if (!evaluator->first)
    evaluator->first = segue_item_ref (item);
  g_array_append_val (evaluator->spans, span);
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

static void
forget_song (Evaluator *evaluator)
{
  g_clear_pointer (&evaluator->first, segue_item_unref);
  g_clear_error (&evaluator->song_failure);
  g_ptr_array_set_size (evaluator->waiting, 0);
  g_array_set_size (evaluator->spans, 0);
  g_array_set_size (evaluator->rows, 0);
  g_array_set_size (evaluator->points, 0);
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

  EvaluateSegments segments = { .spans = (const SegueSpan *) (const void *) evaluator->spans->data,
                                .rows = (const float *) (const void *) evaluator->rows->data,
                                .n = evaluator->spans->len };
  segments.distance = segue_model_measure_distance (
    &evaluator->info, (const float *) (const void *) evaluator->points->data, segments.n);
  gboolean ok = evaluate_judge_add (evaluator->judge, evaluator->first, &segments, context, error);
  evaluator->n_songs++;
  forget_song (evaluator);
  return ok;
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
  g_autofree char *model = folder ? g_build_filename (folder, "model", NULL) : NULL;
  return model && segue_model_copy (evaluator->model_folder, model, error) &&
         evaluate_judge_finish (evaluator->judge, context, error);
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

static const SegueStageType *const stages[] = { &evaluate, &combine_stage, NULL };

SEGUE_PLUGIN (.name = "evaluate", .version = "1.0", .licence = "MIT", .stages = stages)
