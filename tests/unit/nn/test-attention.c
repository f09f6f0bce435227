/* Attention, mean pooling, mixtures of layers. */
#include "op-test.h"

#include <math.h>
#include <segue/nn/attention.h>
#include <segue/nn/dropout.h>
#include <segue/nn/mean-pool.h>
#include <segue/nn/weighted-sum.h>

static const SegueNnRandomKey key = { 42, 3, 100, 5 };
static const guint64 items[] = { 17, G_GUINT64_CONSTANT (0xFEDCBA9876543210), 3 };

/* q, k and v interleaved in one buffer, depending on the stride. */
static void
split (const SegueNnAttention *a, float *const *in, const float **q, const float **k,
       const float **v)
{
  gsize width = a->heads * a->dim;
  *q = in[0];
  *k = a->stride > width ? in[0] + width : in[1];
  *v = a->stride > width ? in[0] + 2 * width : in[2];
}

static void
attention_forward (const OpTest *test, SegueNnThreads *threads, float *const *in, float *y,
                   float *saved)
{
  const SegueNnAttention *a = test->shape;
  g_autofree float *scratch = g_new (float, segue_nn_attention_forward_scratch (threads, a));
  const float *q, *k, *v;
  split (a, in, &q, &k, &v);
  segue_nn_attention_forward (threads, a, &key, items, q, k, v, y, scratch);
}

static void
attention_backward (const OpTest *test, SegueNnThreads *threads, float *const *in, const float *y,
                    const float *saved, const float *dy, float *const *grads)
{
  const SegueNnAttention *a = test->shape;
  gsize width = a->heads * a->dim;
  gboolean together = a->stride > width;
  g_autofree float *scratch = g_new (float, segue_nn_attention_backward_scratch (threads, a));
  const float *q, *k, *v;
  split (a, in, &q, &k, &v);
  segue_nn_attention_backward (threads, a, &key, items, q, k, v, dy, grads[0],
                               together ? grads[0] + width : grads[1],
                               together ? grads[0] + 2 * width : grads[2], scratch);
}

/* One row of one head: y [dim]. */
static void
attend (const SegueNnAttention *a, double *const qkv[3], gsize b, gsize h, gsize row, double *y)
{
  g_autofree double *p = g_new (double, a->time);
  SegueNnRandomKey of_item = key;
  double sum = 0.0;
  of_item.item = items[b];

  for (gsize t = 0; t < a->time; t++) {
    double dot = 0.0;
    for (gsize d = 0; d < a->dim; d++)
      dot += qkv[0][(b * a->time + row) * a->stride + h * a->dim + d] *
             qkv[1][(b * a->time + t) * a->stride + h * a->dim + d];
    p[t] = exp (dot / sqrt ((double) a->dim));
    sum += p[t];
  }
  for (gsize d = 0; d < a->dim; d++)
    y[d] = 0.0;
  for (gsize t = 0; t < a->time; t++) {
    guint64 index = (h * a->time + row) * a->time + t;
    double factor = (double) segue_nn_dropout_factor (&of_item, a->dropout, index);
    for (gsize d = 0; d < a->dim; d++)
      y[d] += p[t] / sum * factor * qkv[2][(b * a->time + t) * a->stride + h * a->dim + d];
  }
}

static void
attention_reference (const OpTest *test, double *const *in, double *y)
{
  const SegueNnAttention *a = test->shape;
  gsize width = a->heads * a->dim;
  gboolean together = a->stride > width;
  double *const qkv[3] = { in[0], together ? in[0] + width : in[1],
                           together ? in[0] + 2 * width : in[2] };
  for (gsize b = 0; b < a->batch; b++)
    for (gsize h = 0; h < a->heads; h++)
      for (gsize row = 0; row < a->time; row++)
        attend (a, qkv, b, h, row, y + (b * a->time + row) * width + h * a->dim);
}

static void
test_attention (void)
{
  /* batch, time, heads, dim, stride, dropout */
  static const SegueNnAttention shapes[] = {
    { 1, 1, 1, 1, 1, 0 },     { 2, 7, 3, 5, 15, 0 },     { 2, 7, 3, 5, 15, 0.25f },
    { 2, 6, 2, 4, 24, 0.1f }, { 1, 133, 1, 2, 2, 0.5f }, { 1, 129, 2, 3, 18, 0 },
    { 3, 1, 2, 2, 4, 0.5f },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (shapes); i++) {
    const SegueNnAttention *a = &shapes[i];
    gsize width = a->heads * a->dim, n = a->batch * a->time * a->stride;
    OpTest test = { .name = "attention",
                    .inputs = { { "q", n, OP_INPUT, -2, 2 } },
                    .n_out = a->batch * a->time * width,
                    .shape = a,
                    .forward = attention_forward,
                    .reference = attention_reference,
                    .backward = attention_backward,
                    .all_gradients = TRUE };
    if (a->stride == width) {
      test.inputs[1] = (OpInput){ "k", n, OP_INPUT, -2, 2 };
      test.inputs[2] = (OpInput){ "v", n, OP_INPUT, -2, 2 };
    }
    op_test_run (&test);
  }
}

