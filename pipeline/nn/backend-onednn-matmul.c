/* oneDNN has a function for float32 products; for all others there is its matmul primitive.  One is
 * made for each call: of shapes that were seen before oneDNN keeps the kernel, and finds it again within
 * a microsecond. */
#include "backend-onednn-matmul.h"

#include <omp.h>
#include <oneapi/dnnl/dnnl.h>

/* Source, weights, destination, scratchpad, scales, zero point. */
#define MAX_ARGS 6

/* What a product is, and its matrices; the first call that fails is remembered, the others are not
 * made then. */
typedef struct {
  dnnl_engine_t engine;
  dnnl_memory_desc_t a, b, c;
  dnnl_primitive_attr_t attr;
  dnnl_primitive_t primitive;
  dnnl_exec_arg_t args[MAX_ARGS];
  int n_args;
  dnnl_status_t status;
} Matmul;

/* Of the process: it holds nothing but the processor's properties. */
static dnnl_engine_t
get_engine (void)
{
  static gsize engine = 0;
  if (g_once_init_enter (&engine)) {
    dnnl_engine_t made = NULL;
    dnnl_engine_create (&made, dnnl_cpu, 0);
    g_once_init_leave (&engine, made != NULL ? (gsize) made : 1);
  }
  return engine == 1 ? NULL : (dnnl_engine_t) engine;
}

static void
destroy_stream (gpointer stream)
{
  dnnl_stream_destroy (stream);
}

/* Of this thread, as long as it lives. */
static dnnl_stream_t
get_stream (dnnl_engine_t engine)
{
  static GPrivate streams = G_PRIVATE_INIT (destroy_stream);
  dnnl_stream_t stream = g_private_get (&streams);
  if (stream == NULL &&
      dnnl_stream_create (&stream, engine, dnnl_stream_default_flags) == dnnl_success)
    g_private_set (&streams, stream);
  return stream;
}

static void
free_pad (gpointer pad)
{
  g_byte_array_unref (pad);
}

/* Of this thread: what kernels need besides, as large as it ever was. */
static gpointer
get_scratchpad (gsize size)
{
  static GPrivate pads = G_PRIVATE_INIT (free_pad);
  GByteArray *pad = g_private_get (&pads);
  if (pad == NULL) {
    pad = g_byte_array_new ();
    g_private_set (&pads, pad);
  }
  if (pad->len < size)
    g_byte_array_set_size (pad, (guint) size);
  return pad->data;
}

#define TRY(self, call)                                                                            \
  G_STMT_START                                                                                     \
  {                                                                                                \
    if ((self)->status == dnnl_success)                                                            \
      (self)->status = (call);                                                                     \
  }                                                                                                \
  G_STMT_END

/* [rows, columns] with rows ld apart, or, transposed, stored [columns, rows]. */
static void
describe (Matmul *self, dnnl_memory_desc_t *desc, gsize rows, gsize columns, gsize ld,
          gboolean transposed, dnnl_data_type_t type)
{
  dnnl_dims_t dims = { (dnnl_dim_t) rows, (dnnl_dim_t) columns };
  dnnl_dims_t strides = { transposed ? 1 : (dnnl_dim_t) ld, transposed ? (dnnl_dim_t) ld : 1 };
  TRY (self, dnnl_memory_desc_init_by_strides (desc, 2, dims, type, strides));
}

static void
give (Matmul *self, int index, const dnnl_memory_desc_t *desc, gconstpointer data)
{
  dnnl_memory_t memory = NULL;
  TRY (self, dnnl_memory_create (&memory, desc, self->engine, (gpointer) data));
  if (memory != NULL)
    self->args[self->n_args++] = (dnnl_exec_arg_t){ index, memory };
}

static void
give_vector (Matmul *self, int index, dnnl_data_type_t type, gsize n, gconstpointer data)
{
  dnnl_memory_desc_t desc;
  dnnl_dims_t dims = { (dnnl_dim_t) n };
  TRY (self, dnnl_memory_desc_init_by_strides (&desc, 1, dims, type, NULL));
  give (self, index, &desc, data);
}

/* The primitive, and its scratchpad among the arguments. */
static void
make_primitive (Matmul *self, float beta)
{
  dnnl_primitive_desc_t desc = NULL;
  dnnl_matmul_desc_t matmul;
  dnnl_post_ops_t sum = NULL;
  TRY (self, dnnl_primitive_attr_set_scratchpad_mode (self->attr, dnnl_scratchpad_mode_user));
  if (beta != 0.0f) {
    TRY (self, dnnl_post_ops_create (&sum));
    TRY (self, dnnl_post_ops_append_sum (sum, beta));
    TRY (self, dnnl_primitive_attr_set_post_ops (self->attr, sum));
  }
  TRY (self, dnnl_matmul_desc_init (&matmul, &self->a, &self->b, NULL, &self->c));
  TRY (self, dnnl_primitive_desc_create (&desc, &matmul, self->attr, self->engine, NULL));
  TRY (self, dnnl_primitive_create (&self->primitive, desc));
  if (self->status == dnnl_success) {
    const dnnl_memory_desc_t *pad =
      dnnl_primitive_desc_query_md (desc, dnnl_query_scratchpad_md, 0);
    give (self, DNNL_ARG_SCRATCHPAD, pad, get_scratchpad (dnnl_memory_desc_get_size (pad)));
  }
  dnnl_primitive_desc_destroy (desc);
  dnnl_post_ops_destroy (sum);
}

