/* Starting and stopping. */
#include "server-private.h"

#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#define MAX_CONNECTIONS   256
#define MAX_FROM_ADDRESS  32 /* unless it is this machine's */
#define CONNECTION_MEMORY (32 * 1024)
#define SILENT_SECONDS    30
#define LAST_WORDS        20 /* × 10 ms for answers to go out when it stops */

static gboolean
explain_bind (const ServerConfig *config, const GError *reason, GError **error)
{
  if (g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE))
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_CANNOT_CREATE,
                 "port %u of %s is taken, perhaps by another segue serve; choose another with "
                 "--port, or any free one with --port 0",
                 config->port, config->address);
  else if (g_error_matches (reason, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_CANNOT_CREATE,
                 "port %u may not be taken; choose one above 1023 with --port", config->port);
  else
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_CANNOT_CREATE,
                 "can't listen at %s: %s; --bind takes an address of this machine", config->address,
                 reason->message);
  return FALSE;
}

/* A descriptor, which the HTTP library takes; -1. */
static int
open_socket (const ServerConfig *config, guint *port, GError **error)
{
  g_autoptr (GError) reason = NULL;
  g_autoptr (GInetAddress) host = g_inet_address_new_from_string (config->address);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (host, config->port);
  g_autoptr (GSocket) socket = g_socket_new (g_inet_address_get_family (host), G_SOCKET_TYPE_STREAM,
                                             G_SOCKET_PROTOCOL_TCP, &reason);
  g_autoptr (GSocketAddress) bound = NULL;
  if (!socket || !g_socket_bind (socket, address, TRUE, &reason) ||
      !g_socket_listen (socket, &reason) ||
      !(bound = g_socket_get_local_address (socket, &reason))) {
    explain_bind (config, reason, error);
    return -1;
  }
  *port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  return dup (g_socket_get_fd (socket));
}

static void
on_connection (void *data, struct MHD_Connection *connection, void **context,
               enum MHD_ConnectionNotificationCode what)
{
  Server *server = data;
  if (what == MHD_CONNECTION_NOTIFY_STARTED) {
    int fd = MHD_get_connection_info (connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    Peer *peer = peer_new (server->peers, fd);
    peer_expect (peer, HEAD_SECONDS, PROBLEM_NONE);
    *context = peer;
  } else {
    peer_free (*context);
    *context = NULL;
  }
}

static void
on_log (void *data, const char *format, va_list list)
{
  g_autofree char *text = g_strdup_vprintf (format, list);
  g_debug ("%s", g_strchomp (text));
}

static struct MHD_Daemon *
start_daemon (Server *server, int socket)
{
  guint from_address = guard_is_loopback (server->config->address) ? 0 : MAX_FROM_ADDRESS;
  return MHD_start_daemon (
    MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL, NULL,
    request_handle, server, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL, MHD_OPTION_LISTEN_SOCKET,
    socket, MHD_OPTION_CONNECTION_LIMIT, (unsigned int) MAX_CONNECTIONS,
    MHD_OPTION_PER_IP_CONNECTION_LIMIT, from_address, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
    (size_t) CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int) SILENT_SECONDS,
    MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_COMPLETED, request_completed, server,
    MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_END);
}

static void
server_free (Server *server)
{
  queue_free (server->queue);
  runs_free (server->runs);
  peers_free (server->peers);
  guard_clear (&server->guard);
  g_free (server);
}

Server *
server_start (const ServerConfig *config, SeguePredictor *predictor, GError **error)
{
  Server *server = g_new0 (Server, 1);
  server->config = config;
  server->predictor = predictor;
  server->peers = peers_new ();
  guard_init (&server->guard, config->address, config->names);
  server->runs = runs_new (config->runs, error);
  int socket = server->runs ? open_socket (config, &server->port, error) : -1;
  if (socket >= 0)
    server->queue =
      queue_new (predictor, config->threads, config->max_songs, config->hearing_seconds, error);
  if (server->queue)
    server->daemon = start_daemon (server, socket);
  if (server->daemon)
    return server;
  if (server->queue) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                 "can't start the HTTP server: no thread or no file handle is left; close other "
                 "programs, or raise the limits (ulimit -n, ulimit -u)");
    queue_stop (server->queue);
  }
  if (socket >= 0)
    close (socket);
  server_free (server);
  return NULL;
}

guint
server_get_port (const Server *server)
{
  return server->port;
}

void
server_tick (Server *server)
{
  peers_tick (server->peers);
  queue_tick (server->queue);
}

void
server_stop (Server *server)
{
  g_atomic_int_set (&server->stopping, TRUE);
  int socket = MHD_quiesce_daemon (server->daemon);
  if (socket >= 0)
    close (socket);
  queue_stop (server->queue);
  runs_stop (server->runs);
  for (guint i = 0; i < LAST_WORDS && queue_count (server->queue).songs > 0; i++)
    g_usleep (10 * 1000);
  MHD_stop_daemon (server->daemon);
  server_free (server);
}
