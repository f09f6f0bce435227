/* combine: the predictions of several models → one, and a model that contains them. */
#include "combine.h"
#include "formats.h"
#include "judge.h"
#include "members.h"
#include "weights.h"

#include <math.h>
#include <segue/model.h>
#include <segue/stage.h>
#include <string.h>

typedef enum { WEIGHTS_EQUAL, WEIGHTS_LEARNT } CombineWeights;

typedef struct {
  int rule;        /* SegueCombinationRule */
  int weights;     /* CombineWeights */
  int aggregation; /* SegueAggregation */
  double unsure;   /* % */
} CombineConfig;

/* ---- Weights ---- */

/* The number of the label of @song in @labels; -1: none of them. */
static int
find_truth (const SegueItem *song, const char *const *labels)
{
  const char *label = segue_item_get_string (song, SEGUE_META_LABEL);
  for (int c = 0; label && labels[c]; c++)
    if (strcmp (labels[c], label) == 0)
      return c;
  return -1;
}

static gboolean
is_validation (const SegueItem *song)
{
  const char *set = segue_item_get_string (song, SEGUE_META_SET);
  return segue_set_from_name (set) == SEGUE_SET_VALIDATION;
}

/* What the members say about each validation song, in the form that decides about a song. */
static gboolean
read_evidence (CombineMembers *members, SegueContext *context, GArray *truths, GArray *rows,
               GError **error)
{
  const CombineConfig *config = segue_context_get_config (context);
  const char *const *labels = combine_members_get_labels (members);
  guint n_members, n_labels = g_strv_length ((char **) labels);
  combine_members_get_folders (members, &n_members);
  g_autofree float *song = g_new (float, n_labels);
  for (guint i = 0; i < combine_members_count_songs (members, NULL); i++) {
    const SegueItem *known = combine_members_get_song (members, i);
    int truth = find_truth (known, labels);
    CombineRows read;
    if (truth < 0 || !is_validation (known))
      continue;
    if (!combine_members_read (members, i, &read, context, error))
      return FALSE;
    g_array_append_val (truths, truth);
    for (guint m = 0; m < n_members; m++) {
      segue_song_aggregate ((SegueAggregation) config->aggregation, read.rows[m], read.n, n_labels,
                            song);
      g_array_append_vals (rows, song, n_labels);
    }
  }
  if (truths->len > 0)
    return TRUE;
  g_set_error_literal (
    error, SEGUE_ERROR, SEGUE_ERROR_DATA,
    "weights are learnt from validation songs, and there is none that all models predict; give "
    "`split` a share for validation, or take equal weights" SEGUE_ADVICE (" with ",
                                                                          "weights=equal"));
  return FALSE;
}

static void
report_weights (const double *weights, guint n, SegueContext *context, guint n_songs)
{
  g_autoptr (GString) list = g_string_new (NULL);
  for (guint m = 0; m < n; m++) {
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    g_ascii_formatd (number, sizeof number, "%.3f", weights[m]);
    g_string_append_printf (list, "%s%s", m > 0 ? ", " : "", number);
  }
  segue_context_log (context, G_LOG_LEVEL_MESSAGE,
                     "weights of the models, learnt from %u validation songs: %s", n_songs,
                     list->str);
}

static gboolean
find_weights (CombineMembers *members, SegueContext *context, double *weights, guint n,
              GError **error)
{
  const CombineConfig *config = segue_context_get_config (context);
  for (guint m = 0; m < n; m++)
    weights[m] = 1.0 / n;
  if (config->weights == WEIGHTS_EQUAL)
    return TRUE;
  g_autoptr (GArray) truths = g_array_new (FALSE, FALSE, sizeof (guint));
  g_autoptr (GArray) rows = g_array_new (FALSE, FALSE, sizeof (float));
  if (!read_evidence (members, context, truths, rows, error))
    return FALSE;
  const EvaluateEvidence evidence = {
    .n_songs = truths->len,
    .n_members = n,
    .n_labels = g_strv_length ((char **) combine_members_get_labels (members)),
    .truths = (const guint *) (const void *) truths->data,
    .probabilities = (const float *) (const void *) rows->data,
  };
  evaluate_weights_learn ((SegueCombinationRule) config->rule, &evidence, weights);
  report_weights (weights, n, context, truths->len);
  return TRUE;
}

/* ---- Songs ---- */

static gboolean
combine_song (CombineMembers *members, const SegueCombination *combination, guint index,
              EvaluateJudge *judge, SegueContext *context, GError **error)
{
  guint n_labels = g_strv_length ((char **) combine_members_get_labels (members));
  CombineRows read;
  if (!combine_members_read (members, index, &read, context, error))
    return FALSE;
  g_autofree float *mixed = g_new (float, (gsize) read.n *n_labels);
  segue_combination_mix (combination, read.rows, read.n, n_labels, mixed);
  const EvaluateSegments segments = {
    .spans = read.spans, .rows = mixed, .n = read.n, .distance = NAN
  };
  return evaluate_judge_add (judge, combine_members_get_song (members, index), &segments, context,
                             error);
}

