#include "random-private.h"

#include <math.h>
#include <segue/random.h>

#define LANES (NN_CHUNK / 4) /* blocks of a chunk */
#define PAIRS (NN_CHUNK / 2)

#define ROUNDS       10
#define MULTIPLIER_0 0xD2511F53u
#define MULTIPLIER_1 0xCD9E8D57u
#define WEYL_0       0x9E3779B9u
#define WEYL_1       0xBB67AE85u

typedef struct {
  NnRandomStream stream;
  float a, b; /* low and high, or mean and deviation */
  gsize n;
  float *x;
} Fill;

NnRandomStream
nn_random_stream (const SegueNnRandomKey *key)
{
  guint32 counter[4] = { (guint32) key->step, (guint32) (key->step >> 32), (guint32) key->item,
                         (guint32) (key->item >> 32) };
  guint32 seed[2] = { (guint32) key->seed, (guint32) (key->seed >> 32) };
  guint32 out[4];
  segue_philox (counter, seed, out);
  return (NnRandomStream){ { out[0], out[1] }, { key->layer, out[2], out[3] } };
}

NnRandomStream
nn_random_item_stream (const SegueNnRandomKey *key, const guint64 *items, gsize b)
{
  SegueNnRandomKey of_item = *key;
  of_item.item = items ? items[b] : key->item + b;
  return nn_random_stream (&of_item);
}

static void
one_block (const NnRandomStream *stream, guint32 block, guint32 out[4])
{
  guint32 counter[4] = { block, stream->tail[0], stream->tail[1], stream->tail[2] };
  segue_philox (counter, stream->key, out);
}

/* Numbers are generated in chunks of NN_CHUNK: word w of block 64 c + l is number 256 c + 64 w + l.
 * So a vector of lanes is stored unchanged; in the order of words it would have to be split. */
NN_VECTORISED void
nn_random_chunk (const NnRandomStream *stream, guint32 chunk, guint32 *out)
{
  const NnRandomStream s = *stream; /* out can't change it */
#pragma GCC ivdep
  for (guint l = 0; l < LANES; l++) {
    /* segue_philox () in 64 bits of which the upper half is 0, as vector multiplications need */
    guint64 c0 = chunk * LANES + l, c1 = s.tail[0], c2 = s.tail[1], c3 = s.tail[2];
    guint32 k0 = s.key[0], k1 = s.key[1];
#pragma GCC unroll 10
    for (guint round = 0; round < ROUNDS; round++) {
      guint64 p0 = (guint64) MULTIPLIER_0 * (guint32) c0;
      guint64 p1 = (guint64) MULTIPLIER_1 * (guint32) c2;
      c0 = (p1 >> 32) ^ c1 ^ k0;
      c1 = p1 & G_MAXUINT32;
      c2 = (p0 >> 32) ^ c3 ^ k1;
      c3 = p0 & G_MAXUINT32;
      k0 += WEYL_0;
      k1 += WEYL_1;
    }
    out[l] = (guint32) c0;
    out[LANES + l] = (guint32) c1;
    out[2 * LANES + l] = (guint32) c2;
    out[3 * LANES + l] = (guint32) c3;
  }
}

/* Number `index`, alone. */
static guint32
word_at (const NnRandomStream *stream, guint64 index)
{
  guint32 out[4];
  one_block (stream, (guint32) (index / NN_CHUNK * LANES + index % LANES), out);
  return out[index % NN_CHUNK / LANES];
}

guint32
segue_nn_random_bits (const SegueNnRandomKey *key, guint64 index)
{
  g_assert (index < NN_MAX_INDEX);
  NnRandomStream stream = nn_random_stream (key);
  return word_at (&stream, index);
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

/* Numbers i and i + NN_CHUNK / 2 of a chunk are the sine and the cosine of one pair of words. */
float
segue_nn_random_normal (const SegueNnRandomKey *key, guint64 index)
{
  g_assert (index < NN_MAX_INDEX);
  NnRandomStream stream = nn_random_stream (key);
  guint64 first = index - index % NN_CHUNK + index % PAIRS;
  double normals[2];
  normals_of_bits (word_at (&stream, first), word_at (&stream, first + PAIRS), normals);
  return (float) normals[index % NN_CHUNK / PAIRS];
}

static void
fill_uniform (gpointer data, gsize tile, guint thread)
{
  const Fill *f = data;
  gsize n = nn_tile_length (f->n, NN_BLOCK, tile), first = tile * NN_BLOCK;
  guint32 bits[NN_CHUNK];
  for (gsize i = 0; i < n; i++) {
    if (i % NN_CHUNK == 0)
      nn_random_chunk (&f->stream, (guint32) ((first + i) / NN_CHUNK), bits);
    float x = f->a + (f->b - f->a) * uniform_of_bits (bits[i % NN_CHUNK]);
    f->x[first + i] = x < f->b ? x : f->a; /* rounding may reach the excluded end */
  }
}

static void
fill_normal (gpointer data, gsize tile, guint thread)
{
  const Fill *f = data;
  gsize n = nn_tile_length (f->n, NN_BLOCK, tile), first = tile * NN_BLOCK;
  guint32 bits[NN_CHUNK];
  for (gsize i = 0; i < n; i += NN_CHUNK) {
    nn_random_chunk (&f->stream, (guint32) ((first + i) / NN_CHUNK), bits);
    for (gsize j = 0; j < PAIRS && i + j < n; j++) {
      double normals[2];
      normals_of_bits (bits[j], bits[j + PAIRS], normals);
      f->x[first + i + j] = f->a + f->b * (float) normals[0];
      if (i + j + PAIRS < n)
        f->x[first + i + j + PAIRS] = f->a + f->b * (float) normals[1];
    }
  }
}

void
segue_nn_random_fill_uniform (SegueNnThreads *threads, const SegueNnRandomKey *key, float low,
                              float high, gsize n, float *x)
{
  g_assert (n <= NN_MAX_INDEX);
  Fill fill = { nn_random_stream (key), low, high, n, x };
  segue_nn_threads_run (threads, nn_tiles (n, NN_BLOCK), fill_uniform, &fill);
}

void
segue_nn_random_fill_normal (SegueNnThreads *threads, const SegueNnRandomKey *key, float mean,
                             float deviation, gsize n, float *x)
{
  g_assert (n <= NN_MAX_INDEX);
  Fill fill = { nn_random_stream (key), mean, deviation, n, x };
  segue_nn_threads_run (threads, nn_tiles (n, NN_BLOCK), fill_normal, &fill);
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
