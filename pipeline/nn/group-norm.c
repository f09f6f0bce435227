#include "activation-private.h"
#include "norm-private.h"

#include <math.h>
#include <segue/nn/norm.h>

/* Frames whose columns are summed in float before the sums are added in double: 64 KiB of them stay
 * in the cache for the second pass. */
#define CHUNK 256

/* A tile has several whole groups, about NN_COLUMNS channels, of one item (forward) or of all items
 * in order (backward, which sums over them). */
typedef struct {
  gsize batch, time, channels, groups;
  gsize width; /* channels of one group */
  gsize block; /* groups of one tile */
  gsize tiles; /* tiles across the channels */
  float eps;
  SegueNnActivation activation;
  const float *x, *gamma, *beta, *dy;
  float *y, *dx, *dgamma, *dbeta;
  float *mean, *rstd;
  const float *saved_mean, *saved_rstd;
} GroupNorm;

static void
set_tiles (GroupNorm *g)
{
  g_assert (g->groups > 0 && g->channels % g->groups == 0 && g->channels > 0 && g->time > 0);
  g->width = g->channels / g->groups;
  g->block = MAX (NN_COLUMNS / g->width, 1);
  g->tiles = nn_tiles (g->groups, g->block);
}

/* Moments of n <= NN_COLUMNS columns of x [time, channels]: means and squares of a chunk at a
 * time, the squares about the chunk's mean. */
NN_INLINE void
column_moments (const float *x, gsize time, gsize channels, gsize n, NormMoments *moments)
{
  for (gsize j = 0; j < n; j++)
    moments[j] = (NormMoments){ 0.0, 0.0, 0.0 };
  for (gsize t = 0; t < time; t += CHUNK) {
    gsize length = MIN (CHUNK, time - t);
    float sum[NN_COLUMNS] = { 0 }, squares[NN_COLUMNS] = { 0 };
    for (gsize i = 0; i < length; i++) {
      const float *row = x + (t + i) * channels;
#pragma omp simd
      for (gsize j = 0; j < n; j++)
        sum[j] += row[j];
    }
    for (gsize j = 0; j < n; j++)
      sum[j] /= (float) length;
    for (gsize i = 0; i < length; i++) {
      const float *row = x + (t + i) * channels;
#pragma omp simd
      for (gsize j = 0; j < n; j++)
        squares[j] += (row[j] - sum[j]) * (row[j] - sum[j]);
    }
    for (gsize j = 0; j < n; j++)
      norm_merge (&moments[j], (double) length, (double) sum[j], (double) squares[j]);
  }
}

/* mean and rstd of the groups of this tile. */
NN_INLINE void
group_statistics (const GroupNorm *g, const float *x, gsize item, gsize first_group, gsize n_groups)
{
  NormMoments moments[NN_COLUMNS];
  NormMoments total = { 0.0, 0.0, 0.0 };
  gsize first = first_group * g->width, last = first + n_groups * g->width;

  for (gsize c = first; c < last; c += NN_COLUMNS) {
    gsize n = MIN (NN_COLUMNS, last - c);
    column_moments (x + c, g->time, g->channels, n, moments);
    for (gsize j = 0; j < n; j++) {
      norm_merge (&total, moments[j].n, moments[j].mean, moments[j].m2);
      if ((c + j + 1) % g->width != 0)
        continue;
      gsize at = item * g->groups + (c + j) / g->width;
      g->mean[at] = (float) total.mean;
      g->rstd[at] = (float) (1.0 / sqrt (total.m2 / total.n + (double) g->eps));
      total = (NormMoments){ 0.0, 0.0, 0.0 };
    }
  }
}

/* n <= NN_COLUMNS columns: the mean is subtracted first, since it may be large compared to the
 * deviation. */
