/* Memory that items lie in: overlapping slices are one stretch of it (internal). */
#pragma once

#include <segue/item.h>

/** SegueStretch: [begin, end) is covered by one or more items. */
typedef struct {
  const guint8 *begin, *end;
  guint by_address; /* of stretch number k: the index of the one with the k-th lowest address */
  guint first;      /* the first item in it: an order that addresses don't change */
  guint64 offset;   /* of its beginning, with all stretches put one after the other */
} SegueStretch;

/** segue_stretches_find: (transfer full) (element-type SegueStretch): of the bytes of @items, which
 * all are alive, in the order of their first items.  @total: (out): bytes in all. */
GArray *segue_stretches_find (SegueItem *const *items, guint n_items, guint64 *total);
/** segue_stretches_get: (transfer none) (nullable): the one that @item lies in; NULL: it has no
 * bytes. */
const SegueStretch *segue_stretches_get (GArray *stretches, const SegueItem *item);
