/* Counter-based random numbers and dropout. */
#include "op-test.h"

#include <math.h>
#include <segue/nn/dropout.h>
#include <segue/nn/random.h>
#include <string.h>

static const SegueNnRandomKey key = { G_GUINT64_CONSTANT (0x123456789ABCDEF0), 7, 11, 3 };

/* Each part of the key matters, the high halves too. */
static void
test_keys_differ (void)
{
  guint32 seen[10];
  SegueNnRandomKey keys[9];
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    keys[i] = key;
  keys[1].seed ^= 1;
  keys[2].seed ^= G_GUINT64_CONSTANT (1) << 63;
  keys[3].step ^= 1;
  keys[4].step ^= G_GUINT64_CONSTANT (1) << 63;
  keys[5].item ^= 1;
  keys[6].item ^= G_GUINT64_CONSTANT (1) << 63;
  keys[7].layer ^= 1;
  keys[8].layer ^= 1u << 31;
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    seen[i] = segue_nn_random_bits (&keys[i], 5);
  seen[9] = segue_nn_random_bits (&key, 6);
  for (gsize i = 0; i < G_N_ELEMENTS (seen); i++)
    for (gsize j = 0; j < i; j++)
      g_assert_cmpuint (seen[i], !=, seen[j]);
  g_assert_cmpuint (segue_nn_random_bits (&key, 5), ==, seen[0]);
}

static void
moments (const float *x, gsize n, double *mean, double *deviation, double *kurtosis)
{
  double sum = 0.0, squares = 0.0, fourths = 0.0;
  for (gsize i = 0; i < n; i++)
    sum += (double) x[i];
  *mean = sum / (double) n;
  for (gsize i = 0; i < n; i++) {
    double d = (double) x[i] - *mean;
    squares += d * d;
    fourths += d * d * d * d;
  }
  *deviation = sqrt (squares / (double) n);
  *kurtosis = fourths / (double) n / pow (squares / (double) n, 2.0);
}

/* A fill equals the numbers one by one, on any number of threads, and matches its distribution:
 * bounds are five standard errors. */
static void
test_fills (void)
{
  enum { N = 100003 };
  g_autofree float *x = g_new (float, N), *y = g_new (float, N);
  double mean, deviation, kurtosis, error = 1.0 / sqrt ((double) N);
  g_autoptr (SegueNnThreads) one = op_test_threads (1);
  g_autoptr (SegueNnThreads) three = op_test_threads (3);

  segue_nn_random_fill_uniform (one, &key, 0.0f, 1.0f, N, x);
  segue_nn_random_fill_uniform (three, &key, 0.0f, 1.0f, N, y);
  g_assert_cmpmem (x, N * sizeof *x, y, N * sizeof *y);
  for (gsize i = 0; i < N; i += 97)
    g_assert_cmpfloat ((double) x[i], ==, (double) segue_nn_random_uniform (&key, i));
  for (gsize i = 0; i < N; i++)
    g_assert_true (x[i] >= 0.0f && x[i] < 1.0f);
  moments (x, N, &mean, &deviation, &kurtosis);
  g_assert_cmpfloat_with_epsilon (mean, 0.5, 5.0 * error * sqrt (1.0 / 12.0));
  g_assert_cmpfloat_with_epsilon (deviation, sqrt (1.0 / 12.0), 5.0 * error * 0.2);
  g_assert_cmpfloat_with_epsilon (kurtosis, 1.8, 0.05);

  segue_nn_random_fill_normal (one, &key, 0.0f, 1.0f, N, x);
  segue_nn_random_fill_normal (three, &key, 0.0f, 1.0f, N, y);
  g_assert_cmpmem (x, N * sizeof *x, y, N * sizeof *y);
  for (gsize i = 0; i < N; i += 97)
    g_assert_cmpfloat ((double) x[i], ==, (double) segue_nn_random_normal (&key, i));
  moments (x, N, &mean, &deviation, &kurtosis);
  g_assert_cmpfloat_with_epsilon (mean, 0.0, 5.0 * error);
  g_assert_cmpfloat_with_epsilon (deviation, 1.0, 5.0 * error);
  g_assert_cmpfloat_with_epsilon (kurtosis, 3.0, 5.0 * error * sqrt (24.0));

  segue_nn_random_fill_normal (three, &key, 2.0f, 0.5f, N, y);
  g_assert_cmpfloat_with_epsilon ((double) y[1234], 2.0 + 0.5 * (double) x[1234], 1e-6);
  segue_nn_random_fill_uniform (three, &key, -1e-30f, 1e-30f, N, y);
  for (gsize i = 0; i < N; i++)
    g_assert_true (y[i] >= -1e-30f && y[i] < 1e-30f);
}

static void
test_permutation (void)
{
  enum { N = 1000, SMALL = 4, ROUNDS = 24000 };
  guint32 order[N], again[N];
  gboolean seen[N] = { FALSE };
  guint counts[256] = { 0 }, n_orders = 0;

  segue_nn_random_permutation (&key, N, order);
  segue_nn_random_permutation (&key, N, again);
  g_assert_cmpmem (order, sizeof order, again, sizeof again);
  for (gsize i = 0; i < N; i++) {
    g_assert_cmpuint (order[i], <, N);
    g_assert_false (seen[order[i]]);
    seen[order[i]] = TRUE;
  }
  segue_nn_random_permutation (&key, 0, order);
  segue_nn_random_permutation (&key, 1, order);
  g_assert_cmpuint (order[0], ==, 0);

  /* All 24 orders of four, about equally often: 1000 ± 5 · √1000. */
  for (guint round = 0; round < ROUNDS; round++) {
    SegueNnRandomKey of_round = key;
    of_round.step = round;
    segue_nn_random_permutation (&of_round, SMALL, order);
    counts[order[0] << 6 | order[1] << 4 | order[2] << 2 | order[3]]++;
  }
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++) {
    if (counts[i] == 0)
      continue;
    n_orders++;
    g_assert_cmpuint (counts[i], >, 840);
    g_assert_cmpuint (counts[i], <, 1160);
  }
  g_assert_cmpuint (n_orders, ==, 24);
}

