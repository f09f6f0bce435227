/* Connections, from the first byte to the last: whose they are, what they are at, and for how long.
 *
 * The HTTP library ends those that are silent; one that sends a byte now and then would stay for ever.
 * So whatever a connection is at has to be done by a certain time, and an upload has a least rate.  While a
 * song is classified nothing reads from its connection: that the client has gone is seen here.
 *
 * Calls for one peer come from one thread at a time: the door's, then the HTTP library's, then the door's
 * again; peers_tick() from another. */
#pragma once

#include "song.h"

#include <sys/socket.h>

typedef struct _Peers Peers;
typedef struct _Peer Peer;

/**
 * PeerState: what a connection is at, in the order in which they make way for others.
 * @PEER_LINGERS: it was answered; what it still sends is read and dropped
 * @PEER_ASKS: the head of its request arrives
 * @PEER_UPLOADS: a song arrives
 * @PEER_READS: it takes an answer
 * @PEER_WAITS: for its song to be classified
 */
typedef enum {
  PEER_LINGERS,
  PEER_ASKS,
  PEER_UPLOADS,
  PEER_READS,
  PEER_WAITS,
} PeerState;

/** peers_new: @upload_seconds: how long an upload may take. */
Peers *peers_new (guint upload_seconds);
void peers_free (Peers *peers);
/** peers_tick: cuts off who is late or too slow; gives up songs that no client waits for; a few times a
 * second. */
void peers_tick (Peers *peers);
guint peers_count (Peers *peers);
/** peers_count_at_work: without those that linger or have asked nothing yet. */
guint peers_count_at_work (Peers *peers);
/** peers_count_of: of one client. */
guint peers_count_of (Peers *peers, const char *client);
/** peers_make_way: (transfer none) (nullable): cuts off one connection in favour of a new one: of the client
 * that has most, that which makes way first, the oldest of these.  Returned where it lingers or asks: it is
 * the caller's to free.  @found: (out): whether there was one */
Peer *peers_make_way (Peers *peers, gboolean *found);

/** peer_name_client: (transfer full): an address as far as it tells clients apart: of IPv6 the network. */
char *peer_name_client (const struct sockaddr *address);
/** peer_new: asks. @fd: its socket, closed with it.  @client: (transfer full) */
Peer *peer_new (Peers *peers, int fd, char *client);
void peer_free (Peer *peer);
int peer_get_fd (const Peer *peer);
const char *peer_get_client (const Peer *peer);
/** peer_lend: the HTTP library gets @fd, another descriptor of the same connection. */
void peer_lend (Peer *peer, int fd);
/** peers_find_lent: (transfer none): that @fd was lent of. */
Peer *peers_find_lent (Peers *peers, int fd);

/** peer_reads: an answer goes out. */
void peer_reads (Peer *peer);
/** peer_uploads: @song arrives. */
void peer_uploads (Peer *peer, Song *song);
/** peer_sent: bytes of it. */
void peer_sent (Peer *peer, gsize n);
/** peer_waits: for its song: it has arrived. */
void peer_waits (Peer *peer);
/** peer_give_back: the HTTP library is about to close its descriptor. */
void peer_give_back (Peer *peer);
/** peer_lingers: the door has it again. */
void peer_lingers (Peer *peer, guint seconds);
/** peer_is_late: of one that lingers or asks. @now: monotonic */
gboolean peer_is_late (const Peer *peer, gint64 now);
PeerState peer_get_state (const Peer *peer);
/** peer_refuse: an answer in the middle of a request, which the HTTP library has no way to send; the
 * connection has to be closed next.
 * @message: (nullable) */
void peer_refuse (Peer *peer, ProblemKind problem, const char *message);
