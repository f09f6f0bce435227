/* Files of a Hugging Face server: requests with retries. */
#include "hub-client.h"
#include "base/hub-cache.h"
#include "hub-exchange.h"
#include "hub-url.h"

#include <errno.h>
#include <segue/error.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_TRIES  4   /* consecutive, without a byte of progress */
#define MAX_WAIT   60  /* s, maximum wait that a server may request */
#define FIRST_WAIT 0.5 /* s, doubled with every retry */

struct _SegueHubClient {
  CURL *curl;
  char *endpoint;
  char *token;
  SegueHubProgress progress;
  SegueHubNotice notice;
  gpointer data;
};

void
segue_hub_file_clear (SegueHubFile *file)
{
  g_clear_pointer (&file->commit, g_free);
  g_clear_pointer (&file->etag, g_free);
}

SegueHubClient *
segue_hub_client_new (const char *endpoint, const char *token, SegueHubProgress progress,
                      SegueHubNotice notice, gpointer data, GError **error)
{
  for (const char *p = token; p && *p; p++)
    if (!g_ascii_isgraph (*p)) {
      g_set_error_literal (
        error, SEGUE_ERROR, SEGUE_ERROR_USAGE,
        "HF_TOKEN contains a space or another character that is invalid in a token");
      return NULL;
    }
  curl_global_init (CURL_GLOBAL_DEFAULT);
  CURL *curl = curl_easy_init ();
  if (!curl) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE, "libcurl could not be started");
    return NULL;
  }
  SegueHubClient *client = g_new0 (SegueHubClient, 1);
  client->curl = curl;
  client->endpoint = g_strdup (endpoint);
  client->token = token && *token ? g_strdup (token) : NULL;
  client->progress = progress;
  client->notice = notice;
  client->data = data;
  return client;
}

void
segue_hub_client_free (SegueHubClient *client)
{
  if (!client)
    return;
  curl_easy_cleanup (client->curl);
  curl_global_cleanup ();
  g_free (client->endpoint);
  g_free (client->token);
  g_free (client);
}

/* ---- Retries ---- */

static gboolean
is_passing (const SegueHubExchange *exchange, CURLcode code)
{
  if (exchange->error)
    return exchange->error->code == SEGUE_ERROR_TIMEOUT;
  switch (code) {
  case CURLE_OK:
    return exchange->status == 408 || exchange->status == 429 || exchange->status >= 500;
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_COULDNT_CONNECT:
  case CURLE_OPERATION_TIMEDOUT:
  case CURLE_PARTIAL_FILE:
  case CURLE_GOT_NOTHING:
  case CURLE_SEND_ERROR:
  case CURLE_RECV_ERROR:
  case CURLE_HTTP2:
  case CURLE_HTTP2_STREAM:
    return TRUE;
  default:
    return FALSE;
  }
}

static double
wait_before (SegueHubExchange *exchange, guint tries)
{
  double wait = FIRST_WAIT * (double) (1u << MIN (tries, 6));
  guint64 asked = 0;
  const char *text = segue_hub_exchange_header (exchange, "retry-after");
  if (text && segue_hub_size (text, &asked))
    wait = MAX (wait, (double) MIN (asked, MAX_WAIT));
  return wait;
}

static gboolean
pause_for (GCancellable *cancellable, double seconds)
{
  gint64 end = g_get_monotonic_time () + (gint64) (seconds * 1e6);
  while (g_get_monotonic_time () < end && !g_cancellable_is_cancelled (cancellable))
    g_usleep (50000);
  return !g_cancellable_is_cancelled (cancellable);
}

static void
set_error (SegueHubExchange *exchange, CURLcode code, const char *url, GError **error)
{
  long status = exchange->status;
  if (g_cancellable_is_cancelled (exchange->cancellable))
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped");
  else if (exchange->error)
    g_set_error (error, SEGUE_ERROR,
                 exchange->error->code == SEGUE_ERROR_TIMEOUT ? SEGUE_ERROR_UNREACHABLE
                                                              : exchange->error->code,
                 "%s (%s)", exchange->error->message, url);
  else if (code != CURLE_OK)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_UNREACHABLE,
                 "can't reach %s: %s; the part received so far is kept, try again", url,
                 curl_easy_strerror (code));
  else if (status == 404)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT, "there is no %s", url);
  else if (status == 401 || status == 403)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_UNREACHABLE,
                 "access to %s denied (HTTP %ld): check the name, or set HF_TOKEN to your token if "
                 "the model is gated",
                 url, status);
  else
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_UNREACHABLE,
                 "%s returned HTTP status %ld; try again later", url, status);
}

static gboolean
succeeded (const SegueHubExchange *exchange, CURLcode code)
{
  if (code != CURLE_OK || exchange->error)
    return FALSE;
  if (exchange->fd < 0)
    return exchange->status == 200 || segue_hub_is_redirect (exchange->status);
  return (exchange->status == 200 || exchange->status == 206) && exchange->body_begun &&
         exchange->at == exchange->size;
}

