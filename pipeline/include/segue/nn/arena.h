/* A workspace, laid out: one function measures it and uses it, so that both always agree.
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

/** SegueNnArena: begins as { base }.  @base: 64-byte aligned; %NULL: nothing is handed out, only measured.
 * @overflow: a size was not possible; stays so */
typedef struct {
  void *base;
  gsize used; /* bytes */
  gboolean overflow;
} SegueNnArena;

/** segue_nn_arena_bytes: the next @n bytes, which begin on a cache line; %NULL while it is only measured. */
SEGUE_API void *segue_nn_arena_bytes (SegueNnArena *arena, gsize n);
/** segue_nn_arena_floats: [a, b, c, d], likewise. */
SEGUE_API float *segue_nn_arena_floats (SegueNnArena *arena, gsize a, gsize b, gsize c, gsize d);
/** segue_nn_arena_get_size: bytes that were handed out, at least one cache line; %G_MAXSIZE after an overflow: what a
 * model type's plan () returns. */
SEGUE_API gsize segue_nn_arena_get_size (const SegueNnArena *arena);

G_END_DECLS
