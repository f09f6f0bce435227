/* Products in bfloat16 and int8: their exact values, and that nothing but the numbers differs. */
#include "op-test.h"

#include "convert-avx512.h"
#include "gemm-private.h"
#include "kept.h"
#include "portable.h"

#include <math.h>
#include <segue/error.h>
#include <segue/nn/conv1d.h>
#include <segue/nn/gemm.h>
#include <segue/nn/grouped-conv1d.h>
#include <segue/nn/linear.h>
#include <string.h>

/* The default one, and one that has all precisions on any processor. */
enum { DEFAULT, PORTABLE, N_BACKENDS };

/* Threads with products of that precision; NULL, with a message, where this processor has none. */
static SegueNnThreads *
threads_of (guint backend, SegueModelPrecision precision, guint n_threads)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueNnThreads) threads = nn_threads_new (
    n_threads, backend == PORTABLE ? &portable_backend : segue_nn_backend_find (NULL), &error);
  g_assert_no_error (error);
  if (segue_nn_threads_set_precision (threads, precision, &error))
    return g_steal_pointer (&threads);
  g_assert_cmpuint (backend, !=, PORTABLE);
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_test_message ("%s", error->message);
  return NULL;
}

static float
from_bfloat16 (SegueNnBfloat16 x)
{
  guint32 bits = (guint32) x << 16;
  float value;
  memcpy (&value, &bits, sizeof value);
  return value;
}

static float
round_bfloat16 (float x)
{
  SegueNnBfloat16 rounded;
  nn_to_bfloat16 (1, 1, &x, 1, &rounded);
  return from_bfloat16 (rounded);
}

static void
test_bfloat16_values (void)
{
  static const float values[][2] = {
    { 0, 0 },
    { -0.0f, -0.0f },
    { 1, 1 },
    { -3.140625f, -3.140625f },
    { 1 + 0x1p-8f, 1 }, /* halfway: to the even one */
    { 1 + 0x3p-8f, 1 + 0x2p-7f },
    { 1 + 0x1.01p-8f, 1 + 0x1p-7f },
    { 0x1.ffffp127f, INFINITY },
    { INFINITY, INFINITY },
    { -INFINITY, -INFINITY },
    { 0x1p-126f, 0x1p-126f },
    { 0x1p-133f, 0 }, /* below the normal range */
    { -0x1p-127f, -0.0f },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (values); i++) {
    float rounded = round_bfloat16 (values[i][0]);
    g_assert_cmpmem (&rounded, sizeof rounded, &values[i][1], sizeof rounded);
  }
  static const guint32 not_numbers[] = { 0x7f800001, 0x7fffffff, 0xffffffff, 0xff80ffff };
  for (gsize i = 0; i < G_N_ELEMENTS (not_numbers); i++) {
    float x;
    memcpy (&x, &not_numbers[i], sizeof x);
    g_assert_true (isnan (round_bfloat16 (x)));
  }
}

static void
test_uint8_values (void)
{
  enum { ROWS = 10, COLUMNS = 100, GAP = 3 };
  g_autofree float *x = op_test_random (1, ROWS * (COLUMNS + GAP), -0.2, 3.0);
  guint8 q[ROWS * COLUMNS];
  float scales[ROWS];
  gint32 zeros[ROWS];
  x[17] = 0.0f;
  for (gsize i = 0; i < COLUMNS; i++)
    x[2 * (COLUMNS + GAP) + i] *= 1000.0f;
  nn_to_uint8_rows (ROWS, COLUMNS, x, COLUMNS + GAP, q, scales, zeros);
  g_assert_cmpint (q[17], ==, zeros[0]);
  for (gsize i = 0; i < ROWS * COLUMNS; i++) {
    gsize row = i / COLUMNS;
    g_assert_cmpfloat_with_epsilon (scales[row] * (float) (q[i] - zeros[row]),
                                    x[row * (COLUMNS + GAP) + i % COLUMNS], 0.51f * scales[row]);
  }

  /* A NaN or infinite value affects only itself. */
  const float odd[] = { NAN, INFINITY, -INFINITY, 1.0f, -1.0f };
  nn_to_uint8_rows (1, 5, odd, 5, q, scales, zeros);
  g_assert_cmpfloat_with_epsilon (scales[0], 2.0f / 255.0f, 1e-6f);
  g_assert_cmpuint (q[1], ==, 255);
  g_assert_cmpuint (q[2], ==, 0);

  const float nothing[4] = { 0 };
  nn_to_uint8_rows (2, 2, nothing, 2, q, scales, zeros);
  g_assert_true (isfinite (scales[1]) && scales[1] > 0);
  g_assert_cmpint (q[3], ==, zeros[1]);
}

