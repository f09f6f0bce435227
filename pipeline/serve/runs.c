#include "runs.h"

#include "beneath.h"
#include "run-files.h"
#include "token.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_RUNS  200
#define MAX_PARTS 8

struct _Runs {
  char *folder;
  guint8 key[TOKEN_KEY_SIZE]; /* of reports' addresses */
};

/* A run's place: `NAME/ID`. */
typedef struct {
  char *name, *id;
} Place;

static const struct {
  const char *ending, *type;
} types[] = {
  { ".html", "text/html; charset=utf-8" },
  { ".css", "text/css; charset=utf-8" },
  { ".js", "text/javascript; charset=utf-8" },
  { ".json", "application/json" },
  { ".csv", "text/csv; charset=utf-8" },
  { ".txt", "text/plain; charset=utf-8" },
  { ".svg", "image/svg+xml" },
  { ".png", "image/png" },
  { ".jpg", "image/jpeg" },
  { ".webp", "image/webp" },
  { ".ogg", "audio/ogg" },
  { ".opus", "audio/ogg" },
  { ".mp3", "audio/mpeg" },
  { ".flac", "audio/flac" },
  { ".m4a", "audio/mp4" },
  { ".wav", "audio/wav" },
  { ".woff2", "font/woff2" },
};

Runs *
runs_new (const char *folder, GError **error)
{
  Runs *runs = g_new0 (Runs, 1);
  runs->folder = g_strdup (folder);
  if (token_key_init (runs->key, error))
    return runs;
  runs_free (runs);
  return NULL;
}

void
runs_free (Runs *runs)
{
  if (!runs)
    return;
  g_free (runs->folder);
  g_free (runs);
}

char *
runs_report_secret (const Runs *runs, const char *name, const char *id)
{
  return token_sign (runs->key, name, id);
}

static int
open_root (const Runs *runs)
{
  return open (runs->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void
place_clear (gpointer data)
{
  Place *place = data;
  g_free (place->name);
  g_free (place->id);
}

/* Folders in @path below @root, in no order; links (`latest`) are none. */
static GPtrArray *
list_folders (int root, const char *path)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  int fd = *path ? segue_beneath_open_folder (root, path)
                 : openat (root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *folder = fd >= 0 ? fdopendir (fd) : NULL;
  struct dirent *entry;
  while (folder && (entry = readdir (folder)))
    if ((entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN) &&
        run_part_is_plain (entry->d_name) && g_utf8_validate (entry->d_name, -1, NULL))
      g_ptr_array_add (names, g_strdup (entry->d_name));
  if (folder)
    closedir (folder);
  else if (fd >= 0)
    close (fd);
  return names;
}

/* Ids are times: the newest first. */
static int
compare_places (gconstpointer a, gconstpointer b)
{
  const Place *x = a, *y = b;
  int order = strcmp (y->id, x->id);
  return order ? order : strcmp (x->name, y->name);
}

static GArray *
find_runs (int root)
{
  GArray *places = g_array_new (FALSE, FALSE, sizeof (Place));
  g_array_set_clear_func (places, place_clear);
  g_autoptr (GPtrArray) names = list_folders (root, "");
  for (guint i = 0; i < names->len; i++) {
    const char *name = g_ptr_array_index (names, i);
    g_autoptr (GPtrArray) ids = list_folders (root, name);
    for (guint j = 0; j < ids->len; j++) {
      Place place = { g_strdup (name), g_strdup (g_ptr_array_index (ids, j)) };
      g_array_append_val (places, place);
    }
  }
  g_array_sort (places, compare_places);
  return places;
}

/* @key of @from, where it is of @type, as @key of @to; else null. */
static void
take (json_t *to, const json_t *from, const char *key, json_type type)
{
  json_t *value = json_object_get (from, key);
  gboolean fits =
    value && (json_typeof (value) == type || (type == JSON_REAL && json_is_number (value)));
  json_object_set_new (to, key, fits ? json_incref (value) : json_null ());
}

/* (nullable): what segue left there says that it is one. */
static json_t *
describe_run (const Runs *runs, int root, const Place *place)
{
  g_autofree char *path = g_build_filename (place->name, place->id, NULL);
  int run = segue_beneath_open_folder (root, path);
  if (run < 0)
    return NULL;
  json_t *about = run_file_read_json (run, "run.json");
  json_t *times = run_file_read_json (run, "timings.json");
  json_t *metrics = run_file_read_json (run, "metrics.json");
  json_t *test = json_object_get (metrics, "test");
  json_t *object = json_object (), *figures = json_object ();
  json_object_set_new (object, "name", json_string (place->name));
  json_object_set_new (object, "id", json_string (place->id));
  /* While it is at work, and where it was killed, there is no such file yet. */
  take (object, about, "state", JSON_STRING);
  if (!about && run_file_exists (run, "run.json"))
    json_object_set_new (object, "state", json_string ("unreadable"));
  take (object, times, "started", JSON_STRING);
  take (object, times, "seconds", JSON_REAL);
  take (figures, test, "segment_accuracy", JSON_REAL);
  take (figures, test, "song_accuracy", JSON_REAL);
  take (figures, test, "songs", JSON_INTEGER);
  json_object_set_new (object, "test", test ? json_incref (figures) : json_null ());
  json_decref (figures);
  g_autofree char *secret = runs_report_secret (runs, place->name, place->id);
  json_object_set_new (
    object, "report",
    run_file_exists (run, "report/index.html")
      ? json_sprintf ("reports/%s/%s/%s/index.html", secret, place->name, place->id)
      : json_null ());
  json_decref (about);
  json_decref (times);
  json_decref (metrics);
  close (run);
  return object;
}

char *
runs_list (Runs *runs)
{
  json_t *list = json_array (), *root_object = json_object ();
  int root = open_root (runs);
  g_autoptr (GArray) places = root >= 0 ? find_runs (root) : NULL;
  guint n = places ? places->len : 0;
  for (guint i = 0; i < MIN (n, MAX_RUNS); i++) {
    json_t *run = describe_run (runs, root, &g_array_index (places, Place, i));
    if (run)
      json_array_append_new (list, run);
  }
  if (root >= 0)
    close (root);
  json_object_set_new (root_object, "runs", list);
  json_object_set_new (root_object, "total", json_integer (n));
  char *text = json_dumps (root_object, JSON_COMPACT | JSON_REAL_PRECISION (6));
  char *copy = g_strdup (text);
  free (text);
  json_decref (root_object);
  return copy;
}

static const char *
type_of (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    if (g_str_has_suffix (name, types[i].ending))
      return types[i].type;
  return NULL;
}

int
runs_open_report_file (Runs *runs, const char *path, const char **type)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", MAX_PARTS + 1);
  guint n = g_strv_length (parts);
  if (n < 4 || n > MAX_PARTS)
    return -1;
  for (guint i = 0; i < n; i++)
    if (!run_part_is_plain (parts[i]))
      return -1;
  g_autofree char *secret = runs_report_secret (runs, parts[1], parts[2]);
  if (!token_equal (secret, parts[0]))
    return -1;
  *type = type_of (parts[n - 1]);
  int root = *type ? open_root (runs) : -1;
  if (root < 0)
    return -1;
  g_autofree char *folder = g_build_filename (parts[1], parts[2], NULL);
  g_autofree char *within = g_strjoinv ("/", parts + 3);
  g_autofree char *file = g_build_filename ("report", within, NULL);
  int run = segue_beneath_open_folder (root, folder);
  int fd = run >= 0 ? run_file_open (run, file) : -1;
  if (run >= 0)
    close (run);
  close (root);
  return fd;
}
