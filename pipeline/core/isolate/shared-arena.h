/* The memory for the payloads of a worker's answer (internal).
 *
 * The core creates unnamed memory (a memfd) for each question, of the maximum size of an answer,
 * sealed against growth. The worker gets its descriptor and writes its payloads into it, in order.
 * When the worker reports that it is done, the core seals the memory against writes and truncates
 * it to the size in use: from then on it can neither change nor shrink under its reader. So a
 * worker needs no right to create memory that outlives it, and can fill one arena at most. */
#pragma once

#include <glib.h>

/** SegueSharedArena: @fd: -1: none. @size: maximum bytes. @used: bytes up to the last payload's
 * end */
typedef struct {
  int fd;
  guint64 size;
  guint64 used;
} SegueSharedArena;

/* SEGUE_SHARED_ARENA_NONE: the cleared state, also before segue_shared_arena_init (). */
#define SEGUE_SHARED_ARENA_NONE                                                                    \
  (SegueSharedArena)                                                                               \
  {                                                                                                \
    .fd = -1                                                                                       \
  }

/** segue_shared_arena_init: (core): for @size bytes. %FALSE with %SEGUE_ERROR_RESOURCE. */
gboolean segue_shared_arena_init (SegueSharedArena *arena, guint64 size, GError **error);
/** segue_shared_arena_clear: existing mappings stay valid. */
void segue_shared_arena_clear (SegueSharedArena *arena);

/** segue_shared_arena_reserve: (both): sets @offset to the place of the next payload, of @size
 * bytes. %FALSE: no room. */
gboolean segue_shared_arena_reserve (SegueSharedArena *arena, guint64 size, guint64 *offset);
/** segue_shared_arena_put: (worker): copies the next payload. %FALSE with %SEGUE_ERROR_RESOURCE. */
gboolean segue_shared_arena_put (SegueSharedArena *arena, gconstpointer data, gsize size,
                                 GError **error);
/** segue_shared_arena_seal: (core): ends all writing. %FALSE: the worker did not write all that
 * was reserved, or still has it mapped; with errno in @lacks if this process can't seal it. */
gboolean segue_shared_arena_seal (SegueSharedArena *arena, int *lacks);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (SegueSharedArena, segue_shared_arena_clear)
