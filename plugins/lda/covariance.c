/* The shrinkage δ of a label with rows u (standardised within the label), n of them, and R = Σ u uᵀ / n is
 *
 *   min (β, Δ) / Δ,   Δ = (‖R‖² − (tr R)² / C) / C,   β = (Σ ‖u‖⁴ / n − ‖R‖²) / (n C).
 *
 * ‖R‖, Frobenius's norm, is all that needs a matrix product, and that of the n × n products between rows is the same:
 * the smaller of the two is computed. What is left of all labels is then one product: δ is known before the rows are
 * added, so they are weighted, collected, and added many at a time. */
#include "covariance.h"

#include <math.h>
#include <segue/error.h>
#include <segue/nn/linear-algebra.h>
#include <string.h>

#define MIN_PANEL ((gsize) 256)

typedef struct {
  SegueNnThreads *threads;
  const LdaRows *rows;
  gsize width;
  double *within;    /* [C, C] */
  double *product;   /* [C, C]: of the current label */
  double *deviation; /* [C]: of the current label */
  double *panel;     /* [capacity, C] */
  gsize capacity;    /* rows; at least C, so that larger labels are those with n > C */
  gsize pending;     /* weighted rows of the panel that `within` lacks */
} Sum;

/* What the shrinkage of a label depends on. */
typedef struct {
  double trace;  /* Σ u² / n */
  double fourth; /* Σ ‖u‖⁴ / n */
  double norm;   /* ‖R‖² */
} Moments;

static void
flush (Sum *sum)
{
  if (sum->pending > 0)
    segue_nn_syrk (sum->threads, TRUE, sum->width, sum->pending, 1.0, sum->panel, sum->width, 1.0,
                   sum->within, sum->width);
  sum->pending = 0;
}

static void
find_deviation (Sum *sum, guint label, double *row)
{
  gsize n = lda_rows_count (sum->rows, label);
  const double *centre = sum->rows->centres + label * sum->width;
  memset (sum->deviation, 0, sum->width * sizeof *sum->deviation);
  for (gsize i = 0; i < n; i++) {
    lda_rows_read (sum->rows, label, i, row);
    for (gsize j = 0; j < sum->width; j++)
      sum->deviation[j] += row[j] * row[j];
  }
  for (gsize j = 0; j < sum->width; j++)
    sum->deviation[j] = lda_rows_deviation (sum->deviation[j] / (double) n, centre[j], n);
}

/* Rows first … first + count − 1 of a label, standardised within it, to `out`; adds to the moments. */
static void
read_rows (const Sum *sum, guint label, gsize first, gsize count, double *out, Moments *moments)
{
  double n = (double) lda_rows_count (sum->rows, label);
  for (gsize i = 0; i < count; i++, out += sum->width) {
    double square = 0.0;
    lda_rows_read (sum->rows, label, first + i, out);
    for (gsize j = 0; j < sum->width; j++) {
      out[j] /= sum->deviation[j];
      square += out[j] * out[j];
    }
    moments->trace += square / n;
    moments->fourth += square * square / n;
  }
}

/* ‖A‖² of a symmetric matrix. */
static double
squared_norm (const double *a, gsize n, gsize lda)
{
  double norm = 0.0;
  for (gsize i = 0; i < n; i++) {
    double row = 0.0;
    for (gsize j = 0; j < i; j++)
      row += a[i * lda + j] * a[i * lda + j];
    norm += 2.0 * row + a[i * lda + i] * a[i * lda + i];
  }
  return norm;
}

static double
find_shrinkage (const Moments *moments, gsize n, gsize width)
{
  double c = (double) width;
  double distance = (moments->norm - moments->trace * moments->trace / c) / c;
  double noise = (moments->fourth - moments->norm) / ((double) n * c);
  if (width == 1 || !(distance > 0.0) || !(noise > 0.0))
    return 0.0;
  return MIN (noise, distance) / distance;
}

static void
add_identity (Sum *sum, guint label, double shrinkage, const Moments *moments)
{
  double prior = (double) lda_rows_count (sum->rows, label) / (double) sum->rows->data->n;
  double weight = prior * shrinkage * moments->trace / (double) sum->width;
  for (gsize j = 0; j < sum->width; j++)
    sum->within[j * sum->width + j] += weight * sum->deviation[j] * sum->deviation[j];
}

/* A label that fits into the panel. */
static double
add_small (Sum *sum, guint label)
{
  gsize n = lda_rows_count (sum->rows, label), width = sum->width;
  Moments moments = { 0 };
  if (sum->pending + n > sum->capacity)
    flush (sum);
  double *u = sum->panel + sum->pending * width;
  find_deviation (sum, label, u);
  read_rows (sum, label, 0, n, u, &moments);

  gsize side = MIN (n, width);
  segue_nn_syrk (sum->threads, n >= width, side, MAX (n, width), 1.0 / (double) n, u, width, 0.0,
                 sum->product, side);
  moments.norm = squared_norm (sum->product, side, side);
  double shrinkage = find_shrinkage (&moments, n, width);

  double weight = sqrt ((1.0 - shrinkage) / (double) sum->rows->data->n);
  for (gsize i = 0; i < n; i++)
    for (gsize j = 0; j < width; j++)
      u[i * width + j] *= weight * sum->deviation[j];
  sum->pending += n;
  add_identity (sum, label, shrinkage, &moments);
  return shrinkage;
}

/* A larger one: its correlations are computed block by block, and serve for both. */
static double
add_large (Sum *sum, guint label)
{
  gsize n = lda_rows_count (sum->rows, label), width = sum->width;
  Moments moments = { 0 };
  flush (sum);
  find_deviation (sum, label, sum->panel);
  for (gsize first = 0; first < n; first += sum->capacity) {
    gsize count = MIN (sum->capacity, n - first);
    read_rows (sum, label, first, count, sum->panel, &moments);
    segue_nn_syrk (sum->threads, TRUE, width, count, 1.0 / (double) n, sum->panel, width,
                   first == 0 ? 0.0 : 1.0, sum->product, width);
  }
  moments.norm = squared_norm (sum->product, width, width);
  double shrinkage = find_shrinkage (&moments, n, width);

  double weight = (1.0 - shrinkage) * (double) n / (double) sum->rows->data->n;
  for (gsize i = 0; i < width; i++)
    for (gsize j = 0; j <= i; j++)
      sum->within[i * width + j] +=
        weight * sum->deviation[i] * sum->deviation[j] * sum->product[i * width + j];
  add_identity (sum, label, shrinkage, &moments);
  return shrinkage;
}

gboolean
lda_covariance (SegueNnThreads *threads, const LdaRows *rows, double *within, double *shrinkage,
                GError **error)
{
  gsize width = rows->data->width, capacity = MAX (width, MIN_PANEL);
  g_autofree double *product = g_try_new (double, width *width);
  g_autofree double *deviation = g_try_new (double, width);
  g_autofree double *panel = g_try_new (double, capacity *width);
  Sum sum = { .threads = threads,
              .rows = rows,
              .width = width,
              .within = within,
              .product = product,
              .deviation = deviation,
              .panel = panel,
              .capacity = capacity };
  if (!product || !deviation || !panel) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                 "not enough memory for the covariance of %" G_GSIZE_FORMAT " features", width);
    return FALSE;
  }
  memset (within, 0, width * width * sizeof *within);
  for (guint k = 0; k < rows->data->n_labels; k++)
    shrinkage[k] = lda_rows_count (rows, k) <= capacity ? add_small (&sum, k) : add_large (&sum, k);
  flush (&sum);
  return TRUE;
}
