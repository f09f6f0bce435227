/* Weights in the precision of products, for products with them. */
#pragma once

#include "product.h"

#include <segue/nn/weight.h>

typedef struct _NnPacked NnPacked;

struct _SegueNnKept {
  const float *values;
  gsize rows, columns;
  SegueNnKeep keep;

  /* Of the copies. */
  gboolean is_fresh; /* of the current values */
  const SegueNnBackend *backend;
  SegueModelPrecision precision;
  SegueNnBfloat16 *bfloat16; /* [rows, columns], or NULL */
  NnPacked *packed;          /* or NULL */
};

/* Copies `values`, unless they have not changed since, or products are in float32. If there is no memory, there are
 * no copies, and the next segue_nn_threads_check () reports that. */
void nn_kept_refresh (SegueNnKept *self, SegueNnThreads *threads);
/* The values have changed: the copies are not used until they are refreshed. */
void nn_kept_expire (SegueNnKept *self);
void nn_kept_clear (SegueNnKept *self);

/* Whether products of these threads can use the copies of B. */
static inline gboolean
nn_kept_is_usable (const SegueNnKept *self, const NnProducts *products)
{
  return self && self->is_fresh && self->precision == products->precision &&
         self->backend == products->backend;
}
