/* The listening socket, and connections before and after the HTTP library handles them.
 *
 * A thread accepts connections and waits until the head of a request is complete and valid; only
 * then does the HTTP library get it. After the answer the connection is closed: one request each,
 * so that no bytes are ever taken for a second one. Data that a client still sends after its
 * answer is read and dropped for a while, as clients that write first and read later would get a
 * reset instead of the answer. */
#pragma once

#include "peers.h"

#include <microhttpd.h>

typedef struct _Door Door;

/** DoorLimits: connections in total; per client; bytes that are read from a connection after its
 * answer. */
typedef struct {
  guint connections, of_client;
  guint64 linger_bytes;
} DoorLimits;

/** door_new: listens at @address, @port (0: any free one); door_open() accepts. */
Door *door_new (const char *address, guint16 port, const DoorLimits *limits, Peers *peers,
                GError **error);
guint door_get_port (const Door *door);
/** door_open: @daemon: receives connections until door_close(). */
gboolean door_open (Door *door, struct MHD_Daemon *daemon, GError **error);
/** door_close: accepts no more. */
void door_close (Door *door);
/** door_take_back: the HTTP library is done with @peer, and about to close its descriptor. */
void door_take_back (Door *door, Peer *peer);
/** door_free: after the HTTP library is stopped: ends the remaining connections. Accepts %NULL. */
void door_free (Door *door);
