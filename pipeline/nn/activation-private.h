/* Values of activations, also for loops of other ops. */
#pragma once

#include "vector-math.h"

#include <segue/nn/activation.h>

#define NN_SQRT_2_OVER_PI 0.79788456080286536f

NN_INLINE float
nn_gelu (float x)
{
  float density;
  return x * nn_normal_cdf (x, &density);
}

NN_INLINE float
nn_gelu_tanh (float x)
{
  return 0.5f * x * (1.0f + nn_tanh (NN_SQRT_2_OVER_PI * (x + 0.044715f * x * x * x)));
}

/* x σ (a x): SiLU with a = 1, "quick" GELU with a = 1.702. */
NN_INLINE float
nn_swish (float x, float a)
{
  return x * nn_sigmoid (a * x);
}

/* `omp simd` declares iterations independent, which they are even if out is x: without it the
 * compiler would use scalar code for in-place operation. */
#define NN_EACH(value)                                                                             \
  _Pragma ("omp simd") for (gsize i = 0; i < n; i++) out[i] = (value);                             \
  break

/* out [n] = f (x [n]); out may be x. */
NN_INLINE void
nn_activate (SegueNnActivation activation, gsize n, const float *x, float *out)
{
  switch (activation) {
  case SEGUE_NN_ACTIVATION_LINEAR:
    NN_EACH (x[i]);
  case SEGUE_NN_ACTIVATION_RELU:
    NN_EACH (x[i] > 0.0f ? x[i] : 0.0f);
  case SEGUE_NN_ACTIVATION_GELU:
    NN_EACH (nn_gelu (x[i]));
  case SEGUE_NN_ACTIVATION_GELU_TANH:
    NN_EACH (nn_gelu_tanh (x[i]));
  case SEGUE_NN_ACTIVATION_QUICK_GELU:
    NN_EACH (nn_swish (x[i], 1.702f));
  case SEGUE_NN_ACTIVATION_SILU:
    NN_EACH (nn_swish (x[i], 1.0f));
  case SEGUE_NN_ACTIVATION_TANH:
    NN_EACH (nn_tanh (x[i]));
  case SEGUE_NN_ACTIVATION_SIGMOID:
    NN_EACH (nn_sigmoid (x[i]));
  }
}
