/* Tensors and predictions as items: for stages that exchange them. */
#pragma once

#include <segue/item.h>

G_BEGIN_DECLS

typedef enum { SEGUE_DTYPE_F32, SEGUE_DTYPE_BF16, SEGUE_DTYPE_I32, SEGUE_DTYPE_U8 } SegueDtype;

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

G_END_DECLS
