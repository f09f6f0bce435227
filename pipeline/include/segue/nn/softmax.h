#pragma once

#include <segue/nn/threads.h>

G_BEGIN_DECLS

/* y [rows, n] = softmax over each row of x; y may be x. */
SEGUE_API void segue_nn_softmax_forward (SegueNnThreads *threads, gsize rows, gsize n,
                                         const float *x, float *y);

/* dx = y · (dy − Σ dy·y) for each row, from the OUTPUT y of the forward; dx may be dy. */
SEGUE_API void segue_nn_softmax_backward (SegueNnThreads *threads, gsize rows, gsize n,
                                          const float *y, const float *dy, float *dx);

G_END_DECLS
