/* Linear discriminant analysis compared with scikit-learn's (make-fixtures.py), and for unusual data. */
#include "discriminant.h"

#include <math.h>
#include <segue/error.h>
#include <segue/nn/safetensors.h>
#include <string.h>

static const char *fixtures;

static const SegueTensorInfo *
find (SegueSafetensors *file, const char *name, const char *what)
{
  g_autofree char *tensor = g_strdup_printf ("%s.%s", name, what);
  const SegueTensorInfo *info = segue_safetensors_lookup (file, tensor);
  g_assert_nonnull (info);
  return info;
}

static gpointer
read_tensor (SegueSafetensors *file, const char *name, const char *what)
{
  const SegueTensorInfo *info = find (file, name, what);
  gpointer values = g_malloc (info->n_bytes);
  g_assert_true (segue_safetensors_read (file, info, values, NULL));
  return values;
}

static SegueNnThreads *
make_threads (guint n)
{
  SegueNnThreads *threads = segue_nn_threads_new (n, NULL, NULL);
  g_assert_nonnull (threads);
  return threads;
}

/* Differences are compared with the largest magnitude: what decides a label. */
static void
assert_near (const double *values, const double *expected, gsize n)
{
  double largest = 0.0, worst = 0.0;
  for (gsize i = 0; i < n; i++) {
    largest = MAX (largest, fabs (expected[i]));
    worst = MAX (worst, fabs (values[i] - expected[i]));
    g_assert_true (isfinite (values[i]));
  }
  g_assert_cmpfloat (worst, <=, 1e-6 * largest);
}

/* scikit-learn's coefficients of two labels are their difference. */
static void
subtract_first (double *values, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    values[n + i] -= values[i];
    values[i] = 0.0;
  }
}

static void
softmax (double *scores, gsize n, guint k)
{
  for (; n > 0; n--, scores += k) {
    double largest = scores[0], sum = 0.0;
    for (guint i = 1; i < k; i++)
      largest = MAX (largest, scores[i]);
    for (guint i = 0; i < k; i++)
      sum += scores[i] = exp (scores[i] - largest);
    for (guint i = 0; i < k; i++)
      scores[i] /= sum;
  }
}

/* An axis may have either sign. */
static void
compare_axes (const Lda *lda, SegueSafetensors *file, const char *name)
{
  const SegueTensorInfo *info = find (file, name, "axes");
  g_autofree double *expected = read_tensor (file, name, "axes");
  g_assert_cmpuint (lda->n_axes, ==, info->shape[0]);
  for (gsize i = 0; i < lda->n_axes; i++) {
    double *axis = expected + i * lda->width, product = 0.0;
    for (gsize j = 0; j < lda->width; j++)
      product += axis[j] * lda->axes[i * lda->width + j];
    for (gsize j = 0; j < lda->width; j++)
      axis[j] *= product < 0.0 ? -1.0 : 1.0;
    assert_near (lda->axes + i * lda->width, axis, lda->width);
  }
}

/* Distances are those of scikit-learn's coordinates, and the posterior follows from them alone. */
static void
compare_distances (SegueNnThreads *threads, const Lda *lda, const LdaData *data, gsize n,
                   const double *distances, const double *posterior)
{
  g_autofree double *at = g_new (double, n * lda->n_axes);
  g_autofree double *scores = g_new (double, n * lda->n_labels);
  g_autofree double *found = g_new (double, n * lda->n_labels);
  g_autofree guint *counts = g_new0 (guint, lda->n_labels);
  for (gsize i = 0; i < data->n; i++)
    counts[data->labels[i]]++;
  lda_project (threads, lda, data->rows, n, at);
  for (gsize i = 0; i < n; i++)
    for (guint k = 0; k < lda->n_labels; k++) {
      double square = 0.0;
      for (gsize a = 0; a < lda->n_axes; a++) {
        double x = at[i * lda->n_axes + a] - lda->centres[k * lda->n_axes + a];
        square += x * x;
      }
      found[i * lda->n_labels + k] = sqrt (square);
      scores[i * lda->n_labels + k] = log (counts[k]) - square / 2.0;
    }
  assert_near (found, distances, n * lda->n_labels);
  softmax (scores, n, lda->n_labels);
  assert_near (scores, posterior, n * lda->n_labels);
}

