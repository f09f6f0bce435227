/* One request to a server and its response, through redirects. The only code that uses libcurl.
 *
 * Redirects are followed here and not by libcurl: each step is checked, and the token is sent only
 * to the server that it was given for. */
#pragma once

#include <curl/curl.h>
#include <gio/gio.h>

/**
 * SegueHubExchange: a request and its response.
 * @endpoint, @token: (borrowed): the trusted server, and its token (nullable)
 * @headers: lower-case name → value, of the last response
 * @fd: where the body is written; -1: a request without a body
 * @start: offset from which the body is requested
 * @at: number of bytes in @fd
 * @size: of the whole file; more bytes are not accepted
 * @error: our error, from a callback; %SEGUE_ERROR_TIMEOUT if a retry may help
 */
typedef struct {
  CURL *curl;
  const char *endpoint;
  const char *token;
  GCancellable *cancellable;
  GHashTable *headers;
  long status;
  int fd;
  guint64 start;
  guint64 at;
  guint64 size;
  gsize head_bytes, page_bytes; /* of this response, so that an endless one is aborted */
  gboolean body_begun;
  gboolean body_wanted;
  GError *error;
  void (*progress) (gpointer data, guint64 done, guint64 total);
  gpointer data;
} SegueHubExchange;

/** segue_hub_exchange_ask: returns libcurl's result; sets @error only if a redirect can't be
 * followed. */
CURLcode segue_hub_exchange_ask (SegueHubExchange *exchange, const char *url, GError **error);
/** segue_hub_exchange_header: (transfer none) (nullable): @name in lower case. */
const char *segue_hub_exchange_header (SegueHubExchange *exchange, const char *name);
gboolean segue_hub_is_redirect (long status);
