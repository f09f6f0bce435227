#include "discriminant.h"
#include "covariance.h"
#include "rows.h"

#include <math.h>
#include <segue/error.h>
#include <segue/nn/linear-algebra.h>
#include <string.h>

/* A pivot of Cholesky's decomposition that is this small a part of its variance is rounding. */
#define SINGULAR 1e-10
/* The part of a singular covariance that is replaced. */
#define REPLACED 0.1
/* Variance within labels, of columns with variance 1, that is rounding. */
#define NO_VARIANCE 1e-20
/* Variance between labels, in units of that within, that is rounding; and as a part of the largest. */
#define NO_SEPARATION     1e-20
#define LITTLE_SEPARATION 1e-9

/* Rows per block of scores. */
#define BLOCK ((gsize) 256)

static gboolean
fail (GError **error, const char *message)
{
  g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_DATA, message);
  return FALSE;
}

static double *
allocate (gsize rows, gsize columns, GError **error)
{
  double *matrix = g_try_new (double, rows *columns);
  if (!matrix)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                 "not enough memory for a matrix of %" G_GSIZE_FORMAT " × %" G_GSIZE_FORMAT
                 " numbers",
                 rows, columns);
  return matrix;
}

void
lda_free (Lda *lda)
{
  if (!lda)
    return;
  g_free (lda->mean);
  g_free (lda->scale);
  g_free (lda->coefficients);
  g_free (lda->intercepts);
  g_free (lda->axes);
  g_free (lda->centres);
  g_free (lda->shrinkage);
  g_free (lda);
}

static gboolean
decompose (double *a, gsize n, const double *variances)
{
  if (!segue_nn_cholesky (n, a, n))
    return FALSE;
  for (gsize j = 0; j < n; j++)
    if (!(a[j * n + j] * a[j * n + j] > SINGULAR * variances[j]))
      return FALSE;
  return TRUE;
}

/* Replaces the covariance by L, Σ = L Lᵀ. */
static gboolean
factorise (double *within, gsize n, gboolean *regularised, GError **error)
{
  double trace = 0.0;
  g_autofree double *variances = g_new (double, n);
  g_autofree double *copy = allocate (n, n, error);
  if (!copy)
    return FALSE;
  for (gsize j = 0; j < n; j++)
    trace += variances[j] = within[j * n + j];
  if (!(trace > NO_VARIANCE * (double) n))
    return fail (error, "no label has two different rows to learn from");

  memcpy (copy, within, n * n * sizeof *copy);
  *regularised = !decompose (within, n, variances);
  if (!*regularised)
    return TRUE;
  for (gsize i = 0; i < n * n; i++)
    within[i] = (1.0 - REPLACED) * copy[i];
  for (gsize j = 0; j < n; j++) {
    within[j * n + j] += REPLACED * trace / (double) n;
    variances[j] = within[j * n + j];
  }
  return decompose (within, n, variances) ||
         fail (error, "the covariance of the features is singular");
}

/* whitened [K, C]: L⁻¹ μ_k. */
static gboolean
set_scores (SegueNnThreads *threads, Lda *lda, const LdaRows *rows, const double *factor,
            const double *whitened, GError **error)
{
  gsize c = lda->width;
  lda->coefficients = allocate (lda->n_labels, c, error);
  if (!lda->coefficients)
    return FALSE;
  memcpy (lda->coefficients, whitened, lda->n_labels * c * sizeof *whitened);
  segue_nn_solve_lower (threads, TRUE, lda->n_labels, c, factor, c, lda->coefficients, c);
  lda->intercepts = g_new (double, lda->n_labels);
  for (guint k = 0; k < lda->n_labels; k++) {
    double square = 0.0;
    for (gsize j = 0; j < c; j++)
      square += whitened[k * c + j] * whitened[k * c + j];
    lda->intercepts[k] =
      log ((double) lda_rows_count (rows, k) / (double) rows->data->n) - square / 2.0;
  }
  return TRUE;
}

/* How many axes separate labels: values [n] ascending. */
static gsize
count_axes (const double *values, gsize n, guint n_labels)
{
  gsize most = MIN (n, n_labels - 1), count = 0;
  while (count < most && values[n - 1 - count] > NO_SEPARATION &&
         values[n - 1 - count] > LITTLE_SEPARATION * values[n - 1])
    count++;
  return count;
}

/* The principal axes of whitened means, weighted by √π: eigenvectors of BᵀB, or, if there are fewer labels than
 * columns, Bᵀ u / √λ for those of B Bᵀ. Rows of the result, the largest eigenvalue first. */
