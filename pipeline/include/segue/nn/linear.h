#pragma once

#include <segue/nn/weight.h>

G_BEGIN_DECLS

/* y [rows, out] = x [rows, in] wᵀ + bias, with w [out, in] as in torch.nn.Linear and bias [out]. `rows` is
 * batch × time. */
SEGUE_API void segue_nn_linear_forward (SegueNnThreads *threads, gsize rows, gsize in, gsize out,
                                        const float *x, const SegueNnAffine *w, float *y);

/* The same for x [batch, rows, in] and y [batch, rows, out], in tiles that never span two items:
 * the result for an item does not depend, bit for bit, on the other items of the batch. */
SEGUE_API void segue_nn_linear_forward_batch (SegueNnThreads *threads, gsize batch, gsize rows,
                                              gsize in, gsize out, const float *x,
                                              const SegueNnAffine *w, float *y);

/* dx [rows, in] = dy w, unless it is NULL. The gradient of w [out, in] += dyᵀ x, that of bias [out] += the
 * column sums of dy. x is read only for the gradient of w, w only for dx. */
SEGUE_API void segue_nn_linear_backward (SegueNnThreads *threads, gsize rows, gsize in, gsize out,
                                         const float *x, const SegueNnAffine *w, const float *dy,
                                         float *dx);

/* dbias [channels] += column sums of dy [rows, channels]: the bias gradient of any op over
 * channels-last data. Sums are accumulated in double. */
SEGUE_API void segue_nn_bias_backward (SegueNnThreads *threads, gsize rows, gsize channels,
                                       const float *dy, float *dbias);

G_END_DECLS
