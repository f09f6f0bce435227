/* Requests and responses. */
#include "hub-exchange.h"
#include "hub-url.h"

#include <errno.h>
#include <segue/error.h>
#include <string.h>
#include <unistd.h>

#define MAX_REDIRECTS   6
#define MAX_HEADER      8192
#define MAX_HEADERS     256
#define MAX_HEAD        (256 * 1024)  /* bytes, including interim responses */
#define MAX_PAGE        (1024 * 1024) /* bytes of an error page, which is not kept */
#define CONNECT_TIMEOUT 15L
#define STALL_TIMEOUT   30L /* s without a byte */

/* ---- libcurl's callbacks ---- */

/* What a callback returns to end the exchange. */
static size_t
refuse (SegueHubExchange *exchange, const char *why)
{
  if (!exchange->error)
    g_set_error_literal (&exchange->error, SEGUE_ERROR, SEGUE_ERROR_DATA, why);
  return 0;
}

static size_t
on_header (char *text, size_t size, size_t n, void *data)
{
  SegueHubExchange *exchange = data;
  gsize length = size * n;
  if (length >= 5 && strncmp (text, "HTTP/", 5) == 0)
    g_hash_table_remove_all (exchange->headers);
  exchange->head_bytes += length;
  if (exchange->head_bytes > MAX_HEAD || g_hash_table_size (exchange->headers) >= MAX_HEADERS)
    return refuse (exchange, "the headers of the server's response are too long");
  const char *colon = memchr (text, ':', length);
  if (!colon || length > MAX_HEADER)
    return length;
  g_autofree char *name = g_ascii_strdown (text, colon - text);
  char *value = g_strndup (colon + 1, length - (gsize) (colon + 1 - text));
  g_hash_table_replace (exchange->headers, g_steal_pointer (&name), g_strstrip (value));
  return length;
}

/* Where the body that begins now is written: after the existing bytes, at the start, or nowhere. */
static gboolean
begin_body (SegueHubExchange *exchange)
{
  curl_easy_getinfo (exchange->curl, CURLINFO_RESPONSE_CODE, &exchange->status);
  exchange->body_begun = TRUE;
  if (exchange->status == 206) {
    const char *range = g_hash_table_lookup (exchange->headers, "content-range");
    guint64 start = 0, total = 0;
    if (range && segue_hub_content_range (range, &start, &total) && start == exchange->start &&
        total == exchange->size) {
      exchange->body_wanted = TRUE;
      exchange->at = start;
      return TRUE;
    }
    /* Another range: useless, so the file is requested from the start. */
    exchange->start = exchange->at = 0;
    if (ftruncate (exchange->fd, 0) != 0)
      return segue_set_error_from_errno (&exchange->error, errno, SEGUE_ERROR_IO, "can't write",
                                         "the download");
    g_set_error_literal (&exchange->error, SEGUE_ERROR, SEGUE_ERROR_TIMEOUT,
                         "the server sent a different part of the file than requested");
    return FALSE;
  }
  if (exchange->status == 200) {
    exchange->body_wanted = TRUE;
    exchange->start = exchange->at = 0;
    if (ftruncate (exchange->fd, 0) != 0)
      return segue_set_error_from_errno (&exchange->error, errno, SEGUE_ERROR_IO, "can't write",
                                         "the download");
  }
  return TRUE;
}

static size_t
on_body (char *bytes, size_t size, size_t n, void *data)
{
  SegueHubExchange *exchange = data;
  gsize length = size * n;
  if (!exchange->body_begun && exchange->fd >= 0 && !begin_body (exchange))
    return 0;
  if (!exchange->body_wanted) {
    exchange->page_bytes += length;
    return exchange->page_bytes <= MAX_PAGE
             ? length
             : refuse (exchange, "the server sends more than a megabyte instead of the file");
  }
  if (length > exchange->size - exchange->at)
    return refuse (exchange, "the server sends more bytes than the size that it announced");
  for (gsize left = length; left > 0;) {
    gssize written = pwrite (exchange->fd, bytes, left, (off_t) exchange->at);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0) {
      segue_set_error_from_errno (&exchange->error, errno, SEGUE_ERROR_IO, "can't write",
                                  "the download");
      return 0;
    }
    bytes += written;
    left -= (gsize) written;
    exchange->at += (guint64) written;
  }
  return length;
}