/* With processor instructions, the results are the same as without. */
static void
test_portable (void)
{
  enum { ROWS = 5, GAP = 2 };
  static const float odd[] = { NAN,    INFINITY,   -INFINITY, 0x1p-130f, -0.0f,
                               1e-38f, G_MAXFLOAT, 1e20f,     -1e20f,    0x1.ffp0f };
  for (gsize columns = 1; columns <= 70; columns++) {
    gsize n = ROWS * columns, ld = columns + GAP;
    g_autofree float *x = op_test_random (columns, ROWS * ld, -2, 3);
    for (gsize i = 0; i < G_N_ELEMENTS (odd) && i < columns; i++)
      x[2 * ld + i] = odd[i];
    g_autofree SegueNnBfloat16 *a = g_new (SegueNnBfloat16, n), *b = g_new (SegueNnBfloat16, n);
    nn_to_bfloat16 (ROWS, columns, x, ld, a);
    nn_to_bfloat16_portable (ROWS, columns, x, ld, b);
    g_assert_cmpmem (a, n * sizeof *a, b, n * sizeof *b);
    g_autofree guint8 *p = g_new (guint8, n), *q = g_new (guint8, n);
    float p_scales[ROWS], q_scales[ROWS];
    gint32 p_zeros[ROWS], q_zeros[ROWS];
    nn_to_uint8_rows (ROWS, columns, x, ld, p, p_scales, p_zeros);
    nn_to_uint8_rows_portable (ROWS, columns, x, ld, q, q_scales, q_zeros);
    g_assert_cmpmem (p, n, q, n);
    g_assert_cmpmem (p_scales, sizeof p_scales, q_scales, sizeof q_scales);
    g_assert_cmpmem (p_zeros, sizeof p_zeros, q_zeros, sizeof q_zeros);
  }
}

static void
test_int8_rows (void)
{
  enum { ROWS = 7, COLUMNS = 90 };
  g_autofree float *w = op_test_random (1, ROWS * COLUMNS, -1, 1);
  gint8 q[ROWS * COLUMNS];
  float scales[ROWS];
  for (gsize i = 0; i < COLUMNS; i++) {
    w[2 * COLUMNS + i] *= 1000.0f;
    w[3 * COLUMNS + i] = 0.0f;
  }
  gint32 sums[ROWS];
  nn_to_int8_rows (ROWS, COLUMNS, w, COLUMNS, q, scales, sums);
  for (gsize i = 0; i < ROWS * COLUMNS; i++) {
    float scale = scales[i / COLUMNS];
    sums[i / COLUMNS] -= q[i];
    g_assert_cmpint (q[i], >=, -127);
    g_assert_cmpfloat_with_epsilon (scale * (float) q[i], w[i], 0.51f * scale);
  }
  for (gsize i = 0; i < ROWS; i++)
    g_assert_cmpint (sums[i], ==, 0);
}

typedef struct {
  gsize m, n, k;
  gboolean trans_a, trans_b;
  float beta;
  gsize pad; /* added to each leading dimension */
} Product;

/* Shapes across the boundaries of blocks, and of tiles. */
static const Product products[] = {
  { 40, 50, 60, FALSE, FALSE, 0, 0 },  { 40, 50, 60, FALSE, TRUE, 1, 3 },
  { 33, 70, 45, TRUE, FALSE, 0, 5 },   { 64, 32, 100, TRUE, TRUE, 1, 1 },
  { 530, 40, 50, FALSE, TRUE, 0, 0 },  { 40, 1050, 50, FALSE, FALSE, 0, 0 },
  { 40, 50, 1100, FALSE, TRUE, 0, 7 }, { 140, 600, 1030, FALSE, TRUE, 0, 0 },
  { 35, 45, 1030, TRUE, FALSE, 1, 0 }, { 31, 50, 60, FALSE, TRUE, 0, 0 },
  { 40, 50, 10, FALSE, TRUE, 0, 0 },
};

/* Compares each number of C with the product of the rounded numbers, summed in float32 as usual. Shapes too thin
 * to gain may stay unrounded. */
