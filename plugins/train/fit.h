/* Model types that compute weights from all training rows at once. */
#pragma once

#include "job.h"

/** TrainMatrix: the rows of a set in memory.
 * @values: [n, length of a row]
 * @labels: [n]; −1 (validation only): a label that no training row has
 * @songs: [n], within the set
 * @copies: [n]; 0: no augmented copy */
typedef struct {
  gsize n;
  float *values;
  gint32 *labels;
  guint32 *songs, *copies;
} TrainMatrix;

/** train_fit: calls the type's fit () with all rows in memory. For a type without backward (), that is the training: one
 * epoch, measured and logged, and a cross-validation. */
gboolean train_fit (TrainJob *job, GError **error);
/** train_fit_rows: calls fit () of @model with the first @n rows of @train. */
gboolean train_fit_rows (SegueModel *model, gsize length, const TrainMatrix *train, gsize n,
                         const TrainMatrix *validation, GError **error);
