#include "product.h"

#include <errno.h>
#include <sched.h>
#include <segue/error.h>
#include <segue/nn/threads.h>
#include <stdatomic.h>
#include <stdlib.h>

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
  SegueNnThreads *threads;
  guint index; /* 1 … n_threads − 1 */
} Worker;

struct _SegueNnThreads {
  guint n_threads;
  NnProducts products;
  GThread **handles; /* n_threads − 1 */
  Worker *workers;
  guint n_started;

  GCancellable *cancellable; /* nullable; changed between runs */
  atomic_bool skipped;       /* a tile since segue_nn_threads_check () */
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
tile_done (SegueNnThreads *threads, guint thread, guint32 n_tiles)
{
  if (atomic_fetch_add_explicit (&threads->n_done, 1, memory_order_acq_rel) + 1 < n_tiles ||
      thread == 0)
    return;
  /* The lock ensures that the caller is either asleep or has not checked yet. */
  g_mutex_lock (&threads->lock);
  if (threads->run_waiting)
    g_cond_signal (&threads->finished);
  g_mutex_unlock (&threads->lock);
}

static void
run_tile (SegueNnThreads *threads, SegueNnTask task, gpointer data, gsize tile, guint thread)
{
  if (G_UNLIKELY (g_cancellable_is_cancelled (threads->cancellable)))
    atomic_store_explicit (&threads->skipped, TRUE, memory_order_relaxed);
  else
    task (data, tile, thread);
}

/* Runs tiles until none is left; returns the number of the run that had none. */
static guint32
take_tiles (SegueNnThreads *threads, guint thread)
{
  guint64 word = atomic_load_explicit (&threads->word, memory_order_acquire);
  for (;;) {
    guint32 tile = (guint32) word;
    guint32 n_tiles = (guint32) atomic_load_explicit (&threads->n_tiles, memory_order_relaxed);
    if (tile >= n_tiles)
      return number_of (word);
    if (!atomic_compare_exchange_weak_explicit (&threads->word, &word, word + 1,
                                                memory_order_acq_rel, memory_order_acquire))
      continue;
    run_tile (threads, threads->task, threads->data, tile, thread);
    tile_done (threads, thread, n_tiles);
    word = atomic_load_explicit (&threads->word, memory_order_acquire);
  }
}

static gboolean
is_run (SegueNnThreads *threads, guint32 number)
{
  return number_of (atomic_load_explicit (&threads->word, memory_order_acquire)) == number;
}

static void
wait_for_next_run (SegueNnThreads *threads, guint32 seen)
{
  for (guint i = 0; i < SPINS; i++) {
    if (!is_run (threads, seen))
      return;
    cpu_relax ();
  }
  g_mutex_lock (&threads->lock);
  threads->n_asleep++;
  while (is_run (threads, seen))
    g_cond_wait (&threads->wake, &threads->lock);
  threads->n_asleep--;
  g_mutex_unlock (&threads->lock);
}

static gboolean
is_done (SegueNnThreads *threads, guint32 n_tiles)
{
  return atomic_load_explicit (&threads->n_done, memory_order_acquire) == n_tiles;
}

static void
wait_for_tiles (SegueNnThreads *threads, guint32 n_tiles)
{
  for (guint i = 0; i < SPINS; i++) {
    if (is_done (threads, n_tiles))
      return;
    cpu_relax ();
  }
  g_mutex_lock (&threads->lock);
  threads->run_waiting = TRUE;
  while (!is_done (threads, n_tiles))
    g_cond_wait (&threads->finished, &threads->lock);
  threads->run_waiting = FALSE;
  g_mutex_unlock (&threads->lock);
}

/* Begins the next run at tile `first`. */
static void
open_run (SegueNnThreads *threads, guint32 first)
{
  g_mutex_lock (&threads->lock);
  guint64 word = atomic_load_explicit (&threads->word, memory_order_relaxed);
  guint64 next = (guint64) (guint32) (number_of (word) + 1) << 32 | first;
  atomic_store_explicit (&threads->word, next, memory_order_release);
  if (threads->n_asleep > 0)
    g_cond_broadcast (&threads->wake);
  g_mutex_unlock (&threads->lock);
}

/* All tiles are taken; from here on n_tiles may change. */
static void
close_run (SegueNnThreads *threads)
{
  atomic_fetch_or_explicit (&threads->word, CLOSED, memory_order_acq_rel);
}

static gpointer
work (gpointer data)
{
  Worker *worker = data;
  SegueNnThreads *threads = worker->threads;

  for (;;) {
    guint32 seen = take_tiles (threads, worker->index);
    /* `quit` is set before the last number, so a thread that read that number also reads `quit`. */
    if (atomic_load (&threads->quit))
      return NULL;
    wait_for_next_run (threads, seen);
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
start_workers (SegueNnThreads *threads, GError **error)
{
  threads->handles = g_new0 (GThread *, threads->n_threads);
  threads->workers = g_new0 (Worker, threads->n_threads);
  for (guint i = 1; i < threads->n_threads; i++) {
    g_autoptr (GError) reason = NULL;
    Worker *worker = &threads->workers[i - 1];
    *worker = (Worker){ threads, i };
    GThread *thread = g_thread_try_new ("segue-nn", work, worker, &reason);
    if (!thread) {
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                   "can't start %u computing threads: %s; use fewer (-j)", threads->n_threads,
                   reason->message);
      return FALSE;
    }
    threads->handles[threads->n_started++] = thread;
  }
  return TRUE;
}

SegueNnThreads *
segue_nn_threads_new (guint n_threads, const char *backend, GError **error)
{
  const SegueNnBackend *found = segue_nn_backend_find (backend);
  if (!found) {
    g_autofree char *names = g_strjoinv (", ", (char **) segue_nn_backend_names ());
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "no backend for matrix products is called '%s'; this build has: %s",
                 backend ? backend : g_getenv ("SEGUE_BACKEND"), names);
    return NULL;
  }

  return nn_threads_new (n_threads, found, error);
}

SegueNnThreads *
nn_threads_new (guint n_threads, const SegueNnBackend *backend, GError **error)
{
  g_autoptr (SegueNnThreads) threads = g_new0 (SegueNnThreads, 1);
  threads->n_threads =
    CLAMP (n_threads > 0 ? n_threads : count_processors (), 1, SEGUE_NN_MAX_THREADS);
  threads->products = (NnProducts){ .backend = backend, .n_threads = threads->n_threads };
  atomic_init (&threads->word, CLOSED);
  g_mutex_init (&threads->run_lock);
  g_mutex_init (&threads->lock);
  g_cond_init (&threads->wake);
  g_cond_init (&threads->finished);
  backend->init ();
  if (!start_workers (threads, error))
    return NULL;
  return g_steal_pointer (&threads);
}

void
segue_nn_threads_free (SegueNnThreads *threads)
{
  if (!threads)
    return;

  atomic_store (&threads->quit, TRUE);
  open_run (threads, CLOSED);
  for (guint i = 0; i < threads->n_started; i++)
    g_thread_join (threads->handles[i]);

  g_mutex_clear (&threads->run_lock);
  g_mutex_clear (&threads->lock);
  g_cond_clear (&threads->wake);
  g_cond_clear (&threads->finished);
  free (threads->products.scratch);
  g_free (threads->handles);
  g_free (threads->workers);
  g_free (threads);
}

guint
segue_nn_threads_get_count (SegueNnThreads *threads)
{
  return threads->n_threads;
}

const SegueNnBackend *
segue_nn_threads_get_backend (SegueNnThreads *threads)
{
  return threads->products.backend;
}

void
segue_nn_threads_run (SegueNnThreads *threads, gsize n_tiles, SegueNnTask task, gpointer data)
{
  if (n_tiles == 0)
    return;

  g_assert (n_tiles < CLOSED);
  g_mutex_lock (&threads->run_lock);
  if (threads->n_threads == 1 || n_tiles == 1) {
    for (gsize tile = 0; tile < n_tiles; tile++)
      run_tile (threads, task, data, tile, 0);
  } else {
    threads->task = task;
    threads->data = data;
    atomic_store_explicit (&threads->n_tiles, (guint32) n_tiles, memory_order_relaxed);
    atomic_store_explicit (&threads->n_done, 0, memory_order_relaxed);
    open_run (threads, 0);
    take_tiles (threads, 0);
    wait_for_tiles (threads, (guint32) n_tiles);
    close_run (threads);
  }
  g_mutex_unlock (&threads->run_lock);
}

NnProducts *
nn_threads_get_products (SegueNnThreads *threads)
{
  return &threads->products;
}

void
nn_threads_fail (SegueNnThreads *threads)
{
  atomic_store_explicit (&threads->failed, TRUE, memory_order_relaxed);
}

void
segue_nn_threads_watch (SegueNnThreads *threads, GCancellable *cancellable)
{
  threads->cancellable = cancellable;
}

gboolean
segue_nn_threads_check (SegueNnThreads *threads, GError **error)
{
  gboolean failed = atomic_exchange_explicit (&threads->failed, FALSE, memory_order_relaxed);
  threads->cancellable = NULL;
  if (atomic_exchange_explicit (&threads->skipped, FALSE, memory_order_relaxed)) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped");
    return FALSE;
  }
  if (!failed)
    return TRUE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
               "%s is out of memory for matrix products; close other programs, or use fewer "
               "threads (-j), and run again",
               threads->products.backend->name);
  return FALSE;
}
