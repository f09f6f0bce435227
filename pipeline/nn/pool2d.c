#include "nn-private.h"

#include <segue/nn/pool2d.h>
#include <string.h>

/* Channels processed at a time: a few vectors on any processor. */
#define CHANNELS ((gsize) 32)
#define WINDOW   SEGUE_NN_POOL2D_MAX_WINDOW

typedef struct {
  const SegueNnPool2d *shape;
  const SegueNnBatchNorm *norm;
  gsize out_height, out_width;
  gsize block; /* rows of windows per tile */
  gsize bands; /* tiles per item */
  const float *x, *dy;
  const float *scale, *shift;
  float *y, *dx;
  float *sums;  /* [tiles, 2, channels]: Σ g and Σ g · x̂ of a tile */
  float *slope; /* [channels] of the backward: dx = scale · g + slope · (x − mean) + offset */
  float *offset;
} Pool2d;

static Pool2d
plan (const SegueNnPool2d *shape)
{
  g_assert (shape->pool_height > 0 && shape->pool_width > 0);
  g_assert (shape->pool_height * shape->pool_width <= WINDOW);
  Pool2d p = { .shape = shape };
  p.out_height = shape->height / shape->pool_height;
  p.out_width = shape->width / shape->pool_width;
  p.block = nn_block_rows (shape->pool_height * shape->width * shape->channels);
  p.bands = nn_tiles (p.out_height, p.block);
  return p;
}

/* n channels, from c on, of one window of rows × columns. If all three numbers are compile-time constants,
 * everything stays in registers. */
typedef struct {
  gsize rows, columns;
  gsize c, n;
  gsize x; /* index in x of the window's first pixel, channel c */
  gsize y; /* and of its result in y */
} Window;

typedef enum { POOL, SUM, WRITE } Job;

NN_INLINE gsize
pixel_of (const Pool2d *p, const Window *w, gsize k)
{
  return w->x + (k / w->columns * p->shape->width + k % w->columns) * p->shape->channels;
}

NN_INLINE void
pool_window (const Pool2d *p, const Window *w)
{
  gboolean is_max = p->shape->kind == SEGUE_NN_POOL2D_MAX;
  const float *scale = p->scale + w->c, *shift = p->shift + w->c;
  float sum[CHANNELS] = { 0 };

  for (gsize k = 0; k < w->rows * w->columns; k++) {
    const float *x = p->x + pixel_of (p, w, k);
    for (gsize j = 0; j < w->n; j++) {
      float v = scale[j] * x[j] + shift[j];
      v = v > 0.0f ? v : 0.0f;
      sum[j] = !is_max ? sum[j] + v : sum[j] > v ? sum[j] : v;
    }
  }
  float share = is_max ? 1.0f : 1.0f / (float) (w->rows * w->columns);
  for (gsize j = 0; j < w->n; j++)
    p->y[w->y + j] = sum[j] * share;
}

/* Adds Σ g and Σ g · x̂ of a window, g being the gradient before pooling and ReLU, to sums and sums + channels: with
 * maximum pooling only one pixel has a g, and pixels that ReLU set to 0 have none. */
NN_INLINE void
sum_window (const Pool2d *p, const Window *w, float *sums)
{
  gboolean is_max = p->shape->kind == SEGUE_NN_POOL2D_MAX;
  const float *scale = p->scale + w->c, *shift = p->shift + w->c, *mean = p->norm->mean + w->c;
  const float *dy = p->dy + w->y, *rstd = p->norm->rstd + w->c;
  float share = 1.0f / (float) (w->rows * w->columns);
  float most[CHANNELS] = { 0 }, g[CHANNELS] = { 0 }, gx[CHANNELS] = { 0 };

  for (gsize k = 0; k < w->rows * w->columns; k++) {
    const float *x = p->x + pixel_of (p, w, k);
    for (gsize j = 0; j < w->n; j++) {
      float v = scale[j] * x[j] + shift[j], d = x[j] - mean[j];
      if (is_max) {
        g[j] = v > most[j] ? 1.0f : g[j];
        gx[j] = v > most[j] ? d : gx[j];
        most[j] = v > most[j] ? v : most[j];
      } else {
        g[j] += v > 0.0f ? share : 0.0f;
        gx[j] += v > 0.0f ? share * d : 0.0f;
      }
    }
  }
  for (gsize j = 0; j < w->n; j++) {
    sums[w->c + j] += g[j] * dy[j];
    sums[p->shape->channels + w->c + j] += gx[j] * rstd[j] * dy[j];
  }
}

