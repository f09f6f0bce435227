/* URLs and headers. */
#include "hub-url.h"

#include <segue/error.h>
#include <string.h>

#define DEFAULT_ENDPOINT "https://huggingface.co"
/* ENCODED: a signed URL stays exactly as it was given. */
#define URI_FLAGS (G_URI_FLAGS_ENCODED | G_URI_FLAGS_SCHEME_NORMALIZE)

/* GLib parses ‘//host;x’ as a host and the path ‘;x’, which it can't write back. */
static gboolean
is_usable (GUri *uri)
{
  const char *scheme = g_uri_get_scheme (uri);
  const char *host = g_uri_get_host (uri);
  const char *path = g_uri_get_path (uri);
  return (g_str_equal (scheme, "https") || g_str_equal (scheme, "http")) && host && *host &&
         (*path == '\0' || *path == '/') && !g_uri_get_userinfo (uri);
}

char *
segue_hub_endpoint (GError **error)
{
  const char *value = g_getenv ("HF_ENDPOINT");
  if (!value || !*value)
    value = DEFAULT_ENDPOINT;
  g_autoptr (GUri) uri = g_uri_parse (value, URI_FLAGS, NULL);
  if (!uri || !is_usable (uri) || g_uri_get_query (uri) || g_uri_get_fragment (uri)) {
    /* A password in it must not appear in a terminal or a log. */
    if (strchr (value, '@'))
      g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_USAGE,
                           "HF_ENDPOINT must be an address such as " DEFAULT_ENDPOINT
                           ", without a user name or password; set HF_TOKEN to pass a token");
    else
      g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE,
                   "HF_ENDPOINT is ‘%s’, which is not an address such as " DEFAULT_ENDPOINT, value);
    return NULL;
  }
  char *endpoint = g_strdup (value);
  for (gsize n = strlen (endpoint); n > 0 && endpoint[n - 1] == '/'; n--)
    endpoint[n - 1] = '\0';
  return endpoint;
}

char *
segue_hub_file_url (const char *endpoint, const char *repo, const char *revision, const char *file)
{
  /* A revision is one part of the URL, so its slashes are escaped; a file's are not. */
  g_autofree char *escaped_revision = g_uri_escape_string (revision, NULL, FALSE);
  g_autofree char *escaped_file = g_uri_escape_string (file, "/", FALSE);
  return g_strdup_printf ("%s/%s/resolve/%s/%s", endpoint, repo, escaped_revision, escaped_file);
}

char *
segue_hub_redirect (const char *from, const char *location, GError **error)
{
  g_autoptr (GUri) base = g_uri_parse (from, URI_FLAGS, NULL);
  g_autoptr (GUri) uri =
    base ? g_uri_parse_relative (base, location, URI_FLAGS | G_URI_FLAGS_PARSE_RELAXED, NULL)
         : NULL;
  gboolean down = uri && g_str_equal (g_uri_get_scheme (base), "https") &&
                  !g_str_equal (g_uri_get_scheme (uri), "https");
  if (uri && is_usable (uri) && !down)
    return g_uri_to_string (uri);
  /* Signatures are in the query, passwords before the host. */
  g_autofree char *start = g_strndup (location, MIN (strcspn (location, "?#"), 200));
  const char *at = strrchr (start, '@');
  g_autofree char *shown = g_utf8_make_valid (at ? at + 1 : start, -1);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_UNREACHABLE,
               "the server redirects to ‘%s’, which is not followed", shown);
  return NULL;
}

static int
port_of (GUri *uri)
{
  int port = g_uri_get_port (uri);
  return port > 0 ? port : g_str_equal (g_uri_get_scheme (uri), "https") ? 443 : 80;
}

gboolean
segue_hub_same_origin (const char *a, const char *b)
{
  g_autoptr (GUri) x = g_uri_parse (a, URI_FLAGS, NULL);
  g_autoptr (GUri) y = g_uri_parse (b, URI_FLAGS, NULL);
  return x && y && is_usable (x) && is_usable (y) &&
         g_str_equal (g_uri_get_scheme (x), g_uri_get_scheme (y)) &&
         g_ascii_strcasecmp (g_uri_get_host (x), g_uri_get_host (y)) == 0 &&
         port_of (x) == port_of (y);
}

gboolean
segue_hub_may_carry_token (const char *url)
{
  static const char *const local[] = { "localhost", "127.0.0.1", "::1", NULL };
  g_autoptr (GUri) uri = g_uri_parse (url, URI_FLAGS, NULL);
  return uri && is_usable (uri) &&
         (g_str_equal (g_uri_get_scheme (uri), "https") ||
          g_strv_contains (local, g_uri_get_host (uri)));
}

char *
segue_hub_etag (const char *header)
{
  g_autofree char *text = g_strstrip (g_strdup (header));
  const char *start = g_str_has_prefix (text, "W/") ? text + 2 : text;
  gsize length = strlen (start);
  if (length >= 2 && start[0] == '"' && start[length - 1] == '"') {
    start++;
    length -= 2;
  }
  if (length != 40 && length != 64)
    return NULL;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isxdigit (start[i]))
      return NULL;
  return g_ascii_strdown (start, (gssize) length);
}

/* Decimal digits, followed by @end ('\0': the end of the text). */
static gboolean
parse_digits (const char **at, char end, guint64 *value)
{
  char *after = NULL;
  if (!g_ascii_isdigit (**at))
    return FALSE;
  *value = g_ascii_strtoull (*at, &after, 10);
  *at = *after ? after + 1 : after;
  return *value < G_MAXINT64 && *after == end;
}

gboolean
segue_hub_size (const char *header, guint64 *size)
{
  g_autofree char *text = g_strstrip (g_strdup (header));
  const char *at = text;
  return parse_digits (&at, '\0', size);
}

gboolean
segue_hub_content_range (const char *header, guint64 *start, guint64 *total)
{
  g_autofree char *text = g_strstrip (g_strdup (header));
  guint64 last = 0;
  if (g_ascii_strncasecmp (text, "bytes ", 6) != 0)
    return FALSE;
  const char *at = text + 6;
  return parse_digits (&at, '-', start) && parse_digits (&at, '/', &last) &&
         parse_digits (&at, '\0', total) && *start <= last && last < *total;
}
