#include "op-test.h"

#include <segue/nn/conv1d.h>
#include <segue/nn/grouped-conv1d.h>
#include <string.h>

typedef struct {
  SegueNnConv1d conv;
  gboolean bias;
} Conv;

static void
conv_forward (const OpTest *test, SegueNnThreads *threads, float *const *in, float *y, float *saved)
{
  const Conv *s = test->shape;
  const SegueNnAffine w = { { .w = in[1] }, { .w = s->bias ? in[2] : NULL } };
  segue_nn_conv1d_forward (threads, &s->conv, in[0], &w, y);
}

static void
conv_reference (const OpTest *test, double *const *in, double *y)
{
  const Conv *s = test->shape;
  const SegueNnConv1d *c = &s->conv;
  gsize out_time = segue_nn_conv1d_out_time (c->time, c->kernel, c->stride);
  for (gsize b = 0; b < c->batch; b++)
    for (gsize t = 0; t < out_time; t++)
      for (gsize o = 0; o < c->out; o++) {
        double sum = s->bias ? in[2][o] : 0.0;
        for (gsize j = 0; j < c->kernel; j++)
          for (gsize i = 0; i < c->in; i++)
            sum += in[0][(b * c->time + t * c->stride + j) * c->in + i] *
                   in[1][(o * c->kernel + j) * c->in + i];
        y[(b * out_time + t) * c->out + o] = sum;
      }
}

static void
conv_backward (const OpTest *test, SegueNnThreads *threads, float *const *in, const float *y,
               const float *saved, const float *dy, float *const *grads)
{
  const Conv *s = test->shape;
  const SegueNnAffine w = { { .w = in[1], .dw = grads[1] }, { .dw = s->bias ? grads[2] : NULL } };
  segue_nn_conv1d_backward (threads, &s->conv, in[0], &w, dy, grads[0]);
}

static void
test_conv1d (void)
{
  /* batch, time, in, out, kernel, stride: the shapes of wav2vec 2.0 made small, then the
   * corners: one tap, one step, kernel == time, kernel < stride, kernel >> stride, frames that
   * no window reaches, more frames than a tile. */
  static const Conv shapes[] = {
    { { 2, 53, 1, 6, 10, 5 }, FALSE },  { { 2, 21, 5, 7, 3, 2 }, TRUE },
    { { 3, 20, 4, 5, 2, 2 }, FALSE },   { { 1, 9, 3, 2, 1, 1 }, TRUE },
    { { 1, 7, 3, 4, 7, 2 }, TRUE },     { { 2, 17, 3, 4, 2, 5 }, TRUE },
    { { 1, 16, 2, 3, 7, 1 }, TRUE },    { { 2, 19, 2, 3, 8, 3 }, TRUE },
    { { 1, 1, 1, 1, 1, 1 }, TRUE },     { { 1, 1, 1, 1, 1, 4 }, FALSE },
    { { 1, 1303, 1, 3, 3, 2 }, TRUE },  { { 1, 14, 20, 19, 3, 2 }, FALSE },
    { { 2, 12, 300, 3, 3, 2 }, FALSE }, { { 1, 6, 3, 520, 3, 1 }, TRUE },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (shapes); i++) {
    const SegueNnConv1d *c = &shapes[i].conv;
    OpTest test = { .name = "conv1d",
                    .inputs = { { "x", c->batch * c->time * c->in, OP_INPUT },
                                { "w", c->out * c->kernel * c->in, OP_PARAMETER },
                                { shapes[i].bias ? "bias" : NULL, c->out, OP_PARAMETER } },
                    .n_out =
                      c->batch * segue_nn_conv1d_out_time (c->time, c->kernel, c->stride) * c->out,
                    .shape = &shapes[i],
                    .forward = conv_forward,
                    .reference = conv_reference,
                    .backward = conv_backward };
    op_test_run (&test);
  }
}

/* A fused activation equals the activation of the output. */
static void
test_activation (void)
{
  SegueNnConv1d conv = { 2, 1303, 7, 45, 3, 2 };
  gsize n = 2 * segue_nn_conv1d_out_time (conv.time, conv.kernel, conv.stride) * conv.out;
  g_autoptr (SegueNnThreads) threads = op_test_threads (2);
  g_autofree float *x = op_test_random (1, conv.batch * conv.time * conv.in, -1, 1);
  g_autofree float *w = op_test_random (2, conv.out * conv.kernel * conv.in, -1, 1);
  g_autofree float *expected = g_new (float, n), *y = g_new (float, n);
  const SegueNnAffine affine = { { .w = w } };
  segue_nn_conv1d_forward (threads, &conv, x, &affine, expected);
  segue_nn_activation_forward (threads, SEGUE_NN_ACTIVATION_GELU, n, expected, expected);
  conv.activation = SEGUE_NN_ACTIVATION_GELU;
  segue_nn_conv1d_forward (threads, &conv, x, &affine, y);
  for (gsize i = 0; i < n; i++)
    g_assert_cmpfloat_with_epsilon (y[i], expected[i], 1e-6f);
}