/* dx of one pixel [n] at index `at`, from its g [n]. */
NN_INLINE void
write_pixel (const Pool2d *p, gsize at, gsize c, gsize n, const float *g)
{
  const float *scale = p->scale + c, *slope = p->slope + c, *offset = p->offset + c;
  const float *x = p->x + at, *mean = p->norm->mean + c;
  float *dx = p->dx + at;
  for (gsize j = 0; j < n; j++)
    dx[j] = scale[j] * g[j] + slope[j] * (x[j] - mean[j]) + offset[j];
}

NN_INLINE void
write_window (const Pool2d *p, const Window *w)
{
  gboolean is_max = p->shape->kind == SEGUE_NN_POOL2D_MAX;
  const float *scale = p->scale + w->c, *shift = p->shift + w->c, *dy = p->dy + w->y;
  gsize window = w->rows * w->columns;
  float v[WINDOW][CHANNELS], most[CHANNELS] = { 0 }, left[CHANNELS], g[CHANNELS];

  for (gsize k = 0; k < window; k++) {
    const float *x = p->x + pixel_of (p, w, k);
    for (gsize j = 0; j < w->n; j++) {
      v[k][j] = scale[j] * x[j] + shift[j];
      most[j] = most[j] > v[k][j] ? most[j] : v[k][j];
    }
  }
  for (gsize j = 0; j < w->n; j++)
    left[j] = is_max ? (most[j] > 0.0f ? dy[j] : 0.0f) : dy[j] / (float) window;
  for (gsize k = 0; k < window; k++) {
    for (gsize j = 0; j < w->n; j++) {
      gboolean hit = is_max ? v[k][j] == most[j] : v[k][j] > 0.0f;
      g[j] = hit ? left[j] : 0.0f;
      left[j] = is_max && hit ? 0.0f : left[j];
    }
    write_pixel (p, pixel_of (p, w, k), w->c, w->n, g);
  }
}

/* Pixels outside every window still contributed to mean and variance. */
NN_INLINE void
write_rest (const Pool2d *p, gsize item, gsize row, gsize column)
{
  const SegueNnPool2d *s = p->shape;
  const float none[CHANNELS] = { 0 };
  for (; column < s->width; column++)
    for (gsize c = 0; c < s->channels; c += CHANNELS)
      write_pixel (p, ((item * s->height + row) * s->width + column) * s->channels + c, c,
                   MIN (CHANNELS, s->channels - c), none);
}

NN_INLINE void
do_window (const Pool2d *p, Job job, Window w, float *sums)
{
  if (job == POOL)
    pool_window (p, &w);
  else if (job == SUM)
    sum_window (p, &w, sums);
  else
    write_window (p, &w);
}

NN_INLINE void
do_windows (const Pool2d *p, Job job, gsize tile, gsize rows, gsize columns)
{
  const SegueNnPool2d *s = p->shape;
  gsize item = tile / p->bands, first = tile % p->bands * p->block;
  gsize last = MIN (first + p->block, p->out_height), channels = s->channels;
  float *sums = job == SUM ? p->sums + tile * 2 * channels : NULL;

  if (job == SUM)
    memset (sums, 0, 2 * channels * sizeof *sums);
  for (gsize row = first; row < last; row++)
    for (gsize column = 0; column < p->out_width; column++) {
      gsize x = ((item * s->height + row * rows) * s->width + column * columns) * channels;
      gsize y = ((item * p->out_height + row) * p->out_width + column) * channels, c = 0;
      for (; c + CHANNELS <= channels; c += CHANNELS)
        do_window (p, job, (Window){ rows, columns, c, CHANNELS, x + c, y + c }, sums);
      if (c < channels)
        do_window (p, job, (Window){ rows, columns, c, channels - c, x + c, y + c }, sums);
    }
  for (gsize row = first * rows; job == WRITE && row < last * rows; row++)
    write_rest (p, item, row, p->out_width * columns);
}

/* A special case for the usual window, so that it is unrolled. */
NN_INLINE void
do_band (const Pool2d *p, Job job, gsize tile)
{
  if (p->shape->pool_height == 2 && p->shape->pool_width == 2)
    do_windows (p, job, tile, 2, 2);
  else
    do_windows (p, job, tile, p->shape->pool_height, p->shape->pool_width);
}

NN_VECTORISED static void
pool_band (gpointer data, gsize tile, guint thread)
{
  do_band (data, POOL, tile);
}

NN_VECTORISED static void
sum_band (gpointer data, gsize tile, guint thread)
{
  do_band (data, SUM, tile);
}

NN_VECTORISED static void
write_band (gpointer data, gsize tile, guint thread)
{
  do_band (data, WRITE, tile);
}

void
segue_nn_norm_relu_pool2d_forward (SegueNnThreads *threads, const SegueNnPool2d *shape,
                                   const float *x, const float *scale, const float *shift, float *y)
{
  Pool2d p = plan (shape);
  p.x = x;
  p.scale = scale;
  p.shift = shift;
  p.y = y;
  segue_nn_threads_run (threads, shape->batch * p.bands, pool_band, &p);
}

