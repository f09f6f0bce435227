#include "../nn-private.h"

#include <float.h>
#include <math.h>
#include <segue/nn/config.h>
#include <segue/nn/scaler.h>

typedef struct {
  const SegueNnScaler *scaler;
  gsize rows;
  const float *x;
  float *y;
} Pass;

static void
declare_columns (SegueNnWeights *weights, SegueNnWeight *weight, const char *name,
                 const char *ending, gsize n, double value)
{
  g_autofree char *full = g_strconcat (name, ending, NULL);
  const SegueNnTensor tensor =
    SEGUE_INIT (SegueNnTensor, .name = full, .rank = 1, .shape = { n },
                .init = SEGUE_NN_INIT_CONSTANT, .a = value, .flags = SEGUE_NN_WEIGHT_BUFFER);
  segue_nn_weights_add (weights, weight, &tensor);
}

void
segue_nn_scaler_declare (SegueNnScaler *scaler, SegueNnWeights *weights, const char *name)
{
  declare_columns (weights, &scaler->mean, name, ".mean", scaler->size, 0);
  declare_columns (weights, &scaler->deviation, name, ".deviation", scaler->size, 1);
}

gboolean
segue_nn_scaler_check (const SegueNnScaler *scaler, const char *folder, GError **error)
{
  for (gsize j = 0; j < scaler->size; j++)
    if (!(scaler->deviation.w[j] > 0))
      return segue_nn_config_refuse (
        error, folder, NULL, "the deviation of column %" G_GSIZE_FORMAT " is not positive", j);
  return TRUE;
}

/* Rounding leaves a constant column with a variance, and a deviation must be a positive float. */
static float
round_deviation (double variance, double mean, gsize n)
{
  double rounding = (double) n * mean * DBL_EPSILON;
  double bound = (double) n * DBL_EPSILON * variance + rounding * rounding;
  double deviation = sqrt (variance);
  return variance <= bound || deviation < (double) FLT_MIN ? 1.0f : (float) deviation;
}

/* Two passes over a block of columns: no digits are lost where the mean is large. */
static void
fit_columns (gpointer data, gsize tile, guint thread)
{
  const Pass *p = data;
  gsize size = p->scaler->size, first = tile * NN_COLUMNS;
  gsize columns = nn_tile_length (size, NN_COLUMNS, tile);
  double mean[NN_COLUMNS] = { 0 }, square[NN_COLUMNS] = { 0 };
  for (gsize i = 0; i < p->rows; i++)
    for (gsize j = 0; j < columns; j++)
      mean[j] += (double) p->x[i * size + first + j];
  for (gsize j = 0; j < columns; j++)
    mean[j] /= (double) p->rows;
  for (gsize i = 0; i < p->rows; i++)
    for (gsize j = 0; j < columns; j++) {
      double d = (double) p->x[i * size + first + j] - mean[j];
      square[j] += d * d;
    }
  for (gsize j = 0; j < columns; j++) {
    p->scaler->mean.w[first + j] = (float) mean[j];
    p->scaler->deviation.w[first + j] =
      round_deviation (square[j] / (double) p->rows, mean[j], p->rows);
  }
}

void
segue_nn_scaler_fit (SegueNnScaler *scaler, SegueNnThreads *threads, gsize rows, const float *x)
{
  g_assert (rows > 0);
  Pass pass = { .scaler = scaler, .rows = rows, .x = x };
  segue_nn_threads_run (threads, nn_tiles (scaler->size, NN_COLUMNS), fit_columns, &pass);
}

NN_VECTORISED static void
scale_row (gpointer data, gsize row, guint thread)
{
  const Pass *p = data;
  gsize size = p->scaler->size;
  const float *x = p->x + row * size, *mean = p->scaler->mean.w;
  const float *deviation = p->scaler->deviation.w;
  float *y = p->y + row * size;
#pragma omp simd
  for (gsize j = 0; j < size; j++)
    y[j] = (x[j] - mean[j]) / deviation[j];
}

void
segue_nn_scaler_forward (const SegueNnScaler *scaler, SegueNnThreads *threads, gsize rows,
                         const float *x, float *y)
{
  Pass pass = { .scaler = scaler, .rows = rows, .x = x, .y = y };
  segue_nn_threads_run (threads, rows, scale_row, &pass);
}
