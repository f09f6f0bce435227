#include "backend-openblas.h"

#include <cblas.h>

static void
init (void)
{
  /* Our own tiles are the parallelism. */
  openblas_set_num_threads (1);
}

static const char *
fingerprint (void)
{
  static gsize text = 0;
  if (g_once_init_enter (&text)) {
    char *made = g_strdup_printf ("%s %s", openblas_get_config (), openblas_get_corename ());
    g_once_init_leave (&text, (gsize) made);
  }
  return (const char *) text;
}

static void
sgemm (gboolean trans_a, gboolean trans_b, gsize m, gsize n, gsize k, float alpha, const float *a,
       gsize lda, const float *b, gsize ldb, float beta, float *c, gsize ldc)
{
  g_assert (m <= G_MAXINT && n <= G_MAXINT && k <= G_MAXINT);
  g_assert (lda <= G_MAXINT && ldb <= G_MAXINT && ldc <= G_MAXINT);
  cblas_sgemm (CblasRowMajor, trans_a ? CblasTrans : CblasNoTrans,
               trans_b ? CblasTrans : CblasNoTrans, (int) m, (int) n, (int) k, alpha, a, (int) lda,
               b, (int) ldb, beta, c, (int) ldc);
}

const SegueNnBackend segue_nn_backend_openblas = {
  .name = "openblas",
  .init = init,
  .fingerprint = fingerprint,
  .sgemm = sgemm,
};
