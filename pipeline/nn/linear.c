#include "gemm-private.h"
#include "nn-private.h"

#include <segue/nn/linear.h>

typedef struct {
  gsize rows, channels;
  const float *dy;
  float *dbias;
} BiasBackward;

void
segue_nn_linear_forward (SegueNnThreads *threads, gsize rows, gsize in, gsize out, const float *x,
                         const SegueNnAffine *w, float *y)
{
  segue_nn_linear_forward_batch (threads, 1, rows, in, out, x, w, y);
}

void
segue_nn_linear_forward_batch (SegueNnThreads *threads, gsize batch, gsize rows, gsize in,
                               gsize out, const float *x, const SegueNnAffine *w, float *y)
{
  /* y [rows, out] = x [rows, in] · (w [out, in])ᵀ, for each item */
  NnGemm gemm = { .batch = batch,
                  .trans_b = TRUE,
                  .m = rows,
                  .n = out,
                  .k = in,
                  .alpha = 1.0f,
                  .a = x,
                  .lda = in,
                  .stride_a = rows * in,
                  .b = w->weight.w,
                  .kept = w->weight.kept,
                  .ldb = in,
                  .c = y,
                  .ldc = out,
                  .stride_c = rows * out,
                  .bias = w->bias.w };
  nn_gemm_run (threads, &gemm);
}

void
segue_nn_linear_backward (SegueNnThreads *threads, gsize rows, gsize in, gsize out, const float *x,
                          const SegueNnAffine *w, const float *dy, float *dx)
{
  if (dx) {
    /* [rows, in] = dy [rows, out] · w [out, in] */
    NnGemm gemm = { .batch = 1,
                    .m = rows,
                    .n = in,
                    .k = out,
                    .alpha = 1.0f,
                    .a = dy,
                    .lda = out,
                    .b = w->weight.w,
                    .kept = w->weight.kept,
                    .ldb = in,
                    .c = dx,
                    .ldc = in };
    nn_gemm_run (threads, &gemm);
  }
  if (w->weight.dw) /* [out, in] += (dy [rows, out])ᵀ · x [rows, in] */
    segue_nn_gemm (threads, TRUE, FALSE, out, in, rows, 1.0f, dy, out, x, in, 1.0f, w->weight.dw,
                   in);
  if (w->bias.dw)
    segue_nn_bias_backward (threads, rows, out, dy, w->bias.dw);
}

NN_VECTORISED static void
sum_columns (gpointer data, gsize tile, guint thread)
{
  const BiasBackward *b = data;
  gsize first = tile * NN_COLUMNS;
  gsize columns = nn_tile_length (b->channels, NN_COLUMNS, tile);
  double sum[NN_COLUMNS] = { 0 };

  for (gsize row = 0; row < b->rows; row++) {
    const float *dy = b->dy + row * b->channels + first;
    for (gsize j = 0; j < columns; j++)
      sum[j] += (double) dy[j];
  }
  for (gsize j = 0; j < columns; j++)
    b->dbias[first + j] += (float) sum[j];
}

void
segue_nn_bias_backward (SegueNnThreads *threads, gsize rows, gsize channels, const float *dy,
                        float *dbias)
{
  BiasBackward b = { rows, channels, dy, dbias };
  segue_nn_threads_run (threads, nn_tiles (channels, NN_COLUMNS), sum_columns, &b);
}
