#pragma once

#include <segue/nn/precision.h>

/* oneDNN's products of low precision; see backend.h. */
gboolean nn_onednn_has (SegueNnPrecision precision);
gboolean nn_onednn_bgemm (gboolean trans_a, gboolean trans_b, gsize m, gsize n, gsize k,
                          const SegueNnBfloat16 *a, gsize lda, const SegueNnBfloat16 *b, gsize ldb,
                          float beta, float *c, gsize ldc);
gboolean nn_onednn_igemm (gsize m, gsize n, gsize k, const guint8 *a, gsize lda, guint8 zero,
                          const gint8 *b, gsize ldb, const float *scales, float beta, float *c,
                          gsize ldc);
