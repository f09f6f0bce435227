/* Products in the precision of the threads, one tile at a time.
 *
 * Ops keep everything in float32. The factors of a tile are converted block by block into memory of its
 * thread, where they stay in the cache until they are used; only weights that are kept are converted
 * beforehand. Blocks depend on shapes alone, so results don't depend on threads. */
#pragma once

#include <segue/nn/activation.h>
#include <segue/nn/weight.h>

typedef struct {
  const SegueNnBackend *backend;
  SegueModelPrecision precision;
  gsize n_threads;
  guint8 *scratch; /* a block for each thread; NULL under float32 */
} NnProducts;

/* Memory of a thread, for NN_PACKED_N * NN_PACKED_K numbers of two bytes; not under float32. */
gpointer nn_products_room (const NnProducts *self, guint thread);

/* C [m, n] = f (op (A) [m, k] op (B) [k, n] + bias + beta * C), row-major; see sgemm in backend.h. beta is
 * 0 or 1, and 0 with a bias. If only B is transposed, A's rows may overlap: lda < k, as windows of a
 * convolution do. */
typedef struct {
  gboolean trans_a, trans_b;
  gsize m, n, k;
  const float *a;
  const SegueNnBfloat16 *rounded_a; /* instead of a, if nn_product_rounds () */
  gsize lda;
  const float *b;
  gsize ldb;
  const SegueNnKept *kept; /* of the weight that B is part of, or NULL */
  const float *bias;       /* [n], or NULL */
  float beta;
  float *c;
  gsize ldc;
  SegueNnActivation activation; /* f, while C is in the cache */
} NnProduct;

/* One tile of a product, in the calling thread, which is number `thread`. */
void nn_product (SegueNnThreads *threads, guint thread, const NnProduct *product);

/* Whether nn_product () rounds the factors of such a product: not under float32, nor if it is thin. */
gboolean nn_product_rounds (SegueNnThreads *threads, gsize m, gsize n, gsize k);

/* The same in float32 whatever the precision is, times alpha, with any beta. */
void nn_sgemm (SegueNnThreads *threads, gboolean trans_a, gboolean trans_b, gsize m, gsize n,
               gsize k, float alpha, const float *a, gsize lda, const float *b, gsize ldb,
               float beta, float *c, gsize ldc);

/* ---- threads.c ---- */

/* Of any backend, for tests. */
SegueNnThreads *nn_threads_new (guint n_threads, const SegueNnBackend *backend, GError **error);
NnProducts *nn_threads_get_products (SegueNnThreads *threads);
/* A product ran out of memory: the results of this pass are invalid. */
void nn_threads_fail (SegueNnThreads *threads);
