#include "activation-private.h"
#include "convert.h"
#include "gemm-private.h"
#include "kept.h"
#include "packed.h"

#include <segue/error.h>
#include <stdlib.h>

/* Blocks for conversion: of A [BLOCK_M, BLOCK_K], of B [BLOCK_K, BLOCK_N]. With two bytes per number,
 * one of each fits into a core's own cache beside the current part of C. */
#define BLOCK_M   ((gsize) 512)
#define BLOCK_N   ((gsize) 512)
#define BLOCK_K   ((gsize) 512)
#define ALIGNMENT 64 /* bytes: for buffers that kernels read by cache lines */
/* For products thinner than this, conversion takes longer than the product. */
#define THIN ((gsize) 32)

/* Per thread. */
typedef struct {
  SegueNnBfloat16 a[BLOCK_M * BLOCK_K];
  SegueNnBfloat16 b[BLOCK_K * BLOCK_N];
  NnPackedScratch packed;
} Scratch;
_Static_assert(sizeof (Scratch) % ALIGNMENT == 0, "one behind the other");

/* A product being computed. */
typedef struct {
  const SegueNnBackend *backend;
  Scratch *scratch;
  const NnProduct *p;
  const SegueNnKept *kept; /* usable copies that contain B; NULL: none */
} Work;

static gsize
place (gsize ld, gboolean transposed, gsize row, gsize column)
{
  return transposed ? column * ld + row : row * ld + column;
}

/* Rows and columns in the order of memory. */
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
get_b (const Work *w, gsize k0, gsize k, gsize n0, gsize n, gsize *ldb)
{
  const NnProduct *p = w->p;
  const float *b = p->b + place (p->ldb, p->trans_b, k0, n0);
  if (w->kept && w->kept->bfloat16) {
    *ldb = p->ldb;
    return w->kept->bfloat16 + (b - w->kept->values);
  }
  *ldb = convert_block (b, p->ldb, p->trans_b, k, n, w->scratch->b);
  return w->scratch->b;
}

/* A's part, likewise. */
static const SegueNnBfloat16 *
get_a (const Work *w, gsize m0, gsize m, gsize k0, gsize k, gsize *lda)
{
  const NnProduct *p = w->p;
  gsize at = place (p->lda, p->trans_a, m0, k0);
  if (p->rounded_a) {
    *lda = p->lda;
    return p->rounded_a + at;
  }
  *lda = convert_block (p->a + at, p->lda, p->trans_a, m, k, w->scratch->a);
  return w->scratch->a;
}

static gboolean
multiply_bfloat16 (const Work *w)
{
  const NnProduct *p = w->p;
  for (gsize n0 = 0; n0 < p->n; n0 += BLOCK_N) {
    gsize n = MIN (BLOCK_N, p->n - n0);
    for (gsize k0 = 0; k0 < p->k; k0 += BLOCK_K) {
      gsize k = MIN (BLOCK_K, p->k - k0), ldb;
      const SegueNnBfloat16 *b = get_b (w, k0, k, n0, n, &ldb);
      for (gsize m0 = 0; m0 < p->m; m0 += BLOCK_M) {
        gsize m = MIN (BLOCK_M, p->m - m0), lda;
        const SegueNnBfloat16 *a = get_a (w, m0, m, k0, k, &lda);
        if (!w->backend->bgemm (p->trans_a, p->trans_b, m, n, k, a, lda, b, ldb,
                                k0 > 0 ? 1.0f : p->beta, p->c + m0 * p->ldc + n0, p->ldc))
          return FALSE;
      }
    }
  }
  return TRUE;
}

void
nn_sgemm (SegueNnThreads *threads, gboolean trans_a, gboolean trans_b, gsize m, gsize n, gsize k,
          float alpha, const float *a, gsize lda, const float *b, gsize ldb, float beta, float *c,
          gsize ldc)
{
  const NnProducts *products = nn_threads_get_products (threads);
  if (!products->backend->sgemm (trans_a, trans_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc))
    nn_threads_fail (threads);
}

gboolean
nn_product_rounds (SegueNnThreads *threads, gsize m, gsize n, gsize k)
{
  return nn_threads_get_products (threads)->precision != SEGUE_MODEL_FLOAT32 && m >= THIN &&
         n >= THIN && k >= THIN;
}

