/* oneDNN has a function for float32 products; all others need its matmul primitive. Creating one takes
 * microseconds even if oneDNN has cached the kernel, so each thread caches its primitives. */
#include "backend-onednn-matmul.h"

#include <omp.h>
#include <oneapi/dnnl/dnnl.h>

/* Weights are packed for products of about this many rows. */
#define USUAL_ROWS 128
/* Per thread; when it is reached, the cache is emptied. */
#define MAX_PRODUCTS 1024

/* Key of a product; compared as bytes. */
typedef struct {
  gsize m, n, k;
  gsize lda, ldb, ldc; /* ldb: 0 if B is packed */
  guint8 precision;
  guint8 trans_a, trans_b;
  guint8 add;
  guint8 nothing[4];
} Shape;
_Static_assert(sizeof (Shape) == 6 * sizeof (gsize) + 8, "no gaps");

enum { SOURCE, WEIGHTS, RESULT, SCRATCHPAD, N_ARGS };

/* A primitive, ready to run on any matrices of its shape. */
typedef struct {
  Shape shape;
  dnnl_primitive_t primitive;
  dnnl_exec_arg_t args[N_ARGS];
  gsize scratchpad; /* bytes */
} Product;

/* One per process: it contains only the processor's properties. */
static dnnl_engine_t
get_engine (void)
{
  static gsize engine = 0;
  if (g_once_init_enter (&engine)) {
    dnnl_engine_t made = NULL;
    dnnl_engine_create (&made, dnnl_cpu, 0);
    g_once_init_leave (&engine, made ? (gsize) made : 1);
  }
  return engine == 1 ? NULL : (dnnl_engine_t) engine;
}

static void
destroy_stream (gpointer stream)
{
  dnnl_stream_destroy (stream);
}

/* One per thread, for its lifetime. */
static dnnl_stream_t
get_stream (void)
{
  static GPrivate streams = G_PRIVATE_INIT (destroy_stream);
  dnnl_stream_t stream = g_private_get (&streams);
  if (!stream &&
      dnnl_stream_create (&stream, get_engine (), dnnl_stream_default_flags) == dnnl_success)
    g_private_set (&streams, stream);
  return stream;
}

static void
free_pad (gpointer pad)
{
  g_byte_array_unref (pad);
}

/* One per thread: scratch memory of kernels, which never shrinks. */
static gpointer
get_scratchpad (gsize size)
{
  static GPrivate pads = G_PRIVATE_INIT (free_pad);
  GByteArray *pad = g_private_get (&pads);
  if (!pad) {
    pad = g_byte_array_new ();
    g_private_set (&pads, pad);
  }
  if (pad->len < size)
    g_byte_array_set_size (pad, (guint) size);
  return pad->data;
}

/* For this thread only, and restored afterwards: the parallelism is in the tiles, and a primitive is
 * created for a fixed number of threads. */
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

/* ---- Description of a product for oneDNN ---- */

/* The status of the first call that fails is kept; later calls are skipped. */
#define TRY(status, call)                                                                          \
  G_STMT_START                                                                                     \
  {                                                                                                \
    if (*(status) == dnnl_success)                                                                 \
      *(status) = (call);                                                                          \
  }                                                                                                \
  G_STMT_END

/* [rows, columns] with rows ld apart, or, transposed, stored [columns, rows]. */
static dnnl_memory_desc_t
describe (gsize rows, gsize columns, gsize ld, gboolean transposed, dnnl_data_type_t type,
          dnnl_status_t *status)
{
  dnnl_memory_desc_t desc = { 0 };
  dnnl_dims_t dims = { (dnnl_dim_t) rows, (dnnl_dim_t) columns };
  dnnl_dims_t strides = { transposed ? 1 : (dnnl_dim_t) ld, transposed ? (dnnl_dim_t) ld : 1 };
  TRY (status, dnnl_memory_desc_init_by_strides (&desc, 2, dims, type, strides));
  return desc;
}

static dnnl_data_type_t
weight_type (SegueModelPrecision precision)
{
  return precision == SEGUE_MODEL_INT8 ? dnnl_s8 : dnnl_bf16;
}

/* The primitive for a shape, with B as described by `b`, which may leave its order open. */
static dnnl_primitive_desc_t
describe_product (const Shape *s, const dnnl_memory_desc_t *b, dnnl_status_t *status)
{
  gboolean is_int8 = s->precision == SEGUE_MODEL_INT8;
  dnnl_primitive_desc_t desc = NULL;
  dnnl_primitive_attr_t attr = NULL;
  dnnl_post_ops_t sum = NULL;
  dnnl_matmul_desc_t matmul;
  dnnl_memory_desc_t a =
    describe (s->m, s->k, s->lda, s->trans_a, is_int8 ? dnnl_u8 : dnnl_bf16, status);
  dnnl_memory_desc_t c =
    describe (s->m, s->n, s->ldc, FALSE, is_int8 ? dnnl_s32 : dnnl_f32, status);
  TRY (status, dnnl_primitive_attr_create (&attr));
  TRY (status, dnnl_primitive_attr_set_scratchpad_mode (attr, dnnl_scratchpad_mode_user));
  if (s->add) {
    TRY (status, dnnl_post_ops_create (&sum));
    TRY (status, dnnl_post_ops_append_sum (sum, 1.0f));
    TRY (status, dnnl_primitive_attr_set_post_ops (attr, sum));
  }
  TRY (status, dnnl_matmul_desc_init (&matmul, &a, b, NULL, &c));
  TRY (status, dnnl_primitive_desc_create (&desc, &matmul, attr, get_engine (), NULL));
  dnnl_post_ops_destroy (sum);
  dnnl_primitive_attr_destroy (attr);
  return desc;
}

