/* Start and stop. */
#include "server-private.h"

#include <segue/error.h>

#define MAX_CONNECTIONS   256
#define MAX_FROM_ADDRESS  32          /* unless the server listens on a loopback address */
#define CONNECTION_MEMORY (64 * 1024) /* a head, a copy of its cookies, a row for each part */
#define SILENT_SECONDS    30
#define LINGER_BYTES      (256 * 1024 * 1024)
#define LAST_WORDS        20 /* × 10 ms for sending answers when it stops */

/* The HTTP library starts or ends a connection that the door handed over. */
static void
on_connection (void *data, struct MHD_Connection *connection, void **context,
               enum MHD_ConnectionNotificationCode what)
{
  Server *server = data;
  if (what == MHD_CONNECTION_NOTIFY_STARTED) {
    int fd = MHD_get_connection_info (connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    *context = peers_find_lent (server->peers, fd);
  } else if (*context) {
    door_take_back (server->door, *context);
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
start_daemon (Server *server)
{
  return MHD_start_daemon (
    MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET |
      MHD_USE_ERROR_LOG,
    0, NULL, NULL, request_handle, server, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
    MHD_OPTION_CONNECTION_LIMIT, (unsigned int) (MAX_CONNECTIONS * 4),
    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t) CONNECTION_MEMORY, MHD_OPTION_CONNECTION_TIMEOUT,
    (unsigned int) SILENT_SECONDS, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_NOTIFY_COMPLETED,
    request_completed, server, MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_END);
}

static gboolean
start (Server *server, GError **error)
{
  const ServerConfig *config = server->config;
  DoorLimits limits = { MAX_CONNECTIONS, guard_is_loopback (config->address) ? 0 : MAX_FROM_ADDRESS,
                        MAX (config->max_bytes, LINGER_BYTES) };
  server->runs = runs_new (config->runs, error);
  if (server->runs)
    server->door = door_new (config->address, config->port, &limits, server->peers, error);
  if (server->door)
    server->queue = queue_new (server->predictor, config->shelf, config->threads, config->max_songs,
                               config->prediction_seconds, error);
  if (!server->queue)
    return FALSE;
  server->daemon = start_daemon (server);
  if (server->daemon)
    return door_open (server->door, server->daemon, error);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
               "can't start the HTTP server: no threads or file handles are left; close other "
               "programs, or raise the limits (ulimit -n, ulimit -u)");
  return FALSE;
}

Server *
server_start (const ServerConfig *config, SeguePredictor *predictor, GError **error)
{
  Server *server = g_new0 (Server, 1);
  server->config = config;
  server->predictor = predictor;
  server->peers = peers_new (config->upload_seconds);
  guard_init (&server->guard, config->address, config->names);
  if (start (server, error))
    return server;
  server_stop (server);
  return NULL;
}

guint
server_get_port (const Server *server)
{
  return door_get_port (server->door);
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
  if (server->door)
    door_close (server->door);
  if (server->queue)
    queue_stop (server->queue);
  if (server->runs)
    runs_stop (server->runs);
  for (guint i = 0; i < LAST_WORDS && peers_count_at_work (server->peers) > 0; i++)
    g_usleep (10 * 1000);
  if (server->daemon)
    MHD_stop_daemon (server->daemon);
  door_free (server->door);
  queue_free (server->queue);
  runs_free (server->runs);
  peers_free (server->peers);
  guard_clear (&server->guard);
  g_free (server);
}
