#include "nn-private.h"

#include <segue/nn/pool2d.h>
#include <string.h>

/* Channels that are done at once: a few vectors, whatever the processor. */
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

/* One window: where it starts in x, and in y. */
NN_INLINE gsize
window_start (const Pool2d *p, gsize item, gsize row, gsize column)
{
  const SegueNnPool2d *s = p->shape;
  return ((item * s->height + row * s->pool_height) * s->width + column * s->pool_width) *
         s->channels;
}

NN_INLINE gsize
pixel_start (const SegueNnPool2d *s, gsize start, gsize k)
{
  return start + (k / s->pool_width * s->width + k % s->pool_width) * s->channels;
}

/* n <= CHANNELS channels of one window, from c on. */
NN_INLINE void
pool_window (const Pool2d *p, gsize start, gsize c, gsize n, float *y)
{
  const SegueNnPool2d *s = p->shape;
  gsize window = s->pool_height * s->pool_width;
  float sum[CHANNELS] = { 0 };

  for (gsize k = 0; k < window; k++) {
    const float *x = p->x + pixel_start (s, start, k) + c;
    for (gsize j = 0; j < n; j++) {
      float v = p->scale[c + j] * x[j] + p->shift[c + j];
      v = v > 0.0f ? v : 0.0f;
      if (s->kind == SEGUE_NN_POOL2D_MAX)
        sum[j] = sum[j] > v ? sum[j] : v;
      else
        sum[j] += v;
    }
  }
  float share = s->kind == SEGUE_NN_POOL2D_MAX ? 1.0f : 1.0f / (float) window;
  for (gsize j = 0; j < n; j++)
    y[j] = sum[j] * share;
}

NN_VECTORISED static void
pool_band (gpointer data, gsize tile, guint thread)
{
  const Pool2d *p = data;
  gsize item = tile / p->bands, first = tile % p->bands * p->block;
  gsize last = MIN (first + p->block, p->out_height), channels = p->shape->channels;

  for (gsize row = first; row < last; row++)
    for (gsize column = 0; column < p->out_width; column++) {
      gsize start = window_start (p, item, row, column);
      float *y = p->y + ((item * p->out_height + row) * p->out_width + column) * channels;
      gsize c = 0;
      for (; c + CHANNELS <= channels; c += CHANNELS)
        pool_window (p, start, c, CHANNELS, y + c);
      if (c < channels)
        pool_window (p, start, c, channels - c, y + c);
    }
}

void
segue_nn_norm_relu_pool2d_forward (SegueNnPool *pool, const SegueNnPool2d *shape, const float *x,
                                   const float *scale, const float *shift, float *y)
{
  Pool2d p = plan (shape);
  p.x = x;
  p.scale = scale;
  p.shift = shift;
  p.y = y;
  segue_nn_pool_run (pool, shape->batch * p.bands, pool_band, &p);
}

/* g [window, CHANNELS]: the gradient of dy [n] before pool and ReLU. */
NN_INLINE void
route_window (const Pool2d *p, gsize start, gsize c, gsize n, const float *dy,
              float g[WINDOW][CHANNELS])
{
  const SegueNnPool2d *s = p->shape;
  gsize window = s->pool_height * s->pool_width;
  float most[CHANNELS] = { 0 }, left[CHANNELS];

  for (gsize k = 0; k < window; k++) {
    const float *x = p->x + pixel_start (s, start, k) + c;
    for (gsize j = 0; j < n; j++) {
      float v = p->scale[c + j] * x[j] + p->shift[c + j];
      g[k][j] = v;
      most[j] = most[j] > v ? most[j] : v;
    }
  }
  if (s->kind == SEGUE_NN_POOL2D_MEAN) {
    for (gsize k = 0; k < window; k++)
      for (gsize j = 0; j < n; j++)
        g[k][j] = g[k][j] > 0.0f ? dy[j] / (float) window : 0.0f;
    return;
  }
  for (gsize j = 0; j < n; j++)
    left[j] = most[j] > 0.0f ? dy[j] : 0.0f;
  for (gsize k = 0; k < window; k++)
    for (gsize j = 0; j < n; j++) {
      gboolean hit = g[k][j] == most[j];
      g[k][j] = hit ? left[j] : 0.0f;
      left[j] = hit ? 0.0f : left[j];
    }
}

NN_INLINE void
sum_window (const Pool2d *p, gsize start, gsize c, gsize n, const float *dy, float *sums)
{
  const SegueNnPool2d *s = p->shape;
  const float *mean = p->norm->mean + c, *rstd = p->norm->rstd + c;
  float g[WINDOW][CHANNELS];

  route_window (p, start, c, n, dy, g);
  for (gsize k = 0; k < s->pool_height * s->pool_width; k++) {
    const float *x = p->x + pixel_start (s, start, k) + c;
    for (gsize j = 0; j < n; j++) {
      sums[j] += g[k][j];
      sums[s->channels + j] += g[k][j] * (x[j] - mean[j]) * rstd[j];
    }
  }
}

