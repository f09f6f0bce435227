/* The server: one thread that talks HTTP, a few that hear songs, one model.
 *
 * Memory is bounded: connections × the HTTP library's buffer, songs in hand × what is told of a song,
 * threads × a decoded song.  The bytes of songs lie on disk: songs in hand × the largest. */
#pragma once

#include <segue/segue.h>

/** ServerConfig: borrowed for the server's life.
 * @port: 0: any free one
 * @names: (nullable): that it goes by, besides its address
 * @token: (nullable): that requests have to carry; %NULL: none
 * @model_name: what clients see of it */
typedef struct {
  const char *address;
  guint16 port;
  char *const *names;
  const char *runs;
  const char *token;
  const char *model_name;
  guint threads, max_songs;
  guint64 max_bytes;
  guint upload_seconds, hearing_seconds;
} ServerConfig;

typedef struct _Server Server;

/** server_start: from when it returns it answers.  @predictor: loaded; outlives it. */
Server *server_start (const ServerConfig *config, SeguePredictor *predictor, GError **error);
/** server_get_port: that it listens at. */
guint server_get_port (const Server *server);
/** server_tick: looks after limits of time; a few times a second. */
void server_tick (Server *server);
/** server_stop: takes no more, gives up what is being heard, tells who waits; frees @server. */
void server_stop (Server *server);