static double *
find_axes (SegueNnThreads *threads, Lda *lda, const LdaRows *rows, const double *whitened,
           GError **error)
{
  gsize c = lda->width, k = lda->n_labels, n = MIN (k, c);
  gboolean by_labels = k <= c;
  g_autofree double *b = allocate (k, c, error);
  g_autofree double *gram = allocate (n, n, error);
  g_autofree double *values = g_new (double, n);
  if (!b || !gram)
    return NULL;
  for (guint i = 0; i < k; i++)
    for (gsize j = 0; j < c; j++)
      b[i * c + j] =
        whitened[i * c + j] * sqrt ((double) lda_rows_count (rows, i) / (double) rows->data->n);
  segue_nn_syrk (threads, !by_labels, n, by_labels ? c : k, 1.0, b, c, 0.0, gram, n);
  if (!segue_nn_eigen_symmetric (n, gram, n, values, error))
    return NULL;
  lda->n_axes = count_axes (values, n, lda->n_labels);
  if (lda->n_axes == 0) {
    fail (error, "all labels have the same mean: their features do not differ");
    return NULL;
  }

  g_autofree double *largest = allocate (lda->n_axes, n, error);
  g_autofree double *axes = by_labels ? allocate (lda->n_axes, c, error) : NULL;
  if (!largest || (by_labels && !axes))
    return NULL;
  for (gsize i = 0; i < lda->n_axes; i++)
    for (gsize j = 0; j < n; j++)
      largest[i * n + j] = gram[(n - 1 - i) * n + j] / (by_labels ? sqrt (values[n - 1 - i]) : 1.0);
  if (!by_labels)
    return g_steal_pointer (&largest);
  segue_nn_dgemm (threads, FALSE, lda->n_axes, c, n, largest, n, b, c, axes, c);
  return g_steal_pointer (&axes);
}

static gboolean
set_axes (SegueNnThreads *threads, Lda *lda, const LdaRows *rows, const double *factor,
          const double *whitened, GError **error)
{
  gsize c = lda->width;
  lda->axes = find_axes (threads, lda, rows, whitened, error);
  if (!lda->axes)
    return FALSE;
  lda->centres = allocate (lda->n_labels, lda->n_axes, error);
  if (!lda->centres)
    return FALSE;
  segue_nn_dgemm (threads, TRUE, lda->n_labels, lda->n_axes, c, whitened, c, lda->axes, c,
                  lda->centres, lda->n_axes);
  segue_nn_solve_lower (threads, TRUE, lda->n_axes, c, factor, c, lda->axes, c);
  return TRUE;
}

Lda *
lda_fit (SegueNnThreads *threads, const LdaData *data, GError **error)
{
  g_autoptr (LdaRows) rows = lda_rows_new (data, error);
  if (!rows)
    return NULL;
  gsize c = data->width;
  g_autoptr (Lda) lda = g_new0 (Lda, 1);
  lda->width = c;
  lda->n_labels = data->n_labels;
  lda->shrinkage = g_new (double, data->n_labels);
  g_autofree double *factor = allocate (c, c, error);
  if (!factor || !lda_covariance (threads, rows, factor, lda->shrinkage, error) ||
      !factorise (factor, c, &lda->regularised, error))
    return NULL;

  g_autofree double *whitened = g_steal_pointer (&rows->centres);
  segue_nn_solve_lower (threads, FALSE, data->n_labels, c, factor, c, whitened, c);
  if (!set_scores (threads, lda, rows, factor, whitened, error) ||
      !set_axes (threads, lda, rows, factor, whitened, error))
    return NULL;
  lda->mean = g_steal_pointer (&rows->mean);
  lda->scale = g_steal_pointer (&rows->scale);
  return g_steal_pointer (&lda);
}

/* rows [n, C], standardised, times matrix [m, C] transposed. */
static void
multiply (SegueNnThreads *threads, const Lda *lda, const float *rows, gsize n, const double *matrix,
          gsize m, double *out)
{
  gsize c = lda->width;
  g_autofree double *z = g_new (double, BLOCK *c);
  for (gsize first = 0; first < n; first += BLOCK) {
    gsize count = MIN (BLOCK, n - first);
    for (gsize i = 0; i < count; i++)
      for (gsize j = 0; j < c; j++)
        z[i * c + j] = ((double) rows[(first + i) * c + j] - lda->mean[j]) / lda->scale[j];
    segue_nn_dgemm (threads, TRUE, count, m, c, z, c, matrix, c, out + first * m, m);
  }
}

void
lda_score (SegueNnThreads *threads, const Lda *lda, const float *rows, gsize n, double *scores)
{
  multiply (threads, lda, rows, n, lda->coefficients, lda->n_labels, scores);
  for (gsize i = 0; i < n; i++)
    for (guint k = 0; k < lda->n_labels; k++)
      scores[i * lda->n_labels + k] += lda->intercepts[k];
}

void
lda_project (SegueNnThreads *threads, const Lda *lda, const float *rows, gsize n,
             double *coordinates)
{
  multiply (threads, lda, rows, n, lda->axes, lda->n_axes, coordinates);
}
