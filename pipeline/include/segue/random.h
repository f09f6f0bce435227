/* Random numbers as a function of (seed, counter): no stream, so results do not depend on an order.
 *
 * A stage takes its seed from segue_context_get_seed(), and numbers its draws.  Any thread may call these
 * functions.  The same arguments give the same value in every version. */
#pragma once

#include <glib.h>
#include <math.h>

/** segue_random_mix: SplitMix64's finaliser (Steele, Lea and Flood 2014): a bijection that mixes bits. */
static inline guint64
segue_random_mix (guint64 x)
{
  x = (x ^ (x >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  x = (x ^ (x >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return x ^ (x >> 31);
}

/** segue_random_bits: number @counter of the sequence of @seed. */
static inline guint64
segue_random_bits (guint64 seed, guint64 counter)
{
  return segue_random_mix (segue_random_mix (seed) +
                           (counter + 1) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15));
}

/** segue_random_uniform: in [0, 1), 53 bits. */
static inline double
segue_random_uniform (guint64 seed, guint64 counter)
{
  return (double) (segue_random_bits (seed, counter) >> 11) * 0x1p-53;
}

/** segue_random_between: in [low, high). */
static inline double
segue_random_between (guint64 seed, guint64 counter, double low, double high)
{
  return low + (high - low) * segue_random_uniform (seed, counter);
}

/** segue_random_normal_pair: two independent N(0, 1), by Box and Muller. */
static inline void
segue_random_normal_pair (guint64 seed, guint64 counter, double *a, double *b)
{
  double radius = sqrt (-2 * log (1 - segue_random_uniform (seed, 2 * counter)));
  double angle = 2 * G_PI * segue_random_uniform (seed, 2 * counter + 1);

  *a = radius * cos (angle);
  *b = radius * sin (angle);
}

/** segue_random_hash_string: a seeded hash of @text (FNV-1a, then mixed). */
static inline guint64
segue_random_hash_string (guint64 seed, const char *text)
{
  guint64 hash = G_GUINT64_CONSTANT (0xcbf29ce484222325) ^ segue_random_mix (seed);

  for (; *text; text++)
    hash = (hash ^ (guchar) *text) * G_GUINT64_CONSTANT (0x100000001b3);
  return segue_random_mix (hash);
}