static void
write_last_rows (gpointer data, gsize item, guint thread)
{
  const Pool2d *p = data;
  for (gsize row = p->out_height * p->shape->pool_height; row < p->shape->height; row++)
    write_rest (p, item, row, 0);
}

gsize
segue_nn_norm_relu_pool2d_scratch (const SegueNnPool2d *shape)
{
  return (shape->batch * plan (shape).bands + 1) * 2 * shape->channels;
}

/* dgamma and dbeta, and the linear term that the sums add to each pixel's gradient. */
static void
finish_sums (Pool2d *p, float *dgamma, float *dbeta)
{
  const SegueNnPool2d *s = p->shape;
  gsize tiles = s->batch * p->bands;
  double n = (double) (s->batch * s->height * s->width);

  for (gsize c = 0; c < s->channels; c++) {
    double g = 0.0, gx = 0.0;
    for (gsize tile = 0; tile < tiles; tile++) {
      g += (double) p->sums[tile * 2 * s->channels + c];
      gx += (double) p->sums[(tile * 2 + 1) * s->channels + c];
    }
    double scale = (double) p->norm->gamma[c] * (double) p->norm->rstd[c];
    p->slope[c] = (float) (-scale * (double) p->norm->rstd[c] * gx / n);
    p->offset[c] = (float) (-scale * g / n);
    if (dgamma)
      dgamma[c] += (float) gx;
    if (dbeta)
      dbeta[c] += (float) g;
  }
}

void
segue_nn_norm_relu_pool2d_backward (SegueNnThreads *threads, const SegueNnPool2d *shape,
                                    const SegueNnBatchNorm *norm, const float *x, const float *dy,
                                    float *dx, float *dgamma, float *dbeta, float *scratch)
{
  Pool2d p = plan (shape);
  gsize tiles = shape->batch * p.bands;
  p.norm = norm;
  p.x = x;
  p.scale = norm->scale;
  p.shift = norm->shift;
  p.dy = dy;
  p.dx = dx;
  p.slope = scratch;
  p.offset = scratch + shape->channels;
  p.sums = scratch + 2 * shape->channels;
  segue_nn_threads_run (threads, tiles, sum_band, &p);
  finish_sums (&p, dgamma, dbeta);
  if (!dx)
    return;
  segue_nn_threads_run (threads, tiles, write_band, &p);
  if (shape->height % shape->pool_height != 0)
    segue_nn_threads_run (threads, shape->batch, write_last_rows, &p);
}

typedef struct {
  gsize time, channels;
  const float *x, *dy;
  float *y, *dx;
} TimePool;

NN_VECTORISED static void
pool_item (gpointer data, gsize item, guint thread)
{
  const TimePool *p = data;
  gsize channels = p->channels;
  const float *x = p->x + item * p->time * channels;
  float *mean = p->y + item * 2 * channels, *most = mean + channels;

  memcpy (mean, x, channels * sizeof *mean);
  memcpy (most, x, channels * sizeof *most);
  for (gsize t = 1; t < p->time; t++)
    for (gsize c = 0; c < channels; c++) {
      float v = x[t * channels + c];
      mean[c] += v;
      most[c] = most[c] > v ? most[c] : v;
    }
  for (gsize c = 0; c < channels; c++)
    mean[c] /= (float) p->time;
}

void
segue_nn_mean_max_pool_forward (SegueNnThreads *threads, gsize batch, gsize time, gsize channels,
                                const float *x, float *y)
{
  g_assert (time > 0);
  TimePool p = { .time = time, .channels = channels, .x = x, .y = y };
  segue_nn_threads_run (threads, batch, pool_item, &p);
}

static void
spread_item (gpointer data, gsize item, guint thread)
{
  const TimePool *p = data;
  gsize channels = p->channels;
  const float *x = p->x + item * p->time * channels;
  const float *mean = p->dy + item * 2 * channels, *most = mean + channels;
  float *dx = p->dx + item * p->time * channels;

  for (gsize c = 0; c < channels; c++) {
    gsize best = 0;
    for (gsize t = 1; t < p->time; t++)
      if (x[t * channels + c] > x[best * channels + c])
        best = t;
    for (gsize t = 0; t < p->time; t++)
      dx[t * channels + c] = mean[c] / (float) p->time + (t == best ? most[c] : 0.0f);
  }
}

void
segue_nn_mean_max_pool_backward (SegueNnThreads *threads, gsize batch, gsize time, gsize channels,
                                 const float *x, const float *dy, float *dx)
{
  TimePool p = { .time = time, .channels = channels, .x = x, .dy = dy, .dx = dx };
  segue_nn_threads_run (threads, batch, spread_item, &p);
}
