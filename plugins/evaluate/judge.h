/* Predicted songs, judged: predictions items, predictions.csv, metrics.json, and the calibration of the model. */
#pragma once

#include <segue/aggregation.h>
#include <segue/collect.h>
#include <segue/combination.h>

typedef struct _EvaluateJudge EvaluateJudge;

/** EvaluateRules: of a stage that predicts songs.
 * @aggregation: of segments
 * @unsure: % of correct predictions that may be unsure */
typedef struct {
  SegueAggregation aggregation;
  double unsure;
} EvaluateRules;

/**
 * evaluate_judge_new: (transfer full): begins to write into the stage's output folder.
 * @model: (nullable): a model's folder, which may bring a calibration
 * @labels: of the model; borrowed until the judge is freed
 */
EvaluateJudge *evaluate_judge_new (const EvaluateRules *rules, const char *model,
                                   const char *const *labels, SegueContext *context,
                                   GError **error);
/** evaluate_judge_free: accepts %NULL. */
void evaluate_judge_free (EvaluateJudge *judge);

/** EvaluateSegments: of a song, at least one: @rows: [n, labels] probabilities; @distance: NaN: the model has no space. */
typedef struct {
  const SegueSpan *spans;
  const float *rows;
  guint n;
  double distance;
} EvaluateSegments;

/** evaluate_judge_add: emits the predictions for the song of @item, whose metadata say what is known about it. */
gboolean evaluate_judge_add (EvaluateJudge *judge, const SegueItem *item,
                             const EvaluateSegments *segments, SegueContext *context,
                             GError **error);
/** evaluate_judge_finish: completes and emits the model, which is in `model` of the output folder, and the metrics. */
gboolean evaluate_judge_finish (EvaluateJudge *judge, SegueContext *context, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EvaluateJudge, evaluate_judge_free)
