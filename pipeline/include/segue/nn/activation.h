#pragma once

#include <segue/nn/threads.h>

G_BEGIN_DECLS

/* Elementwise nonlinearities, under the names that `hidden_act` has in a config.json. */
typedef enum {
  SEGUE_NN_ACTIVATION_LINEAR, /* linear: x */
  SEGUE_NN_ACTIVATION_RELU,   /* relu: max (x, 0) */
  SEGUE_NN_ACTIVATION_GELU,   /* gelu, gelu_python: x · Φ (x), with the true erf (within 1e-6) */
  SEGUE_NN_ACTIVATION_GELU_TANH,  /* gelu_new, gelu_fast, gelu_pytorch_tanh, gelu_accurate */
  SEGUE_NN_ACTIVATION_QUICK_GELU, /* quick_gelu: x · σ (1.702 x) */
  SEGUE_NN_ACTIVATION_SILU,       /* silu, swish: x · σ (x) */
  SEGUE_NN_ACTIVATION_TANH,       /* tanh */
  SEGUE_NN_ACTIVATION_SIGMOID,    /* sigmoid: σ (x) = 1 / (1 + e^−x) */
} SegueNnActivation;

/* FALSE, without changing `activation`, for an unknown name. */
SEGUE_API gboolean segue_nn_activation_from_name (const char *name, SegueNnActivation *activation);

/* The name for a config.json; static data. */
SEGUE_API const char *segue_nn_activation_get_name (SegueNnActivation activation);

/* y [n] = f (x [n]); y may be x. */
SEGUE_API void segue_nn_activation_forward (SegueNnThreads *threads, SegueNnActivation activation,
                                            gsize n, const float *x, float *y);

/* dx [n] = dy [n] · f' (x [n]), from the INPUT of the forward; dx may be dy. */
SEGUE_API void segue_nn_activation_backward (SegueNnThreads *threads, SegueNnActivation activation,
                                             gsize n, const float *x, const float *dy, float *dx);

G_END_DECLS
