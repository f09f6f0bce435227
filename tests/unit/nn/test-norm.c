/* Layer and group normalisation, weight normalisation, standardisation. */
#include "op-test.h"

#include <math.h>
#include <segue/nn/elementwise.h>
#include <segue/nn/norm.h>
#include <segue/nn/weight-norm.h>

#define EPS 1e-5

typedef struct {
  gsize batch, time, channels, groups;
} Shape;

/* y = (x − mean) / √(var + eps) · gamma + beta over time × channels first … first + width − 1 of
 * x. */
static void
normalise (const double *x, gsize time, gsize channels, gsize first, gsize width,
           const double *gamma, const double *beta, double *y)
{
  double n = (double) (time * width), mean = 0.0, var = 0.0;
  for (gsize t = 0; t < time; t++)
    for (gsize c = first; c < first + width; c++)
      mean += x[t * channels + c] / n;
  for (gsize t = 0; t < time; t++)
    for (gsize c = first; c < first + width; c++)
      var += (x[t * channels + c] - mean) * (x[t * channels + c] - mean) / n;
  for (gsize t = 0; t < time; t++)
    for (gsize c = first; c < first + width; c++)
      y[t * channels + c] = (x[t * channels + c] - mean) / sqrt (var + EPS) * gamma[c] + beta[c];
}

static void
layer_forward (const OpTest *test, SegueNnThreads *threads, float *const *in, float *y,
               float *saved)
{
  const Shape *s = test->shape;
  segue_nn_layer_norm_forward (threads, s->time, s->channels, (float) EPS, in[0], in[1], in[2], y,
                               saved, saved + s->time);
}

static void
layer_reference (const OpTest *test, double *const *in, double *y)
{
  const Shape *s = test->shape;
  for (gsize t = 0; t < s->time; t++)
    normalise (in[0] + t * s->channels, 1, s->channels, 0, s->channels, in[1], in[2],
               y + t * s->channels);
}

static void
layer_backward (const OpTest *test, SegueNnThreads *threads, float *const *in, const float *y,
                const float *saved, const float *dy, float *const *grads)
{
  const Shape *s = test->shape;
  segue_nn_layer_norm_backward (threads, s->time, s->channels, in[0], in[1], saved, saved + s->time,
                                dy, grads[0], grads[1], grads[2]);
}

static void
test_layer_norm (void)
{
  static const Shape shapes[] = {
    { 1, 1, 2, 1 }, { 1, 5, 7, 1 }, { 1, 3, 130, 1 }, { 1, 70, 64, 1 }, { 1, 300, 65, 1 }
  };
  for (gsize i = 0; i < G_N_ELEMENTS (shapes); i++) {
    const Shape *s = &shapes[i];
    OpTest test = { .name = "layer-norm",
                    .inputs = { { "x", s->time * s->channels, OP_INPUT, -1, 3 },
                                { "gamma", s->channels, OP_PARAMETER },
                                { "beta", s->channels, OP_PARAMETER } },
                    .n_out = s->time * s->channels,
                    .n_saved = 2 * s->time,
                    .shape = s,
                    .forward = layer_forward,
                    .reference = layer_reference,
                    .backward = layer_backward,
                    .gradient_tolerance = 3e-5 };
    op_test_run (&test);
  }
}

static void
group_forward (const OpTest *test, SegueNnThreads *threads, float *const *in, float *y,
               float *saved)
{
  const Shape *s = test->shape;
  segue_nn_group_norm_forward (threads, s->batch, s->time, s->channels, s->groups, (float) EPS,
                               SEGUE_NN_ACTIVATION_LINEAR, in[0], in[1], in[2], y, saved,
                               saved + s->batch * s->groups);
}

static void
group_reference (const OpTest *test, double *const *in, double *y)
{
  const Shape *s = test->shape;
  gsize width = s->channels / s->groups, item = s->time * s->channels;
  for (gsize b = 0; b < s->batch; b++)
    for (gsize g = 0; g < s->groups; g++)
      normalise (in[0] + b * item, s->time, s->channels, g * width, width, in[1], in[2],
                 y + b * item);
}

static void
group_backward (const OpTest *test, SegueNnThreads *threads, float *const *in, const float *y,
                const float *saved, const float *dy, float *const *grads)
{
  const Shape *s = test->shape;
  segue_nn_group_norm_backward (threads, s->batch, s->time, s->channels, s->groups, in[0], in[1],
                                saved, saved + s->batch * s->groups, dy, grads[0], grads[1],
                                grads[2]);
}

