#pragma once

#include <segue/nn/threads.h>

G_BEGIN_DECLS

/* Dense linear algebra in double precision, for models with a closed form. Matrices are row-major, with rows ld…
 * elements apart; of symmetric and triangular ones, only the lower triangle is read and written. OpenBLAS computes,
 * whatever the backend of a threads, one thread at a time on tiles whose borders depend on shapes alone: results do not
 * depend on the number of threads. Dimensions are at most SEGUE_NN_LINEAR_ALGEBRA_MAX. */
#define SEGUE_NN_LINEAR_ALGEBRA_MAX 30000

/* C [n, n] = alpha * A Aᵀ + beta * C, A [n, k]; or for trans alpha * Aᵀ A + beta * C, A [k, n]. Lower triangle; the
 * other is undefined. beta == 0 never reads C. k > 0. */
SEGUE_API void segue_nn_syrk (SegueNnThreads *threads, gboolean trans, gsize n, gsize k,
                              double alpha, const double *a, gsize lda, double beta, double *c,
                              gsize ldc);

/* C [m, n] = A [m, k] op (B), op (B) [k, n]; for trans_b, B is [n, k]. k > 0. */
SEGUE_API void segue_nn_dgemm (SegueNnThreads *threads, gboolean trans_b, gsize m, gsize n, gsize k,
                               const double *a, gsize lda, const double *b, gsize ldb, double *c,
                               gsize ldc);

/* Replaces the symmetric A [n, n] by L, A = L Lᵀ (Cholesky). FALSE if A is not positive definite; A is then undefined. */
SEGUE_API gboolean segue_nn_cholesky (gsize n, double *a, gsize lda);

/* Replaces each row b of B [m, n] by L⁻¹ b, or for trans by L⁻ᵀ b; L [n, n]. */
SEGUE_API void segue_nn_solve_lower (SegueNnThreads *threads, gboolean trans, gsize m, gsize n,
                                     const double *l, gsize ldl, double *b, gsize ldb);

/* The eigenvalues of the symmetric A [n, n], ascending, and in the rows of A the eigenvectors, of length 1; of each,
 * the element with the largest magnitude is positive. Needs n · (3 n + 7) numbers of memory beside A.
 * Errors: SEGUE_ERROR_RESOURCE; SEGUE_ERROR_DATA if the computation does not converge (values that are not finite). */
SEGUE_API gboolean segue_nn_eigen_symmetric (gsize n, double *a, gsize lda, double *values,
                                             GError **error);

/* The library and the kernels that compute, as in segue_nn_fingerprint (). Static data. */
SEGUE_API const char *segue_nn_linear_algebra_fingerprint (void);

G_END_DECLS