NN_INLINE void
scale_columns (const GroupNorm *g, gsize item, gsize c, gsize n)
{
  const float *x = g->x + item * g->time * g->channels + c, *beta = g->beta + c;
  float *y = g->y + item * g->time * g->channels + c;
  float mean[NN_COLUMNS], scale[NN_COLUMNS];

  for (gsize j = 0; j < n; j++) {
    gsize at = item * g->groups + (c + j) / g->width;
    mean[j] = g->mean[at];
    scale[j] = g->rstd[at] * g->gamma[c + j];
  }
  for (gsize t = 0; t < g->time; t++) {
    const float *from = x + t * g->channels;
    float *to = y + t * g->channels;
#pragma omp simd
    for (gsize j = 0; j < n; j++)
      to[j] = (from[j] - mean[j]) * scale[j] + beta[j];
    if (g->activation != SEGUE_NN_ACTIVATION_LINEAR)
      nn_activate (g->activation, n, to, to);
  }
}

NN_VECTORISED static void
forward_tile (gpointer data, gsize tile, guint thread)
{
  const GroupNorm *g = data;
  gsize item = tile / g->tiles, first_group = tile % g->tiles * g->block;
  gsize n_groups = MIN (g->block, g->groups - first_group);
  gsize first = first_group * g->width, last = first + n_groups * g->width;

  group_statistics (g, g->x + item * g->time * g->channels, item, first_group, n_groups);
  for (gsize c = first; c < last; c += NN_COLUMNS)
    scale_columns (g, item, c, MIN (NN_COLUMNS, last - c));
}

void
segue_nn_group_norm_forward (SegueNnThreads *threads, gsize batch, gsize time, gsize channels,
                             gsize groups, float eps, SegueNnActivation activation, const float *x,
                             const float *gamma, const float *beta, float *y, float *mean,
                             float *rstd)
{
  GroupNorm g = { .batch = batch,
                  .time = time,
                  .channels = channels,
                  .groups = groups,
                  .eps = eps,
                  .activation = activation,
                  .x = x,
                  .gamma = gamma,
                  .beta = beta,
                  .y = y,
                  .mean = mean,
                  .rstd = rstd };
  set_tiles (&g);
  segue_nn_threads_run (threads, batch * g.tiles, forward_tile, &g);
}

/* Per column: Σ dy and Σ dy · x̂ over time, n <= NN_COLUMNS. */
NN_INLINE void
column_sums (const GroupNorm *g, gsize item, gsize c, gsize n, double *sum, double *sum_x)
{
  const float *x = g->x + item * g->time * g->channels + c;
  const float *dy = g->dy + item * g->time * g->channels + c;
  float mean[NN_COLUMNS], rstd[NN_COLUMNS];
  for (gsize j = 0; j < n; j++) {
    mean[j] = g->saved_mean[item * g->groups + (c + j) / g->width];
    rstd[j] = g->saved_rstd[item * g->groups + (c + j) / g->width];
    sum[j] = sum_x[j] = 0.0;
  }
  for (gsize t = 0; t < g->time; t += CHUNK) {
    gsize length = MIN (CHUNK, g->time - t);
    float part[NN_COLUMNS] = { 0 }, part_x[NN_COLUMNS] = { 0 };
    for (gsize i = 0; i < length; i++) {
      const float *row = x + (t + i) * g->channels, *drow = dy + (t + i) * g->channels;
#pragma omp simd
      for (gsize j = 0; j < n; j++) {
        part[j] += drow[j];
        part_x[j] += drow[j] * ((row[j] - mean[j]) * rstd[j]);
      }
    }
    for (gsize j = 0; j < n; j++) {
      sum[j] += (double) part[j];
      sum_x[j] += (double) part_x[j];
    }
  }
}

/* dx of n columns of one item, from the means a of gamma·dy and b of gamma·dy·x̂ of their groups:
 *
 *   dx = rstd · (gamma · dy − a − x̂ · b) */