static void
tell_retry (SegueHubClient *client, const SegueHubExchange *exchange, CURLcode code, double wait)
{
  g_autofree char *reason =
    exchange->error    ? g_strdup (exchange->error->message)
    : code != CURLE_OK ? g_strdup (curl_easy_strerror (code))
                       : g_strdup_printf ("the server returned HTTP status %ld", exchange->status);
  g_autofree char *line = g_strdup_printf ("%s; trying again in %.1f s", reason, wait);
  if (client->notice)
    client->notice (client->data, line);
}

/* Sends the request, with retries while they may help. */
static gboolean
ask_patiently (SegueHubClient *client, SegueHubExchange *exchange, const char *url, GError **error)
{
  for (guint tries = 0;;) {
    guint64 before = exchange->at;
    g_clear_error (&exchange->error);
    exchange->start = exchange->at;
    GError *local = NULL;
    CURLcode code = segue_hub_exchange_ask (exchange, url, &local);
    if (local) {
      g_propagate_error (error, local);
      return FALSE;
    }
    if (succeeded (exchange, code))
      return TRUE;
    /* Range not satisfiable, and no body: requests the whole file, from the start. */
    gboolean unusable = code == CURLE_OK && exchange->fd >= 0 && exchange->status == 416;
    gboolean short_body =
      code == CURLE_OK && exchange->fd >= 0 && (exchange->status == 200 || exchange->status == 206);
    if (unusable)
      exchange->at = 0;
    tries = exchange->at > before ? 0 : tries + 1;
    if (!(is_passing (exchange, code) || unusable || short_body) || tries >= MAX_TRIES ||
        g_cancellable_is_cancelled (exchange->cancellable)) {
      set_error (exchange, code, url, error);
      return FALSE;
    }
    double wait = wait_before (exchange, tries > 0 ? tries - 1 : 0);
    tell_retry (client, exchange, code, wait);
    pause_for (exchange->cancellable, wait);
  }
}

static void
exchange_init (SegueHubExchange *exchange, SegueHubClient *client, int fd,
               GCancellable *cancellable)
{
  *exchange = (SegueHubExchange){
    .curl = client->curl,
    .endpoint = client->endpoint,
    .token = client->token,
    .cancellable = cancellable,
    .fd = fd,
    .progress = client->progress,
    .data = client->data,
  };
  exchange->headers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
}

static void
exchange_clear (SegueHubExchange *exchange)
{
  g_hash_table_unref (exchange->headers);
  g_clear_error (&exchange->error);
}

/* ---- The server's description of a file ---- */

static gboolean
parse_file (SegueHubExchange *exchange, const char *url, SegueHubFile *file, GError **error)
{
  const char *commit = segue_hub_exchange_header (exchange, "x-repo-commit");
  const char *etag = segue_hub_exchange_header (exchange, "x-linked-etag");
  const char *size = segue_hub_exchange_header (exchange, "x-linked-size");
  /* For small files, the ETag of the response itself identifies the content. */
  if (!etag)
    etag = segue_hub_exchange_header (exchange, "etag");
  if (!size)
    size = segue_hub_exchange_header (exchange, "content-length");
  file->etag = etag ? segue_hub_etag (etag) : NULL;
  file->commit = commit && segue_hub_is_commit (commit) ? g_strdup (commit) : NULL;
  const char *bad = !file->commit                                  ? "X-Repo-Commit"
                    : !file->etag                                  ? "ETag"
                    : !size || !segue_hub_size (size, &file->size) ? "Content-Length"
                                                                   : NULL;
  if (!bad)
    return TRUE;
  segue_hub_file_clear (file);
  g_set_error (
    error, SEGUE_ERROR, SEGUE_ERROR_DATA,
    "%s: the response header %s is missing or not that of a Hugging Face server; check HF_ENDPOINT",
    url, bad);
  return FALSE;
}

gboolean
segue_hub_client_stat (SegueHubClient *client, const char *repo, const char *revision,
                       const char *name, SegueHubFile *file, GCancellable *cancellable,
                       GError **error)
{
  g_autofree char *url = segue_hub_file_url (client->endpoint, repo, revision, name);
  SegueHubExchange exchange;
  exchange_init (&exchange, client, -1, cancellable);
  gboolean ok =
    ask_patiently (client, &exchange, url, error) && parse_file (&exchange, url, file, error);
  exchange_clear (&exchange);
  return ok;
}

gboolean
segue_hub_client_read (SegueHubClient *client, const char *repo, const char *commit,
                       const char *name, guint64 size, int fd, GCancellable *cancellable,
                       GError **error)
{
  struct stat info;
  if (fstat (fd, &info) != 0)
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_IO, "can't read", name);
  /* A partial file larger than the whole is invalid. */
  if ((guint64) info.st_size > size && ftruncate (fd, 0) != 0)
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_IO, "can't write", name);
  guint64 there = (guint64) info.st_size > size ? 0 : (guint64) info.st_size;
  if (there == size)
    return TRUE;
  g_autofree char *url = segue_hub_file_url (client->endpoint, repo, commit, name);
  SegueHubExchange exchange;
  exchange_init (&exchange, client, fd, cancellable);
  exchange.at = there;
  exchange.size = size;
  gboolean ok = ask_patiently (client, &exchange, url, error);
  exchange_clear (&exchange);
  return ok;
}
