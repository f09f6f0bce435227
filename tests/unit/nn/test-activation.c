/* Nonlinearities and softmax: values over the whole range, derivatives, names. */
#include "op-test.h"

#include <math.h>
#include <segue/nn/activation.h>
#include <segue/nn/softmax.h>

#define SQRT_2_OVER_PI 0.79788456080286535588

static double
exact (SegueNnActivation activation, double x)
{
  switch (activation) {
  case SEGUE_NN_ACTIVATION_LINEAR:
    return x;
  case SEGUE_NN_ACTIVATION_RELU:
    return x > 0 ? x : 0;
  case SEGUE_NN_ACTIVATION_GELU:
    return 0.5 * x * erfc (-x / G_SQRT2);
  case SEGUE_NN_ACTIVATION_GELU_TANH:
    return 0.5 * x * (1.0 + tanh (SQRT_2_OVER_PI * (x + 0.044715 * x * x * x)));
  case SEGUE_NN_ACTIVATION_QUICK_GELU:
    return x / (1.0 + exp (-1.702 * x));
  case SEGUE_NN_ACTIVATION_SILU:
    return x / (1.0 + exp (-x));
  case SEGUE_NN_ACTIVATION_TANH:
    return tanh (x);
  case SEGUE_NN_ACTIVATION_SIGMOID:
    return 1.0 / (1.0 + exp (-x));
  }
  g_assert_not_reached ();
}

static void
activation_forward (const OpTest *test, SegueNnThreads *threads, float *const *in, float *y,
                    float *saved)
{
  const SegueNnActivation *activation = test->shape;
  segue_nn_activation_forward (threads, *activation, test->n_out, in[0], y);
}

static void
activation_reference (const OpTest *test, double *const *in, double *y)
{
  const SegueNnActivation *activation = test->shape;
  for (gsize i = 0; i < test->n_out; i++)
    y[i] = exact (*activation, in[0][i]);
}

static void
activation_backward (const OpTest *test, SegueNnThreads *threads, float *const *in, const float *y,
                     const float *saved, const float *dy, float *const *grads)
{
  const SegueNnActivation *activation = test->shape;
  segue_nn_activation_backward (threads, *activation, test->n_out, in[0], dy, grads[0]);
}

static void
test_gradients (void)
{
  static const gsize sizes[] = { 1, 19, 1000, 17000 };
  for (SegueNnActivation a = 0; a <= SEGUE_NN_ACTIVATION_SIGMOID; a++) {
    for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
      OpTest test = { .name = segue_nn_activation_get_name (a),
                      .inputs = { { "x", sizes[i], OP_INPUT, -5, 5 } },
                      .n_out = sizes[i],
                      .shape = &a,
                      .forward = activation_forward,
                      .reference = activation_reference,
                      .backward = activation_backward };
      op_test_run (&test);
    }
  }
}

/* Every value that matters, −20 … 20 in fine steps: within 1e-6, or a few roundings where values
 * are large; and the far ends keep their correct values. */
static void
test_accuracy (void)
{
  enum { N = 400001 };
  g_autoptr (SegueNnThreads) threads = op_test_threads (2);
  g_autofree float *x = g_new (float, N), *y = g_new (float, N);
  for (gsize i = 0; i < N; i++)
    x[i] = (float) ((double) i * 1e-4 - 20.0);
  for (SegueNnActivation a = 0; a <= SEGUE_NN_ACTIVATION_SIGMOID; a++) {
    segue_nn_activation_forward (threads, a, N, x, y);
    for (gsize i = 0; i < N; i++) {
      double expected = exact (a, (double) x[i]);
      g_assert_true (fabs ((double) y[i] - expected) <= MAX (1e-6, 4e-7 * fabs (expected)));
    }
  }
}

static void
test_extremes (void)
{
  g_autoptr (SegueNnThreads) threads = op_test_threads (1);
  for (SegueNnActivation a = 0; a <= SEGUE_NN_ACTIVATION_SIGMOID; a++) {
    float x[] = { 0.0f, 90.0f, -90.0f, 1e6f, -1e6f }, y[G_N_ELEMENTS (x)], dx[G_N_ELEMENTS (x)];
    float dy[] = { 1, 1, 1, 1, 1 };
    segue_nn_activation_forward (threads, a, G_N_ELEMENTS (x), x, y);
    segue_nn_activation_backward (threads, a, G_N_ELEMENTS (x), x, dy, dx);
    for (gsize i = 0; i < G_N_ELEMENTS (x); i++) {
      double expected = exact (a, (double) x[i]);
      g_assert_cmpfloat_with_epsilon ((double) y[i], expected, 1e-6 * (1.0 + fabs (expected)));
      g_assert_true (fabs ((double) dx[i]) <= 1.0 + 1e-6);
    }
    float nan = NAN, out;
    segue_nn_activation_forward (threads, a, 1, &nan, &out);
    g_assert_true (isnan (out) || a == SEGUE_NN_ACTIVATION_RELU);
  }
}

