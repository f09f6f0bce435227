/* One song on its way: received, waiting, being heard, answered.
 *
 * Whoever asked reads what is heard of it as lines of JSON (docs/serve.md), from any place on, and is
 * woken when there are more.  Any thread. */
#pragma once

#include "problem.h"

#include <segue/segue.h>

typedef struct _Song Song;

/** SongGoneFunc: no reference to @song is left. */
typedef void (*SongGoneFunc) (Song *song, gpointer data);

/** song_new: @fd: of spool_open(), taken.
 * @name: UTF-8
 * @client: who asked
 * @top: how many labels an answer lists
 * @gone: (nullable) */
Song *song_new (int fd, const char *name, const char *client, guint top, SongGoneFunc gone,
                gpointer data);
Song *song_ref (Song *song);
void song_unref (Song *song);

/** song_get_fd: to append to, until it is heard. */
int song_get_fd (const Song *song);
const char *song_get_client (const Song *song);

/** song_hear: asks @predictor, and concludes; the thread is busy until then. */
void song_hear (Song *song, SeguePredictor *predictor, guint seconds);
/** song_cancel: it ends soon, with @problem, unless it has ended. */
void song_cancel (Song *song, ProblemKind problem);
/** song_is_cancelled: or took too long. */
gboolean song_is_cancelled (Song *song);
/** song_has_ended: with an answer or a problem. */
gboolean song_has_ended (Song *song);
/** song_check_time: cancels what is heard for longer than it may. */
void song_check_time (Song *song);

/** SongNews: what has come of it so far.
 * @length: of the lines
 * @ended: there will be no more
 * @problem: why it ended, if not with an answer
 */
typedef struct {
  gsize length;
  gboolean ended;
  ProblemKind problem;
} SongNews;

/**
 * song_wait:
 *
 * What there is, where that is more than @seen bytes or the end.  Else @sleep is called, and
 * @wake once there is more: by another thread, which holds the song; neither may call it.
 */
gboolean song_wait (Song *song, gsize seen, SongNews *news, GFunc sleep, GFunc wake,
                    gpointer sleeper);
/** song_read: copies what follows the first @from bytes; how many bytes. */
gsize song_read (Song *song, gsize from, char *buffer, gsize max);
/** song_get_answer: (transfer none): once it has ended without a problem: one JSON object. */
const char *song_get_answer (Song *song);
/** song_get_message: (transfer none) (nullable): once it has ended with one: in words. */
const char *song_get_message (Song *song);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Song, song_unref)
