/* metrics.json. */
#pragma once

#include "tally.h"
#include "unsure.h"

/** EvaluateSet: @name: train, validation or test; @unknown: label → segments (GUINT), of labels that the model
 * does not have. */
typedef struct {
  const char *name;
  EvaluateTally *tally;
  GHashTable *unknown;
} EvaluateSet;

/** evaluate_metrics_to_json: (transfer full): the text; sets without items are omitted.
 * @aggregation: how song predictions were made, by name
 * @sets: by #SegueSet */
char *evaluate_metrics_to_json (const char *aggregation, const EvaluateSet sets[SEGUE_N_SETS],
                                const char *const *labels, const EvaluateUnsureFigures *unsure);
