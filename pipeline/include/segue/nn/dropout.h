#pragma once

#include <segue/nn/random.h>

G_BEGIN_DECLS

/* Inverted dropout: each element becomes 0 with probability p, and x / (1 − p) otherwise, 0 <= p
 * < 1. p is rounded to a multiple of 2⁻¹⁶.
 *
 * The mask is a function of the key alone: element i of row b is determined by (seed, step,
 * items[b], layer) and i, or by (seed, step, key.item + b, layer) if items is NULL. Forward
 * and backward are the same function under the same key, and the other items of a batch don't
 * matter. p == 0 copies; key may then be NULL. */

/* The factor for element `index` of the item `key`: 0 or 1 / (1 − p). */
SEGUE_API float segue_nn_dropout_factor (const SegueNnRandomKey *key, float p, guint64 index);

/* x, y [batch, n]; y may be x. For the backward, x is dy and y is dx. */
SEGUE_API void segue_nn_dropout (SegueNnThreads *threads, const SegueNnRandomKey *key,
                                 const guint64 *items, float p, gsize batch, gsize n,
                                 const float *x, float *y);

/* y [batch, n] = residual + dropout (x), in one pass; y may be x or residual. residual may be
 * NULL. */
SEGUE_API void segue_nn_dropout_add (SegueNnThreads *threads, const SegueNnRandomKey *key,
                                     const guint64 *items, float p, gsize batch, gsize n,
                                     const float *x, const float *residual, float *y);

G_END_DECLS
