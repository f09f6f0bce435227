/* exp, Φ and related functions as branch-free float code that a compiler can vectorise. */
#pragma once

#include "nn-private.h"

#include <string.h>

NN_INLINE float
nn_float_of_bits (guint32 bits)
{
  float x;
  memcpy (&x, &bits, sizeof x);
  return x;
}

NN_INLINE guint32
nn_bits_of_float (float x)
{
  guint32 bits;
  memcpy (&bits, &x, sizeof bits);
  return bits;
}

NN_INLINE float
nn_min (float a, float b)
{
  return a < b ? a : b;
}

NN_INLINE float
nn_max (float a, float b)
{
  return a > b ? a : b;
}

/* eˣ within 2e-7 of its value; x is clamped to where the result is a normal number, so e^−∞ is
 * 1.2e-38.
 *
 * x = n ln 2 + r: adding 1.5 · 2²³ rounds to an integer n, which is then in the low bits;
 * e^r by a polynomial on |r| <= ln 2 / 2 (Cephes, expf). */
NN_INLINE float
nn_exp (float x)
{
  const float round = 12582912.0f;
  x = x < -87.336544f ? -87.336544f : x;
  x = x > 88.376259f ? 88.376259f : x;
  float shifted = x * 1.44269504088896341f + round;
  guint32 n = nn_bits_of_float (shifted) - nn_bits_of_float (round);
  float whole = shifted - round;
  float r = x - whole * 0.693359375f;
  r = r - whole * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  return p * nn_float_of_bits ((n + 127u) << 23);
}

/* Φ (x), the normal distribution function, within 2.5e-7; and its derivative e^(−x²/2) / √(2π).
 *
 * erfc (z) = e^(−z²) t P (t), t = 1 / (1 + 0.4 z), z >= 0: the form of Hastings (Abramowitz &
 * Stegun 7.1.26) with a minimax P of degree 5, |error| < 3e-8 before rounding. The exponential
 * is shared with the derivative. */
NN_INLINE float
nn_normal_cdf (float x, float *density)
{
  float z = (x < 0 ? -x : x) * 0.70710678118654752f;
  float e = nn_exp (-z * z);
  float t = 1.0f / (1.0f + 0.4f * z);
  float p = -0.20025839203856646f;
  p = p * t + 0.7091439118348438f;
  p = p * t - 0.3709024955599926f;
  p = p * t + 0.4682698628158259f;
  p = p * t + 0.161825254829554f;
  p = p * t + 0.23192183052211154f;
  float half_erfc = 0.5f * e * t * p;
  *density = e * 0.39894228040143268f;
  return x < 0 ? half_erfc : 1.0f - half_erfc;
}

/* 1 / (1 + e^−x) within 2e-7. */
NN_INLINE float
nn_sigmoid (float x)
{
  return 1.0f / (1.0f + nn_exp (-x));
}

/* tanh x within 3e-7 of its value: by a polynomial near 0 (Cephes, tanhf), where the other form
 * suffers from cancellation. */
NN_INLINE float
nn_tanh (float x)
{
  float far = 1.0f - 2.0f / (nn_exp (2.0f * x) + 1.0f);
  float z = x * x;
  float p = -5.70498872745e-3f;
  p = p * z + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  float near = p * z * x + x;
  return z < 0.390625f ? near : far;
}
