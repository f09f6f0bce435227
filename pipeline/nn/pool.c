#include "product.h"

#include <errno.h>
#include <sched.h>
#include <segue/error.h>
#include <segue/nn/pool.h>
#include <stdatomic.h>

/* One word contains the numbers of the run and of the next tile; a thread takes a tile by
 * incrementing the value that it read. So a late worker finds either tiles of the current run or
 * none, and the caller waits only for tiles, never for workers that slept through a run.
 *
 * Both sides poll a few hundred times before they sleep, since the next run of a network usually
 * follows within microseconds. */
#define SPINS 500

/* The next tile between runs: above any value that n_tiles may be set to. */
#define CLOSED G_MAXUINT32

typedef struct {
  SegueNnPool *pool;
  guint index; /* 1 … n_threads − 1 */
} Worker;

struct _SegueNnPool {
  guint n_threads;
  NnProducts products;
  GThread **threads; /* n_threads − 1 */
  Worker *workers;
  guint n_started;

  GCancellable *cancellable; /* nullable; changed between runs */
  atomic_bool skipped;       /* a tile since segue_nn_pool_check () */
  atomic_bool failed;        /* a product since then */

  GMutex run_lock; /* one run at a time */

  /* Of this run: written while the word is closed, read by threads that took a tile. */
  SegueNnTask task;
  gpointer data;
  atomic_uint_fast32_t n_tiles;
  atomic_uint_fast32_t n_done;
  atomic_uint_fast64_t word; /* number of the run · 2³² + next tile */

  GMutex lock; /* for sleeping and waking only */
  GCond wake;
  GCond finished;
  guint n_asleep;       /* workers that must be woken; under the lock */
  gboolean run_waiting; /* the caller must be woken; under the lock */
  atomic_bool quit;
};

static void
cpu_relax (void)
{
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause ();
#endif
}

static guint32
number_of (guint64 word)
{
  return (guint32) (word >> 32);
}

static void
tile_done (SegueNnPool *pool, guint thread, guint32 n_tiles)
{
  if (atomic_fetch_add_explicit (&pool->n_done, 1, memory_order_acq_rel) + 1 < n_tiles ||
      thread == 0)
    return;
  /* The lock ensures that the caller is either asleep or has not checked yet. */
  g_mutex_lock (&pool->lock);
  if (pool->run_waiting)
    g_cond_signal (&pool->finished);
  g_mutex_unlock (&pool->lock);
}

static void
run_tile (SegueNnPool *pool, SegueNnTask task, gpointer data, gsize tile, guint thread)
{
  if (G_UNLIKELY (g_cancellable_is_cancelled (pool->cancellable)))
    atomic_store_explicit (&pool->skipped, TRUE, memory_order_relaxed);
  else
    task (data, tile, thread);
}

/* Runs tiles until none is left; returns the number of the run that had none. */
static guint32
take_tiles (SegueNnPool *pool, guint thread)
{
  guint64 word = atomic_load_explicit (&pool->word, memory_order_acquire);
  for (;;) {
    guint32 tile = (guint32) word;
    guint32 n_tiles = (guint32) atomic_load_explicit (&pool->n_tiles, memory_order_relaxed);
    if (tile >= n_tiles)
      return number_of (word);
    if (!atomic_compare_exchange_weak_explicit (&pool->word, &word, word + 1, memory_order_acq_rel,
                                                memory_order_acquire))
      continue;
    run_tile (pool, pool->task, pool->data, tile, thread);
    tile_done (pool, thread, n_tiles);
    word = atomic_load_explicit (&pool->word, memory_order_acquire);
  }
}

static gboolean
is_run (SegueNnPool *pool, guint32 number)
{
  return number_of (atomic_load_explicit (&pool->word, memory_order_acquire)) == number;
}

static void
wait_for_next_run (SegueNnPool *pool, guint32 seen)
{
  for (guint i = 0; i < SPINS; i++) {
    if (!is_run (pool, seen))
      return;
    cpu_relax ();
  }
  g_mutex_lock (&pool->lock);
  pool->n_asleep++;
  while (is_run (pool, seen))
    g_cond_wait (&pool->wake, &pool->lock);
  pool->n_asleep--;
  g_mutex_unlock (&pool->lock);
}

static gboolean
is_done (SegueNnPool *pool, guint32 n_tiles)
{
  return atomic_load_explicit (&pool->n_done, memory_order_acquire) == n_tiles;
}

static void
wait_for_tiles (SegueNnPool *pool, guint32 n_tiles)
{
  for (guint i = 0; i < SPINS; i++) {
    if (is_done (pool, n_tiles))
      return;
    cpu_relax ();
  }
  g_mutex_lock (&pool->lock);
  pool->run_waiting = TRUE;
  while (!is_done (pool, n_tiles))
    g_cond_wait (&pool->finished, &pool->lock);
  pool->run_waiting = FALSE;
  g_mutex_unlock (&pool->lock);
}

/* Begins the next run at tile `first`. */
static void
open_run (SegueNnPool *pool, guint32 first)
{
  g_mutex_lock (&pool->lock);
  guint64 word = atomic_load_explicit (&pool->word, memory_order_relaxed);
  guint64 next = (guint64) (guint32) (number_of (word) + 1) << 32 | first;
  atomic_store_explicit (&pool->word, next, memory_order_release);
  if (pool->n_asleep > 0)
    g_cond_broadcast (&pool->wake);
  g_mutex_unlock (&pool->lock);
}

