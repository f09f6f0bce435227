#include "softmax-private.h"

#include <segue/nn/softmax.h>

typedef struct {
  gsize rows, n;
  const float *x, *y, *dy;
  float *out; /* y or dx */
} Softmax;

NN_VECTORISED static void
forward_tile (gpointer data, gsize tile, guint thread)
{
  const Softmax *s = data;
  gsize block = nn_block_rows (s->n);
  gsize rows = nn_tile_length (s->rows, block, tile);
  for (gsize i = 0; i < rows; i++) {
    gsize at = (tile * block + i) * s->n;
    nn_softmax_row (s->n, s->x + at, s->out + at);
  }
}

NN_VECTORISED static void
backward_tile (gpointer data, gsize tile, guint thread)
{
  const Softmax *s = data;
  gsize block = nn_block_rows (s->n);
  gsize rows = nn_tile_length (s->rows, block, tile);
  for (gsize i = 0; i < rows; i++) {
    gsize at = (tile * block + i) * s->n;
    nn_softmax_backward_row (s->n, 1.0f, s->y + at, s->dy + at, s->out + at);
  }
}

void
segue_nn_softmax_forward (SegueNnThreads *threads, gsize rows, gsize n, const float *x, float *y)
{
  Softmax s = { .rows = rows, .n = n, .x = x, .out = y };
  segue_nn_threads_run (threads, n > 0 ? nn_tiles (rows, nn_block_rows (n)) : 0, forward_tile, &s);
}

void
segue_nn_softmax_backward (SegueNnThreads *threads, gsize rows, gsize n, const float *y,
                           const float *dy, float *dx)
{
  Softmax s = { .rows = rows, .n = n, .y = y, .dy = dy, .out = dx };
  segue_nn_threads_run (threads, n > 0 ? nn_tiles (rows, nn_block_rows (n)) : 0, backward_tile, &s);
}
