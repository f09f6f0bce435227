#include "nn-private.h"

#include <math.h>
#include <segue/nn/elementwise.h>
#include <string.h>

/* Partial sums are on the stack, so a reduction is split into at most this many tiles. */
#define MAX_PARTS 256

typedef struct {
  gsize n;
  gsize block;
  float alpha;
  const float *a, *b;
  float *y;
  double parts[MAX_PARTS];
} Elementwise;

#define FOR_EACH(e, tile)                                                                          \
  const gsize n = nn_tile_length (e->n, NN_BLOCK, tile);                                           \
  float *y = e->y + tile * NN_BLOCK;                                                               \
  _Pragma ("omp simd") for (gsize i = 0; i < n; i++)

NN_VECTORISED static void
add_tile (gpointer data, gsize tile, guint thread)
{
  const Elementwise *e = data;
  const float *a = e->a + tile * NN_BLOCK, *b = e->b + tile * NN_BLOCK;
  FOR_EACH (e, tile)
  {
    y[i] = a[i] + b[i];
  }
}

NN_VECTORISED static void
accumulate_tile (gpointer data, gsize tile, guint thread)
{
  const Elementwise *e = data;
  const float *a = e->a + tile * NN_BLOCK;
  const float alpha = e->alpha;
  FOR_EACH (e, tile)
  {
    y[i] += alpha * a[i];
  }
}

NN_VECTORISED static void
scale_tile (gpointer data, gsize tile, guint thread)
{
  const Elementwise *e = data;
  const float alpha = e->alpha;
  FOR_EACH (e, tile)
  {
    y[i] *= alpha;
  }
}

NN_VECTORISED static void
fill_tile (gpointer data, gsize tile, guint thread)
{
  const Elementwise *e = data;
  const float alpha = e->alpha;
  FOR_EACH (e, tile)
  {
    y[i] = alpha;
  }
}

static void
copy_tile (gpointer data, gsize tile, guint thread)
{
  const Elementwise *e = data;
  memcpy (e->y + tile * NN_BLOCK, e->a + tile * NN_BLOCK,
          nn_tile_length (e->n, NN_BLOCK, tile) * sizeof (float));
}

NN_VECTORISED static void
dot_tile (gpointer data, gsize tile, guint thread)
{
  Elementwise *e = data;
  gsize n = nn_tile_length (e->n, e->block, tile);
  const float *a = e->a + tile * e->block, *b = e->b + tile * e->block;
  double sum = 0.0;
#pragma omp simd reduction(+ : sum)
  for (gsize i = 0; i < n; i++)
    sum += (double) a[i] * (double) b[i];
  e->parts[tile] = sum;
}

/* parts[tile]: 1 if an element isn't finite. x − x is 0 for all finite x and NaN for
 * others. */
NN_VECTORISED static void
finite_tile (gpointer data, gsize tile, guint thread)
{
  Elementwise *e = data;
  gsize n = nn_tile_length (e->n, e->block, tile);
  const float *a = e->a + tile * e->block;
  guint bad = 0;
#pragma omp simd reduction(| : bad)
  for (gsize i = 0; i < n; i++)
    bad |= a[i] - a[i] != 0.0f;
  e->parts[tile] = bad;
}

static void
run (SegueNnThreads *threads, Elementwise *e, SegueNnTask task)
{
  segue_nn_threads_run (threads, nn_tiles (e->n, NN_BLOCK), task, e);
}

static double
reduce (SegueNnThreads *threads, Elementwise *e, SegueNnTask task)
{
  double sum = 0.0;
  e->block = MAX (nn_tiles (e->n, MAX_PARTS), NN_BLOCK);
  gsize n_tiles = nn_tiles (e->n, e->block);
  segue_nn_threads_run (threads, n_tiles, task, e);
  for (gsize i = 0; i < n_tiles; i++)
    sum += e->parts[i];
  return sum;
}

void
segue_nn_add (SegueNnThreads *threads, gsize n, const float *a, const float *b, float *y)
{
  Elementwise e = { .n = n, .a = a, .b = b, .y = y };
  run (threads, &e, add_tile);
}

void
segue_nn_accumulate (SegueNnThreads *threads, gsize n, float alpha, const float *x, float *y)
{
  Elementwise e = { .n = n, .alpha = alpha, .a = x, .y = y };
  run (threads, &e, accumulate_tile);
}

void
segue_nn_scale (SegueNnThreads *threads, gsize n, float alpha, float *x)
{
  Elementwise e = { .n = n, .alpha = alpha, .y = x };
  run (threads, &e, scale_tile);
}

void
segue_nn_fill (SegueNnThreads *threads, gsize n, float alpha, float *y)
{
  Elementwise e = { .n = n, .alpha = alpha, .y = y };
  run (threads, &e, fill_tile);
}

void
segue_nn_copy (SegueNnThreads *threads, gsize n, const float *x, float *y)
{
  Elementwise e = { .n = n, .a = x, .y = y };
  run (threads, &e, copy_tile);
}

double
segue_nn_dot (SegueNnThreads *threads, gsize n, const float *x, const float *y)
{
  Elementwise e = { .n = n, .a = x, .b = y };
  return reduce (threads, &e, dot_tile);
}

double
segue_nn_sum_squares (SegueNnThreads *threads, gsize n, const float *x)
{
  return segue_nn_dot (threads, n, x, x);
}

gboolean
segue_nn_all_finite (SegueNnThreads *threads, gsize n, const float *x)
{
  Elementwise e = { .n = n, .a = x };
  return reduce (threads, &e, finite_tile) == 0.0;
}

typedef struct {
  gsize n;
  float eps;
  const float *x;
  float *y;
} Standardise;

NN_VECTORISED static void
standardise_row (gpointer data, gsize row, guint thread)
{
  const Standardise *s = data;
  const float *x = s->x + row * s->n;
  float *y = s->y + row * s->n;
  double sum = 0.0, squares = 0.0;
#pragma omp simd reduction(+ : sum)
  for (gsize i = 0; i < s->n; i++)
    sum += (double) x[i];
  double mean = sum / (double) s->n;
#pragma omp simd reduction(+ : squares)
  for (gsize i = 0; i < s->n; i++)
    squares += ((double) x[i] - mean) * ((double) x[i] - mean);
  double scale = 1.0 / sqrt (squares / (double) s->n + (double) s->eps);
#pragma omp simd
  for (gsize i = 0; i < s->n; i++)
    y[i] = (float) (((double) x[i] - mean) * scale);
}

void
segue_nn_standardise (SegueNnThreads *threads, gsize rows, gsize n, float eps, const float *x,
                      float *y)
{
  Standardise s = { n, eps, x, y };
  segue_nn_threads_run (threads, n > 0 ? rows : 0, standardise_row, &s);
}
