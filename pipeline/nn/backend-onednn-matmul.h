#pragma once

#include <segue/model.h>
#include <segue/nn/types.h>

/* oneDNN's products of low precision; see backend.h. */
gboolean nn_onednn_has (SegueModelPrecision precision);
gboolean nn_onednn_bgemm (gboolean trans_a, gboolean trans_b, gsize m, gsize n, gsize k,
                          const SegueNnBfloat16 *a, gsize lda, const SegueNnBfloat16 *b, gsize ldb,
                          float beta, float *c, gsize ldc);
gsize nn_onednn_packed_size (SegueModelPrecision precision, gsize n, gsize k);
gboolean nn_onednn_pack (SegueModelPrecision precision, gsize n, gsize k, gconstpointer b,
                         gsize ldb, gpointer packed);
gboolean nn_onednn_packed_gemm (SegueModelPrecision precision, gsize m, gsize n, gsize k,
                                gconstpointer a, gconstpointer packed, gboolean add, gpointer c);
