/* The memory that a worker's answer lies in (internal).
 *
 * The core makes it: memory without a name (memfd) for each question, of the size that an answer may
 * have, sealed against growth.  Its descriptor goes to the worker, which puts its payloads in, one
 * after the other.  Once the worker says that it is done the core takes the right to write from all who
 * have it, and cuts off what is not used: from then on the memory can neither change nor shrink under
 * its reader.  So a worker needs no right to make memory that outlives it, and can fill one arena at
 * most. */
#pragma once

#include <glib.h>

/** SegueSharedArena: @fd: -1: none.  @size: most bytes.  @used: bytes up to the last payload's end */
typedef struct {
  int fd;
  guint64 size;
  guint64 used;
} SegueSharedArena;

/* SEGUE_SHARED_ARENA_NONE: what is cleared, or given to segue_shared_arena_init (). */
#define SEGUE_SHARED_ARENA_NONE                                                                    \
  (SegueSharedArena)                                                                               \
  {                                                                                                \
    .fd = -1                                                                                       \
  }

/** segue_shared_arena_init: (core): for @size bytes.  %FALSE with %SEGUE_ERROR_RESOURCE. */
gboolean segue_shared_arena_init (SegueSharedArena *arena, guint64 size, GError **error);
/** segue_shared_arena_clear: what was mapped stays. */
void segue_shared_arena_clear (SegueSharedArena *arena);

/** segue_shared_arena_reserve: (both): where the next payload, of @size bytes, lies: @offset.  %FALSE:
 * it has no room. */
gboolean segue_shared_arena_reserve (SegueSharedArena *arena, guint64 size, guint64 *offset);
/** segue_shared_arena_put: (worker): copies the next payload.  %FALSE with %SEGUE_ERROR_RESOURCE. */
gboolean segue_shared_arena_put (SegueSharedArena *arena, gconstpointer data, gsize size,
                                 GError **error);
/** segue_shared_arena_seal: (core): ends all writing.  %FALSE: the worker did not put in what was
 * reserved, or holds on to it; with errno in @lacks where this process can't seal it. */
gboolean segue_shared_arena_seal (SegueSharedArena *arena, int *lacks);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SegueSharedArena, segue_shared_arena_clear)
