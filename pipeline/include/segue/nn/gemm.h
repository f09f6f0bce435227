#pragma once

#include <segue/nn/threads.h>

G_BEGIN_DECLS

/* C [m, n] = alpha * op (A) [m, k] op (B) [k, n] + beta * C, row-major.
 *
 * op (A) is A, stored [m, k] with rows lda apart (lda >= k), or for trans_a its transpose, stored
 * [k, m] with lda >= m; likewise B. beta == 0 never reads C, so it may be uninitialised. k == 0 is
 * allowed; the result is beta * C. */
SEGUE_API void segue_nn_gemm (SegueNnThreads *threads, gboolean trans_a, gboolean trans_b, gsize m,
                              gsize n, gsize k, float alpha, const float *a, gsize lda,
                              const float *b, gsize ldb, float beta, float *c, gsize ldc);

/* `batch` such products; matrix i of A starts at a + i * stride_a, and so on. The Cs must not
 * overlap. */
SEGUE_API void segue_nn_gemm_batch (SegueNnThreads *threads, gsize batch, gboolean trans_a,
                                    gboolean trans_b, gsize m, gsize n, gsize k, float alpha,
                                    const float *a, gsize lda, gsize stride_a, const float *b,
                                    gsize ldb, gsize stride_b, float beta, float *c, gsize ldc,
                                    gsize stride_c);

G_END_DECLS
