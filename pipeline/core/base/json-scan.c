#include "base/json-scan.h"

#include <segue/error.h>
#include <string.h>

/* Upper bounds of allocations in jansson 2.13 and later, with malloc's overhead on 64 bits: an empty hash
 * table has eight buckets, an empty array eight slots, and either doubles when it is full. */
#define OBJECT  256
#define ARRAY   160
#define KEY     160 /* plus its bytes */
#define STRING  96  /* likewise */
#define NUMBER  32
#define ELEMENT 24 /* slot of any value in its container */

#define MAX_NUMBER 1024              /* characters; also of text that is not JSON */
#define STEP       ((gsize) 1 << 20) /* bytes between two checks of the cancellable */

typedef struct {
  char *text;
  gsize length, at;
  const SegueJsonLimits *limits;
  const char *place;
  gsize memory;
  guint depth;
  gsize unread_at; /* where the value begins that must not be read */
  guint unread_in; /* the depth inside it; 0: there is none */
  GError **error;
} Scan;

G_GNUC_PRINTF (2, 3)
static gboolean
refuse (const Scan *scan, const char *format, ...)
{
  va_list arguments;
  gsize line = 1, line_start = 0;
  g_autofree char *shown = g_filename_display_name (scan->place);
  va_start (arguments, format);
  g_autofree char *what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  for (gsize i = 0; i < scan->at; i++) {
    if (scan->text[i] != '\n')
      continue;
    line++;
    line_start = i + 1;
  }
  g_set_error (scan->error, SEGUE_ERROR, SEGUE_ERROR_DATA,
               "%s:%" G_GSIZE_FORMAT ":%" G_GSIZE_FORMAT ": %s (limit for %s)", shown, line,
               scan->at - line_start + 1, what, scan->limits->name);
  return FALSE;
}

static gboolean
charge (Scan *scan, gsize bytes)
{
  if (scan->unread_in > 0)
    return TRUE;
  scan->memory += bytes;
  return scan->memory <= scan->limits->memory ||
         refuse (scan, "the document needs more than %" G_GSIZE_FORMAT " MiB of memory",
                 scan->limits->memory >> 20);
}

static gboolean
is_space (char c)
{
  return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static gsize
skip_space (const Scan *scan, gsize at)
{
  while (at < scan->length && is_space (scan->text[at]))
    at++;
  return at;
}

/* Notes the value of @key where it is a list or object that must not be read. */
static void
note_unread (Scan *scan, const char *key, gsize length, gsize colon)
{
  const char *unread = scan->limits->unread;
  gsize value = skip_space (scan, colon + 1);
  if (scan->unread_in == 0 && unread && strlen (unread) == length &&
      memcmp (key, unread, length) == 0 && value < scan->length &&
      (scan->text[value] == '[' || scan->text[value] == '{')) {
    scan->unread_in = scan->depth + 1;
    scan->unread_at = value;
  }
}

static gboolean
scan_string (Scan *scan)
{
  gsize start = scan->at + 1, end = start;
  while (end < scan->length && scan->text[end] != '"') {
    end += scan->text[end] == '\\' ? 2 : 1;
    if (end - start > scan->limits->string)
      return refuse (scan, "a string is longer than %" G_GSIZE_FORMAT " bytes",
                     scan->limits->string);
  }
  end = MIN (end, scan->length);
  gsize colon = skip_space (scan, end + 1);
  gboolean is_key = colon < scan->length && scan->text[colon] == ':';
  if (!charge (scan, (is_key ? KEY : STRING) + ELEMENT + (end - start)))
    return FALSE;
  if (is_key)
    note_unread (scan, scan->text + start, end - start, colon);
  scan->at = end + 1;
  return TRUE;
}

static gboolean
scan_number (Scan *scan)
{
  gsize end = scan->at;
  while (end < scan->length && !is_space (scan->text[end]) && !strchr (",:]}[{\"", scan->text[end]))
    end++;
  if (end - scan->at > MAX_NUMBER)
    return refuse (scan, "a number is longer than %d characters", MAX_NUMBER);
  if (!charge (scan, NUMBER + ELEMENT))
    return FALSE;
  scan->at = MAX (end, scan->at + 1);
  return TRUE;
}

static gboolean
open_bracket (Scan *scan)
{
  if (scan->depth == scan->limits->depth)
    return refuse (scan, "brackets are nested more than %u deep", scan->limits->depth);
  if (!charge (scan, (scan->text[scan->at] == '{' ? OBJECT : ARRAY) + ELEMENT))
    return FALSE;
  scan->depth++;
  scan->at++;
  return TRUE;
}

static void
close_bracket (Scan *scan)
{
  gsize length = ++scan->at - scan->unread_at;
  if (scan->unread_in > 0 && scan->unread_in == scan->depth) {
    if (length >= strlen ("null")) {
      memset (scan->text + scan->unread_at, ' ', length);
      memcpy (scan->text + scan->unread_at, "null", strlen ("null"));
    }
    scan->unread_in = 0;
  }
  if (scan->depth > 0)
    scan->depth--;
}

static gboolean
scan_token (Scan *scan)
{
  switch (scan->text[scan->at]) {
  case '"':
    return scan_string (scan);
  case '{':
  case '[':
    return open_bracket (scan);
  case '}':
  case ']':
    close_bracket (scan);
    return TRUE;
  case ' ':
  case '\n':
  case '\t':
  case '\r':
  case ',':
  case ':':
    scan->at++;
    return TRUE;
  default:
    return scan_number (scan);
  }
}

gboolean
segue_json_scan (char *text, gsize length, const SegueJsonLimits *limits, const char *place,
                 GCancellable *cancellable, GError **error)
{
  Scan scan = { text, length, .limits = limits, .place = place, .error = error };
  gsize next_look = 0;
  if (length > limits->bytes)
    return refuse (&scan, "the document has more than %" G_GSIZE_FORMAT " bytes", limits->bytes);
  while (scan.at < length) {
    if (scan.at >= next_look) {
      next_look = scan.at + STEP;
      if (g_cancellable_is_cancelled (cancellable)) {
        g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped");
        return FALSE;
      }
    }
    if (!scan_token (&scan))
      return FALSE;
  }
  return TRUE;
}
