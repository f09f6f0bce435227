#include "product.h"
#include "convert.h"
#include "gemm-private.h"

#include <segue/error.h>
#include <stdlib.h>

/* Blocks of what is converted: of A [BLOCK_M, BLOCK_K], of B [BLOCK_K, BLOCK_N]. With two bytes a number
 * one of each fits into a processor's own cache beside the part of C that is at work. */
#define BLOCK_M   ((gsize) 512)
#define BLOCK_N   ((gsize) 512)
#define BLOCK_K   ((gsize) 512)
#define ALIGNMENT 64 /* bytes: of what kernels read by cache lines */
/* Products thinner than this cost more to convert than they take. */
#define THIN ((gsize) 32)

/* Of one thread. */
typedef struct {
  SegueNnBfloat16 a[BLOCK_M * BLOCK_K];
  SegueNnBfloat16 b[BLOCK_K * BLOCK_N];
  guint8 quantised[BLOCK_M * BLOCK_K];
  float scales[BLOCK_N];
} Scratch;
_Static_assert(sizeof (Scratch) % ALIGNMENT == 0, "one behind the other");

typedef struct {
  const NnProducts *products;
  Scratch *scratch;
  gboolean trans_a, trans_b;
  gsize m, n, k;
  float beta;
  const float *a, *b;
  const SegueNnBfloat16 *rounded_a; /* instead of a */
  gsize lda, ldb;
  float *c;
  gsize ldc;
  const NnKept *kept; /* that B is part of; NULL: of none */
} Product;

static gsize
place (gsize ld, gboolean transposed, gsize row, gsize column)
{
  return transposed ? column * ld + row : row * ld + column;
}

/* Rows and columns as they lie in memory. */
static gsize
convert_block (const float *x, gsize ld, gboolean transposed, gsize rows, gsize columns,
               SegueNnBfloat16 *to)
{
  gsize outer = transposed ? columns : rows, inner = transposed ? rows : columns;
  nn_to_bfloat16 (outer, inner, x, ld, to);
  return inner;
}

/* B's part from row k0 and column n0 on, in bfloat16. */
static const SegueNnBfloat16 *
get_b (const Product *p, gsize k0, gsize k, gsize n0, gsize n, gsize *ldb)
{
  const float *b = p->b + place (p->ldb, p->trans_b, k0, n0);
  if (p->kept != NULL && p->kept->bfloat16 != NULL) {
    *ldb = p->ldb;
    return p->kept->bfloat16 + (b - p->kept->values);
  }
  *ldb = convert_block (b, p->ldb, p->trans_b, k, n, p->scratch->b);
  return p->scratch->b;
}

/* A's part, likewise. */
static const SegueNnBfloat16 *
get_a (const Product *p, gsize m0, gsize m, gsize k0, gsize k, gsize *lda)
{
  gsize at = place (p->lda, p->trans_a, m0, k0);
  if (p->rounded_a != NULL) {
    *lda = p->lda;
    return p->rounded_a + at;
  }
  *lda = convert_block (p->a + at, p->lda, p->trans_a, m, k, p->scratch->a);
  return p->scratch->a;
}

static gboolean
multiply_bfloat16 (const Product *p)
{
  for (gsize n0 = 0; n0 < p->n; n0 += BLOCK_N) {
    gsize n = MIN (BLOCK_N, p->n - n0);
    for (gsize k0 = 0; k0 < p->k; k0 += BLOCK_K) {
      gsize k = MIN (BLOCK_K, p->k - k0), ldb;
      const SegueNnBfloat16 *b = get_b (p, k0, k, n0, n, &ldb);
      for (gsize m0 = 0; m0 < p->m; m0 += BLOCK_M) {
        gsize m = MIN (BLOCK_M, p->m - m0), lda;
        const SegueNnBfloat16 *a = get_a (p, m0, m, k0, k, &lda);
        if (!p->products->backend->bgemm (p->trans_a, p->trans_b, m, n, k, a, lda, b, ldb,
                                          k0 > 0 ? 1.0f : p->beta, p->c + m0 * p->ldc + n0, p->ldc))
          return FALSE;
      }
    }
  }
  return TRUE;
}

/* B is weights of int8, [n, k]. */
static gboolean
multiply_int8 (const Product *p)
{
  Scratch *scratch = p->scratch;
  gsize at = (gsize) (p->b - p->kept->values);
  const float *weight_scales = p->kept->scales + at / p->kept->columns;
  for (gsize k0 = 0; k0 < p->k; k0 += BLOCK_K) {
    gsize k = MIN (BLOCK_K, p->k - k0);
    for (gsize m0 = 0; m0 < p->m; m0 += BLOCK_M) {
      gsize m = MIN (BLOCK_M, p->m - m0);
      NnQuantisation q = nn_to_uint8 (m, k, p->a + m0 * p->lda + k0, p->lda, scratch->quantised);
      for (gsize n0 = 0; n0 < p->n; n0 += BLOCK_N) {
        gsize n = MIN (BLOCK_N, p->n - n0);
        for (gsize j = 0; j < n; j++)
          scratch->scales[j] = q.scale * weight_scales[n0 + j];
        if (!p->products->backend->igemm (
              m, n, k, scratch->quantised, k, q.zero, p->kept->int8 + at + n0 * p->ldb + k0, p->ldb,
              scratch->scales, k0 > 0 ? 1.0f : p->beta, p->c + m0 * p->ldc + n0, p->ldc))
          return FALSE;
      }
    }
  }
  return TRUE;
}

