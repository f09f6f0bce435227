#include <segue/random.h>

#include <math.h>

#define ROUNDS       10
#define MULTIPLIER_0 0xD2511F53u
#define MULTIPLIER_1 0xCD9E8D57u
#define WEYL_0       0x9E3779B9u
#define WEYL_1       0xBB67AE85u

void
segue_philox (const guint32 counter[4], const guint32 key[2], guint32 out[4])
{
  guint32 c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
  guint32 k0 = key[0], k1 = key[1];
  for (guint round = 0; round < ROUNDS; round++) {
    guint64 p0 = (guint64) MULTIPLIER_0 * c0, p1 = (guint64) MULTIPLIER_1 * c2;
    c0 = (guint32) (p1 >> 32) ^ c1 ^ k0;
    c1 = (guint32) p1;
    c2 = (guint32) (p0 >> 32) ^ c3 ^ k1;
    c3 = (guint32) p0;
    k0 += WEYL_0;
    k1 += WEYL_1;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

static void
random_block (guint64 seed, guint64 counter, guint64 out[2])
{
  const guint32 key[2] = { (guint32) seed, (guint32) (seed >> 32) };
  const guint32 block[4] = { (guint32) counter, (guint32) (counter >> 32), 0, 0 };
  guint32 words[4];
  segue_philox (block, key, words);
  out[0] = (guint64) words[1] << 32 | words[0];
  out[1] = (guint64) words[3] << 32 | words[2];
}

static double
random_to_uniform (guint64 bits)
{
  return (double) (bits >> 11) * 0x1p-53;
}

guint64
segue_random_bits (guint64 seed, guint64 counter)
{
  guint64 bits[2];
  random_block (seed, counter, bits);
  return bits[0];
}

double
segue_random_uniform (guint64 seed, guint64 counter)
{
  return random_to_uniform (segue_random_bits (seed, counter));
}

double
segue_random_between (guint64 seed, guint64 counter, double low, double high)
{
  return low + (high - low) * segue_random_uniform (seed, counter);
}

void
segue_random_normal_pair (guint64 seed, guint64 counter, double *a, double *b)
{
  guint64 bits[2];
  random_block (seed, counter, bits);
  double radius = sqrt (-2 * log (1 - random_to_uniform (bits[0])));
  double angle = 2 * G_PI * random_to_uniform (bits[1]);
  *a = radius * cos (angle);
  *b = radius * sin (angle);
}

guint64
segue_random_hash_string (guint64 seed, const char *text)
{
  guint64 hash = G_GUINT64_CONSTANT (0xcbf29ce484222325);
  for (; *text; text++)
    hash = (hash ^ (guchar) *text) * G_GUINT64_CONSTANT (0x100000001b3);
  return segue_random_bits (seed, hash);
}