/* All tiles are taken; from here on n_tiles may change. */
static void
close_run (SegueNnPool *pool)
{
  atomic_fetch_or_explicit (&pool->word, CLOSED, memory_order_acq_rel);
}

static gpointer
work (gpointer data)
{
  Worker *worker = data;
  SegueNnPool *pool = worker->pool;

  for (;;) {
    guint32 seen = take_tiles (pool, worker->index);
    /* `quit` is set before the last number, so a thread that read that number also reads `quit`. */
    if (atomic_load (&pool->quit))
      return NULL;
    wait_for_next_run (pool, seen);
  }
}

static guint
count_processors (void)
{
  cpu_set_t set;
  if (sched_getaffinity (0, sizeof set, &set) == 0)
    return MAX (CPU_COUNT (&set), 1);
  return MAX (g_get_num_processors (), 1);
}

static gboolean
start_workers (SegueNnPool *pool, GError **error)
{
  pool->threads = g_new0 (GThread *, pool->n_threads);
  pool->workers = g_new0 (Worker, pool->n_threads);
  for (guint i = 1; i < pool->n_threads; i++) {
    g_autoptr (GError) reason = NULL;
    Worker *worker = &pool->workers[i - 1];
    *worker = (Worker){ pool, i };
    GThread *thread = g_thread_try_new ("segue-nn", work, worker, &reason);
    if (thread == NULL) {
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                   "can't start %u computing threads: %s; use fewer (-j)", pool->n_threads,
                   reason->message);
      return FALSE;
    }
    pool->threads[pool->n_started++] = thread;
  }
  return TRUE;
}

SegueNnPool *
segue_nn_pool_new (guint n_threads, const char *backend, GError **error)
{
  const SegueNnBackend *found = segue_nn_backend_find (backend);
  if (found == NULL) {
    g_autofree char *names = g_strjoinv (", ", (char **) segue_nn_backend_names ());
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "no backend for matrix products is called '%s'; this build has: %s",
                 backend != NULL ? backend : g_getenv ("SEGUE_BACKEND"), names);
    return NULL;
  }

  g_autoptr (SegueNnPool) pool = g_new0 (SegueNnPool, 1);
  pool->n_threads =
    CLAMP (n_threads > 0 ? n_threads : count_processors (), 1, SEGUE_NN_POOL_MAX_THREADS);
  nn_products_init (&pool->products, found, pool->n_threads);
  atomic_init (&pool->word, CLOSED);
  g_mutex_init (&pool->run_lock);
  g_mutex_init (&pool->lock);
  g_cond_init (&pool->wake);
  g_cond_init (&pool->finished);
  found->init ();
  if (!start_workers (pool, error))
    return NULL;
  return g_steal_pointer (&pool);
}

void
segue_nn_pool_free (SegueNnPool *pool)
{
  if (pool == NULL)
    return;

  atomic_store (&pool->quit, TRUE);
  open_run (pool, CLOSED);
  for (guint i = 0; i < pool->n_started; i++)
    g_thread_join (pool->threads[i]);

  g_mutex_clear (&pool->run_lock);
  g_mutex_clear (&pool->lock);
  g_cond_clear (&pool->wake);
  g_cond_clear (&pool->finished);
  nn_products_clear (&pool->products);
  g_free (pool->threads);
  g_free (pool->workers);
  g_free (pool);
}

guint
segue_nn_pool_get_threads (SegueNnPool *pool)
{
  return pool->n_threads;
}

const SegueNnBackend *
segue_nn_pool_get_backend (SegueNnPool *pool)
{
  return pool->products.backend;
}

void
segue_nn_pool_run (SegueNnPool *pool, gsize n_tiles, SegueNnTask task, gpointer data)
{
  if (n_tiles == 0)
    return;

  g_assert (n_tiles < CLOSED);
  g_mutex_lock (&pool->run_lock);
  if (pool->n_threads == 1 || n_tiles == 1) {
    for (gsize tile = 0; tile < n_tiles; tile++)
      run_tile (pool, task, data, tile, 0);
  } else {
    pool->task = task;
    pool->data = data;
    atomic_store_explicit (&pool->n_tiles, (guint32) n_tiles, memory_order_relaxed);
    atomic_store_explicit (&pool->n_done, 0, memory_order_relaxed);
    open_run (pool, 0);
    take_tiles (pool, 0);
    wait_for_tiles (pool, (guint32) n_tiles);
    close_run (pool);
  }
  g_mutex_unlock (&pool->run_lock);
}

NnProducts *
nn_pool_get_products (SegueNnPool *pool)
{
  return &pool->products;
}

void
nn_pool_fail (SegueNnPool *pool)
{
  atomic_store_explicit (&pool->failed, TRUE, memory_order_relaxed);
}

void
segue_nn_pool_watch (SegueNnPool *pool, GCancellable *cancellable)
{
  pool->cancellable = cancellable;
}

gboolean
segue_nn_pool_check (SegueNnPool *pool, GError **error)
{
  gboolean failed = atomic_exchange_explicit (&pool->failed, FALSE, memory_order_relaxed);
  pool->cancellable = NULL;
  if (atomic_exchange_explicit (&pool->skipped, FALSE, memory_order_relaxed)) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped");
    return FALSE;
  }
  if (!failed)
    return TRUE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
               "%s is out of memory for matrix products; close other programs, or use fewer "
               "threads (-j), and run again",
               pool->products.backend->name);
  return FALSE;
}
