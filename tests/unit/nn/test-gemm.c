/* Matrix products, linear layers and biases. */
#include "op-test.h"

#include <math.h>
#include <segue/nn/gemm.h>
#include <segue/nn/linear.h>

typedef struct {
  gsize batch, m, n, k;
  gboolean trans_a, trans_b;
  float alpha, beta;
  gsize pad; /* added to each leading dimension */
} Product;

static double
element (const Product *p, const float *a, gsize lda, const float *b, gsize ldb, gsize i, gsize j)
{
  double sum = 0.0;
  for (gsize k = 0; k < p->k; k++)
    sum += (double) (p->trans_a ? a[k * lda + i] : a[i * lda + k]) *
           (double) (p->trans_b ? b[j * ldb + k] : b[k * ldb + j]);
  return sum;
}

/* Compares with plain loops; elements between the rows of C must not change. */
static void
check_product (const Product *p, const char *backend, guint n_threads)
{
  g_autoptr (SegueNnThreads) threads = segue_nn_threads_new (n_threads, backend, NULL);
  gsize lda = (p->trans_a ? p->m : p->k) + p->pad, ldb = (p->trans_b ? p->k : p->n) + p->pad;
  gsize ldc = p->n + p->pad;
  gsize size_a = (p->trans_a ? p->k : p->m) * lda, size_b = (p->trans_b ? p->n : p->k) * ldb;
  gsize size_c = p->m * ldc;
  g_autofree float *a = op_test_random (1, p->batch * size_a, -1, 1);
  g_autofree float *b = op_test_random (2, p->batch * size_b, -1, 1);
  g_autofree float *before = op_test_random (3, p->batch * size_c, -1, 1);
  g_autofree float *c = op_test_random (3, p->batch * size_c, -1, 1);
  double allowed = 1e-6 * (4.0 + sqrt ((double) p->k)) * MAX (1.0, fabs ((double) p->alpha));

  segue_nn_gemm_batch (threads, p->batch, p->trans_a, p->trans_b, p->m, p->n, p->k, p->alpha, a,
                       lda, size_a, b, ldb, size_b, p->beta, c, ldc, size_c);
  for (gsize item = 0; item < p->batch; item++) {
    for (gsize i = 0; i < p->m; i++) {
      for (gsize j = 0; j < ldc; j++) {
        gsize at = item * size_c + i * ldc + j;
        double expected = (double) before[at];
        if (j < p->n)
          expected =
            (double) p->beta * (double) before[at] +
            (double) p->alpha * element (p, a + item * size_a, lda, b + item * size_b, ldb, i, j);
        g_assert_true (fabs ((double) c[at] - expected) <= (j < p->n ? allowed : 0.0));
      }
    }
  }
}

static void
test_products (void)
{
  static const Product products[] = {
    { 1, 1, 1, 1, FALSE, FALSE, 1, 0, 0 },     { 1, 7, 5, 3, FALSE, TRUE, 1, 0, 2 },
    { 3, 17, 33, 9, TRUE, FALSE, 2, 1, 1 },    { 2, 4, 6, 0, FALSE, FALSE, 1, 0.5f, 3 },
    { 1, 4, 6, 0, FALSE, FALSE, 1, 0, 0 },     { 1, 1, 130, 70, TRUE, TRUE, -0.5f, 1, 0 },
    { 1, 600, 3, 20, FALSE, FALSE, 1, 0, 0 },  { 1, 3, 1100, 20, FALSE, TRUE, 1, 1, 5 },
    { 1, 530, 515, 7, FALSE, FALSE, 1, 0, 0 }, { 5, 2, 1, 300, FALSE, TRUE, 1, 0, 0 },
  };
  for (const char *const *name = segue_nn_backend_names (); *name; name++)
    for (gsize i = 0; i < G_N_ELEMENTS (products) && segue_nn_backend_find (*name); i++)
      for (guint n_threads = 1; n_threads <= 3; n_threads += 2)
        check_product (&products[i], *name, n_threads);
}

/* beta == 0 must not read C: NaN there would spread. */
static void
test_beta_zero (void)
{
  for (gsize i = 0; i < 6; i++) {
    g_autoptr (SegueNnThreads) threads = segue_nn_threads_new (1, i < 3 ? NULL : "openblas", NULL);
    gsize k = i % 3 * 20;
    g_autofree float *a = op_test_random (1, 30 * 40, -1, 1), *c = g_new (float, 30 * 30);
    for (gsize j = 0; j < 30 * 30; j++)
      c[j] = NAN;
    segue_nn_gemm (threads, FALSE, TRUE, 30, 30, k, 1, a, 40, a, 40, 0, c, 30);
    for (gsize j = 0; j < 30 * 30; j++)
      g_assert_true (isfinite (c[j]));
  }
}

