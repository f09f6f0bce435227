/* The mean over time: an operation for models that reduce frames to one vector. segue/nn/head.h has it with the
 * classifier that usually follows. */
#pragma once

#include <segue/nn/threads.h>

G_BEGIN_DECLS

/* y [batch, channels] from x [batch, time, channels]; time > 0. Sums are in double, so y is the same for an item alone and
 * in a batch. */
SEGUE_API void segue_nn_mean_pool_forward (SegueNnThreads *threads, gsize batch, gsize time,
                                           gsize channels, const float *x, float *y);

/* dx [batch, time, channels] = dy [batch, channels] / time: overwritten, not added to. */
SEGUE_API void segue_nn_mean_pool_backward (SegueNnThreads *threads, gsize batch, gsize time,
                                            gsize channels, const float *dy, float *dx);

G_END_DECLS
