/* Two-dimensional convolution. */
#include "op-test.h"

#include <segue/nn/conv2d.h>
#include <string.h>

static gsize
n_weights (const SegueNnConv2d *c)
{
  return c->out * c->in * c->kernel_height * c->kernel_width;
}

static void
conv_forward (const OpTest *test, SegueNnThreads *threads, float *const *in, float *y, float *saved)
{
  const SegueNnConv2d *c = test->shape;
  g_autofree float *packed = g_new (float, segue_nn_conv2d_packed_size (c));
  g_autofree float *scratch = g_new (float, segue_nn_conv2d_forward_scratch (threads, c));
  segue_nn_conv2d_pack (threads, c, in[1], packed, NULL);
  segue_nn_conv2d_forward (threads, c, in[0], packed, y, scratch);
}

static void
conv_reference (const OpTest *test, double *const *in, double *y)
{
  const SegueNnConv2d *c = test->shape;
  gssize height = (gssize) c->height, width = (gssize) c->width;
  gssize above = (gssize) c->kernel_height / 2, left = (gssize) c->kernel_width / 2;

  memset (y, 0, test->n_out * sizeof *y);
  for (gsize b = 0; b < c->batch; b++)
    for (gssize h = 0; h < height; h++)
      for (gssize w = 0; w < width; w++, y += c->out)
        for (gssize r = MAX (h - above, 0); r <= MIN (h + above, height - 1); r++)
          for (gssize s = MAX (w - left, 0); s <= MIN (w + left, width - 1); s++)
            for (gsize o = 0; o < c->out; o++)
              for (gsize i = 0; i < c->in; i++) {
                gsize pixel = (b * c->height + (gsize) r) * c->width + (gsize) s;
                gsize weight =
                  ((o * c->in + i) * c->kernel_height + (gsize) (r - h + above)) * c->kernel_width +
                  (gsize) (s - w + left);
                y[o] += in[0][pixel * c->in + i] * in[1][weight];
              }
}

static void
conv_backward (const OpTest *test, SegueNnThreads *threads, float *const *in, const float *y,
               const float *saved, const float *dy, float *const *grads)
{
  const SegueNnConv2d *c = test->shape;
  g_autofree float *packed = g_new (float, segue_nn_conv2d_packed_back_size (c));
  g_autofree float *scratch = g_new (float, segue_nn_conv2d_backward_scratch (threads, c));
  segue_nn_conv2d_pack (threads, c, in[1], NULL, packed);
  segue_nn_conv2d_backward (threads, c, in[0], packed, dy, grads[0], grads[1], scratch);
}

static void
test_conv2d (void)
{
  /* A single pixel, one input channel, channels that fill no block and more than one, kernels that are
   * not square, more images than parts, several bands of rows, an image lower than the kernel. */
  static const SegueNnConv2d shapes[] = {
    { 1, 1, 1, 1, 1, 3, 3 },   { 2, 5, 7, 1, 32, 3, 3 }, { 1, 6, 5, 5, 33, 3, 3 },
    { 2, 4, 6, 3, 70, 1, 3 },  { 2, 3, 3, 4, 8, 5, 1 },  { 19, 2, 3, 2, 3, 3, 3 },
    { 1, 40, 33, 2, 4, 3, 3 }, { 1, 2, 9, 32, 2, 7, 5 }, { 3, 4, 4, 3, 2, 1, 1 },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (shapes); i++) {
    const SegueNnConv2d *c = &shapes[i];
    gsize pixels = c->batch * c->height * c->width;
    OpTest test = { .name = "conv2d",
                    .inputs = { { "x", pixels * c->in, OP_INPUT },
                                { "w", n_weights (c), OP_PARAMETER } },
                    .n_out = pixels * c->out,
                    .shape = c,
                    .forward = conv_forward,
                    .reference = conv_reference,
                    .backward = conv_backward };
    op_test_run (&test);
  }
}

/* An image's output and its gradient don't depend on other images in the batch. */
static void
test_batch (void)
{
  const SegueNnConv2d three = { 3, 21, 30, 3, 40, 3, 3 };
  SegueNnConv2d one = three;
  gsize n_in = one.height * one.width * one.in, n_out = one.height * one.width * one.out;
  one.batch = 1;
  g_autoptr (SegueNnThreads) threads = op_test_threads (2);
  g_autofree float *x = op_test_random (1, 3 * n_in, -1, 1);
  g_autofree float *w = op_test_random (2, n_weights (&one), -1, 1);
  g_autofree float *packed = g_new (float, segue_nn_conv2d_packed_size (&one));
  g_autofree float *back = g_new (float, segue_nn_conv2d_packed_back_size (&one));
  g_autofree float *scratch = g_new (float, segue_nn_conv2d_backward_scratch (threads, &three));
  g_autofree float *y = g_new (float, 3 * n_out), *y_one = g_new (float, n_out);
  g_autofree float *dx = g_new (float, 3 * n_in), *dx_one = g_new (float, n_in);

  segue_nn_conv2d_pack (threads, &one, w, packed, back);
  segue_nn_conv2d_forward (threads, &three, x, packed, y, scratch);
  segue_nn_conv2d_forward (threads, &one, x + n_in, packed, y_one, scratch);
  g_assert_cmpmem (y + n_out, n_out * sizeof *y, y_one, n_out * sizeof *y);
  segue_nn_conv2d_backward (threads, &three, NULL, back, y, dx, NULL, scratch);
  segue_nn_conv2d_backward (threads, &one, NULL, back, y_one, dx_one, NULL, scratch);
  g_assert_cmpmem (dx + n_in, n_in * sizeof *dx, dx_one, n_in * sizeof *dx);
}

/* The gradient of the input may overwrite the input. */
static void
test_in_place (void)
{
  const SegueNnConv2d c = { 2, 9, 8, 5, 6, 3, 3 };
  gsize n_in = c.batch * c.height * c.width * c.in, n_w = n_weights (&c);
  g_autoptr (SegueNnThreads) threads = op_test_threads (2);
  g_autofree float *x = op_test_random (1, n_in, -1, 1);
  g_autofree float *w = op_test_random (2, n_w, -1, 1);
  g_autofree float *dy = op_test_random (3, n_in / c.in * c.out, -1, 1);
  g_autofree float *back = g_new (float, segue_nn_conv2d_packed_back_size (&c));
  g_autofree float *scratch = g_new (float, segue_nn_conv2d_backward_scratch (threads, &c));
  g_autofree float *dx = g_new (float, n_in);
  g_autofree float *dw = g_new0 (float, n_w), *dw_in_place = g_new0 (float, n_w);

  segue_nn_conv2d_pack (threads, &c, w, NULL, back);
  segue_nn_conv2d_backward (threads, &c, x, back, dy, dx, dw, scratch);
  segue_nn_conv2d_backward (threads, &c, x, back, dy, x, dw_in_place, scratch);
  g_assert_cmpmem (dx, n_in * sizeof *dx, x, n_in * sizeof *x);
  g_assert_cmpmem (dw, n_w * sizeof *dw, dw_in_place, n_w * sizeof *dw);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/nn/conv2d", test_conv2d);
  g_test_add_func ("/nn/conv2d/batch", test_batch);
  g_test_add_func ("/nn/conv2d/in-place", test_in_place);
  return g_test_run ();
}
