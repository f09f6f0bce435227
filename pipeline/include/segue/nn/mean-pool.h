#pragma once

#include <segue/nn/threads.h>

G_BEGIN_DECLS

/* Mean over time: y [batch, channels] from x [batch, time, channels]. */
SEGUE_API void segue_nn_mean_pool_forward (SegueNnThreads *threads, gsize batch, gsize time,
                                           gsize channels, const float *x, float *y);

/* dx [batch, time, channels] = dy [batch, channels] / time. */
SEGUE_API void segue_nn_mean_pool_backward (SegueNnThreads *threads, gsize batch, gsize time,
                                            gsize channels, const float *dy, float *dx);

G_END_DECLS
