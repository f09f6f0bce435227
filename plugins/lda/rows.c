#include "rows.h"

#include <float.h>
#include <math.h>
#include <segue/error.h>

static char *
label_name (const LdaData *data, guint label)
{
  return data->names ? g_strdup_printf ("‘%s’", data->names[label]) : g_strdup_printf ("%u", label);
}

static gboolean
check_shape (const LdaData *data, GError **error)
{
  if (data->n_labels < 2)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "a discriminant analysis requires at least two labels, not %u", data->n_labels);
  else if (data->width < 1 || data->width > LDA_MAX_WIDTH)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "a discriminant analysis requires 1 to %d features, not %" G_GSIZE_FORMAT,
                 LDA_MAX_WIDTH, data->width);
  else
    return TRUE;
  return FALSE;
}

static gboolean
check_values (const LdaData *data, GError **error)
{
  for (gsize i = 0; i < data->n; i++) {
    const float *row = data->rows + i * data->width;
    for (gsize j = 0; j < data->width; j++)
      if (!isfinite (row[j])) {
        g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                     "feature %" G_GSIZE_FORMAT " of row %" G_GSIZE_FORMAT " is not finite", j, i);
        return FALSE;
      }
  }
  return TRUE;
}

/* A counting sort, so rows of a label stay in their order. */
static gboolean
group (LdaRows *rows, GError **error)
{
  const LdaData *data = rows->data;
  rows->order = g_new (gsize, data->n);
  rows->first = g_new0 (gsize, data->n_labels + 2);
  for (gsize i = 0; i < data->n; i++) {
    g_assert (data->labels[i] >= 0 && (guint) data->labels[i] < data->n_labels);
    rows->first[data->labels[i] + 2]++;
  }
  for (guint k = 0; k < data->n_labels; k++) {
    if (rows->first[k + 2] == 0) {
      g_autofree char *name = label_name (data, k);
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "label %s has no rows to learn from",
                   name);
      return FALSE;
    }
    rows->first[k + 2] += rows->first[k + 1];
  }
  /* first[k + 1] counts up from the beginning of label k to its end, which is the beginning of k + 1. */
  for (gsize i = 0; i < data->n; i++)
    rows->order[rows->first[data->labels[i] + 1]++] = i;
  return TRUE;
}

double
lda_rows_deviation (double variance, double mean, gsize n)
{
  double rounding = (double) n * mean * DBL_EPSILON;
  double bound = (double) n * DBL_EPSILON * variance + rounding * rounding;
  return variance <= bound ? 1.0 : sqrt (variance);
}

static void
standardise (LdaRows *rows)
{
  const LdaData *data = rows->data;
  gsize width = data->width;
  double n = (double) data->n;
  rows->mean = g_new0 (double, width);
  rows->scale = g_new0 (double, width);
  for (gsize i = 0; i < data->n; i++)
    for (gsize j = 0; j < width; j++)
      rows->mean[j] += (double) data->rows[i * width + j];
  for (gsize j = 0; j < width; j++)
    rows->mean[j] /= n;
  for (gsize i = 0; i < data->n; i++)
    for (gsize j = 0; j < width; j++) {
      double x = (double) data->rows[i * width + j] - rows->mean[j];
      rows->scale[j] += x * x;
    }
  for (gsize j = 0; j < width; j++)
    rows->scale[j] = lda_rows_deviation (rows->scale[j] / n, rows->mean[j], data->n);
}

static void
find_centres (LdaRows *rows)
{
  const LdaData *data = rows->data;
  gsize width = data->width;
  rows->centres = g_new0 (double, data->n_labels *width);
  for (guint k = 0; k < data->n_labels; k++) {
    double *centre = rows->centres + k * width;
    for (gsize i = rows->first[k]; i < rows->first[k + 1]; i++) {
      const float *x = data->rows + rows->order[i] * width;
      for (gsize j = 0; j < width; j++)
        centre[j] += ((double) x[j] - rows->mean[j]) / rows->scale[j];
    }
    for (gsize j = 0; j < width; j++)
      centre[j] /= (double) lda_rows_count (rows, k);
  }
}

LdaRows *
lda_rows_new (const LdaData *data, GError **error)
{
  if (!check_shape (data, error) || !check_values (data, error))
    return NULL;
  g_autoptr (LdaRows) rows = g_new0 (LdaRows, 1);
  rows->data = data;
  if (!group (rows, error))
    return NULL;
  standardise (rows);
  find_centres (rows);
  return g_steal_pointer (&rows);
}

void
lda_rows_free (LdaRows *rows)
{
  if (!rows)
    return;
  g_free (rows->order);
  g_free (rows->first);
  g_free (rows->mean);
  g_free (rows->scale);
  g_free (rows->centres);
  g_free (rows);
}

gsize
lda_rows_count (const LdaRows *rows, guint label)
{
  return rows->first[label + 1] - rows->first[label];
}

void
lda_rows_read (const LdaRows *rows, guint label, gsize i, double *out)
{
  gsize width = rows->data->width;
  const float *x = rows->data->rows + rows->order[rows->first[label] + i] * width;
  const double *centre = rows->centres + label * width;
  for (gsize j = 0; j < width; j++)
    out[j] = ((double) x[j] - rows->mean[j]) / rows->scale[j] - centre[j];
}
