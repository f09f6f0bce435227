/* One song in flight: received, waiting, being classified, answered.
 *
 * Its request reads the progress as lines of JSON (docs/serve.md), from any position, and is woken
 * when there are more.  Any thread. */
#pragma once

#include "problem.h"

#include <segue/segue.h>

typedef struct _Song Song;

/** SongGoneFunc: no reference to @song is left. */
typedef void (*SongGoneFunc) (Song *song, gpointer data);

/** song_new: @fd: of spool_open(), taken.
 * @name: UTF-8
 * @client: of the request
 * @top: number of labels in an answer
 * @gone: (nullable) */
Song *song_new (int fd, const char *name, const char *client, guint top, SongGoneFunc gone,
                gpointer data);
Song *song_ref (Song *song);
void song_unref (Song *song);

/** song_get_fd: to append to, until classification starts. */
int song_get_fd (const Song *song);
const char *song_get_client (const Song *song);

/** song_hear: runs @predictor, and ends the song; blocks the thread until then. */
void song_hear (Song *song, SeguePredictor *predictor, guint seconds);
/** song_cancel: makes it end soon, with @problem, unless it has ended. */
void song_cancel (Song *song, ProblemKind problem);
/** song_is_cancelled: also if it took too long. */
gboolean song_is_cancelled (Song *song);
/** song_has_ended: with an answer or a problem. */
gboolean song_has_ended (Song *song);
/** song_check_time: cancels it if its classification exceeds the time limit. */
void song_check_time (Song *song);

/** SongNews: its progress so far.
 * @length: of the lines
 * @ended: there will be no more lines
 * @problem: why it ended, if without an answer
 */
typedef struct {
  gsize length;
  gboolean ended;
  ProblemKind problem;
} SongNews;

/**
 * song_wait:
 *
 * Returns the progress at once if there are more than @seen bytes or it has ended.  Else calls
 * @sleep, and later @wake once there is more: from another thread, which has the song locked;
 * neither may call the song's functions.
 */
gboolean song_wait (Song *song, gsize seen, SongNews *news, GFunc sleep, GFunc wake,
                    gpointer sleeper);
/** song_read: copies the bytes after the first @from; returns their number. */
gsize song_read (Song *song, gsize from, char *buffer, gsize max);
/** song_get_answer: (transfer none): once it has ended without a problem: one JSON object. */
const char *song_get_answer (Song *song);
/** song_get_message: (transfer none) (nullable): once it has ended with a problem: its message. */
const char *song_get_message (Song *song);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Song, song_unref)
