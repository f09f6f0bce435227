#pragma once

#include <gio/gio.h>
#include <segue/nn/backend.h>
#include <segue/nn/types.h>

G_BEGIN_DECLS

/* The threads that do arithmetic, and the backend that multiplies for them: what every op of
 * libsegue-nn takes first.
 *
 * Work is cut into tiles. Which thread takes which tile is left to chance; what a tile computes is
 * not, so ops choose tile borders from shapes alone and let no two tiles write the same place. */
typedef struct _SegueNnPool SegueNnPool;

/* `tile` is 0 … n_tiles − 1; `thread` is 0 … threads − 1 and names a per-thread part of scratch
 * memory: no two tiles run at once under the same `thread`. A task must not run the pool again. */
typedef void (*SegueNnTask) (gpointer data, gsize tile, guint thread);

/* The most threads a pool may have. */
#define SEGUE_NN_POOL_MAX_THREADS 256

/* n_threads: 0 takes the number of processors that this process may use. The calling thread of
 * segue_nn_pool_run () counts as one of them, so 1 starts none.
 * backend: a name, or NULL for the default.
 * Errors: SEGUE_ERROR_RESOURCE when threads can't be started, SEGUE_ERROR_DATA for an unknown
 * backend. */
SEGUE_API SegueNnPool *segue_nn_pool_new (guint n_threads, const char *backend, GError **error);

/* Waits for nothing but its own idle threads; no run may be under way. NULL is accepted. */
SEGUE_API void segue_nn_pool_free (SegueNnPool *pool);

SEGUE_API guint segue_nn_pool_get_threads (SegueNnPool *pool);
SEGUE_API const SegueNnBackend *segue_nn_pool_get_backend (SegueNnPool *pool);

/* In what the products of ops are taken from now on: float32 until this is called. Not while a run
 * is under way. Attention, and products too thin to gain, stay float32.
 * Errors: SEGUE_ERROR_DATA where the backend, on this processor, has no such precision;
 * SEGUE_ERROR_RESOURCE where there is no memory for it. */
SEGUE_API gboolean segue_nn_pool_set_precision (SegueNnPool *pool, SegueNnPrecision precision,
                                                GError **error);
SEGUE_API SegueNnPrecision segue_nn_pool_get_precision (SegueNnPool *pool);

/* What products a matrix is kept for. */
typedef enum {
  SEGUE_NN_KEEP_OUTPUTS = 1 << 0, /* x wᵀ, where rows belong to outputs: linear and conv1d, forward;
                                     what int8 is for */
  SEGUE_NN_KEEP_ANY = 1 << 1,     /* all others; bfloat16 under int8, too */
} SegueNnKeep;

/* Keeps copies of w [rows, columns] in the pool's precision, so that products with it, or with a part
 * of it, don't convert it again and again: for weights. To be called again whenever values of w, or
 * the precision, have changed; before w is freed comes segue_nn_pool_forget (). Does nothing under
 * float32. Where there is no memory for it the next segue_nn_pool_check () says so. */
SEGUE_API void segue_nn_pool_keep (SegueNnPool *pool, const float *w, gsize rows, gsize columns,
                                   SegueNnKeep keep);

/* Keeps nothing any more. */
SEGUE_API void segue_nn_pool_forget (SegueNnPool *pool);

/* Runs `task` for each tile and returns when all are done. Several threads may call this on one
 * pool; their runs take turns. */
SEGUE_API void segue_nn_pool_run (SegueNnPool *pool, gsize n_tiles, SegueNnTask task,
                                  gpointer data);

/* Begins a pass that may be left unfinished: once `cancellable` (borrowed; NULL: never) is cancelled,
 * tiles are left out, so that the rest of the pass takes no time. segue_nn_pool_check () ends it. */
SEGUE_API void segue_nn_pool_watch (SegueNnPool *pool, GCancellable *cancellable);

/* FALSE where what was written since this was last asked is no result: with SEGUE_ERROR_CANCELLED
 * where tiles were left out, with SEGUE_ERROR_RESOURCE where an op ran out of memory. Ops can't say
 * so themselves; who runs a pass asks at its end. */
SEGUE_API gboolean segue_nn_pool_check (SegueNnPool *pool, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueNnPool, segue_nn_pool_free)

G_END_DECLS
