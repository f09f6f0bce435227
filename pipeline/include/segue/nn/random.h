#pragma once

#include <segue/nn/threads.h>

G_BEGIN_DECLS

/* Random numbers without a stream: each is a pure function of (seed, step, item, layer, index),
 * by segue_philox ().
 * A number that is needed again is recomputed; nothing is stored, and results depend neither on
 * threads nor on batch size. */
typedef struct {
  guint64 seed;
  guint64 step;  /* of training, or 0 */
  guint64 item;  /* any number that identifies the item, or 0 */
  guint32 layer; /* the caller: each use needs its own number */
} SegueNnRandomKey;

/* 32 random bits from a Philox block with a key that was itself drawn from (seed, step, item).
 * index < 2³⁴. */
SEGUE_API guint32 segue_nn_random_bits (const SegueNnRandomKey *key, guint64 index);

/* Uniform in [0, 1), 24 bits. */
SEGUE_API float segue_nn_random_uniform (const SegueNnRandomKey *key, guint64 index);

/* Uniform in 0 … bound − 1, with negligible bias (bound · 2⁻⁶⁴); bound > 0. */
SEGUE_API guint32 segue_nn_random_below (const SegueNnRandomKey *key, guint64 index, guint32 bound);

/* Standard normal, by Box and Muller. */
SEGUE_API float segue_nn_random_normal (const SegueNnRandomKey *key, guint64 index);

/* x [n] uniform in [low, high), or normal; element i is the number of index i. */
SEGUE_API void segue_nn_random_fill_uniform (SegueNnThreads *threads, const SegueNnRandomKey *key,
                                             float low, float high, gsize n, float *x);
SEGUE_API void segue_nn_random_fill_normal (SegueNnThreads *threads, const SegueNnRandomKey *key,
                                            float mean, float deviation, gsize n, float *x);

/* A random order of 0 … n − 1 (Fisher and Yates); n < 2³². */
SEGUE_API void segue_nn_random_permutation (const SegueNnRandomKey *key, gsize n, guint32 *order);

G_END_DECLS
