/* Weights in the order in which a backend's kernels read them, and products with them.
 *
 * Blocks of NN_PACKED_K columns and as many outputs as a tile of a product has are stored consecutively.
 * A tile then needs only its own rows of the other factor, converted a few at a time, and sums that stay
 * in the cache: a product writes each result once. */
#pragma once

#include "kept.h"

#define NN_PACKED_K ((gsize) 512) /* columns of a block */
#define NN_PACKED_N ((gsize) 512) /* outputs of a block, at most */
#define NN_PACKED_M ((gsize) 128) /* rows at a time */

/* x wᵀ for a w [rows, columns]. */
struct _NnPacked {
  const SegueNnBackend *backend;
  SegueModelPrecision precision;
  gsize rows, columns;
  gsize block_n;     /* rows of a block */
  gsize n_k;         /* blocks along the columns */
  gsize block_bytes; /* from one to the next */
  guint8 *blocks;    /* [⌈rows / block_n⌉, n_k] */
  float *scales;     /* of int8, [n_k, rows]: one per row of each block */
  gint32 *sums;      /* likewise: the sum of its numbers */
};

/* Per thread. */
typedef struct {
  guint8 a[NN_PACKED_M * NN_PACKED_K * sizeof (SegueNnBfloat16)];
  float sum[NN_PACKED_M * NN_PACKED_N];
  gint32 raw[NN_PACKED_M * NN_PACKED_N]; /* sums of int8 products, before scaling */
  float scales[NN_PACKED_M];
  gint32 zeros[NN_PACKED_M];
} NnPackedScratch;

/* Whether the backend has a packed order for such weights. */
gboolean nn_packed_is_known (const SegueNnBackend *backend, SegueModelPrecision precision,
                             gsize rows, gsize columns);

/* NULL: no memory. nn_packed_fill () sets the values. */
NnPacked *nn_packed_new (const SegueNnBackend *backend, SegueModelPrecision precision, gsize rows,
                         gsize columns);
void nn_packed_free (NnPacked *self);

/* Number of blocks, and filling of one, in any thread. `room` is for NN_PACKED_N * NN_PACKED_K numbers
 * of two bytes. */
gsize nn_packed_count (const NnPacked *self);
gboolean nn_packed_fill (NnPacked *self, gsize block, const float *w, gpointer room);

/* Whether a product's second factor, at `offset` in w, consists of whole blocks. */
gboolean nn_packed_fits (const NnPacked *self, const NnProduct *product, gsize offset);
gboolean nn_packed_multiply (const NnPacked *self, const NnProduct *product, gsize offset,
                             NnPackedScratch *scratch);
