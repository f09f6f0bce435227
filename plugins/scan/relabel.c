#include "relabel.h"

#include <segue/error.h>
#include <segue/file.h>
#include <stdlib.h>
#include <string.h>

/* A row for each of a million songs; what it becomes in memory is several times as much. */
#define MAX_BYTES (64u << 20)

typedef struct {
  const char *path;
  const char *at;
  guint line;
} Reader;

static gboolean
fail (const Reader *self, GError **error, const char *what)
{
  g_autofree char *shown = g_filename_display_name (self->path);

  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "%s:%u: %s", shown, self->line, what);
  return FALSE;
}

/* The field at the reader; stops before the comma, the line break or the end. */
static char *
read_field (Reader *self, GError **error)
{
  GString *field = g_string_new (NULL);
  gboolean quoted = *self->at == '"';

  self->at += quoted;
  for (; *self->at; self->at++) {
    if (quoted && self->at[0] == '"' && self->at[1] == '"')
      self->at++;
    else if (quoted && *self->at == '"')
      break;
    else if (!quoted && strchr (",\r\n", *self->at))
      break;
    self->line += *self->at == '\n';
    g_string_append_c (field, *self->at);
  }
  if (quoted && *self->at != '"') {
    fail (self, error, "a quoted field does not end");
    g_string_free (field, TRUE);
    return NULL;
  }
  self->at += quoted;
  if (*self->at && !strchr (",\r\n", *self->at)) {
    fail (self, error, "text after a closing quote; write \"\" for a quote inside a field");
    g_string_free (field, TRUE);
    return NULL;
  }
  return g_string_free (field, FALSE);
}

static gboolean
read_row (Reader *self, char **song, char **label, GError **error)
{
  *song = read_field (self, error);
  if (!*song)
    return FALSE;
  if (*self->at != ',')
    return fail (self, error, "a row needs two columns: song,label");
  self->at++;
  *label = read_field (self, error);
  if (!*label)
    return FALSE;
  if (*self->at == ',')
    return fail (self, error,
                 "a row has more than two columns; names that hold a comma stand in quotes");
  return TRUE;
}

static void
skip_line_break (Reader *self)
{
  if (*self->at == '\r')
    self->at++;
  if (*self->at == '\n') {
    self->at++;
    self->line++;
  }
}

static gboolean
read_rows (Reader *self, GHashTable *labels, GError **error)
{
  while (*self->at) {
    g_autofree char *song = NULL, *label = NULL;
    gboolean is_first = self->line == 1;

    if (strchr ("\r\n", *self->at)) { /* an empty line */
      skip_line_break (self);
      continue;
    }
    if (!read_row (self, &song, &label, error))
      return FALSE;
    if (!is_first || !g_str_equal (song, "song")) {
      if (g_hash_table_contains (labels, song))
        return fail (self, error, "a song stands in two rows");
      g_hash_table_insert (labels, g_steal_pointer (&song),
                           g_utf8_normalize (label, -1, G_NORMALIZE_NFC));
    }
    skip_line_break (self);
  }
  return TRUE;
}

/* The table may well be a link of the user's; what is behind it is read within bounds. */
static char *
read_table (const char *path, gsize *length, GError **error)
{
  char *real = realpath (path, NULL);
  char *text = segue_file_read (real ? real : path, MAX_BYTES, length, error);

  free (real);
  if (!text)
    g_prefix_error (error, "the relabel table: ");
  return text;
}

GHashTable *
relabel_load (const char *path, GError **error)
{
  g_autoptr (GHashTable) labels = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autofree char *text = NULL, *shown = g_filename_display_name (path);
  gsize length;
  Reader reader = { .path = path, .line = 1 };

  if (!(text = read_table (path, &length, error)))
    return NULL;
  if (!g_utf8_validate (text, (gssize) length, NULL)) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "the relabel table ‘%s’ is not CSV in UTF-8",
                 shown);
    return NULL;
  }
  reader.at = g_str_has_prefix (text, "\xef\xbb\xbf") ? text + 3 : text;
  return read_rows (&reader, labels, error) ? g_steal_pointer (&labels) : NULL;
}