NN_INLINE void
dx_columns (const GroupNorm *g, gsize item, gsize c, gsize n, const double *a, const double *b)
{
  const gsize channels = g->channels;
  const float *x = g->x + item * g->time * channels + c;
  const float *dy = g->dy + item * g->time * channels + c;
  float *dx = g->dx + item * g->time * channels + c;
  float mean[NN_COLUMNS], of_dy[NN_COLUMNS], of_x[NN_COLUMNS], shift[NN_COLUMNS];

  for (gsize j = 0; j < n; j++) {
    gsize at = item * g->groups + (c + j) / g->width;
    float rstd = g->saved_rstd[at];
    mean[j] = g->saved_mean[at];
    of_dy[j] = rstd * g->gamma[c + j];
    of_x[j] = rstd * rstd * (float) b[j];
    shift[j] = rstd * (float) a[j];
  }
  for (gsize t = 0; t < g->time; t++) {
    const float *row = x + t * channels, *drow = dy + t * channels;
    float *to = dx + t * channels;
#pragma omp simd
    for (gsize j = 0; j < n; j++)
      to[j] = drow[j] * of_dy[j] - (row[j] - mean[j]) * of_x[j] - shift[j];
  }
}

/* Sums gamma-weighted columns into the two means of each group that begins in this tile; groups
 * wider than NN_COLUMNS take several blocks of columns. */
NN_INLINE void
backward_item (const GroupNorm *g, gsize item, gsize first, gsize last)
{
  const double size = (double) g->time * (double) g->width;
  double a[NN_COLUMNS], b[NN_COLUMNS];

  for (gsize group = first / g->width; group < last / g->width; group++) {
    double mean_g = 0.0, mean_gx = 0.0;
    for (gsize c = group * g->width; c < (group + 1) * g->width; c += NN_COLUMNS) {
      gsize n = MIN (NN_COLUMNS, (group + 1) * g->width - c);
      column_sums (g, item, c, n, a, b);
      for (gsize j = 0; j < n; j++) {
        mean_g += (double) g->gamma[c + j] * a[j] / size;
        mean_gx += (double) g->gamma[c + j] * b[j] / size;
      }
      norm_add_gradients (g->dgamma, g->dbeta, c, n, b, a);
    }
    for (gsize j = 0; j < NN_COLUMNS; j++) {
      a[j] = mean_g;
      b[j] = mean_gx;
    }
    for (gsize c = group * g->width; g->dx && c < (group + 1) * g->width; c += NN_COLUMNS)
      dx_columns (g, item, c, MIN (NN_COLUMNS, (group + 1) * g->width - c), a, b);
  }
}

/* Groups of one channel, the common case, are processed together. */
NN_INLINE void
backward_item_by_channel (const GroupNorm *g, gsize item, gsize first, gsize last)
{
  const double size = (double) g->time;
  double a[NN_COLUMNS], b[NN_COLUMNS];

  column_sums (g, item, first, last - first, a, b);
  norm_add_gradients (g->dgamma, g->dbeta, first, last - first, b, a);
  for (gsize j = 0; j < last - first; j++) {
    a[j] *= (double) g->gamma[first + j] / size;
    b[j] *= (double) g->gamma[first + j] / size;
  }
  if (g->dx)
    dx_columns (g, item, first, last - first, a, b);
}

NN_VECTORISED static void
backward_tile (gpointer data, gsize tile, guint thread)
{
  const GroupNorm *g = data;
  gsize first = tile * g->block * g->width;
  gsize last = MIN (first + g->block * g->width, g->channels);
  for (gsize item = 0; item < g->batch; item++) {
    if (g->width == 1)
      backward_item_by_channel (g, item, first, last);
    else
      backward_item (g, item, first, last);
  }
}

void
segue_nn_group_norm_backward (SegueNnThreads *threads, gsize batch, gsize time, gsize channels,
                              gsize groups, const float *x, const float *gamma, const float *mean,
                              const float *rstd, const float *dy, float *dx, float *dgamma,
                              float *dbeta)
{
  GroupNorm g = { .batch = batch,
                  .time = time,
                  .channels = channels,
                  .groups = groups,
                  .x = x,
                  .gamma = gamma,
                  .saved_mean = mean,
                  .saved_rstd = rstd,
                  .dy = dy,
                  .dx = dx,
                  .dgamma = dgamma,
                  .dbeta = dbeta };
  set_tiles (&g);
  segue_nn_threads_run (threads, g.tiles, backward_tile, &g);
}
