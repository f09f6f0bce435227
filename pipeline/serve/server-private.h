/* The server as requests see it, and a request. */
#pragma once

#include "door.h"
#include "guard.h"
#include "peers.h"
#include "queue.h"
#include "runs.h"
#include "server.h"

#include <microhttpd.h>

struct _Server {
  const ServerConfig *config;
  SeguePredictor *predictor;
  Guard guard;
  Peers *peers;
  Door *door;
  Queue *queue;
  Runs *runs;
  struct MHD_Daemon *daemon;
  gint stopping;
};

/**
 * Request:
 * @route: (nullable): the requested route
 * @song: (nullable): the song that it uploads
 * @received: bytes of the song so far
 * @entered: the song has a place; @arrived: it is complete
 * @streams: the answer is lines as they are produced, not one object at the end
 * @list: (nullable): the list of runs that it waits for
 */
typedef struct {
  Server *server;
  struct MHD_Connection *connection;
  Peer *peer;
  const struct _Route *route;
  ServedSong *song;
  guint64 received;
  gboolean entered, arrived;
  gboolean streams;
  RunsList *list;
} Request;

/** request_header: (transfer none) (nullable). */
const char *request_header (Request *request, const char *name);

/* Callbacks of the HTTP library; all run in its single thread. */
enum MHD_Result request_handle (void *server, struct MHD_Connection *connection, const char *url,
                                const char *method, const char *version, const char *body,
                                size_t *body_size, void **state);
void request_completed (void *server, struct MHD_Connection *connection, void **state,
                        enum MHD_RequestTerminationCode how);

/* POST /api/songs: the head, each part of the body, then repeatedly until there is an answer. */
enum MHD_Result song_request_begin (Request *request);
enum MHD_Result song_request_receive (Request *request, const char *data, gsize length);
enum MHD_Result song_request_continue (Request *request);
