#include "backend-openblas.h"

#include <cblas.h>

#if defined(__x86_64__)
/* In builds of OpenBLAS with kernels for many processors, but not in a header. */
extern void gotoblas_dynamic_init (void) __attribute__ ((weak));
extern void gotoblas_dynamic_quit (void) __attribute__ ((weak));
#endif

/* OpenBLAS chooses kernels by a list of processors, and for one that is newer than itself it
 * falls back to those of the Pentium 4 (0.3.21 does so on the fifth generation of Xeon): five
 * times slower. The variable that selects kernels is read when OpenBLAS is loaded, so it is
 * initialised again.
 *
 * Called before the first product. The variable is set only for that time, and only here. */
static void
choose_kernels (void)
{
#if defined(__x86_64__)
  gboolean fell_back = g_ascii_strcasecmp (openblas_get_corename (), "prescott") == 0;
  if (!fell_back || !gotoblas_dynamic_quit || !gotoblas_dynamic_init ||
      g_getenv ("OPENBLAS_CORETYPE"))
    return;
  const char *name = NULL;
  if (__builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512bw") &&
      __builtin_cpu_supports ("avx512dq") && __builtin_cpu_supports ("avx512vl"))
    name = "SkylakeX";
  else if (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma"))
    name = "Haswell";
  if (!name)
    return;
  g_setenv ("OPENBLAS_CORETYPE", name, TRUE);
  gotoblas_dynamic_quit ();
  gotoblas_dynamic_init ();
  g_unsetenv ("OPENBLAS_CORETYPE");
#endif
}

static void
init (void)
{
  static gsize chosen = 0;
  if (g_once_init_enter (&chosen)) {
    choose_kernels ();
    g_once_init_leave (&chosen, 1);
  }
  /* The parallelism is in the tiles. */
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

static gboolean
sgemm (gboolean trans_a, gboolean trans_b, gsize m, gsize n, gsize k, float alpha, const float *a,
       gsize lda, const float *b, gsize ldb, float beta, float *c, gsize ldc)
{
  g_assert (m <= G_MAXINT && n <= G_MAXINT && k <= G_MAXINT);
  g_assert (lda <= G_MAXINT && ldb <= G_MAXINT && ldc <= G_MAXINT);
  cblas_sgemm (CblasRowMajor, trans_a ? CblasTrans : CblasNoTrans,
               trans_b ? CblasTrans : CblasNoTrans, (int) m, (int) n, (int) k, alpha, a, (int) lda,
               b, (int) ldb, beta, c, (int) ldc);
  return TRUE;
}

const SegueNnBackend segue_nn_backend_openblas = {
  .name = "openblas",
  .init = init,
  .fingerprint = fingerprint,
  .sgemm = sgemm,
};
