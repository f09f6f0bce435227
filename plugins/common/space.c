#include "space.h"

#include <float.h>
#include <math.h>
#include <segue/error.h>
#include <segue/nn/gemm.h>
#include <segue/nn/linear-algebra.h>
#include <string.h>

#define SAMPLE ((guint) 16384)
#define PANEL  ((guint) 512) /* rows that are read at once */
/* Components with a smaller part of the largest variance are rounding. */
#define LEAST_VARIANCE 1e-6

void
space_free (Space *space)
{
  if (!space)
    return;
  g_free (space->mean);
  g_free (space->deviation);
  g_free (space->projection);
  g_free (space);
}

static gboolean
lack_memory (gsize n, gsize width, GError **error)
{
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
               "not enough memory for %" G_GSIZE_FORMAT " vectors of %" G_GSIZE_FORMAT " numbers",
               n, width);
  return FALSE;
}

/* Mean and deviation by column, from sums relative to the first row; a column that is constant but for rounding has
 * deviation 1. */
static gboolean
fit_columns (Space *space, Vectors *vectors, SegueContext *context, GError **error)
{
  gsize width = space->width;
  double n = (double) vectors->n;
  g_autofree float *x = g_new (float, width), *origin = g_new (float, width);
  g_autofree double *sum = g_new0 (double, width), *square = g_new0 (double, width);
  if (!vectors_read (vectors, 0, origin, context, error))
    return FALSE;
  for (guint i = 1; i < vectors->n; i++) {
    if (!segue_context_check_cancelled (context, error) ||
        !vectors_read (vectors, i, x, context, error))
      return FALSE;
    for (gsize j = 0; j < width; j++) {
      double d = (double) x[j] - (double) origin[j];
      sum[j] += d;
      square[j] += d * d;
    }
  }
  for (gsize j = 0; j < width; j++) {
    double mean = (double) origin[j] + sum[j] / n;
    double variance = MAX (square[j] / n - sum[j] / n * (sum[j] / n), 0.0);
    double rounding = mean * (double) FLT_EPSILON;
    space->mean[j] = (float) mean;
    space->deviation[j] = variance > rounding * rounding ? (float) sqrt (variance) : 1.0F;
    if (space->deviation[j] < FLT_MIN)
      space->deviation[j] = 1.0F;
  }
  return TRUE;
}

static void
standardise (const Space *space, float *x)
{
  for (gsize j = 0; j < space->width; j++)
    x[j] = (x[j] - space->mean[j]) / space->deviation[j];
}

/* The lower triangle of the covariance, [width, width]. */
static gboolean
sum_covariance (const Space *space, Vectors *vectors, SegueNnThreads *threads, double *covariance,
                SegueContext *context, GError **error)
{
  gsize width = space->width;
  guint n = MIN (vectors->n, SAMPLE), pending = 0;
  g_autofree double *panel = g_try_new (double, PANEL *width);
  g_autofree float *x = g_new (float, width);
  if (!panel)
    return lack_memory (PANEL, width, error);
  for (guint i = 0; i < n; i++) {
    guint at = (guint) ((guint64) i * vectors->n / n);
    if (!segue_context_check_cancelled (context, error) ||
        !vectors_read (vectors, at, x, context, error))
      return FALSE;
    standardise (space, x);
    for (gsize j = 0; j < width; j++)
      panel[pending * width + j] = (double) x[j];
    if (++pending < PANEL && i + 1 < n)
      continue;
    segue_nn_syrk (threads, TRUE, width, pending, 1.0 / (double) n, panel, width, 1.0, covariance,
                   width);
    pending = 0;
  }
  return TRUE;
}

static gboolean
fit_projection (Space *space, Vectors *vectors, SegueNnThreads *threads, SegueContext *context,
                GError **error)
{
  gsize width = space->width, size = 1;
  g_autofree double *directions = g_try_new0 (double, width *width);
  g_autofree double *values = g_new0 (double, width);
  if (!directions)
    return lack_memory (width, width, error);
  if (!sum_covariance (space, vectors, threads, directions, context, error) ||
      !segue_nn_eigen_symmetric (width, directions, width, values, error))
    return FALSE;
  while (size < MIN (width, SPACE_MAX_SIZE) &&
         values[width - 1 - size] > LEAST_VARIANCE * values[width - 1])
    size++;
  space->size = size;
  space->projection = g_new (float, size *width);
  for (gsize k = 0; k < size; k++) {
    const double *direction = directions + (width - 1 - k) * width;
    double variance = values[width - 1 - k];
    double scale = variance > 0.0 ? pow (variance, -0.25) : 1.0;
    for (gsize j = 0; j < width; j++)
      space->projection[k * width + j] = (float) (scale * direction[j]);
  }
  return segue_nn_threads_check (threads, error);
}

Space *
space_fit (Vectors *vectors, SegueNnThreads *threads, SegueContext *context, GError **error)
{
  g_autoptr (Space) space = g_new0 (Space, 1);
  space->width = vectors->width;
  space->mean = g_new (float, space->width);
  space->deviation = g_new (float, space->width);
  if (!fit_columns (space, vectors, context, error) ||
      !fit_projection (space, vectors, threads, context, error))
    return NULL;
  return g_steal_pointer (&space);
}

float *
space_project (const Space *space, Vectors *vectors, SegueNnThreads *threads, SegueContext *context,
               GError **error)
{
  gsize width = space->width, size = space->size;
  g_autofree float *panel = g_try_new (float, PANEL *width);
  g_autofree float *projected = g_try_new (float, vectors->n *size);
  if (!panel || !projected) {
    lack_memory (vectors->n, size, error);
    return NULL;
  }
  for (guint first = 0; first < vectors->n; first += PANEL) {
    guint n = MIN (PANEL, vectors->n - first);
    if (!segue_context_check_cancelled (context, error))
      return NULL;
    for (guint i = 0; i < n; i++) {
      if (!vectors_read (vectors, first + i, panel + i * width, context, error))
        return NULL;
      standardise (space, panel + i * width);
    }
    segue_nn_gemm (threads, FALSE, TRUE, n, size, width, 1.0F, panel, width, space->projection,
                   width, 0.0F, projected + first * size, size);
  }
  return segue_nn_threads_check (threads, error) ? g_steal_pointer (&projected) : NULL;
}

void
space_normalise (gsize n, gsize size, float *x)
{
  for (gsize i = 0; i < n; i++) {
    float *row = x + i * size;
    double square = 0.0;
    for (gsize j = 0; j < size; j++)
      square += (double) row[j] * (double) row[j];
    for (gsize j = 0; j < size && square > 0.0; j++)
      row[j] = (float) ((double) row[j] / sqrt (square));
  }
}