static int
on_progress (void *data, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
  SegueHubExchange *exchange = data;
  if (exchange->fd >= 0 && exchange->progress)
    exchange->progress (exchange->data, exchange->at, exchange->size);
  return g_cancellable_is_cancelled (exchange->cancellable);
}

/* ---- One request ---- */

static void
set_up (SegueHubExchange *exchange, const char *url, struct curl_slist *headers)
{
  CURL *curl = exchange->curl;
  curl_easy_reset (curl);
  curl_easy_setopt (curl, CURLOPT_URL, url);
  curl_easy_setopt (curl, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt (curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt (curl, CURLOPT_NOBODY, exchange->fd < 0 ? 1L : 0L);
  curl_easy_setopt (curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt (curl, CURLOPT_USERAGENT, "segue/" SEGUE_VERSION);
  curl_easy_setopt (curl, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt (curl, CURLOPT_CONNECTTIMEOUT, CONNECT_TIMEOUT);
  curl_easy_setopt (curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt (curl, CURLOPT_LOW_SPEED_TIME, STALL_TIMEOUT);
  curl_easy_setopt (curl, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt (curl, CURLOPT_HEADERDATA, exchange);
  curl_easy_setopt (curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt (curl, CURLOPT_WRITEDATA, exchange);
  curl_easy_setopt (curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt (curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt (curl, CURLOPT_XFERINFODATA, exchange);
}

static CURLcode
ask_once (SegueHubExchange *exchange, const char *url)
{
  struct curl_slist *headers = curl_slist_append (NULL, "Accept-Encoding: identity");
  if (exchange->token && segue_hub_same_origin (url, exchange->endpoint) &&
      segue_hub_may_carry_token (url)) {
    g_autofree char *line = g_strconcat ("Authorization: Bearer ", exchange->token, NULL);
    headers = curl_slist_append (headers, line);
  }
  if (exchange->start > 0) {
    g_autofree char *line =
      g_strdup_printf ("Range: bytes=%" G_GUINT64_FORMAT "-", exchange->start);
    headers = curl_slist_append (headers, line);
  }
  g_hash_table_remove_all (exchange->headers);
  exchange->status = 0;
  exchange->head_bytes = exchange->page_bytes = 0;
  exchange->body_begun = exchange->body_wanted = FALSE;
  set_up (exchange, url, headers);
  CURLcode code = curl_easy_perform (exchange->curl);
  curl_easy_getinfo (exchange->curl, CURLINFO_RESPONSE_CODE, &exchange->status);
  curl_slist_free_all (headers);
  return code;
}

const char *
segue_hub_exchange_header (SegueHubExchange *exchange, const char *name)
{
  return g_hash_table_lookup (exchange->headers, name);
}

/* Whether this response describes a file completely. */
static gboolean
says_enough (SegueHubExchange *exchange)
{
  return exchange->fd < 0 && segue_hub_exchange_header (exchange, "x-repo-commit") &&
         segue_hub_exchange_header (exchange, "x-linked-etag") &&
         segue_hub_exchange_header (exchange, "x-linked-size");
}

gboolean
segue_hub_is_redirect (long status)
{
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* The first server that sends a header takes precedence over later ones. */
static void
keep_first (SegueHubExchange *exchange, GHashTable *kept)
{
  static const char *const names[] = { "x-repo-commit", "x-linked-etag", "x-linked-size" };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    const char *first = g_hash_table_lookup (kept, names[i]);
    const char *now = segue_hub_exchange_header (exchange, names[i]);
    if (first)
      g_hash_table_replace (exchange->headers, g_strdup (names[i]), g_strdup (first));
    else if (now)
      g_hash_table_replace (kept, (gpointer) names[i], g_strdup (now));
  }
}

CURLcode
segue_hub_exchange_ask (SegueHubExchange *exchange, const char *first_url, GError **error)
{
  g_autofree char *url = g_strdup (first_url);
  g_autoptr (GHashTable) kept = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  for (guint i = 0; i < MAX_REDIRECTS; i++) {
    CURLcode code = ask_once (exchange, url);
    keep_first (exchange, kept);
    const char *location = segue_hub_exchange_header (exchange, "location");
    if (code != CURLE_OK || !segue_hub_is_redirect (exchange->status) || !location ||
        says_enough (exchange))
      return code;
    char *next = segue_hub_redirect (url, location, error);
    if (!next)
      return CURLE_OK;
    g_free (url);
    url = next;
  }
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_UNREACHABLE, "‘%s’ redirects in a loop", first_url);
  return CURLE_TOO_MANY_REDIRECTS;
}
