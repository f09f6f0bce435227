#include "shelf.h"

#include "base/beneath.h"
#include "media-type.h"

#include <errno.h>
#include <fcntl.h>
#include <segue/error.h>
#include <segue/json.h>
#include <string.h>
#include <unistd.h>

struct _Shelf {
  SegueLibrary *library;
  int music; /* -1: no song can be played */
};

Shelf *
shelf_new (SegueLibrary *library, const char *music, GError **error)
{
  Shelf *shelf = g_new0 (Shelf, 1);
  shelf->library = library;
  shelf->music = music ? open (music, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
  if (!music || shelf->music >= 0)
    return shelf;
  segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't use the music folder",
                              music);
  shelf_free (shelf);
  return NULL;
}

void
shelf_free (Shelf *shelf)
{
  if (!shelf)
    return;
  if (shelf->music >= 0)
    close (shelf->music);
  g_free (shelf);
}

/* ---- Files ---- */

/* (transfer full) (nullable): the file of the song with @id, relative to the music folder; %NULL: that could lead
 * elsewhere. */
static char *
path_of (const char *id)
{
  /* Bytes that are not text are percent-encoded. */
  g_autofree char *path = g_uri_unescape_string (id, NULL);
  g_auto (GStrv) parts = path ? g_strsplit (path, "/", -1) : NULL;
  gboolean ok = parts && parts[0];
  for (guint i = 0; ok && parts[i]; i++)
    ok = *parts[i] != '\0' && !g_str_equal (parts[i], ".") && !g_str_equal (parts[i], "..");
  return ok ? g_steal_pointer (&path) : NULL;
}

static int
open_song (const Shelf *shelf, const SegueLibrarySong *song, const char **type)
{
  g_autofree char *path = path_of (song->id);
  *type = path ? media_type_of (path) : NULL;
  if (!*type || !g_str_has_prefix (*type, "audio/"))
    return -1;
  return segue_beneath_open_file (shelf->music, path);
}

int
shelf_open_song (const Shelf *shelf, const char *text, const char **type)
{
  guint64 number;
  guint n = segue_library_get_length (shelf->library);
  if (shelf->music < 0 || !g_ascii_string_to_unsigned (text, 10, 0, n - 1, &number, NULL))
    return -1;
  return open_song (shelf, segue_library_get_song (shelf->library, (guint) number), type);
}

static gboolean
has_file (const Shelf *shelf, const SegueLibrarySong *song)
{
  const char *type;
  int fd = shelf->music >= 0 ? open_song (shelf, song, &type) : -1;
  if (fd >= 0)
    close (fd);
  return fd >= 0;
}

/* ---- Answers ---- */

/* The title, or else the name of the file. */
static const char *
title_of (const SegueLibrarySong *song)
{
  const char *slash = strrchr (song->id, '/');
  return song->title ? song->title : slash ? slash + 1 : song->id;
}

static json_t *
describe_song (const Shelf *shelf, const SegueLibrarySong *song)
{
  return json_pack ("{s:i, s:s, s:s?, s:s?, s:b}", "song",
                    (int) segue_library_get_index (shelf->library, song), "title", title_of (song),
                    "label", song->label, "album", song->album, "plays", has_file (shelf, song));
}

json_t *
shelf_describe (const Shelf *shelf, const SegueLibraryAnswer *answer)
{
  json_t *similar = json_array ();
  /* The song itself, if it is a training song: nothing sounds more like it. */
  if (answer->same) {
    json_t *same = describe_song (shelf, answer->same);
    json_object_set_new (same, "similarity", json_real (1));
    json_object_set_new (same, "start", json_real (0));
    json_object_set_new (same, "query_start", json_real (0));
    json_array_append_new (similar, same);
  }
  for (guint i = 0; i < answer->n_matches && json_array_size (similar) < SHELF_SIMILAR; i++) {
    const SegueLibraryMatch *match = &answer->matches[i];
    json_t *song = describe_song (shelf, match->song);
    json_object_set_new (song, "similarity", segue_json_number (match->similarity));
    json_object_set_new (song, "start", segue_json_number (match->start));
    json_object_set_new (song, "query_start", segue_json_number (match->query_start));
    json_array_append_new (similar, song);
  }
  return similar;
}
