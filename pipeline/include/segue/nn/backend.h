#pragma once

#include <segue/model.h>
#include <segue/nn/types.h>

G_BEGIN_DECLS

/* A library of matrix products. Everything in libsegue-nn multiplies through this table, so a
 * faster library is one more table, and nothing else links BLAS. */
typedef struct {
  const char *name;

  /* Whether the library, as installed on this system, supports the required operations; NULL: always. */
  gboolean (*usable) (void);

  /* Called when threads are created, before their first product; afterwards the library must not start
   * threads itself. */
  void (*init) (void);

  /* A text that changes when results may change: library, version, kernels chosen for this
   * processor. The backend owns the string. */
  const char *(*fingerprint) (void);

  /* C = alpha * op (A) op (B) + beta * C, row-major, on the calling thread; see segue_nn_gemm ().
   * Any number of threads may call it at the same time. m, n, k > 0. beta == 0 never reads C. FALSE:
   * there was no memory for its own buffers, and the content of C is undefined. */
  gboolean (*sgemm) (gboolean trans_a, gboolean trans_b, gsize m, gsize n, gsize k, float alpha,
                     const float *a, gsize lda, const float *b, gsize ldb, float beta, float *c,
                     gsize ldc);

  /* Whether this processor has instructions for a precision, so that it is faster; NULL: only for
   * float32. */
  gboolean (*has) (SegueModelPrecision precision);

  /* As sgemm, with alpha = 1, for matrices in bfloat16; sums and C are float32. */
  gboolean (*bgemm) (gboolean trans_a, gboolean trans_b, gsize m, gsize n, gsize k,
                     const SegueNnBfloat16 *a, gsize lda, const SegueNnBfloat16 *b, gsize ldb,
                     float beta, float *c, gsize ldc);

  /* Bytes of weights B [n, k], one row per output, packed in the order in which the kernels of a
   * precision read them; NULL, or 0: there is no such order. Smaller matrices need no more. */
  gsize (*packed_size) (SegueModelPrecision precision, gsize n, gsize k);

  /* Packs B into that order, aligned to 64 bytes: bfloat16 or int8. */
  gboolean (*pack) (SegueModelPrecision precision, gsize n, gsize k, gconstpointer b, gsize ldb,
                    gpointer packed);

  /* C [m, n] = A [m, k] Bᵀ, plus C if `add`; rows without gaps. BFLOAT16: A is bfloat16, C float32;
   * INT8: A is uint8, C int32. */
  gboolean (*packed_gemm) (SegueModelPrecision precision, gsize m, gsize n, gsize k,
                           gconstpointer a, gconstpointer packed, gboolean add, gpointer c);
} SegueNnBackend;

/* The usable backend called `name`; for NULL the one that $SEGUE_BACKEND names, or the first usable
 * one; NULL if there is none of that name. Static data. */
SEGUE_API const SegueNnBackend *segue_nn_backend_find (const char *name);

/* What results of this library depend on besides their input: the default backend, its version,
 * and the kernels of the backend and of this library chosen for this processor. (transfer full): for
 * the fingerprints of stages and models. */
SEGUE_API char *segue_nn_fingerprint (void);

/* Names of the backends of this build, NULL-terminated, the default first. Static data. */
SEGUE_API const char *const *segue_nn_backend_names (void);

G_END_DECLS
