/* oneDNN, which generates its kernels for the current processor when it is first called: on
 * processors that are newer than the distribution's OpenBLAS it is several times as fast. */
#include "backend-onednn.h"

#include "backend-onednn-matmul.h"

#include <omp.h>
#include <oneapi/dnnl/dnnl.h>

static gboolean
usable (void)
{
  /* Only these can be configured not to start their own threads. */
  const dnnl_version_t *version = dnnl_version ();
  return version->cpu_runtime == DNNL_RUNTIME_OMP || version->cpu_runtime == DNNL_RUNTIME_SEQ;
}

static void
init (void)
{
}

static const char *
isa_name (dnnl_cpu_isa_t isa)
{
  switch (isa) {
  case dnnl_cpu_isa_sse41:
    return "SSE4.1";
  case dnnl_cpu_isa_avx:
    return "AVX";
  case dnnl_cpu_isa_avx2:
    return "AVX2";
  case dnnl_cpu_isa_avx512_core:
    return "AVX-512";
  case dnnl_cpu_isa_avx512_core_vnni:
    return "AVX-512 VNNI";
  case dnnl_cpu_isa_avx512_core_bf16:
    return "AVX-512 BF16";
  default:
    return NULL;
  }
}

static const char *
fingerprint (void)
{
  static gsize text = 0;
  if (g_once_init_enter (&text)) {
    const dnnl_version_t *version = dnnl_version ();
    dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa ();
    g_autofree char *number = g_strdup_printf ("ISA %#x", (guint) isa);
    const char *name = isa_name (isa);
    char *made = g_strdup_printf ("oneDNN %d.%d.%d %s", version->major, version->minor,
                                  version->patch, name ? name : number);
    g_once_init_leave (&text, (gsize) made);
  }
  return (const char *) text;
}

static gboolean
sgemm (gboolean trans_a, gboolean trans_b, gsize m, gsize n, gsize k, float alpha, const float *a,
       gsize lda, const float *b, gsize ldb, float beta, float *c, gsize ldc)
{
  /* For this thread only, and restored afterwards: the parallelism is in the tiles. */
  int threads = omp_get_max_threads ();
  if (threads != 1)
    omp_set_num_threads (1);
  dnnl_status_t status = dnnl_sgemm (trans_a ? 'T' : 'N', trans_b ? 'T' : 'N', (dnnl_dim_t) m,
                                     (dnnl_dim_t) n, (dnnl_dim_t) k, alpha, a, (dnnl_dim_t) lda, b,
                                     (dnnl_dim_t) ldb, beta, c, (dnnl_dim_t) ldc);
  if (threads != 1)
    omp_set_num_threads (threads);
  /* It packs matrices into its own buffers; nothing else can fail. */
  g_assert (status == dnnl_success || status == dnnl_out_of_memory);
  return status == dnnl_success;
}

const SegueNnBackend segue_nn_backend_onednn = {
  .name = "onednn",
  .usable = usable,
  .init = init,
  .fingerprint = fingerprint,
  .sgemm = sgemm,
  .has = nn_onednn_has,
  .bgemm = nn_onednn_bgemm,
  .packed_size = nn_onednn_packed_size,
  .pack = nn_onednn_pack,
  .packed_gemm = nn_onednn_packed_gemm,
};
