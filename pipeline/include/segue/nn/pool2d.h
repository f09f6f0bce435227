#pragma once

#include <segue/nn/threads.h>

G_BEGIN_DECLS

/* The second half of a convolution block, in one pass over the convolution's output:
 *
 *   y = pool (relu (scale · x + shift))
 *
 * over windows of pool_height × pool_width that do not overlap. Rows and columns that fill no
 * window are ignored, as in torch. scale and shift are those of batch-norm.h. Neither the
 * normalised activation nor the positions of maxima are stored: the backward recomputes them from x. */
typedef enum {
  SEGUE_NN_POOL2D_MAX, /* of equal maxima, the first gets the gradient */
  SEGUE_NN_POOL2D_MEAN,
} SegueNnPool2dKind;

#define SEGUE_NN_POOL2D_MAX_WINDOW 64

typedef struct {
  gsize batch;
  gsize height;
  gsize width;
  gsize channels;
  gsize pool_height; /* pool_height · pool_width: 1 … SEGUE_NN_POOL2D_MAX_WINDOW */
  gsize pool_width;
  SegueNnPool2dKind kind;
} SegueNnPool2d;

/* x [batch, height, width, channels] → y [batch, ⌊height / pool_height⌋, ⌊width / pool_width⌋, channels]. */
SEGUE_API void segue_nn_norm_relu_pool2d_forward (SegueNnThreads *threads,
                                                  const SegueNnPool2d *shape, const float *x,
                                                  const float *scale, const float *shift, float *y);

/* The normalisation that scale and shift represent, for the backward: all [channels]. */
typedef struct {
  const float *gamma;
  const float *mean; /* of this batch */
  const float *rstd;
  const float *scale;
  const float *shift;
} SegueNnBatchNorm;

/* From dy: the gradient through pool, ReLU, and a batch normalisation whose mean and variance
 * were those of x itself. dgamma, dbeta [channels] are added to; dx is written and may be x. Each of the three
 * may be NULL.
 * scratch: segue_nn_norm_relu_pool2d_scratch () floats. */
SEGUE_API gsize segue_nn_norm_relu_pool2d_scratch (const SegueNnPool2d *shape);
SEGUE_API void segue_nn_norm_relu_pool2d_backward (SegueNnThreads *threads,
                                                   const SegueNnPool2d *shape,
                                                   const SegueNnBatchNorm *norm, const float *x,
                                                   const float *dy, float *dx, float *dgamma,
                                                   float *dbeta, float *scratch);

/* Mean and maximum over time: y [batch, 2 · channels] from x [batch, time, channels], time > 0; first
 * all means, then all maxima. */
SEGUE_API void segue_nn_mean_max_pool_forward (SegueNnThreads *threads, gsize batch, gsize time,
                                               gsize channels, const float *x, float *y);

/* dx [batch, time, channels] is written, and may be x; of equal maxima the first gets the
 * gradient. */
SEGUE_API void segue_nn_mean_max_pool_backward (SegueNnThreads *threads, gsize batch, gsize time,
                                                gsize channels, const float *x, const float *dy,
                                                float *dx);

G_END_DECLS
