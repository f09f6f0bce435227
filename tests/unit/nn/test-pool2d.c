/* Batch normalisation, and the ops after it: ReLU and pooling; pooling over time. */
#include "op-test.h"

#include <math.h>
#include <segue/nn/batch-norm.h>
#include <segue/nn/pool2d.h>
#include <string.h>

#define EPS 1e-5

static gsize
n_in (const SegueNnPool2d *s)
{
  return s->batch * s->height * s->width * s->channels;
}

static gsize
n_out (const SegueNnPool2d *s)
{
  return s->batch * (s->height / s->pool_height) * (s->width / s->pool_width) * s->channels;
}

/* saved: mean, variance, scale, shift, rstd. */
static void
block_forward (const OpTest *test, SegueNnThreads *threads, float *const *in, float *y,
               float *saved)
{
  const SegueNnPool2d *s = test->shape;
  gsize c = s->channels, rows = n_in (s) / c;
  g_autofree float *scratch = g_new (float, segue_nn_batch_norm_scratch (rows, c));
  segue_nn_batch_norm_statistics (threads, rows, c, in[0], saved, saved + c, scratch);
  segue_nn_batch_norm_fold (c, (float) EPS, in[1], in[2], saved, saved + c, saved + 2 * c,
                            saved + 3 * c, saved + 4 * c);
  segue_nn_norm_relu_pool2d_forward (threads, s, in[0], saved + 2 * c, saved + 3 * c, y);
}

static void
block_backward (const OpTest *test, SegueNnThreads *threads, float *const *in, const float *y,
                const float *saved, const float *dy, float *const *grads)
{
  const SegueNnPool2d *s = test->shape;
  gsize c = s->channels;
  const SegueNnBatchNorm norm = { in[1], saved, saved + 4 * c, saved + 2 * c, saved + 3 * c };
  g_autofree float *scratch = g_new (float, segue_nn_norm_relu_pool2d_scratch (s));
  segue_nn_norm_relu_pool2d_backward (threads, s, &norm, in[0], dy, grads[0], grads[1], grads[2],
                                      scratch);
}

static void
normalise (const SegueNnPool2d *s, double *const *in, gsize c, double *scale, double *shift)
{
  gsize rows = n_in (s) / s->channels;
  double mean = 0.0, variance = 0.0;
  for (gsize i = 0; i < rows; i++)
    mean += in[0][i * s->channels + c] / (double) rows;
  for (gsize i = 0; i < rows; i++)
    variance += pow (in[0][i * s->channels + c] - mean, 2.0) / (double) rows;
  *scale = in[1][c] / sqrt (variance + EPS);
  *shift = in[2][c] - mean * *scale;
}

static void
block_reference (const OpTest *test, double *const *in, double *y)
{
  const SegueNnPool2d *s = test->shape;
  gsize rows = s->height / s->pool_height, columns = s->width / s->pool_width;
  double window = (double) (s->pool_height * s->pool_width);
  double scale, shift;

  memset (y, 0, test->n_out * sizeof *y);
  for (gsize c = 0; c < s->channels; c++) {
    normalise (s, in, c, &scale, &shift);
    for (gsize b = 0; b < s->batch; b++)
      for (gsize h = 0; h < rows * s->pool_height; h++)
        for (gsize w = 0; w < columns * s->pool_width; w++) {
          double x = in[0][((b * s->height + h) * s->width + w) * s->channels + c];
          double v = MAX (scale * x + shift, 0.0);
          double *out =
            &y[((b * rows + h / s->pool_height) * columns + w / s->pool_width) * s->channels + c];
          *out = s->kind == SEGUE_NN_POOL2D_MAX ? MAX (*out, v) : *out + v / window;
        }
  }
}

static void
test_block (void)
{
  /* No pooling, channels that fill no vector and more than one, rows and columns left over, both kinds,
   * several tiles. */
  static const SegueNnPool2d shapes[] = {
    { 2, 3, 4, 3, 1, 1, SEGUE_NN_POOL2D_MAX },    { 1, 4, 6, 32, 2, 2, SEGUE_NN_POOL2D_MAX },
    { 2, 5, 7, 33, 2, 2, SEGUE_NN_POOL2D_MAX },   { 2, 5, 7, 70, 2, 3, SEGUE_NN_POOL2D_MEAN },
    { 3, 9, 4, 5, 4, 1, SEGUE_NN_POOL2D_MEAN },   { 1, 16, 9, 2, 8, 8, SEGUE_NN_POOL2D_MAX },
    { 1, 260, 8, 10, 2, 2, SEGUE_NN_POOL2D_MAX }, { 2, 40, 70, 6, 3, 2, SEGUE_NN_POOL2D_MEAN },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (shapes); i++) {
    const SegueNnPool2d *s = &shapes[i];
    OpTest test = { .name = "norm-relu-pool2d",
                    .inputs = { { "x", n_in (s), OP_INPUT, -1, 3 },
                                { "gamma", s->channels, OP_PARAMETER, -2, 2 },
                                { "beta", s->channels, OP_PARAMETER } },
                    .n_out = n_out (s),
                    .n_saved = 5 * s->channels,
                    .shape = s,
                    .forward = block_forward,
                    .reference = block_reference,
                    .backward = block_backward,
                    .gradient_tolerance = 1e-4 }; /* steps that cross a kink */
    op_test_run (&test);
  }
}