static void
test_reference (gconstpointer user_data)
{
  const char *name = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueNnThreads) threads = make_threads (1);
  g_autoptr (SegueSafetensors) file = segue_safetensors_open (fixtures, &error);
  g_assert_no_error (error);
  g_autofree float *rows = read_tensor (file, name, "rows");
  g_autofree gint32 *labels = read_tensor (file, name, "labels");
  const SegueTensorInfo *shape = find (file, name, "rows");
  LdaData data = { .n = shape->shape[0],
                   .width = shape->shape[1],
                   .n_labels = (guint) find (file, name, "intercepts")->n_elements,
                   .rows = rows,
                   .labels = labels };
  g_autoptr (Lda) lda = lda_fit (threads, &data, &error);
  g_assert_no_error (error);
  g_assert_false (lda->regularised);

  gsize n = MIN (data.n, 32);
  g_autofree double *scores = g_new (double, n *data.n_labels);
  lda_score (threads, lda, rows, n, scores);
  softmax (scores, n, data.n_labels);
  if (data.n_labels == 2) {
    subtract_first (lda->coefficients, data.width);
    subtract_first (lda->intercepts, 1);
  }
  const struct {
    const char *what;
    const double *values;
  } results[] = {
    { "mean", lda->mean },
    { "scale", lda->scale },
    { "shrinkage", lda->shrinkage },
    { "coefficients", lda->coefficients },
    { "intercepts", lda->intercepts },
    { "posterior", scores },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (results); i++) {
    g_autofree double *expected = read_tensor (file, name, results[i].what);
    assert_near (results[i].values, expected, find (file, name, results[i].what)->n_elements);
  }
  g_autofree double *posterior = read_tensor (file, name, "posterior");
  compare_axes (lda, file, name);
  g_autofree double *distances = read_tensor (file, name, "distances");
  compare_distances (threads, lda, &data, n, distances, posterior);
}

/* n rows with labels in turn; values −1 … 1, shifted by the label along one column. */
static LdaData
make_data (gsize n, gsize width, guint n_labels)
{
  guint32 state = 1;
  float *rows = g_new (float, n *width);
  gint32 *labels = g_new (gint32, n);
  for (gsize i = 0; i < n; i++) {
    labels[i] = (gint32) (i % n_labels);
    for (gsize j = 0; j < width; j++) {
      state = state * 1664525u + 1013904223u;
      rows[i * width + j] = (float) ((gint32) (state >> 16) - 32768) / 32768.0f;
    }
    rows[i * width + (gsize) labels[i] % width] += 3.0f;
  }
  return (LdaData){ .n = n, .width = width, .n_labels = n_labels, .rows = rows, .labels = labels };
}

static void
clear_data (LdaData *data)
{
  g_free ((gpointer) data->rows);
  g_free ((gpointer) data->labels);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LdaData, clear_data)

static float *
row (LdaData *data, gsize i)
{
  return (float *) (gpointer) data->rows + i * data->width;
}

static void
assert_refused (const LdaData *data, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueNnThreads) threads = make_threads (1);
  g_assert_null (lda_fit (threads, data, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, message));
}

static void
assert_finite (const Lda *lda)
{
  gsize k = lda->n_labels, c = lda->width;
  const double *const all[] = { lda->mean, lda->scale,   lda->coefficients, lda->intercepts,
                                lda->axes, lda->centres, lda->shrinkage };
  const gsize n[] = { c, c, k * c, k, lda->n_axes * c, k * lda->n_axes, k };
  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    for (gsize j = 0; j < n[i]; j++)
      g_assert_true (isfinite (all[i][j]));
}

/* Of @data, how many rows get their label. */
static gsize
count_right (SegueNnThreads *threads, const Lda *lda, const LdaData *data)
{
  gsize right = 0;
  g_autofree double *scores = g_new (double, data->n * data->n_labels);
  lda_score (threads, lda, data->rows, data->n, scores);
  for (gsize i = 0; i < data->n; i++) {
    const double *s = scores + i * data->n_labels;
    guint best = 0;
    for (guint k = 1; k < data->n_labels; k++)
      if (s[k] > s[best])
        best = k;
    right += best == (guint) data->labels[i];
  }
  return right;
}

static void
test_refusals (void)
{
  g_auto (LdaData) data = make_data (40, 6, 4);
  LdaData other = data;
  other.n_labels = 1;
  other.n = 1;
  assert_refused (&other, "at least two labels");
  other = data;
  other.n_labels = 5;
  assert_refused (&other, "label 4 has no rows");
  const char *const names[] = { "a", "b", "c", "d", "Röyksopp" };
  other.names = names;
  assert_refused (&other, "label ‘Röyksopp’ has no rows");
  other = data;
  other.n = 0;
  assert_refused (&other, "has no rows");
  other = data;
  other.width = LDA_MAX_WIDTH + 1;
  assert_refused (&other, "1 to 16384 features");
  other = data;
  other.n = 4; /* one row per label */
  assert_refused (&other, "no label has two different rows");

  const float wrong[] = { NAN, INFINITY, -INFINITY };
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++) {
    row (&data, 17)[3] = wrong[i];
    assert_refused (&data, "feature 3 of row 17 is not finite");
  }
  for (gsize i = 0; i < 40; i++)
    for (gsize j = 0; j < 6; j++)
      row (&data, i)[j] = 0.1f * (float) (j + 1);
  assert_refused (&data, "no label has two different rows");
  /* Every label has the same rows. */
  for (gsize i = 0; i < 40; i++)
    row (&data, i)[1] = (float) (i / 4);
  assert_refused (&data, "all labels have the same mean");
}

