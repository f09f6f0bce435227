#pragma once

#include <gio/gio.h>
#include <segue/nn/backend.h>
#include <segue/nn/types.h>

G_BEGIN_DECLS

/* A pool of threads, and its backend for matrix products: the first argument of every op of
 * libsegue-nn.
 *
 * Work is split into tiles. The assignment of tiles to threads is not deterministic; the results of
 * tiles are, so ops derive tile borders from shapes alone, and no two tiles write to the same memory. */
typedef struct _SegueNnThreads SegueNnThreads;

/* `tile` is 0 … n_tiles − 1; `thread` is 0 … threads − 1 and selects a per-thread part of scratch
 * memory: no two tiles run concurrently with the same `thread`. A task must not start another run. */
typedef void (*SegueNnTask) (gpointer data, gsize tile, guint thread);

/* The maximum number of threads. */
#define SEGUE_NN_MAX_THREADS 256

/* n_threads: 0 means the number of processors that this process may use. The calling thread of
 * segue_nn_threads_run () counts as one of them, so 1 starts none.
 * backend: a name, or NULL for the default.
 * Errors: SEGUE_ERROR_RESOURCE when threads can't be started, SEGUE_ERROR_DATA for an unknown
 * backend. */
SEGUE_API SegueNnThreads *segue_nn_threads_new (guint n_threads, const char *backend,
                                                GError **error);

/* Waits only for its own idle threads; no run may be in progress. NULL is accepted. */
SEGUE_API void segue_nn_threads_free (SegueNnThreads *threads);

SEGUE_API guint segue_nn_threads_get_count (SegueNnThreads *threads);
SEGUE_API const SegueNnBackend *segue_nn_threads_get_backend (SegueNnThreads *threads);

/* The precision of matrix products in ops from now on; initially float32. AUTO is the fastest available
 * precision that loses no accuracy. In BFLOAT16 both factors are rounded to eight bits of mantissa; INT8
 * has a scale for each row of either factor and for every 512 terms of the sum. Everything else stays
 * float32: values in memory, sums inside a product, gradients, master weights, all other operations,
 * attention, and products too small to benefit. Must not be called while a run is in progress.
 * Errors: SEGUE_ERROR_DATA if the backend, on this processor, does not support the precision;
 * SEGUE_ERROR_RESOURCE if there is no memory for it. */
SEGUE_API gboolean segue_nn_threads_set_precision (SegueNnThreads *threads,
                                                   SegueModelPrecision precision, GError **error);
SEGUE_API SegueModelPrecision segue_nn_threads_get_precision (SegueNnThreads *threads);

/* Runs `task` for each tile and returns when all are done. Several threads may call this on one
 * threads; their runs are serialised. */
SEGUE_API void segue_nn_threads_run (SegueNnThreads *threads, gsize n_tiles, SegueNnTask task,
                                     gpointer data);

/* Begins a pass that may be cancelled: once `cancellable` (borrowed; NULL: never) is cancelled, tiles
 * are skipped, so that the rest of the pass takes no time. segue_nn_threads_check () ends it. */
SEGUE_API void segue_nn_threads_watch (SegueNnThreads *threads, GCancellable *cancellable);

/* FALSE if results written since the last call are invalid: with SEGUE_ERROR_CANCELLED if tiles were
 * skipped, with SEGUE_ERROR_RESOURCE if an op ran out of memory. Ops can't report this themselves; the
 * caller must check at the end of a pass. */
SEGUE_API gboolean segue_nn_threads_check (SegueNnThreads *threads, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueNnThreads, segue_nn_threads_free)

G_END_DECLS
