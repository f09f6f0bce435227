#include "convert.h"

#include <math.h>
#include <string.h>

/* Not-a-number stays so: rounding could carry it into the exponent. */
NN_INLINE SegueNnBfloat16
round_to_bfloat16 (float x)
{
  guint32 bits;
  memcpy (&bits, &x, sizeof bits);
  guint32 rounded = bits + 0x7fff + (bits >> 16 & 1);
  guint32 quiet = bits | 0x400000;
  return (SegueNnBfloat16) (((bits & 0x7fffffff) > 0x7f800000 ? quiet : rounded) >> 16);
}

NN_VECTORISED void
nn_to_bfloat16 (gsize rows, gsize columns, const float *from, gsize ld, SegueNnBfloat16 *to)
{
  for (gsize i = 0; i < rows; i++)
    for (gsize j = 0; j < columns; j++)
      to[i * columns + j] = round_to_bfloat16 (from[i * ld + j]);
}

/* The range of finite numbers, and 0. */
NN_INLINE void
find_range (gsize n, const float *x, float *least, float *most)
{
  float low = *least, high = *most;
#pragma omp simd reduction(min : low) reduction(max : high)
  for (gsize j = 0; j < n; j++) {
    float finite = fabsf (x[j]) <= G_MAXFLOAT ? x[j] : 0.0f;
    low = finite < low ? finite : low;
    high = finite > high ? finite : high;
  }
  *least = low;
  *most = high;
}

NN_INLINE float
clamp_to (float x, float least, float most)
{
  x = x > least ? x : least; /* not-a-number, too */
  return x < most ? x : most;
}

NN_VECTORISED NnQuantisation
nn_to_uint8 (gsize rows, gsize columns, const float *from, gsize ld, guint8 *to)
{
  float least = 0.0f, most = 0.0f;
  for (gsize i = 0; i < rows; i++)
    find_range (columns, from + i * ld, &least, &most);
  float scale = (most - least) / 255.0f;
  if (!(scale > G_MINFLOAT))
    scale = 1.0f; /* all of it is 0, or as good as */
  float zero = nearbyintf (-least / scale), inverse = 1.0f / scale;
  for (gsize i = 0; i < rows; i++) {
    const float *x = from + i * ld;
    guint8 *q = to + i * columns;
#pragma omp simd
    for (gsize j = 0; j < columns; j++)
      q[j] = (guint8) (gint32) (clamp_to (x[j] * inverse + zero, 0.0f, 255.0f) + 0.5f);
  }
  return (NnQuantisation){ scale, (guint8) zero };
}

NN_VECTORISED void
nn_to_int8_rows (gsize rows, gsize columns, const float *from, gint8 *to, float *scales)
{
  for (gsize i = 0; i < rows; i++) {
    const float *x = from + i * columns;
    gint8 *q = to + i * columns;
    float least = 0.0f, most = 0.0f;
    find_range (columns, x, &least, &most);
    float scale = MAX (most, -least) / 127.0f;
    if (!(scale > G_MINFLOAT))
      scale = 1.0f;
    float inverse = 1.0f / scale;
#pragma omp simd
    for (gsize j = 0; j < columns; j++)
      q[j] = (gint8) ((gint32) (clamp_to (x[j] * inverse, -127.0f, 127.0f) + 127.5f) - 127);
    scales[i] = scale;
  }
}
