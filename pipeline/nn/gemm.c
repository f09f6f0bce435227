#include "gemm-private.h"
#include "nn-private.h"

#include <string.h>

/* A tile packs its rows of A and columns of B once, so larger tiles pack less data repeatedly;
 * smaller tiles give work to more threads. */
#define TILE_M 512
#define TILE_N 512
#define UNIT   16 /* rows or columns of a register block; borders are between them */

typedef struct {
  const NnGemm *gemm;
  SegueNnThreads *threads;
  gsize block_m, block_n;
  gsize tiles_m, tiles_n;
} Run;

gsize
nn_gemm_block_m (gsize m)
{
  return nn_even_block (m, TILE_M, UNIT);
}

gsize
nn_gemm_block_n (gsize n)
{
  return nn_even_block (n, TILE_N, UNIT);
}

void
nn_fill_rows (gsize m, gsize n, const float *bias, float *c, gsize ldc)
{
  for (gsize i = 0; i < m; i++) {
    if (bias)
      memcpy (c + i * ldc, bias, n * sizeof *c);
    else
      memset (c + i * ldc, 0, n * sizeof *c);
  }
}

static void
scale_rows (gsize m, gsize n, float beta, float *c, gsize ldc)
{
  if (beta == 0.0f) {
    nn_fill_rows (m, n, NULL, c, ldc);
    return;
  }
  for (gsize i = 0; i < m; i++)
    for (gsize j = 0; j < n; j++)
      c[i * ldc + j] *= beta;
}

static void
run_tile (gpointer data, gsize tile, guint thread)
{
  const Run *run = data;
  const NnGemm *g = run->gemm;
  gsize item = tile / (run->tiles_m * run->tiles_n);
  gsize i = tile / run->tiles_n % run->tiles_m * run->block_m;
  gsize j = tile % run->tiles_n * run->block_n;
  gsize m = MIN (run->block_m, g->m - i), n = MIN (run->block_n, g->n - j);
  const float *a = g->a + item * g->stride_a + (g->trans_a ? i : i * g->lda);
  const float *b = g->b + item * g->stride_b + (g->trans_b ? j * g->ldb : j);
  float *c = g->c + item * g->stride_c + i * g->ldc + j;

  if (g->k == 0) {
    if (g->bias)
      nn_fill_rows (m, n, g->bias + j, c, g->ldc);
    else
      scale_rows (m, n, g->beta, c, g->ldc);
    return;
  }
  if (g->alpha != 1.0f || (g->beta != 0.0f && g->beta != 1.0f)) {
    g_assert (!g->bias);
    nn_sgemm (run->threads, g->trans_a, g->trans_b, m, n, g->k, g->alpha, a, g->lda, b, g->ldb,
              g->beta, c, g->ldc);
    return;
  }
  nn_product (run->threads, thread,
              &(NnProduct){ .trans_a = g->trans_a,
                            .trans_b = g->trans_b,
                            .m = m,
                            .n = n,
                            .k = g->k,
                            .a = a,
                            .lda = g->lda,
                            .b = b,
                            .ldb = g->ldb,
                            .kept = g->kept,
                            .bias = g->bias ? g->bias + j : NULL,
                            .beta = g->beta,
                            .c = c,
                            .ldc = g->ldc });
}

void
nn_gemm_run (SegueNnThreads *threads, const NnGemm *gemm)
{
  g_assert (gemm->k == 0 || gemm->lda >= (gemm->trans_a ? gemm->m : gemm->k));
  g_assert (gemm->k == 0 || gemm->ldb >= (gemm->trans_b ? gemm->k : gemm->n));
  g_assert (gemm->ldc >= gemm->n);
  g_assert (!gemm->bias || gemm->beta == 0.0f);

  Run run = {
    .gemm = gemm,
    .threads = threads,
    .block_m = nn_gemm_block_m (gemm->m),
    .block_n = nn_gemm_block_n (gemm->n),
  };
  run.tiles_m = nn_tiles (gemm->m, run.block_m);
  run.tiles_n = nn_tiles (gemm->n, run.block_n);
  segue_nn_threads_run (threads, gemm->batch * run.tiles_m * run.tiles_n, run_tile, &run);
}

void
segue_nn_gemm (SegueNnThreads *threads, gboolean trans_a, gboolean trans_b, gsize m, gsize n,
               gsize k, float alpha, const float *a, gsize lda, const float *b, gsize ldb,
               float beta, float *c, gsize ldc)
{
  segue_nn_gemm_batch (threads, 1, trans_a, trans_b, m, n, k, alpha, a, lda, 0, b, ldb, 0, beta, c,
                       ldc, 0);
}

void
segue_nn_gemm_batch (SegueNnThreads *threads, gsize batch, gboolean trans_a, gboolean trans_b,
                     gsize m, gsize n, gsize k, float alpha, const float *a, gsize lda,
                     gsize stride_a, const float *b, gsize ldb, gsize stride_b, float beta,
                     float *c, gsize ldc, gsize stride_c)
{
  NnGemm gemm = { .batch = batch,
                  .trans_a = trans_a,
                  .trans_b = trans_b,
                  .m = m,
                  .n = n,
                  .k = k,
                  .alpha = alpha,
                  .beta = beta,
                  .a = a,
                  .b = b,
                  .lda = lda,
                  .ldb = ldb,
                  .stride_a = stride_a,
                  .stride_b = stride_b,
                  .stride_c = stride_c,
                  .c = c,
                  .ldc = ldc };
  nn_gemm_run (threads, &gemm);
}