static void
test_below (void)
{
  guint counts[7] = { 0 };
  for (guint i = 0; i < 70000; i++) {
    guint32 value = segue_nn_random_below (&key, i, 7);
    g_assert_cmpuint (value, <, 7);
    counts[value]++;
  }
  for (guint i = 0; i < 7; i++) {
    g_assert_cmpuint (counts[i], >, 9500);
    g_assert_cmpuint (counts[i], <, 10500);
  }
  g_assert_cmpuint (segue_nn_random_below (&key, 1, 1), ==, 0);
  g_assert_cmpuint (segue_nn_random_below (&key, G_MAXUINT32, G_MAXUINT32), <, G_MAXUINT32);
}

static void
test_dropout_mask (void)
{
  enum { BATCH = 3, N = 20001 };
  static const guint64 items[BATCH] = { 5, 1000000007, G_MAXUINT64 };
  const float p = 0.1f;
  g_autoptr (SegueNnThreads) one = op_test_threads (1);
  g_autoptr (SegueNnThreads) four = op_test_threads (4);
  g_autofree float *x = op_test_random (1, BATCH * N, 1, 2), *y = g_new (float, BATCH *N);
  g_autofree float *z = g_new (float, BATCH *N);
  gsize dropped = 0;
  double kept = 0.0;

  segue_nn_dropout (one, &key, items, p, BATCH, N, x, y);
  segue_nn_dropout (four, &key, items, p, BATCH, N, x, z);
  g_assert_cmpmem (y, BATCH * N * sizeof *y, z, BATCH * N * sizeof *z);
  for (gsize b = 0; b < BATCH; b++) {
    SegueNnRandomKey of_item = key;
    of_item.item = items[b];
    for (gsize i = 0; i < N; i++) {
      gsize at = b * N + i;
      float factor = segue_nn_dropout_factor (&of_item, p, i);
      dropped += factor == 0.0f;
      kept += (double) factor;
      g_assert_true (factor == 0.0f || fabs ((double) factor - 1.0 / 0.9) < 2e-5);
      g_assert_true (y[at] == x[at] * factor);
    }
  }
  double expected = 0.1 * BATCH * N, deviation = sqrt (0.09 * BATCH * N);
  g_assert_cmpfloat_with_epsilon ((double) dropped, expected, 5.0 * deviation);
  g_assert_cmpfloat_with_epsilon (kept, BATCH * N, 5.0 * deviation / 0.9);

  /* A row alone, and in place, equals that in the batch. */
  segue_nn_dropout (one, &key, items + 2, p, 1, N, x + 2 * N, x + 2 * N);
  g_assert_cmpmem (x + 2 * N, N * sizeof *x, y + 2 * N, N * sizeof *y);

  /* Without item names, items are numbered from the key's. */
  SegueNnRandomKey second = key;
  second.item++;
  segue_nn_dropout (four, &key, NULL, p, 2, N, x, y);
  segue_nn_dropout (four, &second, NULL, p, 1, N, x + N, z);
  g_assert_cmpmem (y + N, N * sizeof *y, z, N * sizeof *z);
}

static void
test_dropout_add (void)
{
  enum { BATCH = 2, N = 17003 };
  g_autoptr (SegueNnThreads) threads = op_test_threads (2);
  g_autofree float *x = op_test_random (1, BATCH * N, -1, 1), *y = g_new (float, BATCH *N);
  g_autofree float *residual = op_test_random (2, BATCH * N, -1, 1), *z = g_new (float, BATCH *N);

  for (guint i = 0; i < 2; i++) {
    float p = i == 0 ? 0.0f : 0.3f;
    segue_nn_dropout (threads, &key, NULL, p, BATCH, N, x, y);
    segue_nn_dropout_add (threads, &key, NULL, p, BATCH, N, x, residual, z);
    if (p == 0.0f)
      g_assert_cmpmem (y, BATCH * N * sizeof *y, x, BATCH * N * sizeof *x);
    for (gsize j = 0; j < BATCH * N; j++)
      g_assert_cmpfloat ((double) z[j], ==, (double) (residual[j] + y[j]));
  }
  segue_nn_dropout_add (threads, &key, NULL, 0.3f, BATCH, N, x, residual, residual);
  g_assert_cmpmem (residual, BATCH * N * sizeof *residual, z, BATCH * N * sizeof *z);
  segue_nn_dropout (threads, NULL, NULL, 0.0f, BATCH, N, x, x);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/nn/random/keys-differ", test_keys_differ);
  g_test_add_func ("/nn/random/fills", test_fills);
  g_test_add_func ("/nn/random/permutation", test_permutation);
  g_test_add_func ("/nn/random/below", test_below);
  g_test_add_func ("/nn/dropout/mask", test_dropout_mask);
  g_test_add_func ("/nn/dropout/add", test_dropout_add);
  return g_test_run ();
}
