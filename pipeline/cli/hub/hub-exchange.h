/* One question to a server and its answer, through redirects.  The only code that knows libcurl.
 *
 * Redirects are followed here and not by libcurl: each step is looked at, and the token goes to the
 * server that it was given for and to no other. */
#pragma once

#include <curl/curl.h>
#include <gio/gio.h>

/**
 * SegueHubExchange: what is asked, and what came back.
 * @endpoint, @token: (borrowed): whom to trust, and with what (nullable)
 * @headers: lower-case name → value, of the last answer
 * @fd: where the body goes; -1: a question without a body
 * @start: the body is asked for from here on
 * @at: there are so many bytes in @fd
 * @size: of the whole; no more than this is taken
 * @error: ours, from inside a callback; %SEGUE_ERROR_TIMEOUT where another try may help
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
  gsize head_bytes, page_bytes; /* of this answer, so that one without an end is given up */
  gboolean body_begun;
  gboolean body_wanted;
  GError *error;
  void (*progress) (gpointer data, guint64 done, guint64 total);
  gpointer data;
} SegueHubExchange;

/** segue_hub_exchange_ask: libcurl's word on it; @error only where a redirect can't be followed. */
CURLcode segue_hub_exchange_ask (SegueHubExchange *exchange, const char *url, GError **error);
/** segue_hub_exchange_header: (transfer none) (nullable): @name in lower case. */
const char *segue_hub_exchange_header (SegueHubExchange *exchange, const char *name);
gboolean segue_hub_is_redirect (long status);
