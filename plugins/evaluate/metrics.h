/* metrics.json. */
#pragma once

#include "tally.h"

/** EvaluateSet: @name: train, validation or test; @unknown: label → segments (GUINT), of labels that
 * the model has not. */
typedef struct {
  const char *name;
  EvaluateTally *tally;
  GHashTable *unknown;
} EvaluateSet;

/** evaluate_metrics_to_json: (transfer full): the text; sets without an item are left out.
 * @aggregation: how songs were answered, by name */
char *evaluate_metrics_to_json (const char *aggregation, const EvaluateSet *sets, guint n_sets,
                                const char *const *labels);
