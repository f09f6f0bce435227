#include "reply.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RETRY_SECONDS "2"

static const char *const policies[REPLY_REPORT + 1] = {
  [REPLY_DATA] = "default-src 'none'; frame-ancestors 'none'; sandbox",
  [REPLY_PAGE] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
};

/* (transfer full): without allow-same-origin: the report's origin is unique. */
static char *
report_policy (const char *own)
{
  /* Such a policy can't contain an IPv6 address. */
  const char *source = own && *own != '[' ? own : "'self'";
  return g_strdup_printf (
    "sandbox allow-scripts allow-popups allow-downloads; default-src 'none'; "
    "script-src %s 'unsafe-inline'; style-src %s 'unsafe-inline'; "
    "img-src %s data: blob:; media-src %s data: blob:; font-src %s data:; "
    "connect-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    source, source, source, source, source);
}

static void
add_headers (struct MHD_Response *response, const char *type, ReplyPolicy policy)
{
  /* One request per connection (door.h). */
  MHD_add_response_header (response, "Connection", "close");
  MHD_add_response_header (response, "Content-Type", type);
  if (policies[policy])
    MHD_add_response_header (response, "Content-Security-Policy", policies[policy]);
  MHD_add_response_header (response, "X-Content-Type-Options", "nosniff");
  MHD_add_response_header (response, "X-Frame-Options", "DENY");
  MHD_add_response_header (response, "Referrer-Policy", "no-referrer");
  MHD_add_response_header (response, "Cross-Origin-Opener-Policy", "same-origin");
  /* For the browser, a report's own files are from another origin. */
  if (policy != REPLY_REPORT)
    MHD_add_response_header (response, "Cross-Origin-Resource-Policy", "same-origin");
  MHD_add_response_header (response, "Cache-Control",
                           policy == REPLY_DATA ? "no-store" : "no-cache");
}

enum MHD_Result
reply_response (struct MHD_Connection *connection, guint status, struct MHD_Response *response,
                const char *type, ReplyPolicy policy)
{
  if (!response)
    return MHD_NO;
  add_headers (response, type, policy);
  enum MHD_Result result = MHD_queue_response (connection, status, response);
  MHD_destroy_response (response);
  return result;
}

static struct MHD_Response *
response_from_text (char *text)
{
  struct MHD_Response *response =
    MHD_create_response_from_buffer_with_free_callback (strlen (text), text, g_free);
  if (!response)
    g_free (text);
  return response;
}

enum MHD_Result
reply_json (struct MHD_Connection *connection, guint status, char *text)
{
  return reply_response (connection, status, response_from_text (text), "application/json",
                         REPLY_DATA);
}

enum MHD_Result
reply_problem (struct MHD_Connection *connection, ProblemKind problem, const char *message,
               const char *allow)
{
  const ProblemRow *row = problem_row (problem);
  struct MHD_Response *response = response_from_text (problem_json (problem, message));
  if (response && allow)
    MHD_add_response_header (response, "Allow", allow);
  if (response && problem == PROBLEM_NO_TOKEN)
    MHD_add_response_header (response, "WWW-Authenticate", "Bearer");
  if (response && problem == PROBLEM_BUSY)
    MHD_add_response_header (response, "Retry-After", RETRY_SECONDS);
  return reply_response (connection, row->status, response, "application/json", REPLY_DATA);
}

enum MHD_Result
reply_bytes (struct MHD_Connection *connection, GBytes *bytes, const char *type)
{
  gsize size;
  const void *data = g_bytes_get_data (bytes, &size);
  struct MHD_Response *response =
    MHD_create_response_from_buffer (size, (void *) (gsize) data, MHD_RESPMEM_PERSISTENT);
  return reply_response (connection, MHD_HTTP_OK, response, type, REPLY_PAGE);
}

enum MHD_Result
reply_song (struct MHD_Connection *connection, int fd, const char *type)
{
  struct stat info;
  struct MHD_Response *response =
    fstat (fd, &info) == 0 ? MHD_create_response_from_fd64 ((guint64) info.st_size, fd) : NULL;
  if (!response)
    close (fd);
  return reply_response (connection, MHD_HTTP_OK, response, type, REPLY_DATA);
}

gboolean
reply_parse_range (const char *header, guint64 size, ReplyRange *range)
{
  guint64 first = 0, last = 0;
  if (!g_str_has_prefix (header, "bytes=") || size == 0)
    return FALSE;
  g_auto (GStrv) ends = g_strsplit (header + strlen ("bytes="), "-", 0);
  if (g_strv_length (ends) != 2)
    return FALSE;
  gboolean has_first = *ends[0] != '\0', has_last = *ends[1] != '\0';
  if ((has_first && !g_ascii_string_to_unsigned (ends[0], 10, 0, G_MAXUINT64, &first, NULL)) ||
      (has_last && !g_ascii_string_to_unsigned (ends[1], 10, 0, G_MAXUINT64, &last, NULL)) ||
      (!has_first && (!has_last || last == 0)))
    return FALSE;
  if (!has_first) {
    first = size - MIN (last, size);
    last = size - 1;
  } else {
    last = has_last ? MIN (last, size - 1) : size - 1;
  }
  *range = (ReplyRange){ first, last };
  return first <= last;
}

enum MHD_Result
reply_file (struct MHD_Connection *connection, int fd, const char *type, const char *own)
{
  struct stat info;
  if (fstat (fd, &info) != 0) {
    close (fd);
    return reply_problem (connection, PROBLEM_FAILED, NULL, NULL);
  }
  guint64 size = (guint64) info.st_size;
  const char *asked = MHD_lookup_connection_value (connection, MHD_HEADER_KIND, "Range");
  ReplyRange range;
  gboolean part = asked && reply_parse_range (asked, size, &range);
  guint64 first = part ? range.first : 0, length = part ? range.last - range.first + 1 : size;
  struct MHD_Response *response = MHD_create_response_from_fd_at_offset64 (length, fd, first);
  if (!response) {
    close (fd);
    return MHD_NO;
  }
  g_autofree char *policy = report_policy (own);
  MHD_add_response_header (response, "Content-Security-Policy", policy);
  MHD_add_response_header (response, "Accept-Ranges", "bytes");
  if (part) {
    g_autofree char *place =
      g_strdup_printf ("bytes %" G_GUINT64_FORMAT "-%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT,
                       first, first + length - 1, size);
    MHD_add_response_header (response, "Content-Range", place);
  }
  return reply_response (connection, part ? MHD_HTTP_PARTIAL_CONTENT : MHD_HTTP_OK, response, type,
                         REPLY_REPORT);
}
