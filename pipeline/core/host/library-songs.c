#include "host/library-songs.h"

#include <segue/error.h>
#include <segue/file.h>
#include <segue/json.h>
#include <string.h>

#define MAX_BYTES ((gsize) 512 * 1024 * 1024)
#define MAX_LINE  ((gsize) 64 * 1024)

static void
entry_clear (gpointer data)
{
  SegueLibrarySong *song = &((SegueLibraryEntry *) data)->song;
  char **const fields[] = { &song->id,    &song->source, &song->label, &song->set,
                            &song->title, &song->artist, &song->album };
  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++)
    g_clear_pointer (fields[i], g_free);
}

static gboolean
refuse (const char *path, gsize line, const char *what, GError **error)
{
  g_autofree char *shown = g_filename_display_name (path);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
               "‘%s’, line %" G_GSIZE_FORMAT ": %s; run the pipeline of the library again", shown,
               line, what);
  return FALSE;
}

static gboolean
take_song (SegueLibraryEntry *entry, const json_t *row)
{
  SegueLibrarySong *song = &entry->song;
  const struct {
    const char *key;
    char **field;
  } fields[] = { { "id", &song->id },      { "source", &song->source }, { "label", &song->label },
                 { "set", &song->set },    { "title", &song->title },   { "artist", &song->artist },
                 { "album", &song->album } };
  const json_t *n = json_object_get (row, "segments");
  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++)
    *fields[i].field = g_strdup (json_string_value (json_object_get (row, fields[i].key)));
  if (!song->id || !json_is_integer (n) || json_integer_value (n) < 1)
    return FALSE;
  entry->n = (gsize) json_integer_value (n);
  return TRUE;
}

static gboolean
read_line (GArray *songs, const char *text, gsize length, gsize n_segments, const char *path,
           GError **error)
{
  const SegueLibraryEntry *last =
    songs->len > 0 ? &g_array_index (songs, SegueLibraryEntry, songs->len - 1) : NULL;
  SegueLibraryEntry entry = { .first = last ? last->first + last->n : 0 };
  if (length > MAX_LINE)
    return refuse (path, songs->len + 1, "the line is too long", error);
  json_t *row = segue_json_parse (text, (gssize) length, path, SEGUE_JSON_SETTINGS, NULL, error);
  if (!row)
    return FALSE;
  gboolean ok = take_song (&entry, row);
  json_decref (row);
  g_array_append_val (songs, entry);
  if (!ok)
    return refuse (path, songs->len, "a song needs an id, and a number of segments", error);
  return entry.n <= n_segments - entry.first ||
         refuse (path, songs->len, "there are more segments than vectors", error);
}

GArray *
segue_library_songs_read (const char *path, gsize n_songs, gsize n_segments, GError **error)
{
  gsize length;
  g_autofree char *text = segue_file_read (path, MAX_BYTES, &length, error);
  if (!text)
    return NULL;
  g_autoptr (GArray) songs = g_array_new (FALSE, FALSE, sizeof (SegueLibraryEntry));
  g_array_set_clear_func (songs, entry_clear);
  for (const char *at = text, *end = text + length, *next; at < end; at = next + 1) {
    next = memchr (at, '\n', (gsize) (end - at));
    next = next ? next : end;
    if (!read_line (songs, at, (gsize) (next - at), n_segments, path, error))
      return NULL;
  }
  const SegueLibraryEntry *last =
    songs->len > 0 ? &g_array_index (songs, SegueLibraryEntry, songs->len - 1) : NULL;
  if (last && songs->len == n_songs && last->first + last->n == n_segments)
    return g_steal_pointer (&songs);
  refuse (path, songs->len, "the file has another number of songs or segments than library.json",
          error);
  return NULL;
}
