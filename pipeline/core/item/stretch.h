/* Memory that contains items: overlapping slices are one stretch of it (internal). */
#pragma once

#include <segue/item.h>

/** SegueStretch: [begin, end) is covered by one or more items. */
typedef struct {
  const guint8 *begin, *end;
  guint by_address; /* of stretch number k: the index of the one with the k-th lowest address */
  guint first;      /* the first item in it: an order that is independent of addresses */
  guint64 offset;   /* of its beginning, with all stretches concatenated */
} SegueStretch;

/** segue_stretches_find: (transfer full) (element-type SegueStretch): of the bytes of @items, which
 * must all be alive, in the order of their first items. @total: (out): bytes of all stretches. */
GArray *segue_stretches_find (SegueItem *const *items, guint n_items, guint64 *total);
/** segue_stretches_get: (transfer none) (nullable): the one that contains @item; NULL: it has no
 * bytes. */
const SegueStretch *segue_stretches_get (GArray *stretches, const SegueItem *item);
