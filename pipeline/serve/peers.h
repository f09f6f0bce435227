/* Connections, from the first byte to the last: their client, state, and time limits.
 *
 * The HTTP library ends idle connections; one that sends a byte now and then would stay forever. So
 * every state of a connection has a deadline, and an upload has a minimum rate. While a song is
 * classified, nothing reads from its connection: a client that has disconnected is detected here.
 *
 * Calls for one peer come from one thread at a time: the door's, then the HTTP library's, then the door's
 * again; peers_tick() from another. */
#pragma once

#include "served-song.h"

#include <sys/socket.h>

typedef struct _Peers Peers;
typedef struct _Peer Peer;

/**
 * PeerState: the state of a connection, in the order in which connections are closed in favour of
 * new ones (%PEER_WAITS: never).
 * @PEER_LINGERS: it was answered; further data is read and dropped
 * @PEER_ASKS: the head of its request arrives
 * @PEER_UPLOADS: a song arrives
 * @PEER_READS: it receives an answer
 * @PEER_WAITS: it waits for its song to be classified
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
/** peers_tick: closes connections that are late or too slow; cancels songs that no client waits
 * for; called a few times a second. */
void peers_tick (Peers *peers);
guint peers_count (Peers *peers);
/** peers_count_at_work: without those that linger or have not sent a request yet. */
guint peers_count_at_work (Peers *peers);
/** peers_count_of: connections of one client. */
guint peers_count_of (Peers *peers, const char *client);
/** peers_make_way: (transfer none) (nullable): closes one connection in favour of a new one: of the
 * client with most connections, in the first state in order of #PeerState, the oldest. Returned if
 * it lingers or asks: the caller frees it. @found: (out): whether there was one */
Peer *peers_make_way (Peers *peers, gboolean *found);

/** peer_name_client: (transfer full): the part of an address that identifies a client: of IPv6, the
 * network. */
char *peer_name_client (const struct sockaddr *address);
/** peer_new: in state %PEER_ASKS. @fd: its socket, closed with it. @client: (transfer full) */
Peer *peer_new (Peers *peers, int fd, char *client);
void peer_free (Peer *peer);
int peer_get_fd (const Peer *peer);
const char *peer_get_client (const Peer *peer);
/** peer_lend: the HTTP library gets @fd, another descriptor of the same connection. */
void peer_lend (Peer *peer, int fd);
/** peers_find_lent: (transfer none): the peer whose @fd was lent. */
Peer *peers_find_lent (Peers *peers, int fd);

/** peer_reads: an answer is being sent. */
void peer_reads (Peer *peer);
/** peer_uploads: @song is being received. */
void peer_uploads (Peer *peer, ServedSong *song);
/** peer_sent: @n bytes of its song were received. */
void peer_sent (Peer *peer, gsize n);
/** peer_waits: for its song, which is complete. */
void peer_waits (Peer *peer);
/** peer_give_back: the HTTP library is about to close its descriptor. */
void peer_give_back (Peer *peer);
/** peer_lingers: the door handles it again. */
void peer_lingers (Peer *peer, guint seconds);
/** peer_is_late: for a peer that lingers or asks. @now: monotonic */
gboolean peer_is_late (const Peer *peer, gint64 now);
PeerState peer_get_state (const Peer *peer);
/** peer_refuse: sends an answer in the middle of a request, which the HTTP library can't do; the
 * connection has to be closed next.
 * @message: (nullable) */
void peer_refuse (Peer *peer, ProblemKind problem, const char *message);