static void
begin (Matmul *self)
{
  *self = (Matmul){ .engine = get_engine () };
  self->status = self->engine != NULL ? dnnl_success : dnnl_out_of_memory;
  TRY (self, dnnl_primitive_attr_create (&self->attr));
}

static gboolean
finish (Matmul *self)
{
  dnnl_stream_t stream = self->status == dnnl_success ? get_stream (self->engine) : NULL;
  if (stream == NULL)
    TRY (self, dnnl_out_of_memory);
  TRY (self, dnnl_primitive_execute (self->primitive, stream, self->n_args, self->args));
  TRY (self, dnnl_stream_wait (stream));
  for (int i = 0; i < self->n_args; i++)
    dnnl_memory_destroy (self->args[i].memory);
  dnnl_primitive_destroy (self->primitive);
  dnnl_primitive_attr_destroy (self->attr);
  g_assert (self->status == dnnl_success || self->status == dnnl_out_of_memory);
  return self->status == dnnl_success;
}

/* Of this thread only, and the caller's own again afterwards: our tiles are the parallelism, and a
 * primitive is made for so many threads. */
static int
take_one_thread (void)
{
  int threads = omp_get_max_threads ();
  if (threads != 1)
    omp_set_num_threads (1);
  return threads;
}

static void
give_threads_back (int threads)
{
  if (threads != 1)
    omp_set_num_threads (threads);
}

gboolean
nn_onednn_bgemm (gboolean trans_a, gboolean trans_b, gsize m, gsize n, gsize k,
                 const SegueNnBfloat16 *a, gsize lda, const SegueNnBfloat16 *b, gsize ldb,
                 float beta, float *c, gsize ldc)
{
  int threads = take_one_thread ();
  Matmul matmul;
  begin (&matmul);
  describe (&matmul, &matmul.a, m, k, lda, trans_a, dnnl_bf16);
  describe (&matmul, &matmul.b, k, n, ldb, trans_b, dnnl_bf16);
  describe (&matmul, &matmul.c, m, n, ldc, FALSE, dnnl_f32);
  make_primitive (&matmul, beta);
  give (&matmul, DNNL_ARG_SRC, &matmul.a, a);
  give (&matmul, DNNL_ARG_WEIGHTS, &matmul.b, b);
  give (&matmul, DNNL_ARG_DST, &matmul.c, c);
  gboolean done = finish (&matmul);
  give_threads_back (threads);
  return done;
}

gboolean
nn_onednn_igemm (gsize m, gsize n, gsize k, const guint8 *a, gsize lda, guint8 zero, const gint8 *b,
                 gsize ldb, const float *scales, float beta, float *c, gsize ldc)
{
  const float runtime_scale = DNNL_RUNTIME_F32_VAL;
  const gint32 runtime_zero = DNNL_RUNTIME_S32_VAL;
  gint32 zero_point = zero;
  int threads = take_one_thread ();
  Matmul matmul;
  begin (&matmul);
  describe (&matmul, &matmul.a, m, k, lda, FALSE, dnnl_u8);
  describe (&matmul, &matmul.b, k, n, ldb, TRUE, dnnl_s8);
  describe (&matmul, &matmul.c, m, n, ldc, FALSE, dnnl_f32);
  TRY (&matmul, dnnl_primitive_attr_set_output_scales (matmul.attr, 1, 1 << 1, &runtime_scale));
  TRY (&matmul,
       dnnl_primitive_attr_set_zero_points (matmul.attr, DNNL_ARG_SRC, 1, 0, &runtime_zero));
  make_primitive (&matmul, beta);
  give (&matmul, DNNL_ARG_SRC, &matmul.a, a);
  give (&matmul, DNNL_ARG_WEIGHTS, &matmul.b, b);
  give (&matmul, DNNL_ARG_DST, &matmul.c, c);
  give_vector (&matmul, DNNL_ARG_ATTR_OUTPUT_SCALES, dnnl_f32, n, scales);
  give_vector (&matmul, DNNL_ARG_ATTR_ZERO_POINTS | DNNL_ARG_SRC, dnnl_s32, 1, &zero_point);
  gboolean done = finish (&matmul);
  give_threads_back (threads);
  return done;
}

gboolean
nn_onednn_has (SegueNnPrecision precision)
{
  dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa ();
  switch (precision) {
  case SEGUE_NN_FLOAT32:
    return TRUE;
  case SEGUE_NN_BFLOAT16:
    return (isa & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16;
  case SEGUE_NN_INT8:
    return (isa & dnnl_cpu_isa_avx512_core_vnni) == dnnl_cpu_isa_avx512_core_vnni;
  }
  return FALSE;
}
