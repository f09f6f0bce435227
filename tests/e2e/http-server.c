/* A tiny HTTP server. */
#include "http-server.h"

#include <string.h>

struct _HttpServer {
  GSocketListener *listener;
  GCancellable *stop;
  GThread *thread;
  char *url;
  HttpAnswer answer;
  gpointer data;
  GMutex mutex;
  GCond idle;
  guint active; /* connections that are being answered */
  GPtrArray *log;
};

void
http_server_write (GOutputStream *out, const char *format, ...)
{
  va_list list;
  va_start (list, format);
  g_autofree char *text = g_strdup_vprintf (format, list);
  va_end (list);
  g_output_stream_write_all (out, text, strlen (text), NULL, NULL, NULL);
}

static void
request_clear (HttpRequest *request)
{
  g_free (request->method);
  g_free (request->path);
  g_free (request->token);
}

static gboolean
read_request (GInputStream *in, HttpRequest *request)
{
  g_autoptr (GDataInputStream) lines = g_data_input_stream_new (in);
  g_data_input_stream_set_newline_type (lines, G_DATA_STREAM_NEWLINE_TYPE_CR_LF);
  g_autofree char *first = g_data_input_stream_read_line (lines, NULL, NULL, NULL);
  g_auto (GStrv) words = g_strsplit (first ? first : "", " ", 3);
  if (g_strv_length (words) < 2)
    return FALSE;
  request->method = g_strdup (words[0]);
  request->path = g_strdup (words[1]);
  request->range = -1;
  for (;;) {
    g_autofree char *line = g_data_input_stream_read_line (lines, NULL, NULL, NULL);
    if (!line || !*line)
      return line != NULL;
    if (g_ascii_strncasecmp (line, "Authorization: ", 15) == 0)
      request->token = g_strdup (line + 15);
    if (g_ascii_strncasecmp (line, "Range: bytes=", 13) == 0)
      request->range = g_ascii_strtoll (line + 13, NULL, 10);
  }
}

typedef struct {
  HttpServer *server;
  GSocketConnection *connection;
} Guest;

static gpointer
guest_thread (gpointer data)
{
  Guest *guest = data;
  HttpServer *server = guest->server;
  GIOStream *stream = G_IO_STREAM (guest->connection);
  HttpRequest request = { 0 };
  if (read_request (g_io_stream_get_input_stream (stream), &request)) {
    g_mutex_lock (&server->mutex);
    g_ptr_array_add (server->log, g_strdup_printf ("%s %s range=%" G_GINT64_FORMAT " token=%s",
                                                   request.method, request.path, request.range,
                                                   request.token ? request.token : "none"));
    g_mutex_unlock (&server->mutex);
    server->answer (server->data, &request, g_io_stream_get_output_stream (stream));
  }
  g_io_stream_close (stream, NULL, NULL);
  g_object_unref (guest->connection);
  g_free (guest);
  request_clear (&request);
  g_mutex_lock (&server->mutex);
  server->active--;
  g_cond_signal (&server->idle);
  g_mutex_unlock (&server->mutex);
  return NULL;
}

static gpointer
server_thread (gpointer data)
{
  HttpServer *server = data;
  for (;;) {
    GSocketConnection *connection =
      g_socket_listener_accept (server->listener, NULL, server->stop, NULL);
    if (!connection)
      return NULL;
    Guest *guest = g_new (Guest, 1);
    *guest = (Guest){ server, connection };
    g_mutex_lock (&server->mutex);
    server->active++;
    g_mutex_unlock (&server->mutex);
    g_thread_unref (g_thread_new ("guest", guest_thread, guest));
  }
}

HttpServer *
http_server_new (HttpAnswer answer, gpointer data)
{
  HttpServer *server = g_new0 (HttpServer, 1);
  server->answer = answer;
  server->data = data;
  server->log = g_ptr_array_new_with_free_func (g_free);
  server->stop = g_cancellable_new ();
  server->listener = g_socket_listener_new ();
  g_mutex_init (&server->mutex);
  g_cond_init (&server->idle);

  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) wanted = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocketAddress) got = NULL;
  g_autoptr (GError) error = NULL;
  g_socket_listener_add_address (server->listener, wanted, G_SOCKET_TYPE_STREAM,
                                 G_SOCKET_PROTOCOL_TCP, NULL, &got, &error);
  g_assert_no_error (error);
  server->url = g_strdup_printf ("http://127.0.0.1:%u",
                                 g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (got)));
  server->thread = g_thread_new ("server", server_thread, server);
  return server;
}

void
http_server_free (HttpServer *server)
{
  g_cancellable_cancel (server->stop);
  g_thread_join (server->thread);
  g_mutex_lock (&server->mutex);
  while (server->active > 0)
    g_cond_wait (&server->idle, &server->mutex);
  g_mutex_unlock (&server->mutex);
  g_object_unref (server->listener);
  g_object_unref (server->stop);
  g_ptr_array_unref (server->log);
  g_cond_clear (&server->idle);
  g_mutex_clear (&server->mutex);
  g_free (server->url);
  g_free (server);
}

const char *
http_server_get_url (HttpServer *server)
{
  return server->url;
}

guint
http_server_count (HttpServer *server, const char *text)
{
  guint n = 0;
  g_mutex_lock (&server->mutex);
  for (guint i = 0; i < server->log->len; i++)
    n += strstr (g_ptr_array_index (server->log, i), text) != NULL;
  g_mutex_unlock (&server->mutex);
  return n;
}
