/* A tiny HTTP server on 127.0.0.1 for tests: one response per connection, each in a thread. */
#pragma once

#include <gio/gio.h>

typedef struct _HttpServer HttpServer;

/** HttpRequest: @range: first byte requested, or -1; @token: the Authorization header, or NULL. */
typedef struct {
  char *method;
  char *path;
  gint64 range;
  char *token;
} HttpRequest;

/** HttpAnswer: writes the whole response, including the status line; any thread. */
typedef void (*HttpAnswer) (gpointer data, const HttpRequest *request, GOutputStream *out);

HttpServer *http_server_new (HttpAnswer answer, gpointer data);
void http_server_free (HttpServer *server);
/** http_server_get_url: (transfer none): http://127.0.0.1:PORT. */
const char *http_server_get_url (HttpServer *server);
/** http_server_count: requests whose "METHOD PATH range=N token=T" line contains @text. */
guint http_server_count (HttpServer *server, const char *text);
/** http_server_write: printf to @out. */
void http_server_write (GOutputStream *out, const char *format, ...) G_GNUC_PRINTF (2, 3);