NN_VECTORISED static void
sum_band (gpointer data, gsize tile, guint thread)
{
  const Pool2d *p = data;
  gsize item = tile / p->bands, first = tile % p->bands * p->block;
  gsize last = MIN (first + p->block, p->out_height), channels = p->shape->channels;
  float *sums = p->sums + tile * 2 * channels;

  memset (sums, 0, 2 * channels * sizeof *sums);
  for (gsize row = first; row < last; row++)
    for (gsize column = 0; column < p->out_width; column++) {
      gsize start = window_start (p, item, row, column);
      const float *dy = p->dy + ((item * p->out_height + row) * p->out_width + column) * channels;
      gsize c = 0;
      for (; c + CHANNELS <= channels; c += CHANNELS)
        sum_window (p, start, c, CHANNELS, dy + c, sums + c);
      if (c < channels)
        sum_window (p, start, c, channels - c, dy + c, sums + c);
    }
}

NN_INLINE void
write_pixel (const Pool2d *p, gsize at, gsize c, gsize n, const float *g)
{
  const float *x = p->x + at + c, *mean = p->norm->mean + c;
  float *dx = p->dx + at + c;
  for (gsize j = 0; j < n; j++)
    dx[j] = p->scale[c + j] * g[j] + p->slope[c + j] * (x[j] - mean[j]) + p->offset[c + j];
}

NN_INLINE void
write_window (const Pool2d *p, gsize start, gsize c, gsize n, const float *dy)
{
  const SegueNnPool2d *s = p->shape;
  float g[WINDOW][CHANNELS];

  route_window (p, start, c, n, dy, g);
  for (gsize k = 0; k < s->pool_height * s->pool_width; k++)
    write_pixel (p, pixel_start (s, start, k), c, n, g[k]);
}

/* Pixels that no window reached still had a say in mean and variance. */
NN_INLINE void
write_rest (const Pool2d *p, gsize item, gsize row, gsize column)
{
  const SegueNnPool2d *s = p->shape;
  const float none[CHANNELS] = { 0 };
  for (; column < s->width; column++)
    for (gsize c = 0; c < s->channels; c += CHANNELS)
      write_pixel (p, ((item * s->height + row) * s->width + column) * s->channels, c,
                   MIN (CHANNELS, s->channels - c), none);
}

NN_VECTORISED static void
write_band (gpointer data, gsize tile, guint thread)
{
  const Pool2d *p = data;
  const SegueNnPool2d *s = p->shape;
  gsize item = tile / p->bands, first = tile % p->bands * p->block;
  gsize last = MIN (first + p->block, p->out_height), channels = s->channels;

  for (gsize row = first; row < last; row++) {
    for (gsize column = 0; column < p->out_width; column++) {
      gsize start = window_start (p, item, row, column);
      const float *dy = p->dy + ((item * p->out_height + row) * p->out_width + column) * channels;
      gsize c = 0;
      for (; c + CHANNELS <= channels; c += CHANNELS)
        write_window (p, start, c, CHANNELS, dy + c);
      if (c < channels)
        write_window (p, start, c, channels - c, dy + c);
    }
    for (gsize k = 0; k < s->pool_height; k++)
      write_rest (p, item, row * s->pool_height + k, p->out_width * s->pool_width);
  }
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

/* dgamma and dbeta, and the line that the sums add to each pixel's gradient. */
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
    if (dgamma != NULL)
      dgamma[c] += (float) gx;
    if (dbeta != NULL)
      dbeta[c] += (float) g;
  }
}

void
segue_nn_norm_relu_pool2d_backward (SegueNnPool *pool, const SegueNnPool2d *shape,
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
  segue_nn_pool_run (pool, tiles, sum_band, &p);
  finish_sums (&p, dgamma, dbeta);
  if (dx == NULL)
    return;
  segue_nn_pool_run (pool, tiles, write_band, &p);
  if (shape->height % shape->pool_height != 0)
    segue_nn_pool_run (pool, shape->batch, write_last_rows, &p);
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
segue_nn_mean_max_pool_forward (SegueNnPool *pool, gsize batch, gsize time, gsize channels,
                                const float *x, float *y)
{
  g_assert (time > 0);
  TimePool p = { .time = time, .channels = channels, .x = x, .y = y };
  segue_nn_pool_run (pool, batch, pool_item, &p);
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
segue_nn_mean_max_pool_backward (SegueNnPool *pool, gsize batch, gsize time, gsize channels,
                                 const float *x, const float *dy, float *dx)
{
  TimePool p = { .time = time, .channels = channels, .x = x, .dy = dy, .dx = dx };
  segue_nn_pool_run (pool, batch, spread_item, &p);
}
