#include "nn-private.h"

#include <math.h>
#include <segue/nn/weight-norm.h>

typedef struct {
  gsize outer, kernel, inner;
  const float *v, *g, *dw, *saved_norm;
  float *w, *norm, *dv, *dg;
} WeightNorm;

/* Tile: one position k of the middle dimension; its weights are `outer` rows of `inner` floats. */
NN_VECTORISED static void
forward_tap (gpointer data, gsize k, guint thread)
{
  const WeightNorm *n = data;
  double sum = 0.0;
  for (gsize a = 0; a < n->outer; a++) {
    const float *v = n->v + (a * n->kernel + k) * n->inner;
#pragma omp simd reduction(+ : sum)
    for (gsize b = 0; b < n->inner; b++)
      sum += (double) v[b] * (double) v[b];
  }
  n->norm[k] = (float) sqrt (sum);

  const float scale = n->g[k] / n->norm[k];
  for (gsize a = 0; a < n->outer; a++) {
    const float *v = n->v + (a * n->kernel + k) * n->inner;
    float *w = n->w + (a * n->kernel + k) * n->inner;
#pragma omp simd
    for (gsize b = 0; b < n->inner; b++)
      w[b] = scale * v[b];
  }
}

void
segue_nn_weight_norm_forward (SegueNnThreads *threads, gsize outer, gsize kernel, gsize inner,
                              const float *v, const float *g, float *w, float *norm)
{
  WeightNorm n = {
    .outer = outer, .kernel = kernel, .inner = inner, .v = v, .g = g, .w = w, .norm = norm
  };
  segue_nn_threads_run (threads, kernel, forward_tap, &n);
}

/* With v̂ = v / ‖v‖ and s = Σ dw · v̂:  dg = s,  dv = g / ‖v‖ · (dw − s v̂) */
NN_VECTORISED static void
backward_tap (gpointer data, gsize k, guint thread)
{
  const WeightNorm *n = data;
  const double norm = (double) n->saved_norm[k];
  double dot = 0.0;
  for (gsize a = 0; a < n->outer; a++) {
    gsize at = (a * n->kernel + k) * n->inner;
    const float *v = n->v + at, *dw = n->dw + at;
#pragma omp simd reduction(+ : dot)
    for (gsize b = 0; b < n->inner; b++)
      dot += (double) v[b] * (double) dw[b];
  }
  n->dg[k] += (float) (dot / norm);

  const float scale = (float) ((double) n->g[k] / norm), along = (float) (dot / (norm * norm));
  for (gsize a = 0; a < n->outer; a++) {
    gsize at = (a * n->kernel + k) * n->inner;
    const float *v = n->v + at, *dw = n->dw + at;
    float *dv = n->dv + at;
#pragma omp simd
    for (gsize b = 0; b < n->inner; b++)
      dv[b] += scale * (dw[b] - along * v[b]);
  }
}

void
segue_nn_weight_norm_backward (SegueNnThreads *threads, gsize outer, gsize kernel, gsize inner,
                               const float *v, const float *g, const float *norm, const float *dw,
                               float *dv, float *dg)
{
  WeightNorm n = { .outer = outer,
                   .kernel = kernel,
                   .inner = inner,
                   .v = v,
                   .g = g,
                   .saved_norm = norm,
                   .dw = dw,
                   .dv = dv,
                   .dg = dg };
  segue_nn_threads_run (threads, kernel, backward_tap, &n);
}
