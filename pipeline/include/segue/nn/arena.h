/* Layout of a workspace: the same function measures it and uses it, so that both always agree.
 *
 *   static gsize
 *   lay (const Model *model, gsize batch, void *base, Buffers *b)
 *   {
 *     SegueNnArena arena = { base };
 *     b->hidden = segue_nn_arena_floats (&arena, batch, model->width, 1, 1);
 *     b->logits = segue_nn_arena_floats (&arena, batch, model->n_labels, 1, 1);
 *     return segue_nn_arena_get_size (&arena);
 *   }
 */
#pragma once

#include <glib.h>
#include <segue/version.h>

G_BEGIN_DECLS

/** SegueNnArena: initialised as { base }.  @base: 64-byte aligned; %NULL: measures only, returns no memory.
 * @overflow: a size was not possible; never reset */
typedef struct {
  void *base;
  gsize used; /* bytes */
  gboolean overflow;
} SegueNnArena;

/** segue_nn_arena_bytes: the next @n bytes, aligned to a cache line; %NULL when only measuring. */
SEGUE_API void *segue_nn_arena_bytes (SegueNnArena *arena, gsize n);
/** segue_nn_arena_floats: [a, b, c, d], likewise. */
SEGUE_API float *segue_nn_arena_floats (SegueNnArena *arena, gsize a, gsize b, gsize c, gsize d);
/** segue_nn_arena_get_size: number of bytes in use, at least one cache line; %G_MAXSIZE after an overflow: the value
 * that a model type's plan () returns. */
SEGUE_API gsize segue_nn_arena_get_size (const SegueNnArena *arena);

G_END_DECLS
