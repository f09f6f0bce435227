#include "activation-private.h"

typedef struct {
  SegueNnActivation activation;
  gsize n;
  const float *x, *dy;
  float *out; /* y or dx */
} Map;

/* The first name of each activation is the one that is written. */
static const struct {
  const char *name;
  SegueNnActivation activation;
} names[] = {
  { "linear", SEGUE_NN_ACTIVATION_LINEAR },
  { "relu", SEGUE_NN_ACTIVATION_RELU },
  { "gelu", SEGUE_NN_ACTIVATION_GELU },
  { "gelu_python", SEGUE_NN_ACTIVATION_GELU },
  { "gelu_new", SEGUE_NN_ACTIVATION_GELU_TANH },
  { "gelu_fast", SEGUE_NN_ACTIVATION_GELU_TANH },
  { "gelu_pytorch_tanh", SEGUE_NN_ACTIVATION_GELU_TANH },
  { "gelu_accurate", SEGUE_NN_ACTIVATION_GELU_TANH },
  { "quick_gelu", SEGUE_NN_ACTIVATION_QUICK_GELU },
  { "silu", SEGUE_NN_ACTIVATION_SILU },
  { "swish", SEGUE_NN_ACTIVATION_SILU },
  { "tanh", SEGUE_NN_ACTIVATION_TANH },
  { "sigmoid", SEGUE_NN_ACTIVATION_SIGMOID },
};

gboolean
segue_nn_activation_from_name (const char *name, SegueNnActivation *activation)
{
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    if (g_str_equal (names[i].name, name)) {
      *activation = names[i].activation;
      return TRUE;
    }
  }
  return FALSE;
}

const char *
segue_nn_activation_get_name (SegueNnActivation activation)
{
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (names[i].activation == activation)
      return names[i].name;
  g_return_val_if_reached ("linear");
}

/* Φ (x) + x φ (x) */
NN_INLINE float
gelu_slope (float x)
{
  float density;
  float cdf = nn_normal_cdf (x, &density);
  return cdf + x * density;
}

NN_INLINE float
gelu_tanh_slope (float x)
{
  float t = nn_tanh (NN_SQRT_2_OVER_PI * (x + 0.044715f * x * x * x));
  float inner = NN_SQRT_2_OVER_PI * (1.0f + 3.0f * 0.044715f * x * x);
  return 0.5f * (1.0f + t) + 0.5f * x * (1.0f - t * t) * inner;
}

NN_INLINE float
swish_slope (float x, float a)
{
  float s = nn_sigmoid (a * x);
  return s + a * x * s * (1.0f - s);
}

NN_INLINE float
tanh_slope (float x)
{
  float t = nn_tanh (x);
  return 1.0f - t * t;
}

NN_INLINE float
sigmoid_slope (float x)
{
  float s = nn_sigmoid (x);
  return s * (1.0f - s);
}

NN_VECTORISED static void
forward_block (gpointer data, gsize tile, guint thread)
{
  const Map *map = data;
  gsize n = nn_tile_length (map->n, NN_BLOCK, tile);
  const float *x = map->x + tile * NN_BLOCK;
  float *out = map->out + tile * NN_BLOCK;

  nn_activate (map->activation, n, x, out);
}

NN_VECTORISED static void
backward_block (gpointer data, gsize tile, guint thread)
{
  const Map *map = data;
  gsize n = nn_tile_length (map->n, NN_BLOCK, tile);
  const float *x = map->x + tile * NN_BLOCK;
  const float *dy = map->dy + tile * NN_BLOCK;
  float *out = map->out + tile * NN_BLOCK;

  switch (map->activation) {
  case SEGUE_NN_ACTIVATION_LINEAR:
    NN_EACH (dy[i]);
  case SEGUE_NN_ACTIVATION_RELU:
    NN_EACH (x[i] > 0.0f ? dy[i] : 0.0f);
  case SEGUE_NN_ACTIVATION_GELU:
    NN_EACH (dy[i] * gelu_slope (x[i]));
  case SEGUE_NN_ACTIVATION_GELU_TANH:
    NN_EACH (dy[i] * gelu_tanh_slope (x[i]));
  case SEGUE_NN_ACTIVATION_QUICK_GELU:
    NN_EACH (dy[i] * swish_slope (x[i], 1.702f));
  case SEGUE_NN_ACTIVATION_SILU:
    NN_EACH (dy[i] * swish_slope (x[i], 1.0f));
  case SEGUE_NN_ACTIVATION_TANH:
    NN_EACH (dy[i] * tanh_slope (x[i]));
  case SEGUE_NN_ACTIVATION_SIGMOID:
    NN_EACH (dy[i] * sigmoid_slope (x[i]));
  }
}

void
segue_nn_activation_forward (SegueNnThreads *threads, SegueNnActivation activation, gsize n,
                             const float *x, float *y)
{
  Map map = { .activation = activation, .n = n, .x = x, .out = y };
  segue_nn_threads_run (threads, nn_tiles (n, NN_BLOCK), forward_block, &map);
}

void
segue_nn_activation_backward (SegueNnThreads *threads, SegueNnActivation activation, gsize n,
                              const float *x, const float *dy, float *dx)
{
  Map map = { .activation = activation, .n = n, .x = x, .dy = dy, .out = dx };
  segue_nn_threads_run (threads, nn_tiles (n, NN_BLOCK), backward_block, &map);
}
