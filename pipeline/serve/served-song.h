/* One song in flight: received, waiting, being classified, answered.
 *
 * Its request reads the progress as lines of JSON (docs/serve.md), from any position, and is woken
 * when there are more. Any thread. */
#pragma once

#include "problem.h"
#include "shelf.h"

#include <segue/host/segue.h>

typedef struct _ServedSong ServedSong;

/** ServedSongGoneFunc: no reference to @song is left. */
typedef void (*ServedSongGoneFunc) (ServedSong *song, gpointer data);

/** served_song_new: @fd: of spool_open(), taken.
 * @name: UTF-8
 * @client: of the request
 * @top: number of labels in an answer
 * @gone: (nullable) */
ServedSong *served_song_new (int fd, const char *name, const char *client, guint top,
                             ServedSongGoneFunc gone, gpointer data);
ServedSong *served_song_ref (ServedSong *song);
void served_song_unref (ServedSong *song);

/** served_song_get_fd: to append to, until classification starts. */
int served_song_get_fd (const ServedSong *song);
const char *served_song_get_client (const ServedSong *song);

/** served_song_predict: runs @predictor, and ends the song; blocks the thread until then.
 * @shelf: (nullable): describes the similar songs of a prediction */
void served_song_predict (ServedSong *song, SeguePredictor *predictor, const Shelf *shelf,
                          guint seconds);
/** served_song_cancel: makes it end soon, with @problem, unless it has ended. */
void served_song_cancel (ServedSong *song, ProblemKind problem);
/** served_song_is_cancelled: also if it took too long. */
gboolean served_song_is_cancelled (ServedSong *song);
/** served_song_has_ended: with an answer or a problem. */
gboolean served_song_has_ended (ServedSong *song);
/** served_song_check_time: cancels it if its classification exceeds the time limit. */
void served_song_check_time (ServedSong *song);

/** ServedSongNews: its progress so far.
 * @length: of the lines
 * @ended: there will be no more lines
 * @problem: why it ended, if without an answer
 */
typedef struct {
  gsize length;
  gboolean ended;
  ProblemKind problem;
} ServedSongNews;

/**
 * served_song_wait:
 *
 * Returns the progress at once if there are more than @seen bytes or it has ended. Else calls
 * @sleep, and later @wake once there is more: from another thread, which has the song locked;
 * neither may call the song's functions.
 */
gboolean served_song_wait (ServedSong *song, gsize seen, ServedSongNews *news, GFunc sleep,
                           GFunc wake, gpointer sleeper);
/** served_song_read: copies the bytes after the first @from; returns their number. */
gsize served_song_read (ServedSong *song, gsize from, char *buffer, gsize max);
/** served_song_get_answer: (transfer none): once it has ended without a problem: one JSON object. */
const char *served_song_get_answer (ServedSong *song);
/** served_song_get_message: (transfer none) (nullable): once it has ended with a problem: its message. */
const char *served_song_get_message (ServedSong *song);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ServedSong, served_song_unref)
