/* Predictions: rows of times and probabilities. */
#include "item/item-private.h"

#include <math.h>
#include <segue/error.h>

/* Negated comparisons: NaN is refused, too. */
static gboolean
is_valid (const double *row, guint n_labels)
{
  for (guint i = 0; i < SEGUE_PREDICTION_LABELS; i++)
    if (!(row[i] >= 0 && isfinite (row[i])))
      return FALSE;
  for (guint c = 0; c < n_labels; c++)
    if (!(row[SEGUE_PREDICTION_LABELS + c] >= 0 && row[SEGUE_PREDICTION_LABELS + c] <= 1))
      return FALSE;
  return TRUE;
}

SegueItem *
segue_item_new_predictions (SegueItem *parent, const char *suffix, guint n_segments, guint n_labels,
                            double **rows, GError **error)
{
  const gsize shape[] = { n_segments, (gsize) SEGUE_PREDICTION_LABELS + n_labels };
  gsize bytes;
  g_return_val_if_fail (n_segments > 0 && n_labels > 0, NULL);
  *rows = segue_shape_bytes (SEGUE_DTYPE_F64, G_N_ELEMENTS (shape), shape, &bytes)
            ? g_try_malloc0 (bytes)
            : NULL;
  if (!*rows) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                 "not enough memory for the predictions of %u segments over %u labels", n_segments,
                 n_labels);
    return NULL;
  }
  g_autoptr (GBytes) data = g_bytes_new_take (*rows, bytes);
  return segue_item_new_tensor (SEGUE_KIND_PREDICTIONS, parent, suffix, data, SEGUE_DTYPE_F64,
                                G_N_ELEMENTS (shape), shape);
}

const double *
segue_item_get_predictions (const SegueItem *item, guint *n_segments, guint *n_labels,
                            GError **error)
{
  g_return_val_if_fail (item->body->kind == SEGUE_KIND_PREDICTIONS && item->bytes, NULL);
  const gsize *shape = segue_item_get_shape (item, NULL);
  const double *rows = g_bytes_get_data (item->bytes, NULL);
  *n_segments = (guint) shape[0];
  *n_labels = (guint) shape[1] - SEGUE_PREDICTION_LABELS;
  for (gsize s = 0; s < shape[0]; s++)
    if (!is_valid (rows + s * shape[1], *n_labels)) {
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                   "‘%s’: the prediction for segment %" G_GSIZE_FORMAT
                   " has a time below 0, or a probability that is not between 0 and 1",
                   item->body->id, s);
      return NULL;
    }
  return rows;
}
