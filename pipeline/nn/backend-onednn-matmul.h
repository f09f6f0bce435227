#pragma once

#include <segue/nn/precision.h>

/* oneDNN's products of low precision; see backend.h. */
gboolean nn_onednn_has (SegueNnPrecision precision);
gboolean nn_onednn_bgemm (gboolean trans_a, gboolean trans_b, gsize m, gsize n, gsize k,
                          const SegueNnBfloat16 *a, gsize lda, const SegueNnBfloat16 *b, gsize ldb,
                          float beta, float *c, gsize ldc);
gsize nn_onednn_packed_size (SegueNnPrecision precision, gsize n, gsize k);
gboolean nn_onednn_pack (SegueNnPrecision precision, gsize n, gsize k, gconstpointer b, gsize ldb,
                         gpointer packed);
gboolean nn_onednn_packed_gemm (SegueNnPrecision precision, gsize m, gsize n, gsize k,
                                gconstpointer a, gconstpointer packed, gboolean add, gpointer c);
