/* Shared by the ops of libsegue-nn. */
#pragma once

#include <segue/nn/threads.h>

/* Marks a function whose loops gcc should also compile for wider vectors; the loader selects the
 * version for the current processor. Helpers that it calls in a loop must be `static inline` to
 * be compiled with it. */
#ifdef SEGUE_NN_HAVE_TARGET_CLONES
#define NN_VECTORISED                                                                              \
  __attribute__ ((target_clones ("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define NN_VECTORISED
#endif

#define NN_INLINE static inline __attribute__ ((always_inline))

/* Elements of one tile of an elementwise op: 64 KiB, small enough for the cache, large enough
 * that the cost of scheduling is negligible. */
#define NN_BLOCK ((gsize) 16384)

/* Columns of one tile of an op that sums over rows: four cache lines. */
#define NN_COLUMNS ((gsize) 64)

NN_INLINE gsize
nn_tiles (gsize n, gsize block)
{
  return n / block + (n % block != 0);
}

/* The length of tile `tile` when n is split into blocks. */
NN_INLINE gsize
nn_tile_length (gsize n, gsize block, gsize tile)
{
  return MIN (block, n - tile * block);
}

/* Rows of `width` floats per tile, so that a tile is about NN_BLOCK elements. */
NN_INLINE gsize
nn_block_rows (gsize width)
{
  return MAX (NN_BLOCK / MAX (width, 1), 1);
}

/* Splits n into nearly equal blocks of at most about `most`, each except the last a multiple of
 * `multiple`, so that no tile is very small. */
NN_INLINE gsize
nn_even_block (gsize n, gsize most, gsize multiple)
{
  gsize parts = MAX (nn_tiles (n, most), 1);
  gsize block = nn_tiles (n, parts);
  return MAX (nn_tiles (block, multiple) * multiple, 1);
}
