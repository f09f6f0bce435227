#include "queue.h"

#include "spool.h"

#include <errno.h>
#include <string.h>

struct _Queue {
  SeguePredictor *predictor;
  const Shelf *shelf; /* nullable */
  guint max_songs, seconds;
  GPtrArray *threads;
  GMutex lock; /* guards what follows */
  GCond changed;
  GArray *waiting;       /* QueueTurn */
  GPtrArray *predicting; /* ServedSong */
  guint64 now;
  GPtrArray *places; /* ServedSong, not owned: in flight */
  gboolean stopping;
};

guint64
queue_turn (const QueueTurn *waiting, guint n_waiting, guint64 now, const char *client)
{
  guint64 last = now;
  for (guint i = 0; i < n_waiting; i++)
    if (g_str_equal (served_song_get_client (waiting[i].song), client))
      last = MAX (last, waiting[i].turn);
  return last + 1;
}

/* With the lock held: (transfer full) (nullable). */
static ServedSong *
take_next (Queue *queue)
{
  const QueueTurn *waiting = (const QueueTurn *) (void *) queue->waiting->data;
  guint next = 0;
  if (queue->waiting->len == 0)
    return NULL;
  for (guint i = 1; i < queue->waiting->len; i++)
    if (waiting[i].turn < waiting[next].turn)
      next = i;
  ServedSong *song = waiting[next].song;
  queue->now = waiting[next].turn;
  g_array_remove_index (queue->waiting, next);
  return song;
}

static gpointer
predict (gpointer data)
{
  Queue *queue = data;
  g_mutex_lock (&queue->lock);
  while (!queue->stopping) {
    ServedSong *song = take_next (queue);
    if (!song) {
      g_cond_wait (&queue->changed, &queue->lock);
      continue;
    }
    g_ptr_array_add (queue->predicting, song);
    g_mutex_unlock (&queue->lock);
    served_song_predict (song, queue->predictor, queue->shelf, queue->seconds);
    g_mutex_lock (&queue->lock);
    g_ptr_array_remove_fast (queue->predicting, song);
    g_ptr_array_remove_fast (queue->places, song);
    g_mutex_unlock (&queue->lock);
    served_song_unref (song);
    g_mutex_lock (&queue->lock);
  }
  g_mutex_unlock (&queue->lock);
  return NULL;
}

Queue *
queue_new (SeguePredictor *predictor, const Shelf *shelf, guint threads, guint max_songs,
           guint seconds, GError **error)
{
  Queue *queue = g_new0 (Queue, 1);
  queue->predictor = predictor;
  queue->shelf = shelf;
  queue->max_songs = max_songs;
  queue->seconds = seconds;
  queue->threads = g_ptr_array_new ();
  queue->waiting = g_array_new (FALSE, FALSE, sizeof (QueueTurn));
  queue->predicting = g_ptr_array_new ();
  queue->places = g_ptr_array_new ();
  g_mutex_init (&queue->lock);
  g_cond_init (&queue->changed);
  for (guint i = 0; i < threads; i++) {
    /* Fewer threads are only slower. */
    GThread *thread = g_thread_try_new ("predict", predict, queue, i == 0 ? error : NULL);
    if (!thread)
      break;
    g_ptr_array_add (queue->threads, thread);
  }
  if (queue->threads->len > 0)
    return queue;
  queue_free (queue);
  return NULL;
}

void
queue_stop (Queue *queue)
{
  g_mutex_lock (&queue->lock);
  queue->stopping = TRUE;
  g_autoptr (GPtrArray) songs = g_ptr_array_new_with_free_func ((GDestroyNotify) served_song_unref);
  for (guint i = 0; i < queue->waiting->len; i++)
    g_ptr_array_add (songs, g_array_index (queue->waiting, QueueTurn, i).song);
  for (guint i = 0; i < queue->predicting->len; i++)
    g_ptr_array_add (songs, served_song_ref (g_ptr_array_index (queue->predicting, i)));
  g_array_set_size (queue->waiting, 0);
  g_cond_broadcast (&queue->changed);
  g_mutex_unlock (&queue->lock);
  for (guint i = 0; i < songs->len; i++)
    served_song_cancel (g_ptr_array_index (songs, i), PROBLEM_STOPPING);
  for (guint i = 0; i < queue->threads->len; i++)
    g_thread_join (g_ptr_array_index (queue->threads, i));
  g_ptr_array_set_size (queue->threads, 0);
}

void
queue_free (Queue *queue)
{
  if (!queue)
    return;
  g_ptr_array_unref (queue->threads);
  g_array_unref (queue->waiting);
  g_ptr_array_unref (queue->predicting);
  g_ptr_array_unref (queue->places);
  g_cond_clear (&queue->changed);
  g_mutex_clear (&queue->lock);
  g_free (queue);
}

