#include "gemm-private.h"
#include "random-private.h"
#include "softmax-private.h"

#include <math.h>
#include <segue/nn/attention.h>

/* Rows of the score matrix in memory at a time: [BLOCK, time] floats of scratch per thread. */
#define BLOCK ((gsize) 128)

typedef struct {
  const SegueNnAttention *attention;
  SegueNnThreads *threads;
  const SegueNnRandomKey *key;
  const guint64 *items;
  const float *q, *k, *v, *dy;
  float *y, *dq, *dk, *dv;
  float *scratch;
  gsize per_thread; /* floats of scratch */
  float scale;      /* 1 / √dim */
} Attention;

static gsize
matrix_size (const SegueNnAttention *a)
{
  return MIN (BLOCK, a->time) * a->time;
}

static gsize
row_blocks (const SegueNnAttention *a)
{
  return nn_tiles (a->time, BLOCK);
}

gsize
segue_nn_attention_forward_scratch (SegueNnThreads *threads, const SegueNnAttention *attention)
{
  return segue_nn_threads_get_count (threads) * matrix_size (attention);
}

gsize
segue_nn_attention_backward_scratch (SegueNnThreads *threads, const SegueNnAttention *attention)
{
  return segue_nn_threads_get_count (threads) * 3 * matrix_size (attention);
}

static Attention
attention_new (SegueNnThreads *threads, const SegueNnAttention *attention,
               const SegueNnRandomKey *key, const guint64 *items, float *scratch)
{
  g_assert (attention->stride >= attention->heads * attention->dim && attention->dim > 0);
  g_assert (attention->dropout == 0.0f || (attention->dropout < 1.0f && key));
  return (Attention){ .attention = attention,
                      .threads = threads,
                      .key = key,
                      .items = items,
                      .scratch = scratch,
                      .scale = 1.0f / sqrtf ((float) attention->dim) };
}

/* p [rows, time] = softmax (q_h [first …] k_hᵀ · scale) */
NN_VECTORISED static void
probabilities (const Attention *c, const float *q, const float *k, gsize rows, float *p)
{
  const SegueNnAttention *a = c->attention;
  nn_sgemm (c->threads, FALSE, TRUE, rows, a->time, a->dim, c->scale, q, a->stride, k, a->stride,
            0.0f, p, a->time);
  for (gsize i = 0; i < rows; i++)
    nn_softmax_row (a->time, p + i * a->time, p + i * a->time);
}

/* to = from [rows, time] under the dropout mask of these rows of (item, head). */
static void
drop (const Attention *c, gsize item, gsize head, gsize first, gsize rows, const float *from,
      float *to)
{
  const SegueNnAttention *a = c->attention;
  NnRandomStream stream = nn_random_item_stream (c->key, c->items, item);
  nn_dropout_run (&stream, a->dropout, (head * a->time + first) * a->time, rows * a->time, from,
                  to);
}

/* Tile: some rows of one head of one item. */
static void
forward_tile (gpointer data, gsize tile, guint thread)
{
  const Attention *c = data;
  const SegueNnAttention *a = c->attention;
  gsize blocks = row_blocks (a);
  gsize item = tile / (a->heads * blocks), head = tile / blocks % a->heads;
  gsize first = tile % blocks * BLOCK, rows = MIN (BLOCK, a->time - first);
  gsize width = a->heads * a->dim, at = item * a->time * a->stride + head * a->dim;
  float *p = c->scratch + thread * c->per_thread;

  probabilities (c, c->q + at + first * a->stride, c->k + at, rows, p);
  if (a->dropout > 0.0f)
    drop (c, item, head, first, rows, p, p);
  nn_sgemm (c->threads, FALSE, FALSE, rows, a->dim, a->time, 1.0f, p, a->time, c->v + at, a->stride,
            0.0f, c->y + (item * a->time + first) * width + head * a->dim, width);
}

