#include "packed.h"

#include "activation-private.h"
#include "convert.h"
#include "gemm-private.h"

#include <stdlib.h>

#define ALIGNMENT 64 /* bytes: for buffers that kernels read by cache lines */

gboolean
nn_packed_is_known (const SegueNnBackend *backend, SegueModelPrecision precision, gsize rows,
                    gsize columns)
{
  return backend->packed_size &&
         backend->packed_size (precision, nn_gemm_block_n (rows), MIN (columns, NN_PACKED_K)) > 0;
}

gsize
nn_packed_count (const NnPacked *self)
{
  return nn_tiles (self->rows, self->block_n) * self->n_k;
}

NnPacked *
nn_packed_new (const SegueNnBackend *backend, SegueModelPrecision precision, gsize rows,
               gsize columns)
{
  NnPacked *self = g_new0 (NnPacked, 1);
  *self = (NnPacked){ .backend = backend,
                      .precision = precision,
                      .rows = rows,
                      .columns = columns,
                      .block_n = nn_gemm_block_n (rows),
                      .n_k = nn_tiles (columns, NN_PACKED_K) };
  gsize bytes = backend->packed_size (precision, self->block_n, MIN (columns, NN_PACKED_K));
  self->block_bytes = nn_tiles (bytes, ALIGNMENT) * ALIGNMENT;
  self->blocks = aligned_alloc (ALIGNMENT, nn_packed_count (self) * self->block_bytes);
  if (precision == SEGUE_MODEL_INT8) {
    self->scales = g_try_new (float, self->n_k *rows);
    self->sums = g_try_new (gint32, self->n_k * rows);
  }
  if (self->blocks && (precision != SEGUE_MODEL_INT8 || (self->scales && self->sums)))
    return self;
  nn_packed_free (self);
  return NULL;
}

void
nn_packed_free (NnPacked *self)
{
  if (!self)
    return;
  free (self->blocks);
  g_free (self->scales);
  g_free (self->sums);
  g_free (self);
}

gboolean
nn_packed_fill (NnPacked *self, gsize block, const float *w, gpointer room)
{
  gsize n0 = block / self->n_k * self->block_n, k_block = block % self->n_k;
  gsize k0 = k_block * NN_PACKED_K, at = k_block * self->rows + n0;
  gsize n = MIN (self->block_n, self->rows - n0), k = MIN (NN_PACKED_K, self->columns - k0);
  const float *from = w + n0 * self->columns + k0;
  if (self->precision == SEGUE_MODEL_INT8)
    nn_to_int8_rows (n, k, from, self->columns, room, self->scales + at, self->sums + at);
  else
    nn_to_bfloat16 (n, k, from, self->columns, room);
  return self->backend->pack (self->precision, n, k, room, k,
                              self->blocks + block * self->block_bytes);
}

gboolean
nn_packed_fits (const NnPacked *self, const NnProduct *product, gsize offset)
{
  gsize row = offset / self->columns, column = offset % self->columns;
  return !product->trans_a && product->trans_b && !product->rounded_a &&
         product->ldb == self->columns && row % self->block_n == 0 &&
         product->n == MIN (self->block_n, self->rows - row) && column % NN_PACKED_K == 0 &&
         (product->k % NN_PACKED_K == 0 || column + product->k == self->columns);
}

/* sum [m, n] = (or +=) the values of the quantised sums: with x ≈ scale (q − zero) and w ≈ scale q,
 * Σ x w ≈ scale_x scale_w (Σ q_x q_w − zero Σ q_w). */
NN_VECTORISED static void
scale_raw (gsize m, gsize n, const NnPackedScratch *x, const float *scales, const gint32 *sums,
           gboolean add, float *sum)
{
  for (gsize i = 0; i < m; i++) {
    const gint32 *raw = x->raw + i * n;
    float scale = x->scales[i], *to = sum + i * n;
    gint32 zero = x->zeros[i];
    if (add) {
#pragma omp simd
      for (gsize j = 0; j < n; j++)
        to[j] += scale * scales[j] * (float) (raw[j] - zero * sums[j]);
    } else {
#pragma omp simd
      for (gsize j = 0; j < n; j++)
        to[j] = scale * scales[j] * (float) (raw[j] - zero * sums[j]);
    }
  }
}

/* Rows m0 … of C, from their sums. */
NN_VECTORISED static void
write_rows (const NnProduct *p, gsize m0, gsize m, float *sum)
{
  for (gsize i = 0; i < m; i++) {
    float *from = sum + i * p->n, *c = p->c + (m0 + i) * p->ldc;
    if (p->bias) {
#pragma omp simd
      for (gsize j = 0; j < p->n; j++)
        from[j] += p->bias[j];
    }
    if (p->beta != 0.0f) {
#pragma omp simd
      for (gsize j = 0; j < p->n; j++)
        from[j] += c[j];
    }
    nn_activate (p->activation, p->n, from, c);
  }
}

/* sum = (or +=) rows m0 … of A, from column k0 on, times one block. */
static gboolean
add_block (const NnPacked *self, const NnProduct *p, gsize block, gsize m0, gsize m, gsize k0,
           gsize k, NnPackedScratch *scratch)
{
  const float *a = p->a + m0 * p->lda + k0;
  const guint8 *b = self->blocks + block * self->block_bytes;
  if (self->precision != SEGUE_MODEL_INT8) {
    nn_to_bfloat16 (m, k, a, p->lda, (SegueNnBfloat16 *) (gpointer) scratch->a);
    return self->backend->packed_gemm (self->precision, m, p->n, k, scratch->a, b, k0 > 0,
                                       scratch->sum);
  }
  gsize at = block % self->n_k * self->rows + block / self->n_k * self->block_n;
  nn_to_uint8_rows (m, k, a, p->lda, scratch->a, scratch->scales, scratch->zeros);
  if (!self->backend->packed_gemm (self->precision, m, p->n, k, scratch->a, b, FALSE, scratch->raw))
    return FALSE;
  scale_raw (m, p->n, scratch, self->scales + at, self->sums + at, k0 > 0, scratch->sum);
  return TRUE;
}

gboolean
nn_packed_multiply (const NnPacked *self, const NnProduct *p, gsize offset,
                    NnPackedScratch *scratch)
{
  gsize row = offset / self->columns, column = offset % self->columns;
  gsize first = row / self->block_n * self->n_k + column / NN_PACKED_K;
  for (gsize m0 = 0; m0 < p->m; m0 += NN_PACKED_M) {
    gsize m = MIN (NN_PACKED_M, p->m - m0);
    for (gsize k0 = 0; k0 < p->k; k0 += NN_PACKED_K) {
      gsize k = MIN (NN_PACKED_K, p->k - k0);
      if (!add_block (self, p, first + k0 / NN_PACKED_K, m0, m, k0, k, scratch))
        return FALSE;
    }
    write_rows (p, m0, m, scratch->sum);
  }
  return TRUE;
}