static gboolean
combine_songs (CombineMembers *members, const SegueCombination *combination, EvaluateJudge *judge,
               SegueContext *context, GError **error)
{
  guint n_left_out, n = combine_members_count_songs (members, &n_left_out);
  segue_context_set_progress_unit (context, "songs");
  for (guint i = 0; i < n; i++) {
    if (!segue_context_check_cancelled (context, error) ||
        !combine_song (members, combination, i, judge, context, error))
      return FALSE;
    segue_context_progress (context, i + 1, n, NULL);
  }
  if (n_left_out > 0)
    segue_context_log (context, G_LOG_LEVEL_WARNING,
                       "%u songs are left out, because not all models predict them", n_left_out);
  return TRUE;
}

static gboolean
collect (gpointer instance, SegueContext *context, GError **error)
{
  const CombineConfig *config = segue_context_get_config (context);
  g_autoptr (CombineMembers) members = combine_members_new (context, error);
  const char *folder = members ? segue_context_get_output_folder (context, error) : NULL;
  if (!folder)
    return FALSE;
  guint n;
  const char *const *folders = combine_members_get_folders (members, &n);
  const char *const *labels = combine_members_get_labels (members);
  g_autofree double *weights = g_new (double, n);
  if (!find_weights (members, context, weights, n, error))
    return FALSE;
  const SegueCombination combination = { (SegueCombinationRule) config->rule, n, weights };
  const EvaluateRules rules = { (SegueAggregation) config->aggregation, config->unsure };
  g_autoptr (EvaluateJudge) judge = evaluate_judge_new (&rules, NULL, labels, context, error);
  g_autofree char *model = g_build_filename (folder, "model", NULL);
  return judge && combine_songs (members, &combination, judge, context, error) &&
         segue_model_combine (&combination, folders, labels, model, error) &&
         evaluate_judge_finish (judge, context, error);
}

/* ---- The stage ---- */

static const SegueParam *const params[] = {
  SEGUE_PARAM (CombineConfig, rule, SEGUE_PARAM_CHOICE, .def = "mean",
               .choices = SEGUE_COMBINATION_CHOICES,
               .doc = "How the models' probabilities become one: their weighted `mean`, or their "
                      "weighted `geometric` mean, normalised, in which a model that rules out a "
                      "label has a large weight."),
  SEGUE_PARAM (CombineConfig, weights, SEGUE_PARAM_CHOICE, .def = "equal",
               .choices = SEGUE_NAMES ("equal", "learnt"),
               .doc =
                 "The weights of the models: `equal`, or `learnt` from validation songs: those "
                 "with which the true labels are the most probable."),
  SEGUE_PARAM (CombineConfig, aggregation, SEGUE_PARAM_CHOICE, .def = "mean-probability",
               .choices = SEGUE_AGGREGATION_CHOICES,
               .doc = "How the predictions of a song's segments are combined: see `evaluate`."),
  SEGUE_PARAM (CombineConfig, unsure, SEGUE_PARAM_DOUBLE, .def = "10", .min = 0, .max = 50,
               .unit = "%",
               .doc = "Which share of the correct predictions may be shown as unsure: see "
                      "`evaluate`."),
  NULL,
};

static const SeguePort *const inputs[] = {
  SEGUE_PORT ("predictions", SEGUE_KIND_PREDICTIONS, "Predictions of `evaluate` for each model.",
              .flags = SEGUE_PORT_SEVERAL),
  SEGUE_PORT ("model", SEGUE_KIND_MODEL, "The models, in the same order.",
              .flags = SEGUE_PORT_SEVERAL),
  NULL
};

static const SeguePort *const outputs[] = {
  SEGUE_PORT ("predictions", SEGUE_KIND_PREDICTIONS,
              "One item per song, as of `evaluate`, with the segments of the first model."),
  SEGUE_PORT ("model", SEGUE_KIND_MODEL, "A model that contains the others."),
  SEGUE_PORT ("metrics", SEGUE_KIND_METRICS, "The folder with metrics.json and predictions.csv."),
  NULL
};

const SegueStageType combine_stage = {
  SEGUE_STAGE_TYPE,
  .name = "combine",
  .summary = "Combines the predictions of several models into one",
  .doc =
    "The models may take different inputs: audio or vectors, at different rates, in other segments. "
    "Each is evaluated by a stage of its own; `from: [ID, ID]` names those stages. The probabilities "
    "of models are joined by time: each segment counts at the segment of the first model whose "
    "middle is nearest.\n\nWrites `metrics.json` and `predictions.csv`, as `evaluate` does, and "
    "`model/`: a folder with all models in `members/`, each with the stages that prepare a song for "
    "it. `segue predict` and `segue serve` take it as any other model.",
  .result_version = 1,
  .mode = SEGUE_MODE_COLLECT,
  .inputs = inputs,
  .outputs = outputs,
  .params = params,
  .config_size = sizeof (CombineConfig),
  .collect = collect,
  .negotiate = combine_negotiate,
};
