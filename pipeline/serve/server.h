/* The server: one thread for HTTP, a few that classify songs, one model.
 *
 * Memory is bounded: connections × the HTTP library's buffer, songs in flight × the lines about a
 * song, threads × a decoded song. The bytes of songs are on disk: songs in flight × the
 * largest. */
#pragma once

#include "shelf.h"

/** ServerConfig: borrowed for the server's lifetime.
 * @port: 0: any free one
 * @names: (nullable): its names, besides its address
 * @token: (nullable): required in requests; %NULL: none
 * @model_name: its name as shown to clients
 * @unsure_share: of correct predictions that are shown as unsure; 0: none are
 * @shelf: (nullable): the songs of the model's run */
typedef struct {
  const char *address;
  guint16 port;
  char *const *names;
  const char *runs;
  const char *token;
  const char *model_name;
  double unsure_share;
  const Shelf *shelf;
  guint threads, max_songs;
  guint64 max_bytes;
  guint upload_seconds, prediction_seconds;
} ServerConfig;

typedef struct _Server Server;

/** server_start: answers requests as soon as it returns. @predictor: loaded; has to outlive it. */
Server *server_start (const ServerConfig *config, SeguePredictor *predictor, GError **error);
/** server_get_port: on which it listens. */
guint server_get_port (const Server *server);
/** server_tick: enforces time limits; called a few times a second. */
void server_tick (Server *server);
/** server_stop: accepts no more songs, cancels those in flight, answers their clients; frees
 * @server. */
void server_stop (Server *server);