static void
test_out_time (void)
{
  static const gsize kernel[] = { 10, 3, 3, 3, 3, 2, 2 }, stride[] = { 5, 2, 2, 2, 2, 2, 2 };
  static const gsize expected[] = { 31999, 15999, 7999, 3999, 1999, 999, 499 };
  gsize time = 160000;
  for (gsize i = 0; i < G_N_ELEMENTS (kernel); i++) {
    time = segue_nn_conv1d_out_time (time, kernel[i], stride[i]);
    g_assert_cmpuint (time, ==, expected[i]);
  }
  g_assert_cmpuint (segue_nn_conv1d_out_time (2, 3, 1), ==, 0);
  g_assert_cmpuint (segue_nn_conv1d_out_time (3, 3, 7), ==, 1);
}

static void
grouped_forward (const OpTest *test, SegueNnThreads *threads, float *const *in, float *y,
                 float *saved)
{
  const SegueNnGroupedConv1d *c = test->shape;
  g_autofree float *scratch = g_new (float, segue_nn_grouped_conv1d_scratch (threads, c));
  const SegueNnAffine w = { { .w = in[1] }, { .w = in[2] } };
  segue_nn_grouped_conv1d_forward (threads, c, in[0], &w, y, scratch);
}

static void
grouped_reference (const OpTest *test, double *const *in, double *y)
{
  const SegueNnGroupedConv1d *c = test->shape;
  gsize per_in = c->in / c->groups, per_out = c->out / c->groups;
  for (gsize b = 0; b < c->batch; b++)
    for (gsize t = 0; t < c->time; t++)
      for (gsize o = 0; o < c->out; o++) {
        gsize g = o / per_out;
        double sum = in[2][o];
        for (gsize j = 0; j < c->kernel; j++) {
          gssize from = (gssize) (t + j) - (gssize) (c->kernel / 2);
          if (from < 0 || from >= (gssize) c->time)
            continue;
          for (gsize i = 0; i < per_in; i++)
            sum += in[0][(b * c->time + (gsize) from) * c->in + g * per_in + i] *
                   in[1][((g * c->kernel + j) * per_in + i) * per_out + o % per_out];
        }
        y[(b * c->time + t) * c->out + o] = sum;
      }
}

static void
grouped_backward (const OpTest *test, SegueNnThreads *threads, float *const *in, const float *y,
                  const float *saved, const float *dy, float *const *grads)
{
  const SegueNnGroupedConv1d *c = test->shape;
  g_autofree float *scratch = g_new (float, segue_nn_grouped_conv1d_scratch (threads, c));
  const SegueNnAffine w = { { .w = in[1], .dw = grads[1] }, { .dw = grads[2] } };
  segue_nn_grouped_conv1d_backward (threads, c, in[0], &w, dy, grads[0], scratch);
}

static void
test_grouped (void)
{
  /* batch, time, in, out, kernel, groups: even and odd kernels, longer than the sequence, one
   * group, one channel per group, more frames and more taps than a tile. */
  static const SegueNnGroupedConv1d shapes[] = {
    { 2, 13, 12, 12, 8, 4 }, { 1, 9, 6, 4, 5, 2 },   { 2, 3, 4, 4, 8, 2 },
    { 1, 1, 2, 2, 1, 1 },    { 1, 1, 3, 3, 4, 3 },   { 1, 7, 5, 5, 3, 5 },
    { 1, 261, 2, 4, 6, 2 },  { 1, 5, 300, 2, 6, 1 }, { 2, 5, 2, 300, 7, 1 },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (shapes); i++) {
    const SegueNnGroupedConv1d *c = &shapes[i];
    OpTest test = { .name = "grouped-conv1d",
                    .inputs = { { "x", c->batch * c->time * c->in, OP_INPUT },
                                { "w", c->out * c->kernel * c->in / c->groups, OP_PARAMETER },
                                { "bias", c->out, OP_PARAMETER } },
                    .n_out = c->batch * c->time * c->out,
                    .shape = c,
                    .forward = grouped_forward,
                    .reference = grouped_reference,
                    .backward = grouped_backward };
    op_test_run (&test);
  }
}