void
segue_nn_attention_forward (SegueNnThreads *threads, const SegueNnAttention *attention,
                            const SegueNnRandomKey *key, const guint64 *items, const float *q,
                            const float *k, const float *v, float *y, float *scratch)
{
  Attention c = attention_new (threads, attention, key, items, scratch);
  c.q = q;
  c.k = k;
  c.v = v;
  c.y = y;
  c.per_thread = matrix_size (attention);
  segue_nn_threads_run (threads, attention->batch * attention->heads * row_blocks (attention),
                        forward_tile, &c);
}

NN_VECTORISED static void
softmax_backward_rows (gsize rows, gsize n, float scale, const float *p, float *dp)
{
  for (gsize i = 0; i < rows; i++)
    nn_softmax_backward_row (n, scale, p + i * n, dp + i * n, dp + i * n);
}

/* Rows first … of one head: dq of those rows; dk and dv are written for the first rows, then
 * added to. */
static void
backward_rows (const Attention *c, gsize item, gsize head, gsize first, float *p)
{
  const SegueNnAttention *a = c->attention;
  gsize rows = MIN (BLOCK, a->time - first), width = a->heads * a->dim;
  gsize at = item * a->time * a->stride + head * a->dim, at_rows = at + first * a->stride;
  const float *dy = c->dy + (item * a->time + first) * width + head * a->dim;
  float *dp = p + matrix_size (a), *dropped = p;
  float add = first > 0 ? 1.0f : 0.0f;

  probabilities (c, c->q + at_rows, c->k + at, rows, p);
  if (a->dropout > 0.0f) {
    dropped = dp + matrix_size (a);
    drop (c, item, head, first, rows, p, dropped);
  }

  /* dv += droppedᵀ dy; dp = dy vᵀ through the mask */
  nn_sgemm (c->threads, TRUE, FALSE, a->time, a->dim, rows, 1.0f, dropped, a->time, dy, width, add,
            c->dv + at, a->stride);
  nn_sgemm (c->threads, FALSE, TRUE, rows, a->time, a->dim, 1.0f, dy, width, c->v + at, a->stride,
            0.0f, dp, a->time);
  if (a->dropout > 0.0f)
    drop (c, item, head, first, rows, dp, dp);

  /* dp becomes the gradient of q kᵀ: dq = dp k; dk += dpᵀ q */
  softmax_backward_rows (rows, a->time, c->scale, p, dp);
  nn_sgemm (c->threads, FALSE, FALSE, rows, a->dim, a->time, 1.0f, dp, a->time, c->k + at,
            a->stride, 0.0f, c->dq + at_rows, a->stride);
  nn_sgemm (c->threads, TRUE, FALSE, a->time, a->dim, rows, 1.0f, dp, a->time, c->q + at_rows,
            a->stride, add, c->dk + at, a->stride);
}

/* Tile: one head of one item, its rows in order, since all of them add to dk and dv. */
static void
backward_tile (gpointer data, gsize tile, guint thread)
{
  const Attention *c = data;
  const SegueNnAttention *a = c->attention;
  float *p = c->scratch + thread * c->per_thread;
  for (gsize first = 0; first < a->time; first += BLOCK)
    backward_rows (c, tile / a->heads, tile % a->heads, first, p);
}

void
segue_nn_attention_backward (SegueNnThreads *threads, const SegueNnAttention *attention,
                             const SegueNnRandomKey *key, const guint64 *items, const float *q,
                             const float *k, const float *v, const float *dy, float *dq, float *dk,
                             float *dv, float *scratch)
{
  Attention c = attention_new (threads, attention, key, items, scratch);
  c.q = q;
  c.k = k;
  c.v = v;
  c.dy = dy;
  c.dq = dq;
  c.dk = dk;
  c.dv = dv;
  c.per_thread = 3 * matrix_size (attention);
  segue_nn_threads_run (threads, attention->batch * attention->heads, backward_tile, &c);
}
