/* Songs in flight: those that wait, threads that classify them, and how many there may be.
 *
 * It is fair: clients take turns, however many songs each of them has waiting; and where all places are
 * taken, the client with most of them loses one to a client that has fewer. */
#pragma once

#include "song.h"

typedef struct _Queue Queue;

/** queue_new: (nullable): %NULL with @error where there is not one thread to be had.
 * @predictor: outlives it
 * @seconds: how long hearing a song may take */
Queue *queue_new (SeguePredictor *predictor, guint threads, guint max_songs, guint seconds,
                  GError **error);
/** queue_stop: cancels everything, takes no more, and waits until no thread is at work. */
void queue_stop (Queue *queue);
/** queue_free: stopped, and all songs are gone. */
void queue_free (Queue *queue);

/** queue_expect: (transfer full) (nullable): a song that is about to arrive; %NULL with @problem: there is
 * no place for it now, or no file.  Arguments as for song_new(). */
Song *queue_expect (Queue *queue, const char *name, const char *client, guint top,
                    ProblemKind *problem);
/** queue_enter: @song gets a place, which it has until it ends: called when enough of it has come to
 * show that its client means it.  Another song may be cancelled (busy) for it. */
ProblemKind queue_enter (Queue *queue, Song *song);
/** queue_add: @song has arrived, and has a place. */
void queue_add (Queue *queue, Song *song);
/** queue_tick: gives up what takes too long; a few times a second. */
void queue_tick (Queue *queue);

/** QueueCounts: songs that have a place, of which some wait and some are being classified. */
typedef struct {
  guint songs, waiting, hearing;
} QueueCounts;

QueueCounts queue_count (Queue *queue);

/** QueueTurn: a client's song waiting; of equal turns the earlier comes first. */
typedef struct {
  Song *song;
  guint64 turn;
} QueueTurn;

/** queue_turn: the turn of a song of @client that comes now, behind @n_waiting others.
 * @now: the turn that was served last */
guint64 queue_turn (const QueueTurn *waiting, guint n_waiting, guint64 now, const char *client);
