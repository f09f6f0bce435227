/* Sequences of random bits for ops that need one decision per element. */
#pragma once

#include "nn-private.h"

#include <segue/nn/random.h>

/* The numbers of one (seed, step, item, layer): a Philox key and the three constant words of the
 * counter. */
typedef struct {
  guint32 key[2];
  guint32 tail[3];
} NnRandomStream;

NnRandomStream nn_random_stream (const SegueNnRandomKey *key);

/* The stream of row b of a batch; see dropout.h. */
NnRandomStream nn_random_item_stream (const SegueNnRandomKey *key, const guint64 *items, gsize b);

/* Numbers of one chunk: out [NN_CHUNK] is what segue_nn_random_bits () returns for chunk ·
 * NN_CHUNK … */
#define NN_CHUNK     ((gsize) 256)
#define NN_MAX_INDEX (G_GUINT64_CONSTANT (1) << 34)

void nn_random_chunk (const NnRandomStream *stream, guint32 chunk, guint32 *out);

/* y [n] = x [n] with dropout; element i has the factor segue_nn_dropout_factor () of index
 * first + i. y may be x. */
void nn_dropout_run (const NnRandomStream *stream, float p, guint64 first, gsize n, const float *x,
                     float *y);
