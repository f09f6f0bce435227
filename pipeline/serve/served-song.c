#include "served-song.h"

#include "lines.h"
#include "predict-text.h"

#include <string.h>
#include <unistd.h>

struct _ServedSong {
  gatomicrefcount refs;
  char *name, *client;
  guint top;
  ServedSongGoneFunc gone;
  gpointer gone_data;
  GCancellable *cancellable;

  GMutex lock; /* guards what follows */
  int fd;
  gint64 deadline; /* of classification; 0: not started */
  GString *lines;
  char *answer, *message;
  ProblemKind problem, why_cancelled;
  gboolean ended;
  GFunc wake;
  gpointer sleeper;
};

/* State of a classification besides the song. */
typedef struct {
  ServedSong *song;
  const char *const *labels;
  guint n_told;
} Reply;

ServedSong *
served_song_new (int fd, const char *name, const char *client, guint top, ServedSongGoneFunc gone,
                 gpointer data)
{
  ServedSong *song = g_new0 (ServedSong, 1);
  g_atomic_ref_count_init (&song->refs);
  g_mutex_init (&song->lock);
  song->name = g_strdup (name);
  song->client = g_strdup (client);
  song->top = top;
  song->gone = gone;
  song->gone_data = data;
  song->cancellable = g_cancellable_new ();
  song->fd = fd;
  song->lines = g_string_new (NULL);
  return song;
}

ServedSong *
served_song_ref (ServedSong *song)
{
  g_atomic_ref_count_inc (&song->refs);
  return song;
}

static void
close_file (ServedSong *song)
{
  if (song->fd >= 0)
    close (song->fd);
  song->fd = -1;
}

void
served_song_unref (ServedSong *song)
{
  if (!song || !g_atomic_ref_count_dec (&song->refs))
    return;
  close_file (song);
  if (song->gone)
    song->gone (song, song->gone_data);
  g_object_unref (song->cancellable);
  g_string_free (song->lines, TRUE);
  g_free (song->answer);
  g_free (song->message);
  g_free (song->name);
  g_free (song->client);
  g_mutex_clear (&song->lock);
  g_free (song);
}

int
served_song_get_fd (const ServedSong *song)
{
  return song->fd;
}

const char *
served_song_get_client (const ServedSong *song)
{
  return song->client;
}

/* With the lock held. */
static void
wake_up (ServedSong *song)
{
  GFunc wake = song->wake;
  song->wake = NULL;
  if (wake)
    wake (song->sleeper, NULL);
}

static void
tell (ServedSong *song, char *line)
{
  g_string_append (song->lines, line);
  g_free (line);
}

/* SeguePredictedFunc. */
static void
on_predicted (const SegueSongPrediction *so_far, guint n_predicted, gpointer data)
{
  Reply *reply = data;
  ServedSong *song = reply->song;
  char *begun = reply->n_told == 0 ? line_begun (song->name, so_far) : NULL;
  char *segments = line_segments (so_far, reply->n_told, n_predicted, reply->labels, song->top);
  reply->n_told = n_predicted;
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&song->lock);
  if (begun)
    tell (song, begun);
  tell (song, segments);
  wake_up (song);
}

/* With the lock held. */
static void
end (ServedSong *song, ProblemKind problem)
{
  song->problem = problem;
  if (problem != PROBLEM_NONE)
    tell (song, line_error (problem, song->message));
  song->deadline = 0;
  song->ended = TRUE;
  close_file (song);
  wake_up (song);
}

static ProblemKind
judge (ServedSong *song, const GError *error)
{
  if (song->why_cancelled)
    return song->why_cancelled;
  if (g_error_matches (error, SEGUE_ERROR, SEGUE_ERROR_TIMEOUT))
    return PROBLEM_TOOK_TOO_LONG;
  if (!segue_error_is_lasting (error)) {
    /* The message may contain paths of this machine: only for the log. */
    g_warning ("‘%s’: %s", song->name, error->message);
    return PROBLEM_FAILED;
  }
  song->message = g_strdup (error->message);
  return PROBLEM_NOT_A_SONG;
}

static gboolean
begin (ServedSong *song, guint seconds)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&song->lock);
  if (song->ended)
    return FALSE;
  song->deadline = g_get_monotonic_time () + (gint64) seconds * G_TIME_SPAN_SECOND;
  return TRUE;
}

/* The answer as one object. */
static char *
print_answer (const ServedSong *song, const char *const *labels,
              const SegueSongPrediction *prediction, json_t *similar)
{
  json_t *object = segue_predict_object (song->name, labels, prediction, song->top, FALSE);
  if (similar)
    json_object_set (object, "similar", similar);
  return segue_predict_print (object);
}

void
served_song_predict (ServedSong *song, SeguePredictor *predictor, const Shelf *shelf, guint seconds)
{
  if (!begin (song, seconds))
    return;
  g_autoptr (GError) error = NULL;
  Reply reply = { song, segue_predictor_get_labels (predictor), 0 };
  g_autoptr (SegueSongPrediction) prediction = segue_predictor_predict_fd (
    predictor, song->fd, song->name, on_predicted, &reply, song->cancellable, &error);
  json_t *similar =
    shelf && prediction && prediction->similar ? shelf_describe (shelf, prediction->similar) : NULL;
  char *answer = prediction ? print_answer (song, reply.labels, prediction, similar) : NULL;
  char *line =
    prediction ? line_answer (song->name, prediction, reply.labels, song->top, similar) : NULL;
  json_decref (similar);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&song->lock);
  if (!prediction) {
    end (song, judge (song, error));
    return;
  }
  song->answer = answer;
  tell (song, line);
  end (song, PROBLEM_NONE);
}

void
served_song_cancel (ServedSong *song, ProblemKind problem)
{
  {
    g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&song->lock);
    if (song->ended || song->why_cancelled)
      return;
    song->why_cancelled = problem;
    /* A song that waits for a thread can end without one. */
    if (song->deadline == 0)
      end (song, problem);
  }
  g_cancellable_cancel (song->cancellable);
}

gboolean
served_song_is_cancelled (ServedSong *song)
{
  return g_cancellable_is_cancelled (song->cancellable);
}

gboolean
served_song_has_ended (ServedSong *song)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&song->lock);
  return song->ended;
}

void
served_song_check_time (ServedSong *song)
{
  g_mutex_lock (&song->lock);
  gboolean late = song->deadline > 0 && g_get_monotonic_time () > song->deadline;
  g_mutex_unlock (&song->lock);
  if (late)
    served_song_cancel (song, PROBLEM_TOOK_TOO_LONG);
}

gboolean
served_song_wait (ServedSong *song, gsize seen, ServedSongNews *news, GFunc sleep, GFunc wake,
                  gpointer sleeper)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&song->lock);
  *news = (ServedSongNews){ song->lines->len, song->ended, song->problem };
  if (song->ended || song->lines->len > seen)
    return TRUE;
  sleep (sleeper, NULL);
  song->wake = wake;
  song->sleeper = sleeper;
  return FALSE;
}

gsize
served_song_read (ServedSong *song, gsize from, char *buffer, gsize max)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&song->lock);
  gsize n = from < song->lines->len ? MIN (song->lines->len - from, max) : 0;
  memcpy (buffer, song->lines->str + from, n);
  return n;
}

const char *
served_song_get_answer (ServedSong *song)
{
  return song->answer;
}

const char *
served_song_get_message (ServedSong *song)
{
  return song->message;
}
