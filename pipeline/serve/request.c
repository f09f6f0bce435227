/* All requests: access checks and routes. */
#include "page-resource.h"
#include "reply.h"
#include "server-private.h"
#include "token.h"

#include <segue/json.h>
#include <string.h>

typedef enum { GET, POST } Method;

/** Route: @answer: (nullable): for routes without a body. */
typedef struct _Route {
  const char *path;
  Method method;
  enum MHD_Result (*answer) (Request *request, const char *path);
} Route;

/* ---- Answers ---- */

static enum MHD_Result
answer_page (Request *request, const char *path)
{
  static const struct {
    const char *path, *name, *type;
  } files[] = {
    { "/", "/page.html", "text/html; charset=utf-8" },
    { "/page.css", "/page.css", "text/css; charset=utf-8" },
    { "/page.js", "/page.js", "text/javascript; charset=utf-8" },
    { "/access.js", "/access.js", "text/javascript; charset=utf-8" },
    { "/card.js", "/card.js", "text/javascript; charset=utf-8" },
    { "/icon.svg", "/icon.svg", "image/svg+xml" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++) {
    if (!g_str_equal (files[i].path, path))
      continue;
    g_autoptr (GBytes) bytes = g_resource_lookup_data (page_get_resource (), files[i].name,
                                                       G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    return bytes ? reply_bytes (request->connection, bytes, files[i].type) : MHD_NO;
  }
  return MHD_NO;
}

static enum MHD_Result
reply_object (Request *request, json_t *object)
{
  return reply_json (request->connection, MHD_HTTP_OK, segue_json_print (object, JSON_COMPACT));
}

static enum MHD_Result
answer_health (Request *request, const char *path)
{
  QueueCounts counts = queue_count (request->server->queue);
  return reply_object (request,
                       json_pack ("{s:s,s:{s:i,s:i,s:i},s:i}", "status", "ok", "songs", "in_hand",
                                  (int) counts.songs, "waiting", (int) counts.waiting, "predicting",
                                  (int) counts.predicting, "connections",
                                  (int) peers_count (request->server->peers)));
}

static enum MHD_Result
answer_model (Request *request, const char *path)
{
  const ServerConfig *config = request->server->config;
  json_t *labels = json_array ();
  for (const char *const *label = segue_predictor_get_labels (request->server->predictor); *label;
       label++)
    json_array_append_new (labels, json_string (*label));
  g_autofree char *name = g_utf8_make_valid (config->model_name, -1);
  json_t *share = config->unsure_share > 0 ? json_real (config->unsure_share) : json_null ();
  return reply_object (request,
                       json_pack ("{s:s,s:o,s:o,s:{s:I,s:i,s:i,s:i}}", "name", name, "labels",
                                  labels, "unsure_share", share, "limits", "song_bytes",
                                  (json_int_t) config->max_bytes, "songs", (int) config->max_songs,
                                  "upload_seconds", (int) config->upload_seconds,
                                  "prediction_seconds", (int) config->prediction_seconds));
}

/* GFunc */
static void
wake (gpointer connection, gpointer unused)
{
  MHD_resume_connection (connection);
}

/* Called twice: another thread reads the list, so that other requests are answered meanwhile. */
static enum MHD_Result
answer_runs (Request *request, const char *path)
{
  if (request->list)
    return reply_json (request->connection, MHD_HTTP_OK, runs_list_take (request->list));
  MHD_suspend_connection (request->connection);
  request->list = runs_list_new (request->server->runs, wake, request->connection);
  return MHD_YES;
}

static enum MHD_Result
answer_report (Request *request, const char *path)
{
  const char *type;
  const char *place = path + strlen ("/reports/");
  int fd = runs_open_report_file (request->server->runs, place, &type);
  if (fd < 0)
    return reply_problem (request->connection, PROBLEM_NOT_FOUND, NULL, NULL);
  /* The report may load only files of its folder: it can't guess the addresses of other reports. */
  const char *host = request_header (request, "Host");
  g_autofree char *own =
    host ? g_strdup_printf ("%s/reports/%.*s/", host, (int) strcspn (place, "/"), place) : NULL;
  return reply_file (request->connection, fd, type, own);
}

static enum MHD_Result
answer_song (Request *request, const char *path)
{
  const char *type;
  const Shelf *shelf = request->server->config->shelf;
  int fd = shelf ? shelf_open_song (shelf, path + strlen ("/api/library/"), &type) : -1;
  return fd >= 0 ? reply_song (request->connection, fd, type)
                 : reply_problem (request->connection, PROBLEM_NOT_FOUND, NULL, NULL);
}

/* A path that ends with a slash matches all paths that begin with it, except the page's. */
static const Route routes[] = {
  { "/", GET, answer_page },
  { "/page.css", GET, answer_page },
  { "/page.js", GET, answer_page },
  { "/access.js", GET, answer_page },
  { "/card.js", GET, answer_page },
  { "/icon.svg", GET, answer_page },
  { "/api/health", GET, answer_health },
  { "/api/library/", GET, answer_song },
  { "/api/model", GET, answer_model },
  { "/api/runs", GET, answer_runs },
  { "/api/songs", POST, NULL },
  { "/reports/", GET, answer_report },
};

/* (nullable) */
static const Route *
find_route (const char *path)
{
  for (gsize i = 0; i < G_N_ELEMENTS (routes); i++) {
    const Route *route = &routes[i];
    gboolean below = route->path[1] && g_str_has_suffix (route->path, "/");
    if (below ? g_str_has_prefix (path, route->path) : g_str_equal (path, route->path))
      return route;
  }
  return NULL;
}

static gboolean
takes_method (const Route *route, const char *method)
{
  if (route->method == POST)
    return g_str_equal (method, MHD_HTTP_METHOD_POST);
  return g_str_equal (method, MHD_HTTP_METHOD_GET) || g_str_equal (method, MHD_HTTP_METHOD_HEAD);
}

/* ---- From the head to the answer ---- */

const char *
request_header (Request *request, const char *name)
{
  return MHD_lookup_connection_value (request->connection, MHD_HEADER_KIND, name);
}

static gboolean
has_body (Request *request)
{
  const char *length = request_header (request, "Content-Length");
  return request_header (request, "Transfer-Encoding") || (length && !g_str_equal (length, "0"));
}

/* In the header, or in the URL in the form that segue serve prints. */
static gboolean
has_token (Request *request)
{
  const char *token = request->server->config->token;
  const char *header = token_in_header (request_header (request, "Authorization"));
  return !token || token_equal (token, header) ||
         token_equal (token, MHD_lookup_connection_value (request->connection,
                                                          MHD_GET_ARGUMENT_KIND, "token"));
}

/* Why the request is not answered, or %PROBLEM_NONE. */
static ProblemKind
judge (Request *request, const char *path, const char *method, const char *version)
{
  const char *host = request_header (request, "Host");
  const Route *route = request->route;
  if (g_atomic_int_get (&request->server->stopping))
    return PROBLEM_STOPPING;
  /* All browsers send it. */
  if (host ? !guard_knows_host (&request->server->guard, host)
           : !g_str_equal (version, MHD_HTTP_VERSION_1_0))
    return PROBLEM_FOREIGN_HOST;
  if (!route)
    return PROBLEM_NOT_FOUND;
  if (!takes_method (route, method))
    return PROBLEM_METHOD;
  gboolean guarded = g_str_has_prefix (path, "/api/");
  if (guarded && !guard_is_own_page (host, request_header (request, "Origin"),
                                     request_header (request, "Sec-Fetch-Site")))
    return PROBLEM_FOREIGN_PAGE;
  if (guarded && !has_token (request))
    return PROBLEM_NO_TOKEN;
  if (route->method == GET && has_body (request))
    return PROBLEM_BAD_REQUEST;
  return PROBLEM_NONE;
}

static enum MHD_Result
begin (Server *server, struct MHD_Connection *connection, const char *path, const char *method,
       const char *version, void **state)
{
  Request *request = g_new0 (Request, 1);
  *state = request;
  request->server = server;
  request->connection = connection;
  request->route = find_route (path);
  request->peer =
    MHD_get_connection_info (connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
  ProblemKind problem = judge (request, path, method, version);
  if (problem == PROBLEM_METHOD)
    return reply_problem (connection, problem, NULL,
                          request->route->method == POST ? "POST" : "GET, HEAD");
  if (problem)
    return reply_problem (connection, problem, NULL, NULL);
  return request->route->method == POST ? song_request_begin (request) : MHD_YES;
}

enum MHD_Result
request_handle (void *server, struct MHD_Connection *connection, const char *url,
                const char *method, const char *version, const char *body, size_t *body_size,
                void **state)
{
  Request *request = *state;
  if (!request)
    return begin (server, connection, url, method, version, state);
  if (*body_size > 0) {
    gsize n = *body_size;
    *body_size = 0;
    return request->song ? song_request_receive (request, body, n) : MHD_NO;
  }
  if (request->song)
    return song_request_continue (request);
  return request->route->answer (request, url);
}

void
request_completed (void *server, struct MHD_Connection *connection, void **state,
                   enum MHD_RequestTerminationCode how)
{
  Request *request = *state;
  *state = NULL;
  if (!request)
    return;
  peer_reads (request->peer);
  if (request->song)
    served_song_cancel (request->song, PROBLEM_STOPPING);
  served_song_unref (request->song);
  runs_list_free (request->list);
  g_free (request);
}
