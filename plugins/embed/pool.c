#include "pool.h"

#include <math.h>

guint
pool_count_width (Pool pool, guint width)
{
  return pool == POOL_MEAN_MAX || pool == POOL_STATISTICS ? 2 * width : width;
}

static double
mean_of (const float *column, gsize n_frames, guint width)
{
  double sum = 0;
  for (gsize t = 0; t < n_frames; t++)
    sum += (double) column[t * width];
  return sum / (double) n_frames;
}

static double
deviation_of (const float *column, gsize n_frames, guint width)
{
  double mean = mean_of (column, n_frames, width), sum = 0;
  for (gsize t = 0; t < n_frames; t++)
    sum += ((double) column[t * width] - mean) * ((double) column[t * width] - mean);
  return sqrt (sum / (double) n_frames);
}

static double
largest_of (const float *column, gsize n_frames, guint width)
{
  float largest = column[0];
  for (gsize t = 1; t < n_frames; t++)
    largest = MAX (largest, column[t * width]);
  return (double) largest;
}

typedef double (*Figure) (const float *column, gsize n_frames, guint width);

static void
append_figures (Figure figure, const float *frames, gsize n_frames, guint width, GArray *output)
{
  for (guint c = 0; c < width; c++) {
    float value = (float) figure (frames + c, n_frames, width);
    g_array_append_val (output, value);
  }
}

void
pool_frames (Pool pool, const float *frames, gsize n_frames, guint width, GArray *output)
{
  if (pool == POOL_NONE) {
    g_array_append_vals (output, frames, (guint) (n_frames * width));
    return;
  }
  append_figures (mean_of, frames, n_frames, width, output);
  if (pool == POOL_MEAN_MAX)
    append_figures (largest_of, frames, n_frames, width, output);
  if (pool == POOL_STATISTICS)
    append_figures (deviation_of, frames, n_frames, width, output);
}