/* ServedSongGoneFunc */
static void
leave (ServedSong *song, gpointer data)
{
  Queue *queue = data;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&queue->lock);
  g_ptr_array_remove_fast (queue->places, song);
}

/* With the lock held. */
static guint
count_places (const Queue *queue, const char *client)
{
  guint n = 0;
  for (guint i = 0; i < queue->places->len; i++)
    n += g_str_equal (served_song_get_client (g_ptr_array_index (queue->places, i)), client);
  return n;
}

/* With the lock held: (nullable): the newest song that is not being classified yet, of the client
 * with most places, if that has more than @client will have. */
static ServedSong *
find_victim (const Queue *queue, const char *client)
{
  guint own = count_places (queue, client), most = own + 1;
  ServedSong *victim = NULL;
  for (guint i = queue->places->len; i-- > 0;) {
    ServedSong *song = g_ptr_array_index (queue->places, i);
    guint n = count_places (queue, served_song_get_client (song));
    if (n > most && !g_ptr_array_find (queue->predicting, song, NULL)) {
      victim = song;
      most = n;
    }
  }
  return victim;
}

/* With the lock held. */
static ProblemKind
judge (const Queue *queue, const char *client, ServedSong **victim)
{
  *victim = NULL;
  if (queue->stopping)
    return PROBLEM_STOPPING;
  if (queue->places->len < queue->max_songs)
    return PROBLEM_NONE;
  *victim = find_victim (queue, client);
  return *victim ? PROBLEM_NONE : PROBLEM_BUSY;
}

ServedSong *
queue_expect (Queue *queue, const char *name, const char *client, guint top, ProblemKind *problem)
{
  ServedSong *victim;
  g_mutex_lock (&queue->lock);
  *problem = judge (queue, client, &victim);
  g_mutex_unlock (&queue->lock);
  if (*problem)
    return NULL;
  int fd = spool_open ();
  if (fd >= 0)
    return served_song_new (fd, name, client, top, leave, queue);
  *problem = errno == ENOSPC || errno == EDQUOT ? PROBLEM_NO_ROOM : PROBLEM_FAILED;
  g_warning ("can't store a song in %s: %s", g_get_tmp_dir (), g_strerror (errno));
  return NULL;
}

ProblemKind
queue_enter (Queue *queue, ServedSong *song)
{
  ServedSong *victim;
  g_mutex_lock (&queue->lock);
  ProblemKind problem = judge (queue, served_song_get_client (song), &victim);
  /* Its request has a reference: the thread that serves requests, this one, cancels it. */
  if (victim) {
    served_song_ref (victim);
    g_ptr_array_remove_fast (queue->places, victim);
  }
  if (problem == PROBLEM_NONE)
    g_ptr_array_add (queue->places, song);
  g_mutex_unlock (&queue->lock);
  if (victim) {
    served_song_cancel (victim, PROBLEM_BUSY);
    served_song_unref (victim);
  }
  return problem;
}

void
queue_add (Queue *queue, ServedSong *song)
{
  {
    g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&queue->lock);
    if (!queue->stopping) {
      const QueueTurn *waiting = (const QueueTurn *) (void *) queue->waiting->data;
      QueueTurn turn = { served_song_ref (song),
                         queue_turn (waiting, queue->waiting->len, queue->now,
                                     served_song_get_client (song)) };
      g_array_append_val (queue->waiting, turn);
      g_cond_signal (&queue->changed);
      return;
    }
  }
  served_song_cancel (song, PROBLEM_STOPPING);
}

/* With the lock held. */
static void
drop_cancelled (Queue *queue, GPtrArray *dropped)
{
  for (guint i = queue->waiting->len; i-- > 0;) {
    ServedSong *song = g_array_index (queue->waiting, QueueTurn, i).song;
    if (!served_song_is_cancelled (song))
      continue;
    g_ptr_array_add (dropped, song);
    g_ptr_array_remove_fast (queue->places, song);
    g_array_remove_index (queue->waiting, i);
  }
}

void
queue_tick (Queue *queue)
{
  g_autoptr (GPtrArray) songs = g_ptr_array_new_with_free_func ((GDestroyNotify) served_song_unref);
  g_mutex_lock (&queue->lock);
  drop_cancelled (queue, songs);
  for (guint i = 0; i < queue->predicting->len; i++)
    g_ptr_array_add (songs, served_song_ref (g_ptr_array_index (queue->predicting, i)));
  g_mutex_unlock (&queue->lock);
  for (guint i = 0; i < songs->len; i++)
    served_song_check_time (g_ptr_array_index (songs, i));
}

QueueCounts
queue_count (Queue *queue)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&queue->lock);
  return (QueueCounts){ queue->places->len, queue->waiting->len, queue->predicting->len };
}