/* B in the order that oneDNN prefers. */
static dnnl_memory_desc_t
describe_packed (SegueModelPrecision precision, gsize n, gsize k, dnnl_status_t *status)
{
  const Shape usual = {
    .m = USUAL_ROWS, .n = n, .k = k, .lda = k, .ldc = n, .precision = (guint8) precision
  };
  dnnl_memory_desc_t b = { 0 };
  dnnl_dims_t dims = { (dnnl_dim_t) k, (dnnl_dim_t) n };
  TRY (status,
       dnnl_memory_desc_init_by_tag (&b, 2, dims, weight_type (precision), dnnl_format_tag_any));
  dnnl_primitive_desc_t desc = describe_product (&usual, &b, status);
  if (*status == dnnl_success)
    b = *dnnl_primitive_desc_query_md (desc, dnnl_query_weights_md, 0);
  dnnl_primitive_desc_destroy (desc);
  return b;
}

/* ---- Cached products of a thread ---- */

static void
product_free (gpointer data)
{
  Product *self = data;
  for (int i = 0; i < N_ARGS; i++)
    dnnl_memory_destroy (self->args[i].memory);
  dnnl_primitive_destroy (self->primitive);
  g_free (self);
}

/* NULL: no memory. */
static Product *
product_new (const Shape *s)
{
  static const int indices[N_ARGS] = { DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST,
                                       DNNL_ARG_SCRATCHPAD };
  static const dnnl_query_t queries[N_ARGS] = { dnnl_query_src_md, dnnl_query_weights_md,
                                                dnnl_query_dst_md, dnnl_query_scratchpad_md };
  dnnl_status_t status = get_engine () ? dnnl_success : dnnl_out_of_memory;
  Product *self = g_new0 (Product, 1);
  self->shape = *s;
  dnnl_memory_desc_t b =
    s->ldb == 0 ? describe_packed ((SegueModelPrecision) s->precision, s->n, s->k, &status)
                : describe (s->k, s->n, s->ldb, s->trans_b, weight_type (s->precision), &status);
  dnnl_primitive_desc_t desc = describe_product (s, &b, &status);
  TRY (&status, dnnl_primitive_create (&self->primitive, desc));
  for (int i = 0; i < N_ARGS && status == dnnl_success; i++) {
    const dnnl_memory_desc_t *md = dnnl_primitive_desc_query_md (desc, queries[i], 0);
    self->args[i].arg = indices[i];
    self->scratchpad = dnnl_memory_desc_get_size (md);
    TRY (&status, dnnl_memory_create (&self->args[i].memory, md, get_engine (), DNNL_MEMORY_NONE));
  }
  dnnl_primitive_desc_destroy (desc);
  g_assert (status == dnnl_success || status == dnnl_out_of_memory);
  if (status == dnnl_success)
    return self;
  product_free (self);
  return NULL;
}

static guint
hash_shape (gconstpointer data)
{
  const Shape *s = data;
  gsize kind = (gsize) s->precision << 3 | s->trans_a << 2 | s->trans_b << 1 | s->add;
  gsize parts[] = { s->m, s->n, s->k, s->lda, s->ldb, s->ldc, kind };
  gsize hash = 0;
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
    hash = (hash ^ parts[i]) * 0x9e3779b97f4a7c15u;
  return (guint) (hash >> 32);
}

static gboolean
equal_shapes (gconstpointer a, gconstpointer b)
{
  return memcmp (a, b, sizeof (Shape)) == 0;
}

static Product *
get_product (const Shape *shape)
{
  static GPrivate of_thread = G_PRIVATE_INIT ((GDestroyNotify) g_hash_table_unref);
  GHashTable *products = g_private_get (&of_thread);
  if (!products) {
    products = g_hash_table_new_full (hash_shape, equal_shapes, NULL, product_free);
    g_private_set (&of_thread, products);
  }
  Product *product = g_hash_table_lookup (products, shape);
  if (product)
    return product;
  if (g_hash_table_size (products) >= MAX_PRODUCTS)
    g_hash_table_remove_all (products);
  product = product_new (shape);
  if (product)
    g_hash_table_insert (products, &product->shape, product);
  return product;
}

static void
set_data (Product *product, int arg, gconstpointer data, dnnl_status_t *status)
{
  TRY (status, dnnl_memory_set_data_handle (product->args[arg].memory, (gpointer) data));
}

