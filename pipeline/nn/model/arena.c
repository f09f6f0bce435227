#include <segue/nn/arena.h>

#define LINE ((gsize) 64) /* bytes of a cache line */

void *
segue_nn_arena_bytes (SegueNnArena *arena, gsize n)
{
  guint8 *piece = arena->base ? (guint8 *) arena->base + arena->used : NULL;
  if (arena->overflow || n > G_MAXSIZE / 4 - arena->used) {
    arena->overflow = TRUE;
    return NULL;
  }
  arena->used += (n + LINE - 1) / LINE * LINE;
  return piece;
}

float *
segue_nn_arena_floats (SegueNnArena *arena, gsize a, gsize b, gsize c, gsize d)
{
  gsize n;
  if (!g_size_checked_mul (&n, a, b) || !g_size_checked_mul (&n, n, c) ||
      !g_size_checked_mul (&n, n, d) || n > G_MAXSIZE / 8) {
    arena->overflow = TRUE;
    return NULL;
  }
  return segue_nn_arena_bytes (arena, n * sizeof (float));
}

gsize
segue_nn_arena_get_size (const SegueNnArena *arena)
{
  return arena->overflow ? G_MAXSIZE : MAX (arena->used, LINE);
}
