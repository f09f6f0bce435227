#include "head.h"

#include <string.h>

/* RFC 9110: tchar except letters and digits. */
#define TOKEN_MARKS "!#$%&'*+-.^_`|~"

/* Fields that may occur only once, as decisions depend on them. */
static const char *const single[] = {
  "Host",   "Content-Length", "Transfer-Encoding", "Authorization", "Origin", "Sec-Fetch-Site",
  "Expect", "Range",
};
enum { HOST, CONTENT_LENGTH, TRANSFER_ENCODING };

typedef struct {
  gboolean seen[G_N_ELEMENTS (single)];
  gboolean old; /* HTTP/1.0 */
  guint parts;  /* kept by the HTTP library, which drops them silently if it has no room */
} Head;

static gboolean
is_token (const char *text, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (!g_ascii_isalnum (text[i]) && (text[i] == '\0' || !strchr (TOKEN_MARKS, text[i])))
      return FALSE;
  return n > 0;
}

/* METHOD SP /TARGET SP HTTP/1.0 or 1.1 */
static gboolean
take_request_line (Head *head, const char *line, gsize n)
{
  const char *target = memchr (line, ' ', n);
  gsize before = target ? (gsize) (target - line) : n;
  if (!target || !is_token (line, before))
    return FALSE;
  target++;
  gsize left = n - before - 1;
  const char *version = memchr (target, ' ', left);
  if (!version || *target != '/')
    return FALSE;
  for (const char *at = target; at < version; at++) {
    if ((guchar) *at <= ' ' || *at == 0x7f)
      return FALSE;
    head->parts += *at == '&';
  }
  gsize rest = left - (gsize) (version - target);
  head->old = rest == strlen (" HTTP/1.0") && memcmp (version, " HTTP/1.0", rest) == 0;
  return head->old || (rest == strlen (" HTTP/1.1") && memcmp (version, " HTTP/1.1", rest) == 0);
}

static gboolean
is_called (const char *line, gsize length, const char *name)
{
  return strlen (name) == length && g_ascii_strncasecmp (line, name, length) == 0;
}

static gboolean
is_number (const char *text, gsize n)
{
  g_autofree char *copy = g_strndup (text, n);
  guint64 number;
  /* The parser accepts a sign and spaces; a length has neither. */
  return n > 0 && g_ascii_isdigit (*text) &&
         g_ascii_string_to_unsigned (copy, 10, 0, G_MAXUINT64, &number, NULL);
}

static gboolean
take_single (Head *head, gsize which, const char *value, gsize n)
{
  if (head->seen[which])
    return FALSE;
  head->seen[which] = TRUE;
  if (which == CONTENT_LENGTH)
    return is_number (value, n);
  if (which == TRANSFER_ENCODING)
    return !head->old && n == strlen ("chunked") && g_ascii_strncasecmp (value, "chunked", n) == 0;
  return TRUE;
}

/* NAME: VALUE; a continuation line begins with a blank, and so has no name. */
static gboolean
take_field (Head *head, const char *line, gsize n)
{
  const char *colon = memchr (line, ':', n);
  gsize length = colon ? (gsize) (colon - line) : 0;
  if (!colon || !is_token (line, length))
    return FALSE;
  const char *value = colon + 1, *end = line + n;
  while (value < end && (*value == ' ' || *value == '\t'))
    value++;
  while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
    end--;
  head->parts++;
  if (is_called (line, length, "Cookie"))
    for (const char *at = value; at < end; at++)
      head->parts += *at == ';';
  for (gsize i = 0; i < G_N_ELEMENTS (single); i++)
    if (is_called (line, length, single[i]))
      return take_single (head, i, value, (gsize) (end - value));
  return TRUE;
}

/* @line: without its end. No control characters except tabs. */
static gboolean
is_text (const char *line, gsize n)
{
  for (gsize i = 0; i < n; i++)
    if (((guchar) line[i] < ' ' && line[i] != '\t') || line[i] == 0x7f)
      return FALSE;
  return TRUE;
}

HeadVerdict
head_judge (const char *data, gsize length)
{
  Head head = { 0 };
  gsize at = 0, n_lines = 0;
  for (;;) {
    const char *line = data + at;
    const char *end = memchr (line, '\n', MIN (length, HEAD_MAX) - at);
    if (!end && length > HEAD_MAX)
      return HEAD_TOO_LARGE;
    if (!end)
      return HEAD_PARTIAL;
    gsize n = (gsize) (end - line);
    at += n + 1;
    if (n == 0 || line[n - 1] != '\r' || !is_text (line, n - 1))
      return HEAD_BAD;
    n--;
    if (n == 0 && n_lines > 0)
      break;
    if (!(n_lines++ == 0 ? take_request_line (&head, line, n) : take_field (&head, line, n)))
      return HEAD_BAD;
    if (head.parts > HEAD_MAX_PARTS)
      return HEAD_TOO_LARGE;
  }
  gboolean one_length = !head.seen[CONTENT_LENGTH] || !head.seen[TRANSFER_ENCODING];
  return one_length && (head.seen[HOST] || head.old) ? HEAD_WHOLE : HEAD_BAD;
}