/* An offset a thousand times the deviation must not cancel the variance; running statistics as in torch. */
static void
test_statistics (void)
{
  enum { ROWS = 9000, CHANNELS = 3 };
  g_autoptr (SegueNnThreads) threads = op_test_threads (2);
  g_autofree float *x = op_test_random (1, ROWS * CHANNELS, 999, 1001);
  g_autofree float *scratch = g_new (float, segue_nn_batch_norm_scratch (ROWS, CHANNELS));
  float mean[CHANNELS], variance[CHANNELS];
  float running_mean[CHANNELS] = { 0, 1, 2 }, running_variance[CHANNELS] = { 1, 1, 1 };

  segue_nn_batch_norm_statistics (threads, ROWS, CHANNELS, x, mean, variance, scratch);
  segue_nn_batch_norm_track (ROWS, CHANNELS, 0.1, mean, variance, running_mean, running_variance);
  for (gsize c = 0; c < CHANNELS; c++) {
    double exact = 0.0, squares = 0.0;
    for (gsize i = 0; i < ROWS; i++)
      exact += (double) x[i * CHANNELS + c] / ROWS;
    for (gsize i = 0; i < ROWS; i++)
      squares += pow ((double) x[i * CHANNELS + c] - exact, 2.0);
    g_assert_cmpfloat_with_epsilon (mean[c], exact, 1e-4);
    g_assert_cmpfloat_with_epsilon (variance[c], squares / ROWS, 1e-5);
    g_assert_cmpfloat_with_epsilon (running_mean[c], 0.9 * (double) c + 0.1 * exact, 1e-4);
    g_assert_cmpfloat_with_epsilon (running_variance[c], 0.9 + 0.1 * squares / (ROWS - 1), 1e-5);
  }
}

/* Of equal maxima only one receives the gradient; elements that ReLU set to 0 receive none. */
static void
test_ties (void)
{
  const SegueNnPool2d s = { 1, 2, 4, 1, 2, 2, SEGUE_NN_POOL2D_MAX };
  const float x[8] = { 5, 5, -1, -2, 5, 5, -3, -4 }, one = 1, zero = 0, dy[2] = { 1, 1 };
  const SegueNnBatchNorm norm = { &one, &zero, &one, &one, &zero };
  g_autoptr (SegueNnThreads) threads = op_test_threads (1);
  g_autofree float *scratch = g_new (float, segue_nn_norm_relu_pool2d_scratch (&s));
  float dgamma = 0, dbeta = 0, dx[8];

  segue_nn_norm_relu_pool2d_backward (threads, &s, &norm, x, dy, dx, &dgamma, &dbeta, scratch);
  g_assert_cmpfloat (dbeta, ==, 1);
  g_assert_cmpfloat (dgamma, ==, 5);
}

typedef struct {
  gsize batch, time, channels;
} TimeShape;

static void
time_forward (const OpTest *test, SegueNnThreads *threads, float *const *in, float *y, float *saved)
{
  const TimeShape *s = test->shape;
  segue_nn_mean_max_pool_forward (threads, s->batch, s->time, s->channels, in[0], y);
}

static void
time_reference (const OpTest *test, double *const *in, double *y)
{
  const TimeShape *s = test->shape;
  for (gsize b = 0; b < s->batch; b++)
    for (gsize c = 0; c < s->channels; c++) {
      double *mean = &y[b * 2 * s->channels + c], *most = mean + s->channels;
      *mean = 0.0;
      *most = -INFINITY;
      for (gsize t = 0; t < s->time; t++) {
        double x = in[0][(b * s->time + t) * s->channels + c];
        *mean += x / (double) s->time;
        *most = MAX (*most, x);
      }
    }
}

static void
time_backward (const OpTest *test, SegueNnThreads *threads, float *const *in, const float *y,
               const float *saved, const float *dy, float *const *grads)
{
  const TimeShape *s = test->shape;
  segue_nn_mean_max_pool_backward (threads, s->batch, s->time, s->channels, in[0], dy, grads[0]);
}

static void
test_time (void)
{
  static const TimeShape shapes[] = { { 1, 1, 1 }, { 3, 6, 7 }, { 2, 39, 128 } };
  for (gsize i = 0; i < G_N_ELEMENTS (shapes); i++) {
    const TimeShape *s = &shapes[i];
    OpTest test = { .name = "mean-max-pool",
                    .inputs = { { "x", s->batch * s->time * s->channels, OP_INPUT, -20, 20 } },
                    .n_out = s->batch * 2 * s->channels,
                    .shape = s,
                    .forward = time_forward,
                    .reference = time_reference,
                    .backward = time_backward,
                    .all_gradients = TRUE };
    op_test_run (&test);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/nn/norm-relu-pool2d", test_block);
  g_test_add_func ("/nn/norm-relu-pool2d/ties", test_ties);
  g_test_add_func ("/nn/batch-norm/statistics", test_statistics);
  g_test_add_func ("/nn/mean-max-pool", test_time);
  return g_test_run ();
}
