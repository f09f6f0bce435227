#include "portable.h"

#include "backend-openblas.h"
#include <string.h>

static void
portable_init (void)
{
  segue_nn_backend_openblas.init ();
}

static gboolean
portable_sgemm (gboolean trans_a, gboolean trans_b, gsize m, gsize n, gsize k, float alpha,
                const float *a, gsize lda, const float *b, gsize ldb, float beta, float *c,
                gsize ldc)
{
  return segue_nn_backend_openblas.sgemm (trans_a, trans_b, m, n, k, alpha, a, lda, b, ldb, beta, c,
                                          ldc);
}

static gboolean
portable_has (SegueModelPrecision precision)
{
  return precision != SEGUE_MODEL_AUTO;
}

static float
widen (SegueNnBfloat16 x)
{
  guint32 bits = (guint32) x << 16;
  float value;
  memcpy (&value, &bits, sizeof value);
  return value;
}

static gboolean
portable_bgemm (gboolean trans_a, gboolean trans_b, gsize m, gsize n, gsize k,
                const SegueNnBfloat16 *a, gsize lda, const SegueNnBfloat16 *b, gsize ldb,
                float beta, float *c, gsize ldc)
{
  for (gsize i = 0; i < m; i++)
    for (gsize j = 0; j < n; j++) {
      float sum = beta != 0 ? beta * c[i * ldc + j] : 0;
      for (gsize l = 0; l < k; l++)
        sum += widen (trans_a ? a[l * lda + i] : a[i * lda + l]) *
               widen (trans_b ? b[j * ldb + l] : b[l * ldb + j]);
      c[i * ldc + j] = sum;
    }
  return TRUE;
}

/* Packed: [k, n]. */
static gsize
portable_packed_size (SegueModelPrecision precision, gsize n, gsize k)
{
  return precision == SEGUE_MODEL_INT8 ? n * k : n * k * sizeof (SegueNnBfloat16);
}

static gboolean
portable_pack (SegueModelPrecision precision, gsize n, gsize k, gconstpointer b, gsize ldb,
               gpointer packed)
{
  gsize size = precision == SEGUE_MODEL_INT8 ? 1 : sizeof (SegueNnBfloat16);
  for (gsize j = 0; j < n; j++)
    for (gsize l = 0; l < k; l++)
      memcpy ((guint8 *) packed + (l * n + j) * size, (const guint8 *) b + (j * ldb + l) * size,
              size);
  return TRUE;
}

static gboolean
portable_packed_gemm (SegueModelPrecision precision, gsize m, gsize n, gsize k, gconstpointer a,
                      gconstpointer packed, gboolean add, gpointer c)
{
  if (precision != SEGUE_MODEL_INT8)
    return portable_bgemm (FALSE, FALSE, m, n, k, a, k, packed, n, add ? 1 : 0, c, n);
  const guint8 *x = a;
  const gint8 *w = packed;
  gint32 *sums = c;
  for (gsize i = 0; i < m; i++)
    for (gsize j = 0; j < n; j++) {
      gint32 sum = add ? sums[i * n + j] : 0;
      for (gsize l = 0; l < k; l++)
        sum += x[i * k + l] * w[l * n + j];
      sums[i * n + j] = sum;
    }
  return TRUE;
}

const SegueNnBackend portable_backend = { .name = "portable",
                                          .init = portable_init,
                                          .sgemm = portable_sgemm,
                                          .has = portable_has,
                                          .bgemm = portable_bgemm,
                                          .packed_size = portable_packed_size,
                                          .pack = portable_pack,
                                          .packed_gemm = portable_packed_gemm };
