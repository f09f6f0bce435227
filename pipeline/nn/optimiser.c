#include "nn-private.h"

#include <math.h>
#include <segue/nn/elementwise.h>
#include <segue/nn/optimiser.h>

typedef struct {
  gsize n;
  float grad_scale;
  float decay;     /* 1 − lr · weight_decay */
  float one_beta1; /* 1 − β1 */
  float beta2, one_beta2;
  float step_size;  /* lr / (1 − β1ᵗ) */
  float correction; /* √(1 − β2ᵗ) */
  float eps;
  const float *dw;
  float *m, *v, *w;
} AdamW;

NN_VECTORISED static void
adamw_tile (gpointer data, gsize tile, guint thread)
{
  const AdamW a = *(const AdamW *) data;
  gsize n = nn_tile_length (a.n, NN_BLOCK, tile), at = tile * NN_BLOCK;
  const float *dw = a.dw + at;
  float *m = a.m + at, *v = a.v + at, *w = a.w + at;
#pragma omp simd
  for (gsize i = 0; i < n; i++) {
    float g = dw[i] * a.grad_scale;
    float mi = m[i] + a.one_beta1 * (g - m[i]);
    float vi = v[i] * a.beta2 + a.one_beta2 * g * g;
    m[i] = mi;
    v[i] = vi;
    w[i] = w[i] * a.decay - a.step_size * (mi / (__builtin_sqrtf (vi) / a.correction + a.eps));
  }
}

void
segue_nn_adamw_step (SegueNnThreads *threads, const SegueNnAdamW *adamw, guint64 step, double lr,
                     double weight_decay, float grad_scale, gsize n, const float *dw, float *m,
                     float *v, float *w)
{
  g_assert (step > 0);
  AdamW a = {
    .n = n,
    .grad_scale = grad_scale,
    .decay = (float) (1.0 - lr * weight_decay),
    .one_beta1 = (float) (1.0 - adamw->beta1),
    .beta2 = (float) adamw->beta2,
    .one_beta2 = (float) (1.0 - adamw->beta2),
    .step_size = (float) (lr / (1.0 - pow (adamw->beta1, (double) step))),
    .correction = (float) sqrt (1.0 - pow (adamw->beta2, (double) step)),
    .eps = (float) adamw->eps,
    .dw = dw,
    .m = m,
    .v = v,
    .w = w,
  };
  segue_nn_threads_run (threads, nn_tiles (n, NN_BLOCK), adamw_tile, &a);
}

double
segue_nn_grad_norm (SegueNnThreads *threads, gsize n_tensors, const float *const *grads,
                    const gsize *sizes)
{
  double sum = 0.0;
  for (gsize i = 0; i < n_tensors; i++)
    if (grads[i])
      sum += segue_nn_sum_squares (threads, sizes[i], grads[i]);
  return sqrt (sum);
}

float
segue_nn_clip_coefficient (double norm, double max_norm)
{
  if (!isfinite (norm))
    return 0.0f;
  if (max_norm <= 0.0)
    return 1.0f;
  return (float) MIN (1.0, max_norm / (norm + 1e-6));
}
