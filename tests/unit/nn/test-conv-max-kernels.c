/* The kernels of conv-max.c alone, compared with plain loops in double: also those that this processor would not choose,
 * where they are compiled for any. */
#include "conv-max-kernels.h"
#include "fast-fir.h"
#include "op-test.h"

#include <math.h>

#define MAX_OUT (NN_CONV_MAX_PANELS * 16)

typedef struct {
  gsize step, taps, positions;
} Case;

static const Case cases[] = { { 1, 4, 4 }, { 3, 9, 7 }, { 7, 38, 59 }, { 2, 13, 1 } };

/* Largest Σ_k x[p · step + k] · w[k]. */
static double
reference (const Case *c, const float *x, const float *w)
{
  double largest = -INFINITY;
  for (gsize p = 0; p < c->positions; p++) {
    double sum = 0.0;
    for (gsize k = 0; k < c->taps * c->step; k++)
      sum += (double) x[p * c->step + k] * (double) w[k];
    largest = fmax (largest, sum);
  }
  return largest;
}

/* w [out, n] in panels. */
static void
pack (gsize out, gsize n, const float *w, float *panels)
{
  for (gsize o = 0; o < out; o++)
    for (gsize k = 0; k < n; k++)
      panels[(o / 16 * n + k) * 16 + o % 16] = w[o * n + k];
}

static void
check (const Case *c, guint rows, gsize out, const float *x, const float *w, const float *largest)
{
  gsize n = c->taps * c->step, row = (c->taps + c->positions - 1) * c->step;
  for (gsize r = 0; r < rows; r++)
    for (gsize o = 0; o < out; o++)
      g_assert_cmpfloat_with_epsilon ((double) largest[r * out + o],
                                      reference (c, x + r * row, w + o * n),
                                      1e-5 * sqrt ((double) n));
}

static void
test_case (gconstpointer data)
{
  const Case *c = data;
  const NnConvMaxKernels *kernels = nn_conv_max_kernels ();
  NnFastFir fir = nn_fast_fir (c->step, c->taps, c->positions);
  gsize n = c->taps * c->step, row = fir.signal * c->step;
  gsize fast_n = NN_FAST_FIR_PARTS * fir.taps * c->step, part = fir.length * c->step;
  gsize fast_row = NN_FAST_FIR_PARTS * part;
  g_autofree float *x = op_test_random (1, NN_CONV_MAX_ROWS * row, -1, 1);
  g_autofree float *w = op_test_random (2, MAX_OUT * n, -1, 1);
  g_autofree float *fast_x = g_new (float, NN_CONV_MAX_ROWS *fast_row);
  g_autofree float *fast_w = g_new (float, MAX_OUT *fast_n), *panels = g_new (float, MAX_OUT *n);
  g_autofree float *fast_panels = g_new (float, MAX_OUT *fast_n);
  g_autofree float *scratch = g_new (float, nn_fast_fir_scratch (&fir));
  const float *rows[NN_CONV_MAX_ROWS], *fast_rows[NN_CONV_MAX_ROWS];
  float largest[NN_CONV_MAX_ROWS * MAX_OUT];
  const NnConvMaxShape shape = { c->positions, c->step, n, 0 };
  const NnConvMaxShape fast = { c->positions, c->step, fir.taps * c->step, part };
  g_assert_cmpuint (kernels->rows, <=, NN_CONV_MAX_ROWS);
  g_assert_cmpuint (kernels->panels, <=, NN_CONV_MAX_PANELS);
  for (gsize r = 0; r < NN_CONV_MAX_ROWS; r++) {
    rows[r] = x + r * row;
    fast_rows[r] = fast_x + r * fast_row;
    nn_fast_fir_split_signal (&fir, rows[r], fast_x + r * fast_row, scratch);
  }
  for (gsize o = 0; o < MAX_OUT; o++)
    nn_fast_fir_split_window (&fir, w + o * n, fast_w + o * fast_n, scratch);
  pack (MAX_OUT, n, w, panels);
  pack (MAX_OUT, fast_n, fast_w, fast_panels);

  kernels->run (&shape, rows, panels, largest);
  check (c, kernels->rows, kernels->panels * 16, x, w, largest);
  kernels->run_one (&shape, rows, panels, largest);
  check (c, kernels->rows, 16, x, w, largest);
  kernels->fast (&fast, fast_rows, fast_panels, largest);
  check (c, kernels->rows, kernels->panels * 16, x, w, largest);
  kernels->fast_one (&fast, fast_rows, fast_panels, largest);
  check (c, kernels->rows, 16, x, w, largest);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/nn/conv-max-kernels/%" G_GSIZE_FORMAT, i);
    g_test_add_data_func (path, &cases[i], test_case);
  }
  return g_test_run ();
}
