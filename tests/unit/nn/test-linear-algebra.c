/* Linear algebra in double, compared with its definition. */
#include "op-test.h"

#include <math.h>
#include <segue/nn/linear-algebra.h>
#include <string.h>

static double *
make_matrix (guint64 seed, gsize n)
{
  g_autofree float *values = op_test_random (seed, n, -1.0, 1.0);
  double *matrix = g_new (double, n);
  for (gsize i = 0; i < n; i++)
    matrix[i] = (double) values[i];
  return matrix;
}

/* Tiles are 256 wide: shapes of one, of several, and of parts; the same bits with any number of threads. */
static void
test_products (void)
{
  const struct {
    gsize m, n, k;
  } shapes[] = { { 3, 5, 4 }, { 1, 1, 1 }, { 300, 270, 17 }, { 520, 2, 600 } };
  for (gsize s = 0; s < G_N_ELEMENTS (shapes); s++) {
    gsize m = shapes[s].m, n = shapes[s].n, k = shapes[s].k;
    g_autofree double *a = make_matrix (1, m * k), *b = make_matrix (2, k * n);
    g_autofree double *transposed = g_new (double, k *n), *first = g_new (double, m *n);
    g_autofree double *c = g_new (double, m *n);
    for (gsize i = 0; i < k; i++)
      for (gsize j = 0; j < n; j++)
        transposed[j * k + i] = b[i * n + j];
    for (guint n_threads = 1; n_threads <= 3; n_threads++) {
      g_autoptr (SegueNnThreads) threads = op_test_threads (n_threads);
      double *out = n_threads == 1 ? first : c;
      segue_nn_dgemm (threads, FALSE, m, n, k, a, k, b, n, out, n);
      if (n_threads > 1)
        g_assert_cmpmem (c, m * n * sizeof *c, first, m * n * sizeof *c);
    }
    g_autoptr (SegueNnThreads) threads = op_test_threads (2);
    segue_nn_dgemm (threads, TRUE, m, n, k, a, k, transposed, k, c, n);
    for (gsize i = 0; i < m; i++)
      for (gsize j = 0; j < n; j++) {
        double sum = 0.0;
        for (gsize l = 0; l < k; l++)
          sum += a[i * k + l] * b[l * n + j];
        g_assert_cmpfloat_with_epsilon (first[i * n + j], sum, 1e-12);
        g_assert_cmpfloat_with_epsilon (c[i * n + j], sum, 1e-12);
      }
  }
}

static void
test_syrk (void)
{
  enum { N = 600, K = 33 };
  g_autofree double *a = make_matrix (3, N * K), *by_rows = g_new (double, K *N);
  g_autofree double *before = make_matrix (4, N * N);
  for (gsize i = 0; i < N; i++)
    for (gsize l = 0; l < K; l++)
      by_rows[l * N + i] = a[i * K + l];
  g_autofree double *first = g_new (double, N *N);
  for (guint n_threads = 1; n_threads <= 3; n_threads++) {
    g_autoptr (SegueNnThreads) threads = op_test_threads (n_threads);
    g_autofree double *c = g_memdup2 (before, N * N * sizeof *c),
                      *again = g_memdup2 (before, N * N * sizeof *c);
    segue_nn_syrk (threads, FALSE, N, K, 2.0, a, K, 0.0, c, N);
    segue_nn_syrk (threads, TRUE, N, K, 2.0, by_rows, N, 0.5, again, N);
    for (gsize i = 0; i < N; i++)
      for (gsize j = 0; j <= i; j++) {
        double sum = 0.0;
        for (gsize l = 0; l < K; l++)
          sum += a[i * K + l] * a[j * K + l];
        g_assert_cmpfloat_with_epsilon (c[i * N + j], 2.0 * sum, 1e-12);
        g_assert_cmpfloat_with_epsilon (again[i * N + j], 2.0 * sum + 0.5 * before[i * N + j],
                                        1e-12);
      }
    for (gsize i = 0; i < N; i++)
      if (n_threads > 1)
        g_assert_cmpmem (c + i * N, (i + 1) * sizeof *c, first + i * N, (i + 1) * sizeof *c);
    memcpy (first, c, N * N * sizeof *c);
  }
}

