#include "convert-avx512.h"

#include <math.h>
#include <string.h>

/* NaN stays NaN: rounding could carry into the exponent. Subnormal numbers become 0, as with the
 * processor's own instruction. */
NN_INLINE SegueNnBfloat16
round_to_bfloat16 (float x)
{
  guint32 bits;
  memcpy (&bits, &x, sizeof bits);
  bits &= (bits & 0x7f800000) != 0 ? 0xffffffff : 0x80000000;
  guint32 rounded = bits + 0x7fff + (bits >> 16 & 1);
  guint32 quiet = bits | 0x400000;
  return (SegueNnBfloat16) (((bits & 0x7fffffff) > 0x7f800000 ? quiet : rounded) >> 16);
}

NN_VECTORISED void
nn_to_bfloat16_portable (gsize rows, gsize columns, const float *from, gsize ld,
                         SegueNnBfloat16 *to)
{
  for (gsize i = 0; i < rows; i++)
    for (gsize j = 0; j < columns; j++)
      to[i * columns + j] = round_to_bfloat16 (from[i * ld + j]);
}

void
nn_to_bfloat16 (gsize rows, gsize columns, const float *from, gsize ld, SegueNnBfloat16 *to)
{
  if (nn_has_avx512_bf16 ())
    nn_to_bfloat16_avx512 (rows, columns, from, ld, to);
  else
    nn_to_bfloat16_portable (rows, columns, from, ld, to);
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
  x = x > least ? x : least; /* also for NaN */
  return x < most ? x : most;
}

NnQuantisation
nn_quantisation (float least, float most)
{
  float scale = (most - least) / 255.0f;
  if (!(scale > G_MINFLOAT))
    scale = 1.0f; /* all elements are 0, or nearly 0 */
  return (NnQuantisation){ scale, (gint32) nearbyintf (-least / scale) };
}

NN_VECTORISED void
nn_to_uint8_rows_portable (gsize rows, gsize columns, const float *from, gsize ld, guint8 *to,
                           float *scales, gint32 *zeros)
{
  for (gsize i = 0; i < rows; i++) {
    const float *x = from + i * ld;
    guint8 *q = to + i * columns;
    float least = 0.0f, most = 0.0f;
    find_range (columns, x, &least, &most);
    const NnQuantisation of = nn_quantisation (least, most);
    float zero = (float) of.zero, inverse = 1.0f / of.scale;
#pragma omp simd
    for (gsize j = 0; j < columns; j++)
      q[j] = (guint8) (gint32) (clamp_to (fmaf (x[j], inverse, zero), 0.0f, 255.0f) + 0.5f);
    scales[i] = of.scale;
    zeros[i] = of.zero;
  }
}

void
nn_to_uint8_rows (gsize rows, gsize columns, const float *from, gsize ld, guint8 *to, float *scales,
                  gint32 *zeros)
{
  if (nn_has_avx512 ())
    nn_to_uint8_rows_avx512 (rows, columns, from, ld, to, scales, zeros);
  else
    nn_to_uint8_rows_portable (rows, columns, from, ld, to, scales, zeros);
}

NN_VECTORISED void
nn_to_int8_rows (gsize rows, gsize columns, const float *from, gsize ld, gint8 *to, float *scales,
                 gint32 *sums)
{
  for (gsize i = 0; i < rows; i++) {
    const float *x = from + i * ld;
    gint8 *q = to + i * columns;
    float least = 0.0f, most = 0.0f;
    find_range (columns, x, &least, &most);
    float scale = MAX (most, -least) / 127.0f;
    if (!(scale > G_MINFLOAT))
      scale = 1.0f;
    float inverse = 1.0f / scale;
    gint32 sum = 0;
#pragma omp simd reduction(+ : sum)
    for (gsize j = 0; j < columns; j++) {
      gint32 value = (gint32) (clamp_to (x[j] * inverse, -127.0f, 127.0f) + 127.5f) - 127;
      q[j] = (gint8) value;
      sum += value;
    }
    scales[i] = scale;
    sums[i] = sum;
  }
}
