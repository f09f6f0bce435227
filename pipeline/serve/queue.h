/* Songs in flight: waiting songs, threads that classify them, and their limits.
 *
 * It is fair: clients take turns, however many songs each of them has waiting; and if all places
 * are taken, the client with most of them loses one to a client that has fewer. */
#pragma once

#include "served-song.h"

typedef struct _Queue Queue;

/** queue_new: (nullable): %NULL with @error if no thread could be started.
 * @predictor, @shelf: (nullable): have to outlive it
 * @seconds: time limit for classifying a song */
Queue *queue_new (SeguePredictor *predictor, const Shelf *shelf, guint threads, guint max_songs,
                  guint seconds, GError **error);
/** queue_stop: cancels all songs, accepts no more, and waits until no thread is working. */
void queue_stop (Queue *queue);
/** queue_free: it has to be stopped, and all songs freed. */
void queue_free (Queue *queue);

/** queue_expect: (transfer full) (nullable): a song that is about to be received; %NULL with
 * @problem: there is no place for it now, or no file. Arguments as for served_song_new(). */
ServedSong *queue_expect (Queue *queue, const char *name, const char *client, guint top,
                          ProblemKind *problem);
/** queue_enter: @song gets a place, which it keeps until it ends: called when enough of it was
 * received to show that the upload is real. Another song may be cancelled (busy) for it. */
ProblemKind queue_enter (Queue *queue, ServedSong *song);
/** queue_add: @song is complete, and has a place. */
void queue_add (Queue *queue, ServedSong *song);
/** queue_tick: cancels songs that take too long; called a few times a second. */
void queue_tick (Queue *queue);

/** QueueCounts: songs that have a place, of which some wait and some are being classified. */
typedef struct {
  guint songs, waiting, predicting;
} QueueCounts;

QueueCounts queue_count (Queue *queue);

/** QueueTurn: a client's waiting song; of equal turns, the earlier comes first. */
typedef struct {
  ServedSong *song;
  guint64 turn;
} QueueTurn;

/** queue_turn: the turn of a new song of @client, behind @n_waiting others.
 * @now: the turn that was served last */
guint64 queue_turn (const QueueTurn *waiting, guint n_waiting, guint64 now, const char *client);
