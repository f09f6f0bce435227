/* Convolution, ReLU, norm and the maximum over positions, compared with plain loops in double. */
#include "op-test.h"

#include <math.h>
#include <segue/nn/conv-max.h>
#include <string.h>

typedef struct {
  const char *name;
  gsize batch, time, frame, positions, step, kernel, out, repeat;
} Case;

static const Case cases[] = {
  { "windows that don't overlap", 2, 70, 40, 5, 4, 21, 37, 1 },
  { "overlapping windows", 3, 150, 3, 11, 500, 20, 9, 1 },
  { "repeated", 2, 133, 1, 12, 300, 33, 7, 4 },
  { "repeated more often than there are frames", 1, 3, 1, 2, 90, 8, 5, 8 },
  { "a sliding window", 2, 31, 60, 13, 3, 24, 37, 1 },
  { "a sliding window of odd length", 1, 50, 95, 9, 5, 55, 17, 1 },
  { "a sliding window at four positions", 1, 25, 40, 4, 1, 37, 33, 1 },
  { "one position", 2, 65, 10, 1, 0, 10, 16, 1 },
  { "one number", 1, 1, 1, 1, 1, 1, 1, 1 },
  { "larger than a block of a product", 1, 130, 700, 3, 7, 600, 520, 1 },
};

static double
reference (const SegueNnConvMax *c, const float *x, const float *w, gsize t, gsize o)
{
  double largest = -INFINITY;
  for (gsize p = 0; p < c->positions; p++) {
    double sum = (double) c->bias[o];
    for (gsize k = 0; k < c->kernel; k++)
      sum += (double) w[o * c->kernel + k] * (double) x[t * c->frame + p * c->step + k];
    largest = fmax (largest, (double) c->scale[o] * fmax (sum, 0.0) + (double) c->shift[o]);
  }
  return largest;
}

static void
compare (const SegueNnConvMax *c, const float *x, const float *w, const float *y)
{
  double largest = 0.0, difference = 0.0;
  for (gsize b = 0; b < c->batch; b++)
    for (gsize t = 0; t < c->time; t++)
      for (gsize o = 0; o < c->out; o++) {
        double expected = reference (c, x + b * c->x_item, w, t, o);
        double found = (double) y[b * c->y_item + t * c->y_frame + o];
        largest = fmax (largest, fabs (expected));
        difference = fmax (difference, fabs (found - expected));
      }
  g_assert_cmpfloat (difference, <=, 3e-6 * largest);
}

static void
test_case (gconstpointer data)
{
  const Case *f = data;
  g_autofree float *bias = op_test_random (1, f->out, -1, 1);
  g_autofree float *scale = op_test_random (2, f->out, -1, 1);
  g_autofree float *shift = op_test_random (3, f->out, -1, 1);
  g_autofree float *w = op_test_random (4, f->out * f->kernel, -1, 1);
  scale[0] = 0.0f;
  SegueNnConvMax c = { f->batch, f->time,   f->frame, f->positions, f->step, f->kernel,
                       f->out,   f->repeat, 0,        f->out + 2,   0,       bias,
                       scale,    shift };
  c.x_item = segue_nn_conv_max_length (&c);
  c.y_item = f->time * c.y_frame + 5;
  g_autofree float *x = op_test_random (5, f->batch * c.x_item, -1, 1);
  g_autofree float *packed = g_new (float, segue_nn_conv_max_packed_size (&c));
  gsize n = f->batch * c.y_item;
  g_autofree float *first = g_new0 (float, n);
  for (guint n_threads = 1; n_threads <= 4; n_threads++) {
    g_autoptr (SegueNnThreads) threads = op_test_threads (n_threads);
    g_autofree float *scratch = g_new (float, segue_nn_conv_max_scratch (threads, &c));
    g_autofree float *y = g_new0 (float, n);
    segue_nn_conv_max_pack (&c, w, packed);
    segue_nn_conv_max_forward (threads, &c, x, packed, y, scratch);
    if (n_threads == 1)
      memcpy (first, y, n * sizeof *y);
    g_assert_cmpmem (y, n * sizeof *y, first, n * sizeof *y);
    /* What lies between the frames and behind them isn't written. */
    for (gsize t = 0; t < f->time; t++)
      g_assert_true (y[t * c.y_frame + f->out] == 0.0f && y[t * c.y_frame + f->out + 1] == 0.0f);
    g_assert_true (y[c.y_item - 1] == 0.0f);
  }
  compare (&c, x, w, first);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/nn/conv-max/%s", cases[i].name);
    g_test_add_data_func (path, &cases[i], test_case);
  }
  return g_test_run ();
}