static void
check_bfloat16 (guint backend, const Product *p, SegueNnKeep keep, guint n_threads)
{
  g_autoptr (SegueNnThreads) threads = threads_of (backend, SEGUE_MODEL_BFLOAT16, n_threads);
  gsize lda = (p->trans_a ? p->m : p->k) + p->pad, ldb = (p->trans_b ? p->k : p->n) + p->pad;
  gsize ldc = p->n + p->pad;
  gsize n_a = (p->trans_a ? p->k : p->m) * lda, rows_b = p->trans_b ? p->n : p->k;
  gboolean thin = MIN (MIN (p->m, p->n), p->k) < 32;
  g_autofree float *a = op_test_random (1, n_a, -1, 1);
  g_autofree float *b = op_test_random (2, rows_b * ldb, -1, 1);
  g_autofree float *before = op_test_random (3, p->m * ldc, -1, 1);
  g_autofree float *c = op_test_random (3, p->m * ldc, -1, 1);
  SegueNnKept kept = { .values = b, .rows = rows_b, .columns = ldb, .keep = keep };
  const NnGemm gemm = { .batch = 1,
                        .trans_a = p->trans_a,
                        .trans_b = p->trans_b,
                        .m = p->m,
                        .n = p->n,
                        .k = p->k,
                        .alpha = 1,
                        .beta = p->beta,
                        .a = a,
                        .lda = lda,
                        .b = b,
                        .kept = keep != 0 ? &kept : NULL,
                        .ldb = ldb,
                        .c = c,
                        .ldc = ldc };
  if (!threads)
    return;
  nn_kept_refresh (&kept, threads);
  nn_gemm_run (threads, &gemm);
  nn_kept_clear (&kept);
  g_assert_true (segue_nn_threads_check (threads, NULL));
  for (gsize i = 0; i < n_a && !thin; i++)
    a[i] = round_bfloat16 (a[i]);
  for (gsize i = 0; i < rows_b * ldb && !thin; i++)
    b[i] = round_bfloat16 (b[i]);
  for (gsize i = 0; i < p->m; i++) {
    for (gsize j = 0; j < p->n; j++) {
      double sum = (double) (p->beta * before[i * ldc + j]);
      for (gsize k = 0; k < p->k; k++) {
        float x = p->trans_a ? a[k * lda + i] : a[i * lda + k];
        float y = p->trans_b ? b[j * ldb + k] : b[k * ldb + j];
        sum += (double) x * (double) y;
      }
      g_assert_cmpfloat_with_epsilon ((double) c[i * ldc + j], sum, 1e-6 * (double) (10 + p->k));
    }
    for (gsize j = p->n; j < ldc; j++)
      g_assert_true (c[i * ldc + j] == before[i * ldc + j]);
  }
}

static void
test_bfloat16_products (void)
{
  for (gsize i = 0; i < N_BACKENDS * G_N_ELEMENTS (products); i++)
    for (guint keep = 0; keep <= (SEGUE_NN_KEEP_OUTPUTS | SEGUE_NN_KEEP_ANY); keep++)
      for (guint n_threads = 1; n_threads <= 3; n_threads += 2)
        check_bfloat16 (i % N_BACKENDS, &products[i / N_BACKENDS], keep, n_threads);
}

/* How far y is from x, in units of x's own size. */
static double
distance (gsize n, const float *x, const float *y)
{
  double sum = 0, size = 0;
  for (gsize i = 0; i < n; i++) {
    sum += pow ((double) y[i] - (double) x[i], 2);
    size += pow ((double) x[i], 2);
  }
  return sqrt (sum / size);
}

/* Of each precision: half a unit of the last place of either factor, which are independent. */
static const double expected_distance[] = {
  [SEGUE_MODEL_FLOAT32] = 1e-6, [SEGUE_MODEL_BFLOAT16] = 3e-3, [SEGUE_MODEL_INT8] = 6e-3
};
static const SegueModelPrecision precisions[] = { SEGUE_MODEL_FLOAT32, SEGUE_MODEL_BFLOAT16,
                                                  SEGUE_MODEL_INT8 };

typedef void (*Layer) (SegueNnThreads *threads, gsize batch, const float *x, const SegueNnAffine *w,
                       float *y);

enum {
  IN = 70,
  OUT = 130,
  TIME = 601,
  KERNEL = 3,
  STRIDE = 2,
  OUT_TIME = (TIME - KERNEL) / STRIDE + 1
};

static void
run_linear (SegueNnThreads *threads, gsize batch, const float *x, const SegueNnAffine *w, float *y)
{
  segue_nn_linear_forward_batch (threads, batch, TIME, IN, OUT, x, w, y);
}