/* A positive definite matrix: the lower triangle of G Gᵀ + I; NAN above it, which nothing may read. */
static double *
make_definite (SegueNnThreads *threads, gsize n)
{
  g_autofree double *g = make_matrix (5, n * n);
  double *a = g_new (double, n *n);
  segue_nn_syrk (threads, FALSE, n, n, 1.0, g, n, 0.0, a, n);
  for (gsize i = 0; i < n; i++) {
    a[i * n + i] += 1.0;
    for (gsize j = i + 1; j < n; j++)
      a[i * n + j] = NAN;
  }
  return a;
}

static void
test_cholesky (void)
{
  enum { N = 300, M = 270 };
  g_autoptr (SegueNnThreads) threads = op_test_threads (2);
  g_autofree double *a = make_definite (threads, N), *l = g_memdup2 (a, N * N * sizeof *l);
  g_assert_true (segue_nn_cholesky (N, l, N));
  for (gsize i = 0; i < N; i++)
    for (gsize j = 0; j <= i; j++) {
      double sum = 0.0;
      for (gsize k = 0; k <= j; k++)
        sum += l[i * N + k] * l[j * N + k];
      g_assert_cmpfloat_with_epsilon (sum, a[i * N + j], 1e-10);
    }

  g_autofree double *b = make_matrix (6, M * N), *x = g_memdup2 (b, M * N * sizeof *x);
  segue_nn_solve_lower (threads, FALSE, M, N, l, N, x, N);
  g_autofree double *y = g_memdup2 (b, M * N * sizeof *y);
  segue_nn_solve_lower (threads, TRUE, M, N, l, N, y, N);
  for (gsize r = 0; r < M; r += 53)
    for (gsize i = 0; i < N; i++) {
      double lower = 0.0, upper = 0.0;
      for (gsize j = 0; j <= i; j++)
        lower += l[i * N + j] * x[r * N + j];
      for (gsize j = i; j < N; j++)
        upper += l[j * N + i] * y[r * N + j];
      g_assert_cmpfloat_with_epsilon (lower, b[r * N + i], 1e-10);
      g_assert_cmpfloat_with_epsilon (upper, b[r * N + i], 1e-10);
    }

  a[5 * N + 5] = -1.0;
  g_assert_false (segue_nn_cholesky (N, a, N));
}

static void
test_eigen (void)
{
  enum { N = 120 };
  g_autoptr (SegueNnThreads) threads = op_test_threads (1);
  g_autofree double *a = make_definite (threads, N), *v = g_memdup2 (a, N * N * sizeof *v);
  double values[N];
  g_assert_true (segue_nn_eigen_symmetric (N, v, N, values, NULL));
  for (gsize e = 0; e < N; e++) {
    const double *x = v + e * N;
    double length = 0.0, largest = 0.0;
    g_assert_true (e == 0 || values[e] >= values[e - 1]);
    for (gsize i = 0; i < N; i++) {
      double sum = 0.0;
      for (gsize j = 0; j < N; j++)
        sum += a[j <= i ? i * N + j : j * N + i] * x[j];
      g_assert_cmpfloat_with_epsilon (sum, values[e] * x[i], 1e-10);
      length += x[i] * x[i];
      if (fabs (x[i]) > fabs (largest))
        largest = x[i];
    }
    g_assert_cmpfloat_with_epsilon (length, 1.0, 1e-12);
    g_assert_cmpfloat (largest, >, 0.0);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/nn/linear-algebra/products", test_products);
  g_test_add_func ("/nn/linear-algebra/syrk", test_syrk);
  g_test_add_func ("/nn/linear-algebra/cholesky", test_cholesky);
  g_test_add_func ("/nn/linear-algebra/eigen", test_eigen);
  return g_test_run ();
}
