#include "random-private.h"

#include <segue/nn/dropout.h>
#include <string.h>

#define CHUNK 1024 /* elements whose bits are on the stack at once; a multiple of 4 */

typedef struct {
  const SegueNnRandomKey *key;
  const guint64 *items;
  float p;
  gsize n; /* of one item */
  const float *x, *residual;
  float *y;
} Dropout;

/* bits >= threshold keeps. p < 1 keeps the product below 2³². */
static guint32
threshold_of (float p)
{
  return (guint32) ((double) p * 0x1p32);
}

NN_VECTORISED void
nn_dropout_run (const NnRandomStream *stream, float p, guint64 first, gsize n, const float *x,
                float *y)
{
  guint32 bits[CHUNK + 4];
  guint32 threshold = threshold_of (p);
  float scale = 1.0f / (1.0f - p);

  for (gsize done = 0; done < n;) {
    guint64 index = first + done;
    gsize skip = index % 4, length = MIN (CHUNK, n - done);
    nn_random_blocks (stream, (guint32) (index / 4), nn_tiles (skip + length, 4), bits);
#pragma omp simd
    for (gsize i = 0; i < length; i++)
      y[done + i] = bits[skip + i] >= threshold ? x[done + i] * scale : 0.0f;
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

  if (d->residual == NULL) {
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

  if (d->residual == NULL) {
    memmove (y, x, n * sizeof *y);
    return;
  }
  const float *residual = d->residual + at;
#pragma omp simd
  for (gsize i = 0; i < n; i++)
    y[i] = residual[i] + x[i];
}

void
segue_nn_dropout (SegueNnPool *pool, const SegueNnRandomKey *key, const guint64 *items, float p,
                  gsize batch, gsize n, const float *x, float *y)
{
  segue_nn_dropout_add (pool, key, items, p, batch, n, x, NULL, y);
}

void
segue_nn_dropout_add (SegueNnPool *pool, const SegueNnRandomKey *key, const guint64 *items, float p,
                      gsize batch, gsize n, const float *x, const float *residual, float *y)
{
  g_assert (p >= 0.0f && p < 1.0f && (p == 0.0f || key != NULL));
  Dropout d = { key, items, p, n, x, residual, y };
  if (p > 0.0f) {
    segue_nn_pool_run (pool, batch * nn_tiles (n, NN_BLOCK), dropout_tile, &d);
  } else {
    d.n = batch * n;
    segue_nn_pool_run (pool, nn_tiles (d.n, NN_BLOCK), add_tile, &d);
  }
}