static void
run_conv (SegueNnThreads *threads, gsize batch, const float *x, const SegueNnAffine *w, float *y)
{
  const SegueNnConv1d conv = { batch, TIME, IN, OUT, KERNEL, STRIDE };
  segue_nn_conv1d_forward (threads, &conv, x, w, y);
}

enum { GROUPS = 2, TAPS = 40 };

static void
run_grouped (SegueNnThreads *threads, gsize batch, const float *x, const SegueNnAffine *w, float *y)
{
  const SegueNnGroupedConv1d conv = { batch, TIME, IN, IN, TAPS, GROUPS };
  g_autofree float *scratch = g_new (float, segue_nn_grouped_conv1d_scratch (threads, &conv));
  segue_nn_grouped_conv1d_forward (threads, &conv, x, w, y, scratch);
}

static const struct {
  Layer run;
  gsize rows, columns; /* of its weights */
  SegueNnKeep keep;
  gsize out_time, out;
} layers[] = {
  { run_linear, OUT, IN, SEGUE_NN_KEEP_OUTPUTS, TIME, OUT },
  { run_conv, OUT, KERNEL *IN, SEGUE_NN_KEEP_OUTPUTS, OUT_TIME, OUT },
  { run_grouped, TAPS *IN, IN / GROUPS, SEGUE_NN_KEEP_ANY, TIME, IN },
};

/* As the table of weights does. */
static void
change (SegueNnKept *kept, float *w, gsize n, float factor)
{
  for (gsize i = 0; i < n; i++)
    w[i] *= factor;
  nn_kept_expire (kept);
}

/* Layers with kept weights: near float32, the same for any number of threads and in any batch, and following
 * changes of weights. */
static void
check_layer (guint backend, SegueModelPrecision precision, guint which)
{
  enum { BATCH = 3 };
  g_autofree float *x = op_test_random (1, BATCH * TIME * IN, -0.2, 1);
  const gsize n_weights = layers[which].rows * layers[which].columns;
  g_autofree float *w = op_test_random (2, n_weights, -1, 1);
  g_autofree float *bias = op_test_random (3, OUT, -1, 1);
  g_autofree float *exact = g_new (float, BATCH *TIME *OUT), *y = g_new (float, BATCH *TIME *OUT);
  g_autofree float *other = g_new (float, BATCH *TIME *OUT);
  g_autoptr (SegueNnThreads) plain = op_test_threads (1);
  g_autoptr (SegueNnThreads) one = threads_of (backend, precision, 1);
  g_autoptr (SegueNnThreads) four = threads_of (backend, precision, 4);
  SegueNnKept kept = { .values = w,
                       .rows = layers[which].rows,
                       .columns = layers[which].columns,
                       .keep = layers[which].keep };
  const SegueNnAffine affine = { { .w = w, .kept = &kept }, { .w = bias } };
  Layer run = layers[which].run;
  gsize item = layers[which].out_time * layers[which].out, n = BATCH * item;
  for (guint i = 0; i < 2 && one; i++) {
    change (&kept, w, n_weights, 1 + (float) i);
    nn_kept_refresh (&kept, one);
    run (plain, BATCH, x, &affine, exact);
    run (one, BATCH, x, &affine, y);
    run (four, BATCH, x, &affine, other);
    g_test_message ("%u: %g", which, distance (n, exact, y));
    g_assert_cmpfloat (distance (n, exact, y), <, expected_distance[precision]);
    g_assert_cmpmem (y, n * sizeof *y, other, n * sizeof *y);
    for (gsize b = 0; b < BATCH; b++) {
      run (one, 1, x + b * TIME * IN, &affine, other);
      g_assert_cmpmem (other, item * sizeof *y, y + b * item, item * sizeof *y);
    }
    g_assert_true (segue_nn_threads_check (one, NULL));
  }
  nn_kept_clear (&kept);
}

static void
test_layers (gconstpointer data)
{
  for (guint which = 0; which < G_N_ELEMENTS (layers); which++)
    for (guint backend = 0; backend < N_BACKENDS; backend++)
      check_layer (backend, GPOINTER_TO_UINT (data), which);
}

/* Copies that are out of date, or of another precision or backend, are never used: without a refresh the
 * product is that of the values. */