/* An item's output doesn't depend on the number of others in the batch. */
static void
test_batch (void)
{
  enum { BATCH = 3 };
  SegueNnConv1d conv = { BATCH, 1203, 5, 17, 3, 2 };
  SegueNnGroupedConv1d grouped = { BATCH, 301, 8, 8, 6, 2 };
  g_autoptr (SegueNnThreads) threads = op_test_threads (2);
  gsize n_x = conv.time * conv.in;
  gsize n_y = segue_nn_conv1d_out_time (conv.time, conv.kernel, conv.stride) * conv.out;
  g_autofree float *x = op_test_random (1, BATCH * n_x, -1, 1), *w = op_test_random (2, 400, -1, 1);
  g_autofree float *together = g_new (float, BATCH *n_y), *alone = g_new (float, n_y);
  const SegueNnAffine affine = { { .w = w } };

  segue_nn_conv1d_forward (threads, &conv, x, &affine, together);
  conv.batch = 1;
  for (gsize b = 0; b < BATCH; b++) {
    segue_nn_conv1d_forward (threads, &conv, x + b * n_x, &affine, alone);
    g_assert_cmpmem (alone, n_y * sizeof *alone, together + b * n_y, n_y * sizeof *alone);
  }

  gsize n = grouped.time * grouped.in;
  g_autofree float *scratch = g_new (float, segue_nn_grouped_conv1d_scratch (threads, &grouped));
  segue_nn_grouped_conv1d_forward (threads, &grouped, x, &affine, together, scratch);
  grouped.batch = 1;
  for (gsize b = 0; b < BATCH; b++) {
    segue_nn_grouped_conv1d_forward (threads, &grouped, x + b * n, &affine, alone, scratch);
    g_assert_cmpmem (alone, n * sizeof *alone, together + b * n, n * sizeof *alone);
  }
}

/* Packed weights have the layout in the headers, and unpack unchanged; `add` adds. */
static void
test_packing (void)
{
  enum { OUT = 6, IN = 4, KERNEL = 3, GROUPS = 2, N = OUT * IN * KERNEL };
  g_autoptr (SegueNnThreads) threads = op_test_threads (2);
  g_autofree float *torch_w = op_test_random (1, N, -1, 1);
  g_autofree float *packed = g_new (float, N), *back = g_new0 (float, N);

  segue_nn_conv1d_pack (threads, OUT, IN, KERNEL, torch_w, packed);
  for (gsize o = 0; o < OUT; o++)
    for (gsize i = 0; i < IN; i++)
      for (gsize j = 0; j < KERNEL; j++)
        g_assert_cmpfloat ((double) packed[(o * KERNEL + j) * IN + i], ==,
                           (double) torch_w[(o * IN + i) * KERNEL + j]);
  segue_nn_conv1d_unpack (threads, OUT, IN, KERNEL, FALSE, packed, back);
  g_assert_cmpmem (back, N * sizeof *back, torch_w, N * sizeof *torch_w);
  segue_nn_conv1d_unpack (threads, OUT, IN, KERNEL, TRUE, packed, back);
  for (gsize i = 0; i < N; i++)
    g_assert_cmpfloat ((double) back[i], ==, 2.0 * (double) torch_w[i]);

  gsize n = N / GROUPS, per_in = IN / GROUPS, per_out = OUT / GROUPS;
  segue_nn_grouped_conv1d_pack (threads, OUT, IN, KERNEL, GROUPS, torch_w, packed);
  for (gsize o = 0; o < OUT; o++)
    for (gsize i = 0; i < per_in; i++)
      for (gsize j = 0; j < KERNEL; j++)
        g_assert_cmpfloat (
          (double) packed[((o / per_out * KERNEL + j) * per_in + i) * per_out + o % per_out], ==,
          (double) torch_w[(o * per_in + i) * KERNEL + j]);
  segue_nn_grouped_conv1d_unpack (threads, OUT, IN, KERNEL, GROUPS, FALSE, packed, back);
  g_assert_cmpmem (back, n * sizeof *back, torch_w, n * sizeof *torch_w);
  segue_nn_grouped_conv1d_unpack (threads, OUT, IN, KERNEL, GROUPS, TRUE, packed, back);
  for (gsize i = 0; i < n; i++)
    g_assert_cmpfloat ((double) back[i], ==, 2.0 * (double) torch_w[i]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/nn/conv1d/activation", test_activation);
  g_test_add_func ("/nn/conv1d/op", test_conv1d);
  g_test_add_func ("/nn/conv1d/out-time", test_out_time);
  g_test_add_func ("/nn/grouped-conv1d/op", test_grouped);
  g_test_add_func ("/nn/conv1d/batch", test_batch);
  g_test_add_func ("/nn/conv1d/packing", test_packing);
  return g_test_run ();
}
