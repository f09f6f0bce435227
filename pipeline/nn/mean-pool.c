#include "nn-private.h"

#include <segue/nn/mean-pool.h>

typedef struct {
  gsize time, channels;
  const float *x, *dy;
  float *y, *dx;
} MeanPool;

/* Tile: some channels of one item. */
NN_VECTORISED static void
forward_tile (gpointer data, gsize tile, guint thread)
{
  const MeanPool *p = data;
  gsize tiles = nn_tiles (p->channels, NN_COLUMNS), item = tile / tiles;
  gsize first = tile % tiles * NN_COLUMNS;
  gsize n = nn_tile_length (p->channels, NN_COLUMNS, tile % tiles);
  const float *x = p->x + item * p->time * p->channels + first;
  double sum[NN_COLUMNS] = { 0 };

  for (gsize t = 0; t < p->time; t++)
    for (gsize j = 0; j < n; j++)
      sum[j] += (double) x[t * p->channels + j];
  for (gsize j = 0; j < n; j++)
    p->y[item * p->channels + first + j] = (float) (sum[j] / (double) p->time);
}

void
segue_nn_mean_pool_forward (SegueNnThreads *threads, gsize batch, gsize time, gsize channels,
                            const float *x, float *y)
{
  g_assert (time > 0);
  MeanPool p = { .time = time, .channels = channels, .x = x, .y = y };
  segue_nn_threads_run (threads, batch * nn_tiles (channels, NN_COLUMNS), forward_tile, &p);
}

NN_VECTORISED static void
backward_item (gpointer data, gsize item, guint thread)
{
  const MeanPool *p = data;
  const float *dy = p->dy + item * p->channels;
  const float scale = 1.0f / (float) p->time;
  for (gsize t = 0; t < p->time; t++) {
    float *dx = p->dx + (item * p->time + t) * p->channels;
#pragma omp simd
    for (gsize j = 0; j < p->channels; j++)
      dx[j] = dy[j] * scale;
  }
}

void
segue_nn_mean_pool_backward (SegueNnThreads *threads, gsize batch, gsize time, gsize channels,
                             const float *dy, float *dx)
{
  g_assert (time > 0);
  MeanPool p = { .time = time, .channels = channels, .dy = dy, .dx = dx };
  segue_nn_threads_run (threads, batch, backward_item, &p);
}
