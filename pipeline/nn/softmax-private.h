/* Softmax of one row, for the op itself and for attention. */
#pragma once

#include "vector-math.h"

#define NN_SOFTMAX_CHUNK ((gsize) 512)

/* y [n] = softmax (x); y may be x. n > 0. */
NN_INLINE void
nn_softmax_row (gsize n, const float *x, float *y)
{
  float most = x[0];
#pragma omp simd reduction(max : most)
  for (gsize i = 0; i < n; i++)
    most = nn_max (most, x[i]);

  /* A float sums a few hundred numbers without loss, and a row may have many thousands. */
  double total = 0.0;
  for (gsize first = 0; first < n; first += NN_SOFTMAX_CHUNK) {
    const gsize last = MIN (first + NN_SOFTMAX_CHUNK, n);
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (gsize i = first; i < last; i++) {
      float e = nn_exp (x[i] - most);
      y[i] = e;
      sum += e;
    }
    total += (double) sum;
  }

  const float scale = (float) (1.0 / total);
#pragma omp simd
  for (gsize i = 0; i < n; i++)
    y[i] *= scale;
}

/* dx [n] = scale · y · (dy − Σ dy·y); dx may be dy. */
NN_INLINE void
nn_softmax_backward_row (gsize n, float scale, const float *y, const float *dy, float *dx)
{
  float dot = 0.0f;
#pragma omp simd reduction(+ : dot)
  for (gsize i = 0; i < n; i++)
    dot += y[i] * dy[i];
#pragma omp simd
  for (gsize i = 0; i < n; i++)
    dx[i] = scale * y[i] * (dy[i] - dot);
}
