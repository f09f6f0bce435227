#include "norm-private.h"

#include <math.h>
#include <segue/nn/norm.h>

typedef struct {
  gsize rows, channels;
  float eps;
  const float *x, *gamma, *beta, *dy;
  float *y, *dx, *dgamma, *dbeta;
  float *mean, *rstd;                   /* written by forward */
  const float *saved_mean, *saved_rstd; /* read by backward */
} LayerNorm;

NN_INLINE void
forward_row (const LayerNorm *l, gsize row)
{
  const gsize n = l->channels;
  const float *x = l->x + row * n, *gamma = l->gamma, *beta = l->beta;
  float *y = l->y + row * n;
  float sum = 0.0f, squares = 0.0f;

#pragma omp simd reduction(+ : sum)
  for (gsize i = 0; i < n; i++)
    sum += x[i];
  const float mean = sum / (float) n;
#pragma omp simd reduction(+ : squares)
  for (gsize i = 0; i < n; i++)
    squares += (x[i] - mean) * (x[i] - mean);
  const float rstd = 1.0f / sqrtf (squares / (float) n + l->eps);
#pragma omp simd
  for (gsize i = 0; i < n; i++)
    y[i] = (x[i] - mean) * rstd * gamma[i] + beta[i];

  if (l->mean)
    l->mean[row] = mean;
  if (l->rstd)
    l->rstd[row] = rstd;
}

NN_VECTORISED static void
forward_tile (gpointer data, gsize tile, guint thread)
{
  const LayerNorm *l = data;
  gsize block = nn_block_rows (l->channels), rows = nn_tile_length (l->rows, block, tile);
  for (gsize i = 0; i < rows; i++)
    forward_row (l, tile * block + i);
}

void
segue_nn_layer_norm_forward (SegueNnThreads *threads, gsize rows, gsize channels, float eps,
                             const float *x, const float *gamma, const float *beta, float *y,
                             float *mean, float *rstd)
{
  g_assert (channels > 0);
  LayerNorm l = { .rows = rows,
                  .channels = channels,
                  .eps = eps,
                  .x = x,
                  .gamma = gamma,
                  .beta = beta,
                  .y = y,
                  .mean = mean,
                  .rstd = rstd };
  segue_nn_threads_run (threads, nn_tiles (rows, nn_block_rows (channels)), forward_tile, &l);
}

/* With x̂ = (x − mean) rstd and g = gamma · dy:  dx = rstd · (g − mean (g) − x̂ · mean (g · x̂)) */
NN_INLINE void
dx_row (const LayerNorm *l, gsize row)
{
  const gsize n = l->channels;
  const float *x = l->x + row * n, *dy = l->dy + row * n, *gamma = l->gamma;
  float *dx = l->dx + row * n;
  const float mean = l->saved_mean[row], rstd = l->saved_rstd[row];
  float sum = 0.0f, sum_x = 0.0f;

#pragma omp simd reduction(+ : sum, sum_x)
  for (gsize i = 0; i < n; i++) {
    float g = gamma[i] * dy[i];
    sum += g;
    sum_x += g * ((x[i] - mean) * rstd);
  }
  const float mean_g = sum / (float) n, mean_gx = sum_x / (float) n;
#pragma omp simd
  for (gsize i = 0; i < n; i++)
    dx[i] = rstd * (gamma[i] * dy[i] - mean_g - (x[i] - mean) * rstd * mean_gx);
}

NN_VECTORISED static void
dx_tile (gpointer data, gsize tile, guint thread)
{
  const LayerNorm *l = data;
  gsize block = nn_block_rows (l->channels), rows = nn_tile_length (l->rows, block, tile);
  for (gsize i = 0; i < rows; i++)
    dx_row (l, tile * block + i);
}

/* dgamma and dbeta of some columns, down all rows. */
NN_VECTORISED static void
parameters_tile (gpointer data, gsize tile, guint thread)
{
  const LayerNorm *l = data;
  gsize first = tile * NN_COLUMNS, n = nn_tile_length (l->channels, NN_COLUMNS, tile);
  double sum[NN_COLUMNS] = { 0 }, sum_x[NN_COLUMNS] = { 0 };

  for (gsize row = 0; row < l->rows; row++) {
    const float *x = l->x + row * l->channels + first, *dy = l->dy + row * l->channels + first;
    const float mean = l->saved_mean[row], rstd = l->saved_rstd[row];
#pragma omp simd
    for (gsize j = 0; j < n; j++) {
      sum[j] += (double) dy[j];
      sum_x[j] += (double) (dy[j] * ((x[j] - mean) * rstd));
    }
  }
  norm_add_gradients (l->dgamma, l->dbeta, first, n, sum_x, sum);
}

void
segue_nn_layer_norm_backward (SegueNnThreads *threads, gsize rows, gsize channels, const float *x,
                              const float *gamma, const float *mean, const float *rstd,
                              const float *dy, float *dx, float *dgamma, float *dbeta)
{
  LayerNorm l = { .rows = rows,
                  .channels = channels,
                  .x = x,
                  .gamma = gamma,
                  .saved_mean = mean,
                  .saved_rstd = rstd,
                  .dy = dy,
                  .dx = dx,
                  .dgamma = dgamma,
                  .dbeta = dbeta };
  /* Parameters first, since dx may be dy. */
  if (dgamma || dbeta)
    segue_nn_threads_run (threads, nn_tiles (channels, NN_COLUMNS), parameters_tile, &l);
  if (dx)
    segue_nn_threads_run (threads, nn_tiles (rows, nn_block_rows (channels)), dx_tile, &l);
}