static gboolean
run (const Shape *shape, gconstpointer a, gconstpointer b, gpointer c)
{
  int threads = take_one_thread ();
  Product *product = get_product (shape);
  dnnl_stream_t stream = product ? get_stream () : NULL;
  dnnl_status_t status = stream ? dnnl_success : dnnl_out_of_memory;
  if (status == dnnl_success) {
    set_data (product, SOURCE, a, &status);
    set_data (product, WEIGHTS, b, &status);
    set_data (product, RESULT, c, &status);
    set_data (product, SCRATCHPAD, get_scratchpad (product->scratchpad), &status);
    TRY (&status, dnnl_primitive_execute (product->primitive, stream, N_ARGS, product->args));
    TRY (&status, dnnl_stream_wait (stream));
  }
  give_threads_back (threads);
  g_assert (status == dnnl_success || status == dnnl_out_of_memory);
  return status == dnnl_success;
}

/* ---- Functions of the backend ---- */

gboolean
nn_onednn_bgemm (gboolean trans_a, gboolean trans_b, gsize m, gsize n, gsize k,
                 const SegueNnBfloat16 *a, gsize lda, const SegueNnBfloat16 *b, gsize ldb,
                 float beta, float *c, gsize ldc)
{
  const Shape shape = { .m = m,
                        .n = n,
                        .k = k,
                        .lda = lda,
                        .ldb = ldb,
                        .ldc = ldc,
                        .precision = SEGUE_MODEL_BFLOAT16,
                        .trans_a = trans_a != FALSE,
                        .trans_b = trans_b != FALSE,
                        .add = beta != 0.0f };
  return run (&shape, a, b, c);
}

gsize
nn_onednn_packed_size (SegueModelPrecision precision, gsize n, gsize k)
{
  if (precision == SEGUE_MODEL_FLOAT32 || !nn_onednn_has (precision) || !get_engine ())
    return 0;
  /* The order may depend on the number of threads. */
  int threads = take_one_thread ();
  dnnl_status_t status = dnnl_success;
  dnnl_memory_desc_t b = describe_packed (precision, n, k, &status);
  give_threads_back (threads);
  return status == dnnl_success ? dnnl_memory_desc_get_size (&b) : 0;
}

gboolean
nn_onednn_pack (SegueModelPrecision precision, gsize n, gsize k, gconstpointer b, gsize ldb,
                gpointer packed)
{
  int threads = take_one_thread ();
  dnnl_engine_t engine = get_engine ();
  dnnl_stream_t stream = get_stream ();
  dnnl_status_t status = stream ? dnnl_success : dnnl_out_of_memory;
  dnnl_primitive_desc_t desc = NULL;
  dnnl_primitive_t primitive = NULL;
  dnnl_exec_arg_t args[] = { { DNNL_ARG_FROM, NULL }, { DNNL_ARG_TO, NULL } };
  dnnl_memory_desc_t from = describe (k, n, ldb, TRUE, weight_type (precision), &status);
  dnnl_memory_desc_t to = describe_packed (precision, n, k, &status);
  TRY (&status, dnnl_reorder_primitive_desc_create (&desc, &from, engine, &to, engine, NULL));
  TRY (&status, dnnl_primitive_create (&primitive, desc));
  TRY (&status, dnnl_memory_create (&args[0].memory, &from, engine, (gpointer) b));
  TRY (&status, dnnl_memory_create (&args[1].memory, &to, engine, packed));
  TRY (&status, dnnl_primitive_execute (primitive, stream, G_N_ELEMENTS (args), args));
  TRY (&status, dnnl_stream_wait (stream));
  for (gsize i = 0; i < G_N_ELEMENTS (args); i++)
    dnnl_memory_destroy (args[i].memory);
  dnnl_primitive_destroy (primitive);
  dnnl_primitive_desc_destroy (desc);
  give_threads_back (threads);
  g_assert (status == dnnl_success || status == dnnl_out_of_memory);
  return status == dnnl_success;
}

gboolean
nn_onednn_packed_gemm (SegueModelPrecision precision, gsize m, gsize n, gsize k, gconstpointer a,
                       gconstpointer packed, gboolean add, gpointer c)
{
  const Shape shape = {
    .m = m, .n = n, .k = k, .lda = k, .ldc = n, .precision = (guint8) precision, .add = add != FALSE
  };
  return run (&shape, a, packed, c);
}

gboolean
nn_onednn_has (SegueModelPrecision precision)
{
  dnnl_cpu_isa_t isa = dnnl_get_effective_cpu_isa ();
  switch (precision) {
  case SEGUE_MODEL_FLOAT32:
    return TRUE;
  case SEGUE_MODEL_BFLOAT16:
    return (isa & dnnl_cpu_isa_avx512_core_bf16) == dnnl_cpu_isa_avx512_core_bf16;
  case SEGUE_MODEL_INT8:
    return (isa & dnnl_cpu_isa_avx512_core_vnni) == dnnl_cpu_isa_avx512_core_vnni;
  case SEGUE_MODEL_AUTO:
    break;
  }
  return FALSE;
}
