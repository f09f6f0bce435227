/* A chain over a dataset: workers take songs in order, a frontier takes their results in order. */
#include "run/chain-songs.h"
#include "item/item-private.h"
#include "stage/dataset-private.h"

/* Songs that are computed before the first forecast of disk space for the rest; again at each
 * doubling. */
#define FIRST_FORECAST 8

typedef struct {
  guint first, n; /* entries of the input */
  gboolean done;
  SegueChainSong song;
} Slot;

typedef struct {
  const SegueChainSongs *job;
  GCancellable *cancellable; /* own: also triggered when the run ends for another reason */
  GArray *slots;             /* Slot, one per song */
  GMutex lock;
  guint next;     /* slot to be taken */
  guint frontier; /* slots before this one are accounted for */
  guint n_done;
  guint n_failed;   /* before the frontier */
  guint n_made;     /* cache misses */
  guint64 bytes;    /* stored for these */
  gboolean stopped; /* no more slots are taken, results are dropped */
  GError *error;
  GPtrArray *entries; /* nullable: see segue_chain_songs_run() */
} Pool;

static void
clear_slot (gpointer data)
{
  Slot *slot = data;
  segue_chain_song_clear (&slot->song);
}

static GArray *
find_slots (SegueDataset *input)
{
  GArray *slots = g_array_new (FALSE, TRUE, sizeof (Slot));
  g_array_set_clear_func (slots, clear_slot);
  guint length = segue_dataset_get_length (input);
  for (guint first = 0; first < length;) {
    guint end = segue_dataset_get_song_end (input, first);
    Slot slot = { .first = first, .n = end - first };
    g_array_append_val (slots, slot);
    first = end;
  }
  return slots;
}

static const char *
get_song_id (Pool *pool, const Slot *slot)
{
  return segue_item_get_song (segue_dataset_get_entry (pool->job->input, slot->first));
}

/* With the lock held: ends the run; interrupts the other workers. */
static void
stop (Pool *pool, const GError *error)
{
  if (pool->stopped)
    return;
  pool->stopped = TRUE;
  pool->error = g_error_copy (error);
  g_cancellable_cancel (pool->cancellable);
}

/* With the lock held: accounts for all finished songs up to the first unfinished one. */
static void
advance (Pool *pool)
{
  while (!pool->stopped && pool->frontier < pool->slots->len) {
    Slot *slot = &g_array_index (pool->slots, Slot, pool->frontier);
    if (!slot->done)
      return;
    pool->frontier++;
    GPtrArray *entries = slot->song.entries;
    gboolean failed = slot->song.error != NULL;
    pool->n_failed += failed;
    pool->job->song_done (pool->job->data, get_song_id (pool, slot), &slot->song);
    if (failed && pool->n_failed > pool->job->max_failures)
      stop (pool, slot->song.error);
    for (guint i = 0; pool->entries && entries && i < entries->len; i++)
      g_ptr_array_add (pool->entries, segue_item_ref (g_ptr_array_index (entries, i)));
    segue_chain_song_clear (&slot->song);
  }
}

static Slot *
pool_take (Pool *pool)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&pool->lock);
  if (pool->stopped || pool->next >= pool->slots->len)
    return NULL;
  return &g_array_index (pool->slots, Slot, pool->next++);
}

static void
fill_entries (Pool *pool, const Slot *slot, GPtrArray *entries)
{
  g_ptr_array_set_size (entries, 0);
  for (guint i = 0; i < slot->n; i++)
    g_ptr_array_add (entries, segue_dataset_get_entry (pool->job->input, slot->first + i));
}

/* Songs from @first on that have no record in the store. */
static guint
count_unknown (Pool *pool, guint first)
{
  g_autoptr (GPtrArray) entries = g_ptr_array_new ();
  guint n = 0;
  for (guint i = first; i < pool->slots->len; i++) {
    const Slot *slot = &g_array_index (pool->slots, Slot, i);
    fill_entries (pool, slot, entries);
    n +=
      !segue_chain_song_is_known (&pool->job->plan, (SegueItem *const *) entries->pdata, slot->n);
  }
  return n;
}