static Scratch *
scratch_of (const NnProducts *products, guint thread)
{
  return (Scratch *) (gpointer) products->scratch + thread;
}

static void
multiply (SegueNnPool *pool, Product *product)
{
  const NnKept *kept = nn_products_find (product->products, product->b);
  gboolean is_int8 = kept != NULL && kept->int8 != NULL && product->rounded_a == NULL &&
                     !product->trans_a && product->trans_b;
  product->kept = kept;
  if (!(is_int8 ? multiply_int8 (product) : multiply_bfloat16 (product)))
    nn_pool_fail (pool);
}

void
nn_sgemm (SegueNnPool *pool, gboolean trans_a, gboolean trans_b, gsize m, gsize n, gsize k,
          float alpha, const float *a, gsize lda, const float *b, gsize ldb, float beta, float *c,
          gsize ldc)
{
  const NnProducts *products = nn_pool_get_products (pool);
  if (!products->backend->sgemm (trans_a, trans_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc))
    nn_pool_fail (pool);
}

gboolean
nn_product_rounds (SegueNnPool *pool, gsize m, gsize n, gsize k)
{
  return nn_pool_get_products (pool)->precision != SEGUE_NN_FLOAT32 && m >= THIN && n >= THIN &&
         k >= THIN;
}

void
nn_product (SegueNnPool *pool, guint thread, gboolean trans_a, gboolean trans_b, gsize m, gsize n,
            gsize k, const float *a, gsize lda, const float *b, gsize ldb, float beta, float *c,
            gsize ldc)
{
  if (!nn_product_rounds (pool, m, n, k)) {
    nn_sgemm (pool, trans_a, trans_b, m, n, k, 1.0f, a, lda, b, ldb, beta, c, ldc);
    return;
  }
  const NnProducts *products = nn_pool_get_products (pool);
  Product product = { .products = products,
                      .scratch = scratch_of (products, thread),
                      .trans_a = trans_a,
                      .trans_b = trans_b,
                      .m = m,
                      .n = n,
                      .k = k,
                      .beta = beta,
                      .a = a,
                      .b = b,
                      .lda = lda,
                      .ldb = ldb,
                      .c = c,
                      .ldc = ldc };
  multiply (pool, &product);
}

void
nn_product_of_bfloat16 (SegueNnPool *pool, guint thread, gboolean trans_a, gboolean trans_b,
                        gsize m, gsize n, gsize k, const SegueNnBfloat16 *a, gsize lda,
                        const float *b, gsize ldb, float beta, float *c, gsize ldc)
{
  const NnProducts *products = nn_pool_get_products (pool);
  Product product = { .products = products,
                      .scratch = scratch_of (products, thread),
                      .trans_a = trans_a,
                      .trans_b = trans_b,
                      .m = m,
                      .n = n,
                      .k = k,
                      .beta = beta,
                      .rounded_a = a,
                      .b = b,
                      .lda = lda,
                      .ldb = ldb,
                      .c = c,
                      .ldc = ldc };
  g_assert (nn_product_rounds (pool, m, n, k));
  multiply (pool, &product);
}

SegueNnPrecision
segue_nn_pool_get_precision (SegueNnPool *pool)
{
  return nn_pool_get_products (pool)->precision;
}

static gboolean
can (const SegueNnBackend *backend, SegueNnPrecision precision)
{
  return precision == SEGUE_NN_FLOAT32 || (backend->has != NULL && backend->has (precision));
}

gboolean
segue_nn_pool_set_precision (SegueNnPool *pool, SegueNnPrecision precision, GError **error)
{
  NnProducts *products = nn_pool_get_products (pool);
  if (!can (products->backend, precision)) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "%s has no %s on this processor; choose float32, or ‘auto’ for what it has",
                 products->backend->name, segue_nn_precision_get_name (precision));
    return FALSE;
  }
  if (precision != SEGUE_NN_FLOAT32 && products->scratch == NULL) {
    products->scratch = aligned_alloc (ALIGNMENT, products->n_threads * sizeof (Scratch));
    if (products->scratch == NULL) {
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                   "no memory to multiply in %s; use fewer threads (-j), or float32",
                   segue_nn_precision_get_name (precision));
      return FALSE;
    }
  }
  if (precision != products->precision)
    nn_products_forget (products);
  products->precision = precision;
  return TRUE;
}
