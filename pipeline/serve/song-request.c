/* POST /api/songs: receives a song, sends its progress and result. */
#include "body-kind.h"
#include "reply.h"
#include "server-private.h"
#include "spool.h"

#include <string.h>
#include <unistd.h>

#define MAX_NAME    1000
#define DEFAULT_TOP 5
#define MAX_TOP     100
#define BLOCK       4096
#define EARNEST     (64 * 1024) /* bytes received before a song gets a place, or all of it */

/* The argument `name`; NULL if it is invalid. */
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
                               " MB that this server accepts",
                               request->server->config->max_bytes / 1000000);
  return reply_problem (request->connection, problem, message, NULL);
}

enum MHD_Result
song_request_begin (Request *request)
{
  Server *server = request->server;
  guint64 length = 0;
  guint top;
  const char *name = find_name (request), *announced = request_header (request, "Content-Length");
  const char *other = body_kind_of_headers (request_header (request, "Content-Type"),
                                            request_header (request, "Content-Encoding"));
  if (!name)
    return refuse (request, PROBLEM_BAD_NAME);
  if (!find_top (request, &top))
    return reply_problem (request->connection, PROBLEM_BAD_REQUEST,
                          "top must be a number from 1 to 100", NULL);
  if (other)
    return reply_problem (request->connection, PROBLEM_NO_SONG_BODY, other, NULL);
  if (announced && !g_ascii_string_to_unsigned (announced, 10, 0, G_MAXUINT64, &length, NULL))
    return refuse (request, PROBLEM_BAD_REQUEST);
  if (length > server->config->max_bytes)
    return refuse (request, PROBLEM_TOO_LARGE);
  ProblemKind problem;
  request->song =
    queue_expect (server->queue, name, peer_get_client (request->peer), top, &problem);
  if (!request->song)
    return refuse (request, problem);
  const char *accept = request_header (request, "Accept");
  request->streams = accept && strstr (accept, "application/x-ndjson");
  peer_uploads (request->peer, request->song);
  return MHD_YES;
}

/* Gets a place, once. */
static ProblemKind
enter (Request *request)
{
  if (request->entered)
    return PROBLEM_NONE;
  ProblemKind problem = queue_enter (request->server->queue, request->song);
  request->entered = problem == PROBLEM_NONE;
  return problem;
}

static ProblemKind
keep (Request *request, const char *data, gsize length)
{
  request->received += length;
  peer_sent (request->peer, length);
  if (request->received > request->server->config->max_bytes)
    return PROBLEM_TOO_LARGE;
  /* It was cancelled in favour of another song. */
  if (served_song_is_cancelled (request->song))
    return PROBLEM_BUSY;
  ProblemKind problem = request->received >= EARNEST ? enter (request) : PROBLEM_NONE;
  return problem ? problem : spool_append (served_song_get_fd (request->song), data, length);
}

enum MHD_Result
song_request_receive (Request *request, const char *data, gsize length)
{
  ProblemKind problem = keep (request, data, length);
  if (problem == PROBLEM_NONE)
    return MHD_YES;
  peer_refuse (request->peer, problem, NULL);
  return MHD_NO;
}

/* GFuncs of served_song_wait (). */

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

/* MHD_ContentReaderCallback: 0: called again when there is more. */
static ssize_t
read_lines (void *data, uint64_t at, char *buffer, size_t max)
{
  Request *request = data;
  ServedSongNews news;
  if (!served_song_wait (request->song, at, &news, sleep_until_news, wake_for_news,
                         request->connection))
    return 0;
  if (news.ended)
    peer_reads (request->peer);
  gsize n = served_song_read (request->song, at, buffer, max);
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

/* (nullable): what was received in place of a song, and how to send one. */
static const char *
find_other_kind (const ServedSong *song)
{
  char start[BODY_KIND_BYTES];
  gssize n = pread (served_song_get_fd (song), start, sizeof start, 0);
  return n > 0 ? body_kind_of_bytes (start, (gsize) n) : NULL;
}

static ProblemKind
arrive (Request *request)
{
  ProblemKind problem = enter (request);
  if (problem)
    return problem;
  request->arrived = TRUE;
  peer_waits (request->peer);
  queue_add (request->server->queue, request->song);
  return PROBLEM_NONE;
}

enum MHD_Result
song_request_continue (Request *request)
{
  if (request->received == 0)
    return refuse (request, PROBLEM_EMPTY);
  const char *other = request->arrived ? NULL : find_other_kind (request->song);
  if (other)
    return reply_problem (request->connection, PROBLEM_NO_SONG_BODY, other, NULL);
  ProblemKind problem = request->arrived ? PROBLEM_NONE : arrive (request);
  if (problem)
    return refuse (request, problem);
  ServedSongNews news;
  gsize seen = request->streams ? 0 : G_MAXSIZE;
  if (!served_song_wait (request->song, seen, &news, sleep_until_news, wake_for_news,
                         request->connection))
    return MHD_YES;
  if (request->streams && !(news.ended && news.problem))
    return begin_stream (request);
  peer_reads (request->peer);
  if (news.problem)
    return reply_problem (request->connection, news.problem,
                          served_song_get_message (request->song), NULL);
  return reply_json (request->connection, MHD_HTTP_OK,
                     g_strdup (served_song_get_answer (request->song)));
}