static void
test_group_norm (void)
{
  /* A group per channel, one group for all, groups narrower and wider than a tile of columns,
   * more frames than one chunk. */
  static const Shape shapes[] = {
    { 2, 9, 6, 6 },   { 2, 9, 6, 3 },   { 1, 5, 4, 1 },   { 3, 9, 130, 130 }, { 1, 3, 150, 50 },
    { 2, 3, 200, 2 }, { 1, 600, 3, 3 }, { 1, 520, 4, 2 }, { 1, 7, 192, 3 },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (shapes); i++) {
    const Shape *s = &shapes[i];
    gsize n = s->batch * s->time * s->channels;
    OpTest test = { .name = "group-norm",
                    .inputs = { { "x", n, OP_INPUT, -1, 3 },
                                { "gamma", s->channels, OP_PARAMETER },
                                { "beta", s->channels, OP_PARAMETER } },
                    .n_out = n,
                    .n_saved = 2 * s->batch * s->groups,
                    .shape = s,
                    .forward = group_forward,
                    .reference = group_reference,
                    .backward = group_backward,
                    .gradient_tolerance = 3e-5 };
    op_test_run (&test);
  }
}

/* An offset a thousand times the deviation must not cancel the variance. */
static void
test_offset (void)
{
  enum { TIME = 4000, CHANNELS = 3 };
  g_autoptr (SegueNnThreads) threads = op_test_threads (2);
  g_autofree float *x = op_test_random (1, TIME * CHANNELS, 999, 1001);
  g_autofree float *y = g_new (float, TIME *CHANNELS);
  float gamma[CHANNELS] = { 1, 1, 1 }, beta[CHANNELS] = { 0 }, mean[CHANNELS], rstd[CHANNELS];

  segue_nn_group_norm_forward (threads, 1, TIME, CHANNELS, CHANNELS, 1e-5f,
                               SEGUE_NN_ACTIVATION_LINEAR, x, gamma, beta, y, mean, rstd);
  for (gsize c = 0; c < CHANNELS; c++) {
    double exact = 0.0, squares = 0.0;
    for (gsize t = 0; t < TIME; t++)
      exact += (double) x[t * CHANNELS + c] / TIME;
    for (gsize t = 0; t < TIME; t++)
      squares += pow ((double) x[t * CHANNELS + c] - exact, 2.0) / TIME;
    g_assert_cmpfloat_with_epsilon ((double) mean[c], exact, 1e-4);
    g_assert_cmpfloat_with_epsilon ((double) rstd[c] * sqrt (squares), 1.0, 1e-4);
  }
}

/* In place, forward and backward give the same results as out of place. */
static void
test_in_place (void)
{
  enum { TIME = 11, CHANNELS = 70, N = TIME * CHANNELS };
  g_autoptr (SegueNnThreads) threads = op_test_threads (2);
  g_autofree float *x = op_test_random (1, N, -1, 1), *dy = op_test_random (2, N, -1, 1);
  g_autofree float *gamma = op_test_random (3, CHANNELS, -1, 1), *y = g_new (float, N);
  g_autofree float *beta = op_test_random (4, CHANNELS, -1, 1), *dx = g_new (float, N);
  g_autofree float *copy = g_memdup2 (x, N * sizeof *x), *dcopy = g_memdup2 (dy, N * sizeof *dy);
  float mean[CHANNELS], rstd[CHANNELS];

  segue_nn_group_norm_forward (threads, 1, TIME, CHANNELS, 35, 1e-5f, SEGUE_NN_ACTIVATION_LINEAR, x,
                               gamma, beta, y, mean, rstd);
  segue_nn_group_norm_backward (threads, 1, TIME, CHANNELS, 35, x, gamma, mean, rstd, dy, dx, NULL,
                                NULL);
  segue_nn_group_norm_backward (threads, 1, TIME, CHANNELS, 35, x, gamma, mean, rstd, dcopy, dcopy,
                                NULL, NULL);
  segue_nn_group_norm_forward (threads, 1, TIME, CHANNELS, 35, 1e-5f, SEGUE_NN_ACTIVATION_LINEAR,
                               copy, gamma, beta, copy, mean, rstd);
  g_assert_cmpmem (copy, N * sizeof *copy, y, N * sizeof *y);
  g_assert_cmpmem (dcopy, N * sizeof *dcopy, dx, N * sizeof *dx);

  segue_nn_layer_norm_forward (threads, TIME, CHANNELS, 1e-5f, x, gamma, beta, y, NULL, NULL);
  segue_nn_layer_norm_forward (threads, TIME, CHANNELS, 1e-5f, x, gamma, beta, x, NULL, NULL);
  g_assert_cmpmem (x, N * sizeof *x, y, N * sizeof *y);
}

static void
weight_forward (const OpTest *test, SegueNnThreads *threads, float *const *in, float *y,
                float *saved)
{
  const Shape *s = test->shape; /* outer, kernel, inner */
  segue_nn_weight_norm_forward (threads, s->batch, s->time, s->channels, in[0], in[1], y, saved);
}