static void
test_out_of_date (void)
{
  g_autofree float *x = op_test_random (1, TIME * IN, -1, 1);
  g_autofree float *w = op_test_random (2, OUT * IN, -1, 1);
  g_autofree float *exact = g_new (float, TIME *OUT), *y = g_new (float, TIME *OUT);
  g_autoptr (SegueNnThreads) plain = op_test_threads (1);
  SegueNnKept kept = {
    .values = w, .rows = OUT, .columns = IN, .keep = SEGUE_NN_KEEP_OUTPUTS | SEGUE_NN_KEEP_ANY
  };
  const SegueNnAffine affine = { { .w = w, .kept = &kept } };
  for (guint i = 0; i < 4 * N_BACKENDS * G_N_ELEMENTS (precisions); i++) {
    SegueModelPrecision precision = precisions[i % G_N_ELEMENTS (precisions)];
    guint backend = i / G_N_ELEMENTS (precisions) % N_BACKENDS;
    g_autoptr (SegueNnThreads) threads = threads_of (backend, precision, 2);
    if (!threads)
      continue;
    /* First with copies of whatever came before. */
    for (guint refreshed = 0; refreshed < 2; refreshed++) {
      if (refreshed)
        nn_kept_refresh (&kept, threads);
      run_linear (plain, 1, x, &affine, exact);
      run_linear (threads, 1, x, &affine, y);
      g_assert_cmpfloat (distance (TIME * OUT, exact, y), <, expected_distance[precision]);
      if (precision == SEGUE_MODEL_FLOAT32 && backend == DEFAULT)
        g_assert_cmpmem (exact, TIME * OUT * sizeof *y, y, TIME * OUT * sizeof *y);
    }
    g_assert_cmpint (segue_nn_threads_get_precision (threads), ==, precision);
    if (i % 2 == 0)
      change (&kept, w, OUT * IN, -1.5f);
  }
  nn_kept_clear (&kept);
}

/* A copy that is up to date is used: a value that nobody was told of shows that. */
static void
test_used (void)
{
  g_autofree float *x = op_test_random (1, TIME * IN, 0.5, 1);
  g_autofree float *w = op_test_random (2, OUT * IN, -1, 1);
  g_autofree float *before = g_new (float, TIME *OUT), *after = g_new (float, TIME *OUT);
  g_autoptr (SegueNnThreads) threads = threads_of (PORTABLE, SEGUE_MODEL_BFLOAT16, 2);
  SegueNnKept kept = { .values = w, .rows = OUT, .columns = IN, .keep = SEGUE_NN_KEEP_OUTPUTS };
  const SegueNnAffine affine = { { .w = w, .kept = &kept } };
  nn_kept_refresh (&kept, threads);
  run_linear (threads, 1, x, &affine, before);
  w[0] += 100;
  run_linear (threads, 1, x, &affine, after);
  g_assert_cmpmem (before, TIME * OUT * sizeof *before, after, TIME * OUT * sizeof *after);
  nn_kept_expire (&kept);
  run_linear (threads, 1, x, &affine, after);
  g_assert_cmpfloat (after[0], >, before[0] + 40);
  nn_kept_clear (&kept);
}

static void
test_refused (void)
{
  g_autoptr (SegueNnThreads) threads = segue_nn_threads_new (1, "openblas", NULL);
  for (guint i = 1; i < G_N_ELEMENTS (precisions); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_false (segue_nn_threads_set_precision (threads, precisions[i], &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
    g_assert_nonnull (strstr (error->message, segue_model_precision_names ()[precisions[i]]));
    g_assert_cmpint (segue_nn_threads_get_precision (threads), ==, SEGUE_MODEL_FLOAT32);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/nn/precision/bfloat16-values", test_bfloat16_values);
  g_test_add_func ("/nn/precision/uint8-values", test_uint8_values);
  g_test_add_func ("/nn/precision/portable", test_portable);
  g_test_add_func ("/nn/precision/int8-rows", test_int8_rows);
  g_test_add_func ("/nn/precision/bfloat16-products", test_bfloat16_products);
  for (guint i = 0; i < G_N_ELEMENTS (precisions); i++) {
    g_autofree char *path =
      g_strconcat ("/nn/precision/layers/", segue_model_precision_names ()[precisions[i]], NULL);
    g_test_add_data_func (path, GUINT_TO_POINTER (precisions[i]), test_layers);
  }
  g_test_add_func ("/nn/precision/out-of-date", test_out_of_date);
  g_test_add_func ("/nn/precision/used", test_used);
  g_test_add_func ("/nn/precision/refused", test_refused);
  return g_test_run ();
}
