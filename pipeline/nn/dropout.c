#include "random-private.h"

#include <segue/nn/dropout.h>
#include <string.h>

#define CHUNK 1024 /* elements processed on the stack at a time; a multiple of ELEMENTS */

typedef struct {
  const SegueNnRandomKey *key;
  const guint64 *items;
  float p;
  gsize n; /* of one item */
  const float *x, *residual;
  float *y;
} Dropout;

/* Decisions are 16 bits: element e of a chunk of ELEMENTS is determined by the lower half of number
 * e, or for the second half of the chunk by the upper half of number e − NN_CHUNK. */
#define ELEMENTS (2 * NN_CHUNK)

/* 16 bits below this drop; the scale is that of the rounded probability, so that means are
 * preserved. */
static guint32
threshold_of (float p)
{
  return MIN ((guint32) ((double) p * 65536.0 + 0.5), 65535);
}

static float
scale_of (guint32 threshold)
{
  return 65536.0f / (float) (65536 - threshold);
}

float
segue_nn_dropout_factor (const SegueNnRandomKey *key, float p, guint64 index)
{
  guint64 chunk = index / ELEMENTS, e = index % ELEMENTS;
  guint32 bits = segue_nn_random_bits (key, chunk * NN_CHUNK + e % NN_CHUNK);
  guint32 threshold = threshold_of (p);
  return (e < NN_CHUNK ? bits & 0xFFFF : bits >> 16) >= threshold ? scale_of (threshold) : 0.0f;
}

NN_VECTORISED void
nn_dropout_run (const NnRandomStream *stream, float p, guint64 first, gsize n, const float *x,
                float *y)
{
  guint32 bits[NN_CHUNK];
  float factor[ELEMENTS];
  const guint32 threshold = threshold_of (p);
  const float scale = scale_of (threshold);

  g_assert (first + n <= 2 * NN_MAX_INDEX);
  for (gsize done = 0; done < n;) {
    gsize skip = (first + done) % ELEMENTS, length = MIN (ELEMENTS - skip, n - done);
    nn_random_chunk (stream, (guint32) ((first + done) / ELEMENTS), bits);
    for (gsize i = 0; i < NN_CHUNK; i++) {
      factor[i] = (bits[i] & 0xFFFF) >= threshold ? scale : 0.0f;
      factor[NN_CHUNK + i] = bits[i] >> 16 >= threshold ? scale : 0.0f;
    }
#pragma omp simd
    for (gsize i = 0; i < length; i++)
      y[done + i] = x[done + i] * factor[skip + i];
    done += length;
  }
}

NN_VECTORISED static void
dropout_tile (gpointer data, gsize tile, guint thread)
{
  const Dropout *d = data;
  gsize tiles = nn_tiles (d->n, NN_BLOCK), b = tile / tiles, at = tile % tiles * NN_BLOCK;
  gsize n = nn_tile_length (d->n, NN_BLOCK, tile % tiles);
  NnRandomStream stream = nn_random_item_stream (d->key, d->items, b);
  const float *x = d->x + b * d->n + at;
  float *y = d->y + b * d->n + at;

  if (!d->residual) {
    nn_dropout_run (&stream, d->p, at, n, x, y);
    return;
  }
  const float *residual = d->residual + b * d->n + at;
  float dropped[CHUNK];
  for (gsize done = 0; done < n; done += CHUNK) {
    gsize length = MIN (CHUNK, n - done);
    nn_dropout_run (&stream, d->p, at + done, length, x + done, dropped);
#pragma omp simd
    for (gsize i = 0; i < length; i++)
      y[done + i] = residual[done + i] + dropped[i];
  }
}

NN_VECTORISED static void
add_tile (gpointer data, gsize tile, guint thread)
{
  const Dropout *d = data;
  gsize n = nn_tile_length (d->n, NN_BLOCK, tile), at = tile * NN_BLOCK;
  const float *x = d->x + at;
  float *y = d->y + at;

  if (!d->residual) {
    memmove (y, x, n * sizeof *y);
    return;
  }
  const float *residual = d->residual + at;
#pragma omp simd
  for (gsize i = 0; i < n; i++)
    y[i] = residual[i] + x[i];
}

void
segue_nn_dropout (SegueNnThreads *threads, const SegueNnRandomKey *key, const guint64 *items,
                  float p, gsize batch, gsize n, const float *x, float *y)
{
  segue_nn_dropout_add (threads, key, items, p, batch, n, x, NULL, y);
}

void
segue_nn_dropout_add (SegueNnThreads *threads, const SegueNnRandomKey *key, const guint64 *items,
                      float p, gsize batch, gsize n, const float *x, const float *residual,
                      float *y)
{
  g_assert (p >= 0.0f && p < 1.0f && (p == 0.0f || key));
  Dropout d = { key, items, p, n, x, residual, y };
  if (p > 0.0f) {
    segue_nn_threads_run (threads, batch * nn_tiles (n, NN_BLOCK), dropout_tile, &d);
  } else {
    d.n = batch * n;
    segue_nn_threads_run (threads, nn_tiles (d.n, NN_BLOCK), add_tile, &d);
  }
}
