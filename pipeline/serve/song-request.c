/* POST /api/songs: a song comes in, what is heard of it goes out. */
#include "reply.h"
#include "server-private.h"
#include "spool.h"

#include <netdb.h>
#include <string.h>

#define MAX_NAME    1000
#define DEFAULT_TOP 5
#define MAX_TOP     100
#define BLOCK       4096

/* The client's address, as text. */
static void
name_client (Request *request, char *text, socklen_t size)
{
  const union MHD_ConnectionInfo *info =
    MHD_get_connection_info (request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  const struct sockaddr *address = info ? info->client_addr : NULL;
  socklen_t length = address && address->sa_family == AF_INET6 ? sizeof (struct sockaddr_in6)
                                                               : sizeof (struct sockaddr_in);
  if (!address ||
      getnameinfo (address, length, text, size, NULL, 0, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
    g_strlcpy (text, "?", size);
}

/* The argument `name`; NULL where it can't be one. */
static const char *
find_name (Request *request)
{
  const char *name = NULL;
  size_t size = 0;
  if (!MHD_lookup_connection_value_n (request->connection, MHD_GET_ARGUMENT_KIND, "name",
                                      strlen ("name"), &name, &size) ||
      !name || size == 0)
    return "song";
  return size <= MAX_NAME && g_utf8_validate (name, (gssize) size, NULL) ? name : NULL;
}

static gboolean
find_top (Request *request, guint *top)
{
  const char *given =
    MHD_lookup_connection_value (request->connection, MHD_GET_ARGUMENT_KIND, "top");
  guint64 number = DEFAULT_TOP;
  gboolean ok = !given || g_ascii_string_to_unsigned (given, 10, 1, MAX_TOP, &number, NULL);
  *top = (guint) number;
  return ok;
}

static enum MHD_Result
refuse (Request *request, ProblemKind problem)
{
  g_autofree char *message = NULL;
  if (problem == PROBLEM_TOO_LARGE)
    message = g_strdup_printf ("the song is larger than the %" G_GUINT64_FORMAT
                               " MB that this server takes",
                               request->server->config->max_bytes / 1000000);
  return reply_problem (request->connection, problem, message, NULL);
}

enum MHD_Result
song_request_begin (Request *request)
{
  Server *server = request->server;
  guint64 length = 0;
  guint top;
  char client[NI_MAXHOST];
  const char *name = find_name (request), *announced = request_header (request, "Content-Length");
  if (!name)
    return refuse (request, PROBLEM_BAD_NAME);
  if (!find_top (request, &top))
    return reply_problem (request->connection, PROBLEM_BAD_REQUEST, "top is a number from 1 to 100",
                          NULL);
  if (announced && !g_ascii_string_to_unsigned (announced, 10, 0, G_MAXUINT64, &length, NULL))
    return refuse (request, PROBLEM_BAD_REQUEST);
  if (length > server->config->max_bytes)
    return refuse (request, PROBLEM_TOO_LARGE);
  ProblemKind problem;
  name_client (request, client, sizeof client);
  request->song = queue_take (server->queue, name, client, top, &problem);
  if (!request->song)
    return refuse (request, problem);
  const char *accept = request_header (request, "Accept");
  request->streams = accept && strstr (accept, "application/x-ndjson");
  peer_expect (request->peer, server->config->upload_seconds, PROBLEM_SLOW_UPLOAD);
  return MHD_YES;
}

enum MHD_Result
song_request_receive (Request *request, const char *data, gsize length)
{
  ProblemKind problem = PROBLEM_TOO_LARGE;
  request->received += length;
  if (request->received <= request->server->config->max_bytes)
    problem = spool_append (song_get_fd (request->song), data, length);
  if (problem == PROBLEM_NONE)
    return MHD_YES;
  peer_refuse (request->peer, problem, NULL);
  return MHD_NO;
}

/* GFuncs of song_wait (). */

static void
sleep_until_news (gpointer connection, gpointer unused)
{
  MHD_suspend_connection (connection);
}

static void
wake_for_news (gpointer connection, gpointer unused)
{
  MHD_resume_connection (connection);
}

/* MHD_ContentReaderCallback: 0: asked again when there is more. */
static ssize_t
read_lines (void *data, uint64_t at, char *buffer, size_t max)
{
  Request *request = data;
  SongNews news;
  if (!song_wait (request->song, at, &news, sleep_until_news, wake_for_news, request->connection))
    return 0;
  if (news.ended) {
    peer_await (request->peer, NULL);
    peer_expect (request->peer, READ_SECONDS, PROBLEM_NONE);
  }
  gsize n = song_read (request->song, at, buffer, max);
  return n > 0 ? (ssize_t) n : MHD_CONTENT_READER_END_OF_STREAM;
}

static enum MHD_Result
begin_stream (Request *request)
{
  struct MHD_Response *response =
    MHD_create_response_from_callback (MHD_SIZE_UNKNOWN, BLOCK, read_lines, request, NULL);
  return reply_response (request->connection, MHD_HTTP_OK, response, "application/x-ndjson",
                         REPLY_DATA);
}

static void
arrive (Request *request)
{
  request->arrived = TRUE;
  peer_expect (request->peer, 0, PROBLEM_NONE);
  peer_await (request->peer, request->song);
  queue_add (request->server->queue, request->song);
}

enum MHD_Result
song_request_continue (Request *request)
{
  if (request->received == 0)
    return refuse (request, PROBLEM_EMPTY);
  if (!request->arrived)
    arrive (request);
  SongNews news;
  gsize seen = request->streams ? 0 : G_MAXSIZE;
  if (!song_wait (request->song, seen, &news, sleep_until_news, wake_for_news, request->connection))
    return MHD_YES;
  if (request->streams && !(news.ended && news.problem))
    return begin_stream (request);
  peer_await (request->peer, NULL);
  peer_expect (request->peer, READ_SECONDS, PROBLEM_NONE);
  if (news.problem)
    return reply_problem (request->connection, news.problem, song_get_message (request->song),
                          NULL);
  return reply_json (request->connection, MHD_HTTP_OK, g_strdup (song_get_answer (request->song)));
}
