#include "random-private.h"

#include <math.h>

#define ROUNDS       10
#define MULTIPLIER_0 0xD2511F53u
#define MULTIPLIER_1 0xCD9E8D57u
#define WEYL_0       0x9E3779B9u
#define WEYL_1       0xBB67AE85u

#define MAX_INDEX (G_GUINT64_CONSTANT (1) << 34)

typedef struct {
  NnRandomStream stream;
  float a, b; /* low and high, or mean and deviation */
  gsize n;
  float *x;
} Fill;

NN_INLINE void
rounds (const guint32 counter[4], guint32 k0, guint32 k1, guint32 out[4])
{
  guint32 c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];

#pragma GCC unroll 10
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

void
segue_nn_philox (const guint32 counter[4], const guint32 key[2], guint32 out[4])
{
  rounds (counter, key[0], key[1], out);
}

NnRandomStream
nn_random_stream (const SegueNnRandomKey *key)
{
  guint32 counter[4] = { (guint32) key->step, (guint32) (key->step >> 32), (guint32) key->item,
                         (guint32) (key->item >> 32) };
  guint32 seed[2] = { (guint32) key->seed, (guint32) (key->seed >> 32) };
  guint32 out[4];
  segue_nn_philox (counter, seed, out);
  return (NnRandomStream){ { out[0], out[1] }, { key->layer, out[2], out[3] } };
}

NnRandomStream
nn_random_item_stream (const SegueNnRandomKey *key, const guint64 *items, gsize b)
{
  SegueNnRandomKey of_item = *key;
  of_item.item = items != NULL ? items[b] : key->item + b;
  return nn_random_stream (&of_item);
}

static void
one_block (const NnRandomStream *stream, guint32 block, guint32 out[4])
{
  guint32 counter[4] = { block, stream->tail[0], stream->tail[1], stream->tail[2] };
  segue_nn_philox (counter, stream->key, out);
}

/* The same as one_block () for many. The compiler interleaves iterations, which are independent. */
NN_VECTORISED void
nn_random_blocks (const NnRandomStream *stream, guint32 first_block, gsize n_blocks, guint32 *out)
{
  const NnRandomStream s = *stream; /* out can't change it */
#pragma omp simd
  for (gsize i = 0; i < n_blocks; i++) {
    guint32 counter[4] = { first_block + (guint32) i, s.tail[0], s.tail[1], s.tail[2] };
    rounds (counter, s.key[0], s.key[1], out + 4 * i);
  }
}

guint32
segue_nn_random_bits (const SegueNnRandomKey *key, guint64 index)
{
  g_assert (index < MAX_INDEX);
  NnRandomStream stream = nn_random_stream (key);
  guint32 out[4];
  one_block (&stream, (guint32) (index / 4), out);
  return out[index % 4];
}

static inline float
uniform_of_bits (guint32 bits)
{
  return (float) (bits >> 8) * 0x1p-24f;
}

/* Two words → two normals; (bits + ½) / 2³² is never 0. */
static void
normals_of_bits (guint32 a, guint32 b, double out[2])
{
  double radius = sqrt (-2.0 * log (((double) a + 0.5) * 0x1p-32));
  double angle = 2.0 * G_PI * ((double) b * 0x1p-32);
  out[0] = radius * cos (angle);
  out[1] = radius * sin (angle);
}

float
segue_nn_random_uniform (const SegueNnRandomKey *key, guint64 index)
{
  return uniform_of_bits (segue_nn_random_bits (key, index));
}

guint32
segue_nn_random_below (const SegueNnRandomKey *key, guint64 index, guint32 bound)
{
  g_assert (index <= G_MAXUINT32 && bound > 0);
  NnRandomStream stream = nn_random_stream (key);
  guint32 out[4];
  one_block (&stream, (guint32) index, out);
  /* ⌊bits64 · bound / 2⁶⁴⌋, in two halves */
  guint64 low = (guint64) out[0] * bound, high = (guint64) out[1] * bound;
  return (guint32) ((high + (low >> 32)) >> 32);
}

float
segue_nn_random_normal (const SegueNnRandomKey *key, guint64 index)
{
  g_assert (index < MAX_INDEX);
  NnRandomStream stream = nn_random_stream (key);
  guint32 out[4];
  double normals[2];
  one_block (&stream, (guint32) (index / 4), out);
  normals_of_bits (out[index % 4 / 2 * 2], out[index % 4 / 2 * 2 + 1], normals);
  return (float) normals[index % 2];
}

static void
fill_uniform (gpointer data, gsize tile, guint thread)
{
  const Fill *f = data;
  gsize first = tile * NN_BLOCK, n = nn_tile_length (f->n, NN_BLOCK, tile);
  guint32 bits[4];
  for (gsize i = 0; i < n; i++) {
    if (i % 4 == 0)
      one_block (&f->stream, (guint32) ((first + i) / 4), bits);
    float u = uniform_of_bits (bits[i % 4]);
    float x = f->a + (f->b - f->a) * u;
    f->x[first + i] = x < f->b ? x : f->a; /* rounding may reach the excluded end */
  }
}

static void
fill_normal (gpointer data, gsize tile, guint thread)
{
  const Fill *f = data;
  gsize first = tile * NN_BLOCK, n = nn_tile_length (f->n, NN_BLOCK, tile);
  guint32 bits[4];
  double normals[4];
  for (gsize i = 0; i < n; i++) {
    if (i % 4 == 0) {
      one_block (&f->stream, (guint32) ((first + i) / 4), bits);
      normals_of_bits (bits[0], bits[1], normals);
      normals_of_bits (bits[2], bits[3], normals + 2);
    }
    f->x[first + i] = f->a + f->b * (float) normals[i % 4];
  }
}

void
segue_nn_random_fill_uniform (SegueNnPool *pool, const SegueNnRandomKey *key, float low, float high,
                              gsize n, float *x)
{
  g_assert (n <= MAX_INDEX);
  Fill fill = { nn_random_stream (key), low, high, n, x };
  segue_nn_pool_run (pool, nn_tiles (n, NN_BLOCK), fill_uniform, &fill);
}

void
segue_nn_random_fill_normal (SegueNnPool *pool, const SegueNnRandomKey *key, float mean,
                             float deviation, gsize n, float *x)
{
  g_assert (n <= MAX_INDEX);
  Fill fill = { nn_random_stream (key), mean, deviation, n, x };
  segue_nn_pool_run (pool, nn_tiles (n, NN_BLOCK), fill_normal, &fill);
}

void
segue_nn_random_permutation (const SegueNnRandomKey *key, gsize n, guint32 *order)
{
  g_assert (n <= G_MAXUINT32);
  for (gsize i = 0; i < n; i++)
    order[i] = (guint32) i;
  for (gsize i = n; i > 1; i--) {
    guint32 j = segue_nn_random_below (key, i - 1, (guint32) i);
    guint32 swap = order[i - 1];
    order[i - 1] = order[j];
    order[j] = swap;
  }
}
