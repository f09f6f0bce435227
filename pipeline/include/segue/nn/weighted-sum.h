#pragma once

#include <segue/nn/threads.h>

G_BEGIN_DECLS

/* A learnt mixture of a network's layers (`use_weighted_layer_sum`):
 *
 *   y = Σ_l p_l · h_l,   p = softmax (w)
 *
 * with h_l [n] the output of layer l and w [layers]. */
#define SEGUE_NN_WEIGHTED_SUM_MAX_LAYERS 256

/* h: `layers` pointers. y may be h[0]. */
SEGUE_API void segue_nn_weighted_sum_forward (SegueNnThreads *threads, gsize layers, gsize n,
                                              const float *const *h, const float *w, float *y);

/* dh[l] [n] = p_l · dy, written, if dh and dh[l] aren't NULL; dw [layers] += its gradient, or
 * NULL. */
SEGUE_API void segue_nn_weighted_sum_backward (SegueNnThreads *threads, gsize layers, gsize n,
                                               const float *const *h, const float *w,
                                               const float *dy, float *const *dh, float *dw);

G_END_DECLS