/* An item gives the same result in a batch as alone. */
static void
test_batch (void)
{
  SegueNnAttention all = { 3, 9, 2, 4, 8, 0.3f }, one = { 1, 9, 2, 4, 8, 0.3f };
  enum { N = 9 * 8 };
  g_autoptr (SegueNnThreads) threads = op_test_threads (2);
  g_autofree float *x = op_test_random (1, 3 * N, -1, 1), *together = g_new (float, 3 * N);
  g_autofree float *scratch = g_new (float, segue_nn_attention_forward_scratch (threads, &all));
  float alone[N];

  segue_nn_attention_forward (threads, &all, &key, items, x, x, x, together, scratch);
  for (gsize b = 0; b < 3; b++) {
    const float *q = x + b * N;
    segue_nn_attention_forward (threads, &one, &key, items + b, q, q, q, alone, scratch);
    g_assert_cmpmem (alone, sizeof alone, together + b * N, sizeof alone);
  }
}

typedef struct {
  gsize batch, time, channels;
} Shape;

static void
mean_forward (const OpTest *test, SegueNnThreads *threads, float *const *in, float *y, float *saved)
{
  const Shape *s = test->shape;
  segue_nn_mean_pool_forward (threads, s->batch, s->time, s->channels, in[0], y);
}

static void
mean_reference (const OpTest *test, double *const *in, double *y)
{
  const Shape *s = test->shape;
  for (gsize b = 0; b < s->batch; b++)
    for (gsize c = 0; c < s->channels; c++) {
      y[b * s->channels + c] = 0.0;
      for (gsize t = 0; t < s->time; t++)
        y[b * s->channels + c] += in[0][(b * s->time + t) * s->channels + c] / (double) s->time;
    }
}

static void
mean_backward (const OpTest *test, SegueNnThreads *threads, float *const *in, const float *y,
               const float *saved, const float *dy, float *const *grads)
{
  const Shape *s = test->shape;
  segue_nn_mean_pool_backward (threads, s->batch, s->time, s->channels, dy, grads[0]);
}

static void
test_mean_pool (void)
{
  static const Shape shapes[] = { { 1, 1, 1 }, { 3, 5, 7 }, { 2, 499, 70 }, { 1, 3, 200 } };
  for (gsize i = 0; i < G_N_ELEMENTS (shapes); i++) {
    const Shape *s = &shapes[i];
    OpTest test = { .name = "mean-pool",
                    .inputs = { { "x", s->batch * s->time * s->channels, OP_INPUT } },
                    .n_out = s->batch * s->channels,
                    .shape = s,
                    .forward = mean_forward,
                    .reference = mean_reference,
                    .backward = mean_backward };
    op_test_run (&test);
  }
}

enum { LAYERS = 4 };

static void
mixture_forward (const OpTest *test, SegueNnThreads *threads, float *const *in, float *y,
                 float *saved)
{
  const float *const h[LAYERS] = { in[1], in[2], in[3], in[4] };
  segue_nn_weighted_sum_forward (threads, LAYERS, test->n_out, h, in[0], y);
}

static void
mixture_reference (const OpTest *test, double *const *in, double *y)
{
  double sum = 0.0;
  for (gsize l = 0; l < LAYERS; l++)
    sum += exp (in[0][l]);
  for (gsize i = 0; i < test->n_out; i++) {
    y[i] = 0.0;
    for (gsize l = 0; l < LAYERS; l++)
      y[i] += exp (in[0][l]) / sum * in[1 + l][i];
  }
}

static void
mixture_backward (const OpTest *test, SegueNnThreads *threads, float *const *in, const float *y,
                  const float *saved, const float *dy, float *const *grads)
{
  const float *const h[LAYERS] = { in[1], in[2], in[3], in[4] };
  segue_nn_weighted_sum_backward (threads, LAYERS, test->n_out, h, in[0], dy, grads + 1, grads[0]);
}

static void
test_weighted_sum (void)
{
  static const gsize sizes[] = { 1, 77, 40000 };
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++) {
    gsize n = sizes[i];
    OpTest test = { .name = "weighted-sum",
                    .inputs = { { "w", LAYERS, OP_PARAMETER, -2, 2 },
                                { "h0", n, OP_INPUT },
                                { "h1", n, OP_INPUT },
                                { "h2", n, OP_INPUT },
                                { "h3", n, OP_INPUT } },
                    .n_out = n,
                    .forward = mixture_forward,
                    .reference = mixture_reference,
                    .backward = mixture_backward };
    op_test_run (&test);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/nn/attention/op", test_attention);
  g_test_add_func ("/nn/attention/batch", test_batch);
  g_test_add_func ("/nn/mean-threads/op", test_mean_pool);
  g_test_add_func ("/nn/weighted-sum/op", test_weighted_sum);
  return g_test_run ();
}
