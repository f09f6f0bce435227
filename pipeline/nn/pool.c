#include <errno.h>
#include <sched.h>
#include <stdatomic.h>

#include <segue/error.h>
#include <segue/nn/pool.h>

/* A run publishes its task and raises `generation`; each worker takes tiles from `next_tile`
 * until none is left and then counts itself out of `busy`. Both sides look a few thousand times
 * before they sleep, for the next run of a network usually follows within microseconds. */
#define SPINS 4000

typedef struct {
  SegueNnPool *pool;
  guint index; /* 1 … n_threads − 1 */
} Worker;

struct _SegueNnPool {
  guint n_threads;
  const SegueNnBackend *backend;
  GThread **threads; /* n_threads − 1 */
  Worker *workers;
  guint n_started;

  GMutex run_lock; /* one run at a time */
  SegueNnTask task;
  gpointer data;
  gsize n_tiles;
  atomic_size_t next_tile;

  GMutex lock; /* for sleeping and waking only */
  GCond wake;
  GCond finished;
  atomic_uint generation;
  atomic_uint busy;
  gboolean quit; /* written before generation is raised */
};

static void
cpu_relax (void)
{
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause ();
#endif
}

static void
take_tiles (SegueNnPool *pool, guint thread)
{
  for (;;) {
    gsize tile = atomic_fetch_add_explicit (&pool->next_tile, 1, memory_order_relaxed);
    if (tile >= pool->n_tiles)
      return;
    pool->task (pool->data, tile, thread);
  }
}

static void
wait_for_generation (SegueNnPool *pool, guint seen)
{
  for (guint i = 0; i < SPINS; i++) {
    if (atomic_load_explicit (&pool->generation, memory_order_acquire) != seen)
      return;
    cpu_relax ();
  }
  g_mutex_lock (&pool->lock);
  while (atomic_load_explicit (&pool->generation, memory_order_acquire) == seen)
    g_cond_wait (&pool->wake, &pool->lock);
  g_mutex_unlock (&pool->lock);
}

static void
wait_for_workers (SegueNnPool *pool)
{
  for (guint i = 0; i < SPINS; i++) {
    if (atomic_load_explicit (&pool->busy, memory_order_acquire) == 0)
      return;
    cpu_relax ();
  }
  g_mutex_lock (&pool->lock);
  while (atomic_load_explicit (&pool->busy, memory_order_acquire) != 0)
    g_cond_wait (&pool->finished, &pool->lock);
  g_mutex_unlock (&pool->lock);
}

static void
raise_generation (SegueNnPool *pool)
{
  g_mutex_lock (&pool->lock);
  atomic_fetch_add_explicit (&pool->generation, 1, memory_order_release);
  g_cond_broadcast (&pool->wake);
  g_mutex_unlock (&pool->lock);
}

static gpointer
work (gpointer data)
{
  Worker *worker = data;
  SegueNnPool *pool = worker->pool;

  for (guint seen = 0;; seen++) {
    wait_for_generation (pool, seen);
    if (pool->quit)
      return NULL;
    take_tiles (pool, worker->index);
    if (atomic_fetch_sub_explicit (&pool->busy, 1, memory_order_acq_rel) == 1) {
      /* The lock makes sure that the caller is either asleep or yet to look. */
      g_mutex_lock (&pool->lock);
      g_cond_signal (&pool->finished);
      g_mutex_unlock (&pool->lock);
    }
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
                   "cannot start %u threads for arithmetic: %s; ask for fewer", pool->n_threads,
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
                 "no backend for matrix products is called '%s'; this build has: %s", backend,
                 names);
    return NULL;
  }

  g_autoptr (SegueNnPool) pool = g_new0 (SegueNnPool, 1);
  pool->n_threads =
    CLAMP (n_threads > 0 ? n_threads : count_processors (), 1, SEGUE_NN_POOL_MAX_THREADS);
  pool->backend = found;
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

  pool->quit = TRUE;
  raise_generation (pool);
  for (guint i = 0; i < pool->n_started; i++)
    g_thread_join (pool->threads[i]);

  g_mutex_clear (&pool->run_lock);
  g_mutex_clear (&pool->lock);
  g_cond_clear (&pool->wake);
  g_cond_clear (&pool->finished);
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
  return pool->backend;
}

void
segue_nn_pool_run (SegueNnPool *pool, gsize n_tiles, SegueNnTask task, gpointer data)
{
  if (n_tiles == 0)
    return;

  g_mutex_lock (&pool->run_lock);
  if (pool->n_threads == 1 || n_tiles == 1) {
    for (gsize tile = 0; tile < n_tiles; tile++)
      task (data, tile, 0);
  } else {
    pool->task = task;
    pool->data = data;
    pool->n_tiles = n_tiles;
    atomic_store_explicit (&pool->next_tile, 0, memory_order_relaxed);
    atomic_store_explicit (&pool->busy, pool->n_threads - 1, memory_order_relaxed);
    raise_generation (pool);
    take_tiles (pool, 0);
    wait_for_workers (pool);
  }
  g_mutex_unlock (&pool->run_lock);
}