/* Labels with two rows are not shrunk, so the covariance of many columns is singular. */
static void
test_singular (void)
{
  g_autoptr (SegueNnThreads) threads = make_threads (1);
  g_auto (LdaData) data = make_data (10, 50, 5);
  g_autoptr (GError) error = NULL;
  g_autoptr (Lda) lda = lda_fit (threads, &data, &error);
  g_assert_no_error (error);
  g_assert_true (lda->regularised);
  assert_finite (lda);
  g_assert_cmpuint (count_right (threads, lda, &data), ==, 10);
}

/* Columns that are constant have no influence, whatever their values in a new row; columns of any scale are equal. */
static void
test_columns (void)
{
  g_autoptr (SegueNnThreads) threads = make_threads (1);
  g_auto (LdaData) data = make_data (60, 6, 3);
  for (gsize i = 0; i < data.n; i++) {
    row (&data, i)[4] = 0.1f;
    row (&data, i)[5] = -1e30f;
  }
  g_autoptr (Lda) lda = lda_fit (threads, &data, NULL);
  assert_finite (lda);
  for (guint k = 0; k < 3; k++)
    for (gsize j = 4; j < 6; j++)
      g_assert_cmpfloat_with_epsilon (lda->coefficients[k * 6 + j], 0.0, 1e-9);

  for (gsize i = 0; i < data.n; i++) {
    row (&data, i)[0] *= 1e30f;
    row (&data, i)[1] *= 1e-30f;
  }
  g_autoptr (Lda) scaled = lda_fit (threads, &data, NULL);
  assert_near (scaled->coefficients, lda->coefficients, 18);
}

/* More labels than columns. */
static void
test_many_labels (void)
{
  enum { LABELS = 5000, WIDTH = 40 };
  g_autoptr (SegueNnThreads) threads = make_threads (2);
  g_auto (LdaData) data = make_data (3 * LABELS, WIDTH, LABELS);
  g_autoptr (Lda) lda = lda_fit (threads, &data, NULL);
  assert_finite (lda);
  g_assert_cmpuint (lda->n_axes, ==, WIDTH);
  /* The distances are Mahalanobis's: scores without their intercepts, up to what labels have in common. */
  for (guint k = 0; k < LABELS; k++) {
    double square = 0.0, prior = log (1.0 / LABELS);
    for (gsize a = 0; a < WIDTH; a++)
      square += lda->centres[k * WIDTH + a] * lda->centres[k * WIDTH + a];
    g_assert_cmpfloat_with_epsilon (lda->intercepts[k], prior - square / 2.0,
                                    1e-6 * (1.0 + square));
  }
}

static void
test_threads (void)
{
  const struct {
    gsize n, width;
    guint labels;
  } shapes[] = { { 1500, 700, 3 }, { 1200, 300, 2 }, { 900, 270, 300 } };
  for (gsize i = 0; i < G_N_ELEMENTS (shapes); i++) {
    gsize c = shapes[i].width, k = shapes[i].labels;
    g_auto (LdaData) data = make_data (shapes[i].n, c, shapes[i].labels);
    g_autoptr (SegueNnThreads) one = make_threads (1);
    g_autoptr (Lda) first = lda_fit (one, &data, NULL);
    for (guint n_threads = 2; n_threads <= 4; n_threads++) {
      g_autoptr (SegueNnThreads) threads = make_threads (n_threads);
      g_autoptr (Lda) lda = lda_fit (threads, &data, NULL);
      g_assert_cmpmem (lda->coefficients, k * c * sizeof (double), first->coefficients,
                       k * c * sizeof (double));
      g_assert_cmpmem (lda->axes, lda->n_axes * c * sizeof (double), first->axes,
                       first->n_axes * c * sizeof (double));
      g_assert_cmpmem (lda->shrinkage, k * sizeof (double), first->shrinkage, k * sizeof (double));
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 2);
  fixtures = argv[1];
  static const char *const cases[] = { "more-rows", "more-columns", "two-labels",
                                       "few-rows",  "more-labels",  "one-column",
                                       "constants", "large-label",  "panels" };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strdup_printf ("/discriminant/reference/%s", cases[i]);
    g_test_add_data_func (path, cases[i], test_reference);
  }
  g_test_add_func ("/discriminant/refusals", test_refusals);
  g_test_add_func ("/discriminant/singular", test_singular);
  g_test_add_func ("/discriminant/columns", test_columns);
  g_test_add_func ("/discriminant/many-labels", test_many_labels);
  g_test_add_func ("/discriminant/threads", test_threads);
  return g_test_run ();
}
