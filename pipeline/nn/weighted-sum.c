#include "nn-private.h"

#include <math.h>
#include <segue/nn/elementwise.h>
#include <segue/nn/weighted-sum.h>
#include <string.h>

typedef struct {
  gsize layers, n;
  const float *const *h;
  const float *dy;
  float *y;
  float *const *dh;
  float p[SEGUE_NN_WEIGHTED_SUM_MAX_LAYERS];
} WeightedSum;

static void
mixture (gsize layers, const float *w, float *p)
{
  double most = (double) w[0], sum = 0.0;
  for (gsize l = 1; l < layers; l++)
    most = MAX (most, (double) w[l]);
  for (gsize l = 0; l < layers; l++)
    sum += exp ((double) w[l] - most);
  for (gsize l = 0; l < layers; l++)
    p[l] = (float) (exp ((double) w[l] - most) / sum);
}

NN_VECTORISED static void
forward_tile (gpointer data, gsize tile, guint thread)
{
  const WeightedSum *s = data;
  gsize n = nn_tile_length (s->n, NN_BLOCK, tile);
  float *y = s->y + tile * NN_BLOCK;
  const float *first = s->h[0] + tile * NN_BLOCK;
#pragma omp simd
  for (gsize i = 0; i < n; i++)
    y[i] = s->p[0] * first[i];
  for (gsize l = 1; l < s->layers; l++) {
    const float *h = s->h[l] + tile * NN_BLOCK, p = s->p[l];
#pragma omp simd
    for (gsize i = 0; i < n; i++)
      y[i] += p * h[i];
  }
}

void
segue_nn_weighted_sum_forward (SegueNnThreads *threads, gsize layers, gsize n,
                               const float *const *h, const float *w, float *y)
{
  g_assert (layers > 0 && layers <= SEGUE_NN_WEIGHTED_SUM_MAX_LAYERS);
  WeightedSum s = { .layers = layers, .n = n, .h = h, .y = y };
  mixture (layers, w, s.p);
  segue_nn_threads_run (threads, nn_tiles (n, NN_BLOCK), forward_tile, &s);
}

NN_VECTORISED static void
backward_tile (gpointer data, gsize tile, guint thread)
{
  const WeightedSum *s = data;
  gsize n = nn_tile_length (s->n, NN_BLOCK, tile);
  const float *dy = s->dy + tile * NN_BLOCK;
  for (gsize l = 0; l < s->layers; l++) {
    if (!s->dh[l])
      continue;
    float *dh = s->dh[l] + tile * NN_BLOCK;
    const float p = s->p[l];
#pragma omp simd
    for (gsize i = 0; i < n; i++)
      dh[i] = p * dy[i];
  }
}

void
segue_nn_weighted_sum_backward (SegueNnThreads *threads, gsize layers, gsize n,
                                const float *const *h, const float *w, const float *dy,
                                float *const *dh, float *dw)
{
  g_assert (layers > 0 && layers <= SEGUE_NN_WEIGHTED_SUM_MAX_LAYERS);
  WeightedSum s = { .layers = layers, .n = n, .h = h, .dy = dy, .dh = dh };
  mixture (layers, w, s.p);

  if (dw) {
    double dp[SEGUE_NN_WEIGHTED_SUM_MAX_LAYERS], mean = 0.0;
    for (gsize l = 0; l < layers; l++) {
      dp[l] = segue_nn_dot (threads, n, dy, h[l]);
      mean += (double) s.p[l] * dp[l];
    }
    for (gsize l = 0; l < layers; l++)
      dw[l] += (float) ((double) s.p[l] * (dp[l] - mean));
  }
  if (dh)
    segue_nn_threads_run (threads, nn_tiles (n, NN_BLOCK), backward_tile, &s);
}