/* Reports early, not after hours, that the disk has no room for the remaining songs. */
static void
forecast (Pool *pool, guint next, guint n_made, guint64 bytes)
{
  SegueStore *store = pool->job->plan.store;
  g_autoptr (GError) error = NULL;
  /* A tenth for the output of later stages. */
  guint64 each = bytes / n_made + bytes / n_made / 10;
  guint left = pool->slots->len - next;
  if (segue_store_has_room (store, each * left))
    return;
  left = count_unknown (pool, next);
  g_autofree char *what = g_strdup_printf ("the remaining %u songs", left);
  if (segue_store_make_room (store, each * left, what, &error))
    return;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&pool->lock);
  stop (pool, error);
}

static void
pool_put (Pool *pool, Slot *slot)
{
  g_mutex_lock (&pool->lock);
  slot->done = TRUE;
  pool->n_done++;
  gboolean made = slot->song.entries && !slot->song.cached;
  if (made) {
    pool->n_made++;
    pool->bytes += slot->song.bytes;
  }
  guint next = pool->next, n_made = pool->n_made;
  guint64 bytes = pool->bytes;
  if (slot->song.error && !segue_error_is_about_item (slot->song.error))
    stop (pool, slot->song.error);
  if (!pool->stopped)
    pool->job->progress (pool->job->data, pool->n_done, pool->slots->len);
  advance (pool);
  g_mutex_unlock (&pool->lock);
  if (made && n_made >= FIRST_FORECAST && (n_made & (n_made - 1)) == 0)
    forecast (pool, next, n_made, bytes);
}

static gpointer
work (gpointer data)
{
  Pool *pool = data;
  const SegueChainPlan *plan = &pool->job->plan;
  g_autoptr (SegueChain) chain = segue_chain_new (plan->scope, plan->stages, plan->n_stages);
  g_autoptr (GPtrArray) entries = g_ptr_array_new ();
  Slot *slot;
  while ((slot = pool_take (pool))) {
    fill_entries (pool, slot, entries);
    segue_chain_song_run (plan, chain, (SegueItem *const *) entries->pdata, slot->n, &slot->song,
                          pool->cancellable);
    pool_put (pool, slot);
  }
  return NULL;
}

static void
run_workers (Pool *pool)
{
  guint n = CLAMP (pool->job->workers, 1, MAX (pool->slots->len, 1));
  g_autoptr (GPtrArray) threads = g_ptr_array_new ();
  for (guint i = 1; i < n; i++) {
    g_autoptr (GError) error = NULL;
    GThread *thread = g_thread_try_new ("segue-songs", work, pool, &error);
    /* Fewer workers are only slower. */
    if (!thread)
      break;
    g_ptr_array_add (threads, thread);
  }
  work (pool);
  for (guint i = 0; i < threads->len; i++)
    g_thread_join (g_ptr_array_index (threads, i));
}

static void
forward_cancel (GCancellable *cancellable, gpointer data)
{
  g_cancellable_cancel (data);
}

gboolean
segue_chain_songs_run (const SegueChainSongs *job, GPtrArray *entries, GCancellable *cancellable,
                       GError **error)
{
  Pool pool = { .job = job,
                .cancellable = g_cancellable_new (),
                .slots = find_slots (job->input),
                .entries = entries };
  g_mutex_init (&pool.lock);
  gulong handler = cancellable ? g_cancellable_connect (cancellable, G_CALLBACK (forward_cancel),
                                                        pool.cancellable, NULL)
                               : 0;
  run_workers (&pool);
  g_cancellable_disconnect (cancellable, handler);

  if (pool.error)
    g_propagate_error (error, pool.error);
  g_array_unref (pool.slots);
  g_object_unref (pool.cancellable);
  g_mutex_clear (&pool.lock);
  return !pool.stopped;
}
