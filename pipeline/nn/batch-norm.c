#include "norm-private.h"

#include <math.h>
#include <segue/nn/batch-norm.h>

/* Channels processed at a time: a few vectors on any processor. */
#define CHANNELS ((gsize) 32)

typedef struct {
  gsize rows, channels;
  gsize block; /* rows of a tile */
  const float *x;
  float *sums; /* [tiles, 3, channels]: mean, sum of squares around it, sum around it */
} Statistics;

static gsize
count_tiles (gsize rows, gsize channels)
{
  return nn_tiles (rows, nn_block_rows (channels));
}

gsize
segue_nn_batch_norm_scratch (gsize rows, gsize channels)
{
  return count_tiles (rows, channels) * 3 * channels;
}

/* n <= CHANNELS columns of rows × channels. The first sum is rounded; the second sums the remainders
 * around it, which correct both. */
NN_INLINE void
sum_columns (const float *x, gsize rows, gsize channels, gsize n, float *sums)
{
  float mean[CHANNELS] = { 0 }, squares[CHANNELS] = { 0 }, left[CHANNELS] = { 0 };

  for (gsize row = 0; row < rows; row++)
    for (gsize c = 0; c < n; c++)
      mean[c] += x[row * channels + c];
  for (gsize c = 0; c < n; c++)
    mean[c] /= (float) rows;
  for (gsize row = 0; row < rows; row++)
    for (gsize c = 0; c < n; c++) {
      float d = x[row * channels + c] - mean[c];
      left[c] += d;
      squares[c] += d * d;
    }
  for (gsize c = 0; c < n; c++) {
    sums[c] = mean[c];
    sums[channels + c] = squares[c];
    sums[2 * channels + c] = left[c];
  }
}

NN_VECTORISED static void
sum_tile (gpointer data, gsize tile, guint thread)
{
  const Statistics *s = data;
  gsize channels = s->channels, c = 0;
  gsize rows = nn_tile_length (s->rows, s->block, tile);
  const float *x = s->x + tile * s->block * channels;
  float *sums = s->sums + tile * 3 * channels;

  for (; c + CHANNELS <= channels; c += CHANNELS)
    sum_columns (x + c, rows, channels, CHANNELS, sums + c);
  if (c < channels)
    sum_columns (x + c, rows, channels, channels - c, sums + c);
}

void
segue_nn_batch_norm_statistics (SegueNnThreads *threads, gsize rows, gsize channels, const float *x,
                                float *mean, float *variance, float *scratch)
{
  g_assert (rows > 0);
  Statistics s = { rows, channels, nn_block_rows (channels), x, scratch };
  gsize tiles = count_tiles (rows, channels);
  segue_nn_threads_run (threads, tiles, sum_tile, &s);

  for (gsize c = 0; c < channels; c++) {
    NormMoments total = { 0.0, 0.0, 0.0 };
    for (gsize tile = 0; tile < tiles; tile++) {
      const float *sums = scratch + tile * 3 * channels + c;
      double more = (double) nn_tile_length (rows, s.block, tile);
      double left = (double) sums[2 * channels] / more;
      norm_merge (&total, more, (double) sums[0] + left,
                  (double) sums[channels] - left * left * more);
    }
    mean[c] = (float) total.mean;
    variance[c] = (float) (total.m2 / total.n);
  }
}

void
segue_nn_batch_norm_track (gsize rows, gsize channels, double momentum, const float *mean,
                           const float *variance, float *running_mean, float *running_variance)
{
  double unbiased = rows > 1 ? (double) rows / (double) (rows - 1) : 1.0;
  for (gsize c = 0; c < channels; c++) {
    running_mean[c] =
      (float) ((1.0 - momentum) * (double) running_mean[c] + momentum * (double) mean[c]);
    running_variance[c] = (float) ((1.0 - momentum) * (double) running_variance[c] +
                                   momentum * unbiased * (double) variance[c]);
  }
}

void
segue_nn_batch_norm_fold (gsize channels, float eps, const float *gamma, const float *beta,
                          const float *mean, const float *variance, float *scale, float *shift,
                          float *rstd)
{
  for (gsize c = 0; c < channels; c++) {
    double r = 1.0 / sqrt ((double) variance[c] + (double) eps);
    scale[c] = (float) ((double) gamma[c] * r);
    shift[c] = (float) ((double) beta[c] - (double) mean[c] * (double) gamma[c] * r);
    if (rstd)
      rstd[c] = (float) r;
  }
}