typedef struct {
  gsize rows, in, out;
  gboolean bias;
} Linear;

static void
linear_forward (const OpTest *test, SegueNnThreads *threads, float *const *in, float *y,
                float *saved)
{
  const Linear *s = test->shape;
  const SegueNnAffine w = { { .w = in[1] }, { .w = s->bias ? in[2] : NULL } };
  segue_nn_linear_forward (threads, s->rows, s->in, s->out, in[0], &w, y);
}

static void
linear_reference (const OpTest *test, double *const *in, double *y)
{
  const Linear *s = test->shape;
  for (gsize r = 0; r < s->rows; r++) {
    for (gsize o = 0; o < s->out; o++) {
      double sum = s->bias ? in[2][o] : 0.0;
      for (gsize i = 0; i < s->in; i++)
        sum += in[0][r * s->in + i] * in[1][o * s->in + i];
      y[r * s->out + o] = sum;
    }
  }
}

static void
linear_backward (const OpTest *test, SegueNnThreads *threads, float *const *in, const float *y,
                 const float *saved, const float *dy, float *const *grads)
{
  const Linear *s = test->shape;
  const SegueNnAffine w = { { .w = in[1], .dw = grads[1] }, { .dw = s->bias ? grads[2] : NULL } };
  segue_nn_linear_backward (threads, s->rows, s->in, s->out, in[0], &w, dy, grads[0]);
}

static void
test_linear (void)
{
  static const Linear shapes[] = { { 1, 1, 1, TRUE },    { 5, 7, 3, TRUE },    { 5, 7, 3, FALSE },
                                   { 70, 33, 65, TRUE }, { 1, 130, 10, TRUE }, { 520, 3, 2, TRUE },
                                   { 2, 5, 530, FALSE } };
  for (gsize i = 0; i < G_N_ELEMENTS (shapes); i++) {
    const Linear *s = &shapes[i];
    OpTest test = { .name = "linear",
                    .inputs = { { "x", s->rows * s->in, OP_INPUT },
                                { "w", s->in * s->out, OP_PARAMETER },
                                { s->bias ? "bias" : NULL, s->out, OP_PARAMETER } },
                    .n_out = s->rows * s->out,
                    .shape = s,
                    .forward = linear_forward,
                    .reference = linear_reference,
                    .backward = linear_backward };
    op_test_run (&test);
  }
}

/* An item's output doesn't depend on the number of others in the batch, on any backend. */
static void
test_linear_batch (void)
{
  enum { BATCH = 5 };
  static const Linear shapes[] = { { 1, 70, 33, TRUE },
                                   { 37, 50, 90, TRUE },
                                   { 521, 40, 17, FALSE } };
  for (const char *const *name = segue_nn_backend_names (); *name; name++) {
    g_autoptr (SegueNnThreads) threads = segue_nn_threads_new (2, *name, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS (shapes) && threads; i++) {
      const Linear *s = &shapes[i];
      gsize n_x = s->rows * s->in, n_y = s->rows * s->out;
      g_autofree float *x = op_test_random (1, BATCH * n_x, -1, 1);
      g_autofree float *w = op_test_random (2, s->in * s->out, -1, 1);
      g_autofree float *bias = op_test_random (3, s->out, -1, 1);
      g_autofree float *together = g_new (float, BATCH *n_y), *alone = g_new (float, n_y);
      const SegueNnAffine affine = { { .w = w }, { .w = s->bias ? bias : NULL } };
      segue_nn_linear_forward_batch (threads, BATCH, s->rows, s->in, s->out, x, &affine, together);
      for (gsize item = 0; item < BATCH; item++) {
        segue_nn_linear_forward_batch (threads, 1, s->rows, s->in, s->out, x + item * n_x, &affine,
                                       alone);
        g_assert_cmpmem (alone, n_y * sizeof *alone, together + item * n_y, n_y * sizeof *alone);
      }
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/nn/gemm/products", test_products);
  g_test_add_func ("/nn/gemm/beta-zero", test_beta_zero);
  g_test_add_func ("/nn/linear/op", test_linear);
  g_test_add_func ("/nn/linear/batch", test_linear_batch);
  return g_test_run ();
}
