/* Neighbours compared with plain loops; t-SNE on clusters: kept apart, the same bits for any number of threads. */
#include "neighbours.h"
#include "space.h"
#include "tsne.h"

#include <math.h>
#include <segue/random.h>
#include <string.h>

#define SIZE 10

/* (transfer full): @n rows of length 1, of cluster i % @clusters. */
static float *
make_rows (gsize n, guint clusters, double spread)
{
  float *x = g_new (float, n *SIZE);
  for (gsize i = 0; i < n * SIZE; i++) {
    double a, b;
    segue_random_normal_pair (1, i % SIZE + SIZE * (i / SIZE % clusters), &a, &b);
    segue_random_normal_pair (2, i, &b, &(double){ 0 });
    x[i] = (float) (a + spread * b);
  }
  space_normalise (n, SIZE, x);
  return x;
}

static SegueNnThreads *
make_threads (guint n)
{
  g_autoptr (GError) error = NULL;
  SegueNnThreads *threads = segue_nn_threads_new (n, NULL, &error);
  g_assert_no_error (error);
  return threads;
}

static void
test_neighbours (void)
{
  enum { N = 700, K = 5 };
  g_autoptr (GError) error = NULL;
  g_autofree float *x = make_rows (N, 7, 0.5);
  g_autofree guint32 *indices = g_new (guint32, N * K);
  g_autofree float *similarities = g_new (float, N *K);
  g_autoptr (SegueNnThreads) threads = make_threads (2);
  g_assert_true (
    neighbours_find (threads, N, x, N, x, TRUE, SIZE, K, indices, similarities, NULL, &error));
  for (gsize i = 0; i < N; i += 13) {
    double bound = (double) similarities[i * K + K - 1];
    for (gsize j = 0; j < N; j++) {
      double product = 0;
      gboolean listed = FALSE;
      for (gsize c = 0; c < SIZE; c++)
        product += (double) x[i * SIZE + c] * (double) x[j * SIZE + c];
      for (gsize k = 0; k < K; k++)
        listed = listed || indices[i * K + k] == j;
      if (listed)
        g_assert_cmpfloat (product, >=, bound - 1e-5);
      else if (j != i)
        g_assert_cmpfloat (product, <=, bound + 1e-5);
      g_assert_false (listed && i == j);
    }
    for (gsize k = 1; k < K; k++)
      g_assert_cmpfloat (similarities[i * K + k], <=, similarities[i * K + k - 1]);
  }
}

/* (transfer full): points after all steps. */
static double *
arrange (gsize n, const float *x, guint n_threads)
{
  gsize k = tsne_neighbours (n);
  g_autoptr (GError) error = NULL;
  g_autofree guint32 *indices = g_new (guint32, n * k);
  g_autofree float *similarities = g_new (float, n *k);
  g_autoptr (SegueNnThreads) threads = make_threads (n_threads);
  double *y = g_new (double, 2 * n);
  for (gsize i = 0; i < n; i++)
    segue_random_normal_pair (3, i, &y[2 * i], &y[2 * i + 1]);
  for (gsize i = 0; i < 2 * n; i++)
    y[i] *= 1e-4;
  g_assert_true (
    neighbours_find (threads, n, x, n, x, TRUE, SIZE, k, indices, similarities, NULL, &error));
  g_autoptr (Tsne) tsne = tsne_new (n, k, indices, similarities, y, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < TSNE_STEPS; i++)
    tsne_step (tsne, threads);
  for (gsize i = 0; i < 2 * n; i++)
    g_assert_true (isfinite (y[i]));
  return y;
}

static double
distance (const double *y, gsize i, gsize j)
{
  return hypot (y[2 * i] - y[2 * j], y[2 * i + 1] - y[2 * j + 1]);
}

/* Each point's ten nearest in the plane are of its cluster. */
static void
test_clusters (void)
{
  enum { N = 400, CLUSTERS = 8 };
  g_autofree float *x = make_rows (N, CLUSTERS, 0.3);
  g_autofree double *y = arrange (N, x, 2);
  gsize wrong = 0;
  for (gsize i = 0; i < N; i++) {
    gsize nearer = 0;
    double farthest = 0;
    for (gsize j = i % CLUSTERS; j < N; j += CLUSTERS)
      farthest = MAX (farthest, distance (y, i, j));
    for (gsize j = 0; j < N; j++)
      nearer += j % CLUSTERS != i % CLUSTERS && distance (y, i, j) < farthest;
    wrong += nearer > 0;
  }
  g_assert_cmpuint (wrong, <=, N / 50);
}

static void
test_threads (void)
{
  enum { N = 333 };
  g_autofree float *x = make_rows (N, 5, 1.0);
  g_autofree double *one = arrange (N, x, 1), *two = arrange (N, x, 2), *eight = arrange (N, x, 8);
  g_assert_cmpmem (one, 2 * N * sizeof (double), two, 2 * N * sizeof (double));
  g_assert_cmpmem (one, 2 * N * sizeof (double), eight, 2 * N * sizeof (double));
}

/* Few songs, and songs that are all equal, or zero. */
static void
test_degenerate (void)
{
  for (gsize n = 2; n < 6; n++) {
    g_autofree float *x = make_rows (n, (guint) n, 0.1);
    g_autofree double *y = arrange (n, x, 1);
    for (gsize i = 1; i < n; i++)
      g_assert_cmpfloat (distance (y, 0, i), >, 0);
  }
  g_autofree float *equal = make_rows (50, 1, 0.0), *zero = g_new0 (float, 50 * SIZE);
  g_autofree double *y = arrange (50, equal, 1), *z = arrange (50, zero, 1);
  g_assert_cmpfloat (distance (y, 0, 1), >, 0);
  g_assert_cmpfloat (distance (z, 0, 1), >, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/library/neighbours", test_neighbours);
  g_test_add_func ("/library/tsne/clusters", test_clusters);
  g_test_add_func ("/library/tsne/threads", test_threads);
  g_test_add_func ("/library/tsne/degenerate", test_degenerate);
  return g_test_run ();
}
