/* Shared by the normalisations: moments of parts, and gradients of the learnt scale and shift. */
#pragma once

#include "nn-private.h"

/* Of n values: their mean, and the sum of squares about it. */
typedef struct {
  double n, mean, m2;
} NormMoments;

/* Moments of a and of n more values together (Chan, Golub & LeVeque 1979). */
NN_INLINE void
norm_merge (NormMoments *a, double n, double mean, double m2)
{
  double delta = mean - a->mean, total = a->n + n;
  a->mean += delta * n / total;
  a->m2 += m2 + delta * delta * a->n * n / total;
  a->n = total;
}

/* Adds Σ dy · x̂ and Σ dy of the n columns from `first` on to dgamma and dbeta [channels]; either
 * may be NULL. */
NN_INLINE void
norm_add_gradients (float *dgamma, float *dbeta, gsize first, gsize n, const double *sum_x,
                    const double *sum)
{
  for (gsize j = 0; dgamma && j < n; j++)
    dgamma[first + j] += (float) sum_x[j];
  for (gsize j = 0; dbeta && j < n; j++)
    dbeta[first + j] += (float) sum[j];
}
