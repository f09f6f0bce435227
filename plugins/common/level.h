/* The level of samples. */
#pragma once

#include <glib.h>
#include <math.h>

/** level_mean_square: of @n samples, over all channels; 0 for no samples. */
static inline double
level_mean_square (const float *samples, gsize n)
{
  double sum = 0;

  for (gsize i = 0; i < n; i++)
    sum += (double) samples[i] * (double) samples[i];
  return n ? sum / (double) n : 0;
}

/** level_from_db: the mean square of an RMS level of @db, where full scale is 0 dB. */
static inline double
level_from_db (double db)
{
  return pow (10, db / 10);
}
