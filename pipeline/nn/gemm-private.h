#pragma once

#include "product.h"

#include <segue/nn/gemm.h>

/* A batched product whose C starts as a row `bias` [n] instead of beta * C, so that the addition
 * happens while the tile is in the cache. */
typedef struct {
  gsize batch;
  gboolean trans_a, trans_b;
  gsize m, n, k;
  float alpha, beta;
  const float *a, *b;
  const SegueNnKept *kept; /* of the weight that b is part of, or NULL */
  gsize lda, ldb;
  gsize stride_a, stride_b, stride_c; /* between the matrices of a batch */
  float *c;
  gsize ldc;
  const float *bias; /* [n] or NULL; beta must be 0 then */
} NnGemm;

void nn_gemm_run (SegueNnThreads *threads, const NnGemm *gemm);

/* Tile borders for a product [m, n], for every op that splits products itself. */
gsize nn_gemm_block_m (gsize m);
gsize nn_gemm_block_n (gsize n);

/* Sets rows of c [m, n] to bias, or to 0 if bias is NULL. */
void nn_fill_rows (gsize m, gsize n, const float *bias, float *c, gsize ldc);