static void
test_in_place (void)
{
  enum { N = 20000 };
  g_autoptr (SegueNnThreads) threads = op_test_threads (2);
  g_autofree float *x = op_test_random (1, N, -4, 4), *y = g_new (float, N);
  g_autofree float *dy = op_test_random (2, N, -1, 1), *dx = g_new (float, N);
  segue_nn_activation_backward (threads, SEGUE_NN_ACTIVATION_GELU, N, x, dy, dx);
  segue_nn_activation_backward (threads, SEGUE_NN_ACTIVATION_GELU, N, x, dy, dy);
  segue_nn_activation_forward (threads, SEGUE_NN_ACTIVATION_GELU, N, x, y);
  segue_nn_activation_forward (threads, SEGUE_NN_ACTIVATION_GELU, N, x, x);
  g_assert_cmpmem (x, N * sizeof *x, y, N * sizeof *y);
  g_assert_cmpmem (dy, N * sizeof *dy, dx, N * sizeof *dx);
}

static void
test_names (void)
{
  static const char *const known[] = { "gelu",       "gelu_new", "gelu_fast", "gelu_pytorch_tanh",
                                       "quick_gelu", "relu",     "silu",      "swish",
                                       "tanh",       "sigmoid",  "linear" };
  SegueNnActivation activation = SEGUE_NN_ACTIVATION_TANH;
  g_assert_false (segue_nn_activation_from_name ("Gelu", &activation));
  g_assert_cmpint (activation, ==, SEGUE_NN_ACTIVATION_TANH);
  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    g_assert_true (segue_nn_activation_from_name (known[i], &activation));
  for (SegueNnActivation a = 0; a <= SEGUE_NN_ACTIVATION_SIGMOID; a++) {
    g_assert_true (segue_nn_activation_from_name (segue_nn_activation_get_name (a), &activation));
    g_assert_cmpint (activation, ==, a);
  }
}

typedef struct {
  gsize rows, n;
} Shape;

static void
softmax_forward (const OpTest *test, SegueNnThreads *threads, float *const *in, float *y,
                 float *saved)
{
  const Shape *s = test->shape;
  segue_nn_softmax_forward (threads, s->rows, s->n, in[0], y);
}

static void
softmax_reference (const OpTest *test, double *const *in, double *y)
{
  const Shape *s = test->shape;
  for (gsize r = 0; r < s->rows; r++) {
    double sum = 0.0;
    for (gsize i = 0; i < s->n; i++)
      sum += exp (in[0][r * s->n + i]);
    for (gsize i = 0; i < s->n; i++)
      y[r * s->n + i] = exp (in[0][r * s->n + i]) / sum;
  }
}

static void
softmax_backward (const OpTest *test, SegueNnThreads *threads, float *const *in, const float *y,
                  const float *saved, const float *dy, float *const *grads)
{
  const Shape *s = test->shape;
  segue_nn_softmax_backward (threads, s->rows, s->n, y, dy, grads[0]);
}

static void
test_softmax (void)
{
  static const Shape shapes[] = { { 1, 1 }, { 3, 10 }, { 130, 130 }, { 2, 501 }, { 1, 20000 } };
  for (gsize i = 0; i < G_N_ELEMENTS (shapes); i++) {
    OpTest test = { .name = "softmax",
                    .inputs = { { "x", shapes[i].rows * shapes[i].n, OP_INPUT, -6, 6 } },
                    .n_out = shapes[i].rows * shapes[i].n,
                    .shape = &shapes[i],
                    .forward = softmax_forward,
                    .reference = softmax_reference,
                    .backward = softmax_backward };
    op_test_run (&test);
  }
}

static void
test_softmax_extremes (void)
{
  g_autoptr (SegueNnThreads) threads = op_test_threads (1);
  float x[] = { 1e30f, 1e30f, -1e30f, 0.0f }, y[4];
  segue_nn_softmax_forward (threads, 1, 4, x, y);
  g_assert_cmpfloat_with_epsilon ((double) y[0], 0.5, 1e-6);
  g_assert_cmpfloat_with_epsilon ((double) y[1], 0.5, 1e-6);
  g_assert_cmpfloat ((double) y[2], <, 1e-30);
  g_assert_cmpfloat ((double) y[3], <, 1e-30);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/nn/activation/gradients", test_gradients);
  g_test_add_func ("/nn/activation/accuracy", test_accuracy);
  g_test_add_func ("/nn/activation/extremes", test_extremes);
  g_test_add_func ("/nn/activation/in-place", test_in_place);
  g_test_add_func ("/nn/activation/names", test_names);
  g_test_add_func ("/nn/softmax/op", test_softmax);
  g_test_add_func ("/nn/softmax/extremes", test_softmax_extremes);
  return g_test_run ();
}
