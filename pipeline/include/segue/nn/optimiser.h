#pragma once

#include <segue/nn/threads.h>

G_BEGIN_DECLS

/* AdamW (Loshchilov & Hutter 2019) in the order of operations of torch.optim.AdamW:
 *
 *   w ← w · (1 − lr · weight_decay)
 *   m ← β1 m + (1 − β1) g          v ← β2 v + (1 − β2) g²
 *   w ← w − lr / (1 − β1ᵗ) · m / (√v / √(1 − β2ᵗ) + eps) */
typedef struct {
  double beta1;
  double beta2;
  double eps;
} SegueNnAdamW;

/* Torch's defaults: 0.9, 0.999, 1e-8. */
#define SEGUE_NN_ADAMW_DEFAULT ((SegueNnAdamW){ 0.9, 0.999, 1e-8 })

/* Updates w [n] from its gradient dw [n] times grad_scale (1, or segue_nn_clip_coefficient ()).
 * m and v [n] are the state, initially 0. step counts from 1. weight_decay is a parameter, since
 * biases and norms usually have none. */
SEGUE_API void segue_nn_adamw_step (SegueNnThreads *threads, const SegueNnAdamW *adamw,
                                    guint64 step, double lr, double weight_decay, float grad_scale,
                                    gsize n, const float *dw, float *m, float *v, float *w);

/* Square root of the sum of squares of all gradients together, accumulated in double. NULL entries
 * of grads are skipped. Not finite if a gradient isn't. */
SEGUE_API double segue_nn_grad_norm (SegueNnThreads *threads, gsize n_tensors,
                                     const float *const *grads, const gsize *sizes);

/* The factor for gradients that limits their norm to max_norm: min (1, max_norm / (norm + 1e-6)),
 * as torch.nn.utils.clip_grad_norm_. max_norm 0 clips nothing. A norm that isn't finite gives 0:
 * check the norm and skip the step. */
SEGUE_API float segue_nn_clip_coefficient (double norm, double max_norm);

G_END_DECLS