static void
weight_reference (const OpTest *test, double *const *in, double *y)
{
  const Shape *s = test->shape;
  for (gsize k = 0; k < s->time; k++) {
    double squares = 0.0;
    for (gsize a = 0; a < s->batch; a++)
      for (gsize b = 0; b < s->channels; b++)
        squares += pow (in[0][(a * s->time + k) * s->channels + b], 2.0);
    for (gsize a = 0; a < s->batch; a++)
      for (gsize b = 0; b < s->channels; b++)
        y[(a * s->time + k) * s->channels + b] =
          in[1][k] * in[0][(a * s->time + k) * s->channels + b] / sqrt (squares);
  }
}

static void
weight_backward (const OpTest *test, SegueNnThreads *threads, float *const *in, const float *y,
                 const float *saved, const float *dy, float *const *grads)
{
  const Shape *s = test->shape;
  segue_nn_weight_norm_backward (threads, s->batch, s->time, s->channels, in[0], in[1], saved, dy,
                                 grads[0], grads[1]);
}

static void
test_weight_norm (void)
{
  static const Shape shapes[] = {
    { 1, 1, 3, 0 }, { 4, 5, 9, 0 }, { 16, 128, 6, 0 }, { 60, 7, 1, 0 }
  };
  for (gsize i = 0; i < G_N_ELEMENTS (shapes); i++) {
    const Shape *s = &shapes[i];
    gsize n = s->batch * s->time * s->channels;
    OpTest test = { .name = "weight-norm",
                    .inputs = { { "v", n, OP_PARAMETER }, { "g", s->time, OP_PARAMETER, 0.5, 2 } },
                    .n_out = n,
                    .n_saved = s->time,
                    .shape = s,
                    .forward = weight_forward,
                    .reference = weight_reference,
                    .backward = weight_backward,
                    .all_gradients = TRUE };
    op_test_run (&test);
  }
}

static void
test_standardise (void)
{
  enum { ROWS = 3, N = 1001 };
  g_autoptr (SegueNnThreads) threads = op_test_threads (2);
  g_autofree float *x = op_test_random (1, ROWS * N, 0, 5), *y = g_new (float, ROWS *N);
  for (gsize i = 0; i < N; i++)
    x[N + i] = 0.25f; /* no variance: stays finite */

  segue_nn_standardise (threads, ROWS, N, 1e-7f, x, y);
  for (gsize row = 0; row < ROWS; row++) {
    double mean = 0.0, var = 0.0;
    for (gsize i = 0; i < N; i++)
      mean += (double) y[row * N + i] / N;
    for (gsize i = 0; i < N; i++)
      var += pow ((double) y[row * N + i] - mean, 2.0) / N;
    g_assert_cmpfloat_with_epsilon (mean, 0.0, 1e-6);
    g_assert_cmpfloat_with_epsilon (var, row == 1 ? 0.0 : 1.0, 1e-5);
  }
}

/* A fused activation equals the activation of the output. */
static void
test_activation (void)
{
  enum { TIME = 301, CHANNELS = 70, N = TIME * CHANNELS };
  g_autoptr (SegueNnThreads) threads = op_test_threads (2);
  g_autofree float *x = op_test_random (1, N, -1, 1), *y = g_new (float, N);
  g_autofree float *gamma = op_test_random (2, CHANNELS, -1, 1), *expected = g_new (float, N);
  float mean[CHANNELS], rstd[CHANNELS];
  segue_nn_group_norm_forward (threads, 1, TIME, CHANNELS, CHANNELS, 1e-5f,
                               SEGUE_NN_ACTIVATION_LINEAR, x, gamma, gamma, expected, mean, rstd);
  segue_nn_activation_forward (threads, SEGUE_NN_ACTIVATION_GELU, N, expected, expected);
  segue_nn_group_norm_forward (threads, 1, TIME, CHANNELS, CHANNELS, 1e-5f,
                               SEGUE_NN_ACTIVATION_GELU, x, gamma, gamma, y, mean, rstd);
  for (gsize i = 0; i < N; i++)
    g_assert_cmpfloat_with_epsilon (y[i], expected[i], 1e-6f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/nn/norm/layer", test_layer_norm);
  g_test_add_func ("/nn/norm/group", test_group_norm);
  g_test_add_func ("/nn/norm/offset", test_offset);
  g_test_add_func ("/nn/norm/in-place", test_in_place);
  g_test_add_func ("/nn/norm/weight", test_weight_norm);
  g_test_add_func ("/nn/norm/standardise", test_standardise);
  g_test_add_func ("/nn/group-norm/activation", test_activation);
  return g_test_run ();
}
