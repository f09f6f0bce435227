/* A layer that standardises vectors, column by column, with the mean and deviation of the training set:
 *
 *   x [rows, size] → y = (x − mean) / deviation
 *
 * Both are buffers: fit () of a model type computes them (SegueModelFit), and no step of training changes them. There
 * is no backward: the layer is the first one of a model.
 */
#pragma once

#include <segue/nn/weights.h>

G_BEGIN_DECLS

/** SegueNnScaler: @size: numbers in a vector, set by the caller
 * @deviation: population deviation; 1 for a column that is constant but for rounding */
typedef struct {
  gsize size;
  SegueNnWeight mean;      /* [size] */
  SegueNnWeight deviation; /* [size] */
} SegueNnScaler;

/** segue_nn_scaler_declare: "@name.mean", initialised to 0, and "@name.deviation", initialised to 1. */
SEGUE_API void segue_nn_scaler_declare (SegueNnScaler *scaler, SegueNnWeights *weights,
                                        const char *name);
/** segue_nn_scaler_check: whether deviations that were read from @folder are positive. %SEGUE_ERROR_DATA. */
SEGUE_API gboolean segue_nn_scaler_check (const SegueNnScaler *scaler, const char *folder,
                                          GError **error);
/** segue_nn_scaler_fit: of @x [@rows, size], finite, at least one row; sums in double. The caller then calls
 * segue_nn_weights_changed(). */
SEGUE_API void segue_nn_scaler_fit (SegueNnScaler *scaler, SegueNnThreads *threads, gsize rows,
                                    const float *x);
/** segue_nn_scaler_forward: @y may be @x. A row's result does not depend on the others. */
SEGUE_API void segue_nn_scaler_forward (const SegueNnScaler *scaler, SegueNnThreads *threads,
                                        gsize rows, const float *x, float *y);

G_END_DECLS
