/* Connections, and how long each may take.
 *
 * The HTTP library ends those that are silent; one that sends a byte now and then would stay for ever.
 * So whatever a connection is at has to be done by a certain time.  And while a song is heard nobody
 * reads from its connection: that the client has gone is seen here.
 *
 * Calls for one peer come from one thread; peers_tick() from another. */
#pragma once

#include "song.h"

typedef struct _Peers Peers;
typedef struct _Peer Peer;

Peers *peers_new (void);
void peers_free (Peers *peers);
/** peers_tick: cuts off who is late; gives up songs that nobody waits for; a few times a second. */
void peers_tick (Peers *peers);
guint peers_count (Peers *peers);

/** peer_new: @fd: its socket, until peer_free(). */
Peer *peer_new (Peers *peers, int fd);
void peer_free (Peer *peer);
/** peer_expect: what it is at has to be over in @seconds; 0: takes as long as it takes.
 * @late: what it is told then; %PROBLEM_NONE: nothing, as an answer may be on its way already */
void peer_expect (Peer *peer, guint seconds, ProblemKind late);
/** peer_await: @song is given up when the client goes; (nullable): nothing is awaited, or no more. */
void peer_await (Peer *peer, Song *song);
/** peer_refuse: an answer in the middle of a request, which the HTTP library has no way to send; the
 * connection has to be closed next.
 * @message: (nullable) */
void peer_refuse (Peer *peer, ProblemKind problem, const char *message);
