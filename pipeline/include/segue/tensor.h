/* Tensors and predictions as items: for stages that exchange them. */
#pragma once

#include <segue/item.h>

G_BEGIN_DECLS

typedef enum {
  SEGUE_DTYPE_F32,
  SEGUE_DTYPE_BF16,
  SEGUE_DTYPE_I32,
  SEGUE_DTYPE_U8,
  SEGUE_DTYPE_F64
} SegueDtype;

/** SEGUE_MAX_RANK: the largest number of dimensions. */
#define SEGUE_MAX_RANK 6

/** segue_dtype_size: of one element, in bytes. */
SEGUE_API gsize segue_dtype_size (SegueDtype dtype);

/** segue_item_new_tensor: as segue_item_new_audio(); @kind is TENSOR or PREDICTIONS; the size of @data is the product
 * of @shape times the size of @dtype. */
SEGUE_API SegueItem *segue_item_new_tensor (SegueKind kind, SegueItem *parent, const char *suffix,
                                            GBytes *data, SegueDtype dtype, guint rank,
                                            const gsize *shape);
SEGUE_API SegueDtype segue_item_get_dtype (const SegueItem *item);
/** segue_item_get_shape: (transfer none): @rank dimensions. */
SEGUE_API const gsize *segue_item_get_shape (const SegueItem *item, guint *rank);

/**
 * SeguePredictionColumn: columns of a predictions item, a row per segment.
 * @SEGUE_PREDICTION_START: in s of the source file; float64, since a float32 can't represent a sample's time
 * @SEGUE_PREDICTION_DURATION: in s
 * @SEGUE_PREDICTION_LABELS: the first of the labels' probabilities (float32 values), in the order of the model
 */
typedef enum {
  SEGUE_PREDICTION_START,
  SEGUE_PREDICTION_DURATION,
  SEGUE_PREDICTION_LABELS
} SeguePredictionColumn;

/**
 * segue_item_new_predictions: as segue_item_new_audio(): a model's predictions for one song, a float64 tensor
 * [segments, 2 + labels].  Metadata: %SEGUE_META_PREDICTED and %SEGUE_META_PROBABILITY, the prediction for the whole
 * song, and what is known about the song (`label`, `set`, `source`, `group`).
 * @n_segments, @n_labels: ≥ 1
 * @rows: (out) (transfer none): [n_segments, 2 + n_labels], zeroed: to be filled in before the item is emitted
 *
 * %SEGUE_ERROR_RESOURCE if there is not enough memory.
 */
SEGUE_API SegueItem *segue_item_new_predictions (SegueItem *parent, const char *suffix,
                                                 guint n_segments, guint n_labels, double **rows,
                                                 GError **error);
/** segue_item_get_predictions: (transfer none): the rows of a predictions item.
 * @n_segments: (out): ≥ 1
 * @n_labels: (out): ≥ 1; a row has two more columns
 *
 * %SEGUE_ERROR_DATA if a time is negative or not finite, or a probability is not between 0 and 1: what is read
 * from disk has the right size, but may contain any number. */
SEGUE_API const double *segue_item_get_predictions (const SegueItem *item, guint *n_segments,
                                                    guint *n_labels, GError **error);

G_END_DECLS