NN_VECTORISED static void
activate_rows (const NnProduct *p)
{
  for (gsize i = 0; i < p->m; i++)
    nn_activate (p->activation, p->n, p->c + i * p->ldc, p->c + i * p->ldc);
}

static gboolean
multiply_float32 (const Work *w)
{
  const NnProduct *p = w->p;
  return w->backend->sgemm (p->trans_a, p->trans_b, p->m, p->n, p->k, 1.0f, p->a, p->lda, p->b,
                            p->ldb, p->beta, p->c, p->ldc);
}

/* Libraries refuse rows that overlap: the sum is then split into parts that don't. */
static gboolean
multiply_pieces (Work *w, gboolean (*multiply) (const Work *))
{
  const NnProduct *p = w->p;
  if (p->bias)
    nn_fill_rows (p->m, p->n, p->bias, p->c, p->ldc);
  gsize most = p->trans_a ? p->k : MIN (p->k, p->lda);
  for (gsize k0 = 0; k0 < p->k; k0 += most) {
    NnProduct piece = *p;
    piece.k = MIN (most, p->k - k0);
    piece.beta = k0 > 0 || p->bias ? 1.0f : p->beta;
    if (k0 > 0) {
      piece.a += k0;
      piece.b += k0;
    }
    w->p = &piece;
    if (!multiply (w))
      return FALSE;
  }
  if (p->activation != SEGUE_NN_ACTIVATION_LINEAR)
    activate_rows (p);
  return TRUE;
}

static gboolean
multiply_rounded (Work *w)
{
  const NnProduct *p = w->p;
  if (w->kept && w->kept->packed) {
    gsize offset = (gsize) (p->b - w->kept->values);
    if (nn_packed_fits (w->kept->packed, p, offset))
      return nn_packed_multiply (w->kept->packed, p, offset, &w->scratch->packed);
  }
  return multiply_pieces (w, multiply_bfloat16);
}

void
nn_product (SegueNnThreads *threads, guint thread, const NnProduct *p)
{
  const NnProducts *products = nn_threads_get_products (threads);
  Work work = { .backend = products->backend, .p = p };
  gboolean done;
  if (nn_product_rounds (threads, p->m, p->n, p->k)) {
    work.scratch = (Scratch *) (gpointer) products->scratch + thread;
    work.kept = nn_kept_is_usable (p->kept, products) ? p->kept : NULL;
    done = multiply_rounded (&work);
  } else {
    g_assert (!p->rounded_a);
    done = multiply_pieces (&work, multiply_float32);
  }
  if (!done)
    nn_threads_fail (threads);
}

gpointer
nn_products_room (const NnProducts *self, guint thread)
{
  return ((Scratch *) (gpointer) self->scratch)[thread].b;
}

SegueModelPrecision
segue_nn_threads_get_precision (SegueNnThreads *threads)
{
  return nn_threads_get_products (threads)->precision;
}

static gboolean
can (const SegueNnBackend *backend, SegueModelPrecision precision)
{
  return precision == SEGUE_MODEL_FLOAT32 || (backend->has && backend->has (precision));
}

gboolean
segue_nn_threads_set_precision (SegueNnThreads *threads, SegueModelPrecision precision,
                                GError **error)
{
  NnProducts *products = nn_threads_get_products (threads);
  if (precision == SEGUE_MODEL_AUTO)
    precision =
      can (products->backend, SEGUE_MODEL_BFLOAT16) ? SEGUE_MODEL_BFLOAT16 : SEGUE_MODEL_FLOAT32;
  if (!can (products->backend, precision)) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "%s does not support %s on this processor; choose float32, or ‘auto’ for a "
                 "supported precision",
                 products->backend->name, segue_model_precision_names ()[precision]);
    return FALSE;
  }
  if (precision != SEGUE_MODEL_FLOAT32 && !products->scratch) {
    products->scratch = aligned_alloc (ALIGNMENT, products->n_threads * sizeof (Scratch));
    if (!products->scratch) {
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                   "out of memory for %s matrix products; use fewer threads (-j), or float32",
                   segue_model_precision_names ()[precision]);
      return FALSE;
    }
  }
  products->precision = precision;
  return TRUE;
}
