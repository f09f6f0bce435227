/* Names from lists. */
#include "predict-list.h"

#include <errno.h>
#include <segue/error.h>
#include <string.h>

/* No file system has longer paths; a longer line means that this is not a list of files. */
#define MAX_NAME (64 * 1024)
/* In a playlist, which may be untrusted. A list on stdin is the user's. */
#define MAX_LINES 200000
#define MAX_BYTES (32 * 1024 * 1024)

typedef enum { PLAIN, M3U, PLS } Format;

typedef struct {
  const SeguePredictList *list;
  Format format;
  guint64 line; /* from 1 */
  gsize bytes;
} Reading;

gboolean
segue_predict_is_playlist (const char *name)
{
  static const char *const endings[] = { ".m3u", ".m3u8", ".pls" };
  gsize length = strlen (name);
  for (gsize i = 0; i < G_N_ELEMENTS (endings); i++) {
    gsize n = strlen (endings[i]);
    if (length > n && g_ascii_strcasecmp (name + length - n, endings[i]) == 0)
      return TRUE;
  }
  return FALSE;
}

char *
segue_predict_path_from_uri (const char *name)
{
  char *path =
    g_ascii_strncasecmp (name, "file:", 5) == 0 ? g_filename_from_uri (name, NULL, NULL) : NULL;
  return path ? path : g_strdup (name);
}

/* Reads up to the separator or the end. %FALSE: there is no more, or an error. */
static gboolean
read_line (const Reading *reading, GString *line, GError **error)
{
  const SeguePredictList *list = reading->list;
  const char *what = NULL;
  int c = EOF;
  g_string_truncate (line, 0);
  while (!what && (c = getc (list->stream)) != EOF && c != (guchar) list->separator) {
    if (line->len >= MAX_NAME)
      what = "is longer than any path; give one file per line";
    else if (c == '\0' && line->len > 0 && (line->str[0] == '\xff' || line->str[0] == '\xfe'))
      what = "is UTF-16 text; save the list with UTF-8 encoding";
    else if (c == '\0')
      what = "contains a zero byte; if names end with one, add --null";
    g_string_append_c (line, (char) c);
  }
  if (!what && c == EOF && ferror (list->stream))
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't read",
                                       "the list of files");
  if (!what)
    return c != EOF || line->len > 0;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "line %" G_GUINT64_FORMAT " of the list %s",
               reading->line, what);
  return FALSE;
}

/* ---- From names to files ---- */

static char *
with_slashes (const char *name)
{
  return strchr (name, '\\') ? g_strdelimit (g_strdup (name), "\\", '/') : NULL;
}

/* Players on Windows write M3U in its own character set, which contains all of Latin-1. */
static char *
from_latin (const char *name)
{
  return g_utf8_validate (name, -1, NULL)
           ? NULL
           : g_convert (name, -1, "UTF-8", "WINDOWS-1252", NULL, NULL, NULL);
}

static char *
composed (const char *name)
{
  return g_utf8_normalize (name, -1, G_NORMALIZE_NFC);
}

static char *
decomposed (const char *name)
{
  return g_utf8_normalize (name, -1, G_NORMALIZE_NFD);
}

static char *
unescaped (const char *name)
{
  return strchr (name, '%') ? g_uri_unescape_string (name, NULL) : NULL;
}

/* Web addresses stay unchanged: no such file exists, and the error then shows the original text. */
static char *
place (const SeguePredictList *list, const char *name)
{
  gboolean whole = g_path_is_absolute (name) || strstr (name, "://");
  return list->folder && !whole ? g_build_filename (list->folder, name, NULL) : g_strdup (name);
}

/* (nullable): the first existing file of those that @name may mean. */
static char *
find (const SeguePredictList *list, const char *name)
{
  static char *(*const readings[]) (const char *) = { g_strdup,  with_slashes, from_latin,
                                                      unescaped, composed,     decomposed };
  for (gsize i = 0; i < G_N_ELEMENTS (readings); i++) {
    g_autofree char *variant = readings[i](name);
    g_autofree char *path = variant ? place (list, variant) : NULL;
    if (path && g_file_test (path, G_FILE_TEST_EXISTS))
      return g_steal_pointer (&path);
  }
  return NULL;
}

/* As in the list; then without the changes that Windows programs make. */
static char *
resolve (const SeguePredictList *list, const char *name)
{
  g_autofree char *plain = segue_predict_path_from_uri (name);
  char *found = find (list, plain);
  g_autofree char *slashes = found ? NULL : with_slashes (plain);
  g_autofree char *latin = slashes ? from_latin (slashes) : NULL;
  if (latin)
    found = find (list, latin);
  return found ? found : place (list, plain);
}

/* ---- Lines ---- */

/* Detects the type of list by the first line. */
static void
recognise (Reading *reading, GString *line)
{
  if (g_str_has_prefix (line->str, "\xef\xbb\xbf"))
    g_string_erase (line, 0, 3);
  if (g_str_has_prefix (line->str, "#EXTM3U"))
    reading->format = M3U;
  else if (g_ascii_strncasecmp (line->str, "[playlist]", 10) == 0)
    reading->format = PLS;
}

static gboolean
is_there (const SeguePredictList *list, const char *name)
{
  g_autofree char *path = place (list, name);
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

/* (nullable): the name in a line; %NULL: none. */
static const char *
name_in (const Reading *reading, char *line)
{
  if (reading->format == PLAIN)
    return *line ? line : NULL;
  g_strstrip (line);
  if (reading->format == M3U)
    return *line && (*line != '#' || is_there (reading->list, line)) ? line : NULL;
  gsize digits = g_ascii_strncasecmp (line, "File", 4) == 0 ? strspn (line + 4, "0123456789") : 0;
  char *value = digits > 0 ? line + 4 + digits : line;
  if (digits == 0 || *value != '=')
    return NULL;
  value = g_strstrip (value + 1);
  return *value ? value : NULL;
}

/* The line end of other systems; a name may still end so. */
static void
cut_return (const SeguePredictList *list, GString *line)
{
  if (line->len > 0 && line->str[line->len - 1] == '\r' && !is_there (list, line->str))
    g_string_truncate (line, line->len - 1);
}

static gboolean
is_too_long (Reading *reading, gsize length, GError **error)
{
  reading->bytes += length;
  if (!reading->list->playlist || (reading->line <= MAX_LINES && reading->bytes <= MAX_BYTES))
    return FALSE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
               "the playlist has more than %d lines or %d MiB; split it into several lists",
               MAX_LINES, MAX_BYTES >> 20);
  return TRUE;
}

gboolean
segue_predict_list_read (const SeguePredictList *list, SeguePredictListFunc func, gpointer data,
                         GError **error)
{
  Reading reading = { .list = list, .format = list->playlist ? M3U : PLAIN, .line = 1 };
  g_autoptr (GString) line = g_string_new (NULL);
  g_autoptr (GError) local = NULL;
  gboolean raw = list->separator == '\0';
  for (; read_line (&reading, line, &local); reading.line++) {
    if (is_too_long (&reading, line->len, error))
      return FALSE;
    if (raw) {
      if (line->len > 0 && !func (data, line->str, error))
        return FALSE;
      continue;
    }
    if (reading.line == 1)
      recognise (&reading, line);
    cut_return (list, line);
    const char *name = name_in (&reading, line->str);
    g_autofree char *path = name ? resolve (list, name) : NULL;
    if (path && !func (data, path, error))
      return FALSE;
  }
  if (!local)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}
