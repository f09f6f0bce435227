#include "runs.h"

#include "base/beneath.h"
#include "media-type.h"
#include "problem.h"
#include "run-about.h"
#include "run-files.h"
#include "token.h"

#include <dirent.h>
#include <fcntl.h>
#include <segue/json.h>
#include <string.h>
#include <unistd.h>

#define MAX_RUNS  200
#define MAX_NAMES 10000 /* maximum number of folders to read */
#define MAX_PARTS 9

struct _RunsList {
  GFunc ready;
  gpointer data;
  char *text;
};

struct _Runs {
  char *folder;
  GMutex lock;       /* of @pool */
  GThreadPool *pool; /* of one thread, for untrusted files; NULL: stopped */
  RunMemory *memory; /* used by that thread only */
  GCancellable *cancellable;
  guint8 key[TOKEN_KEY_SIZE]; /* of reports' addresses */
};

/* A run's place: `NAME/ID`. */
typedef struct {
  char *name, *id;
} Place;

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

/* Folders in @path below @root, unsorted; without links (`latest`). */
static GPtrArray *
list_folders (int root, const char *path)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  int fd = *path ? segue_beneath_open_folder (root, path)
                 : openat (root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *folder = fd >= 0 ? fdopendir (fd) : NULL;
  struct dirent *entry;
  while (folder && names->len < MAX_NAMES && (entry = readdir (folder)))
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
    for (guint j = 0; j < ids->len && places->len < MAX_NAMES; j++) {
      Place place = { g_strdup (name), g_strdup (g_ptr_array_index (ids, j)) };
      g_array_append_val (places, place);
    }
  }
  g_array_sort (places, compare_places);
  return places;
}

/* The folders of a run with a page. */
static const char *const pages[] = { "report", "map", NULL };

/* (nullable): NULL if its folder can't be opened. */
static json_t *
describe_run (Runs *runs, int root, const Place *place)
{
  g_autofree char *path = g_build_filename (place->name, place->id, NULL);
  int run = segue_beneath_open_folder (root, path);
  if (run < 0)
    return NULL;
  json_t *object = run_memory_describe (runs->memory, run, path, runs->cancellable);
  g_autofree char *secret = runs_report_secret (runs, place->name, place->id);
  json_object_set_new (object, "name", json_string (place->name));
  json_object_set_new (object, "id", json_string (place->id));
  for (gsize i = 0; pages[i]; i++) {
    g_autofree char *page = g_strconcat (pages[i], "/index.html", NULL);
    json_object_set_new (object, pages[i],
                         run_file_exists (run, page) ? json_sprintf ("reports/%s/%s/%s/%s", secret,
                                                                     place->name, place->id, page)
                                                     : json_null ());
  }
  close (run);
  return object;
}

static char *
list_runs (Runs *runs)
{
  json_t *list = json_array (), *root_object = json_object ();
  int root = open_root (runs);
  g_autoptr (GArray) places = root >= 0 ? find_runs (root) : NULL;
  guint n = places ? places->len : 0;
  run_memory_begin (runs->memory);
  for (guint i = 0; i < MIN (n, MAX_RUNS) && !g_cancellable_is_cancelled (runs->cancellable); i++) {
    json_t *run = describe_run (runs, root, &g_array_index (places, Place, i));
    if (run)
      json_array_append_new (list, run);
  }
  run_memory_end (runs->memory);
  if (root >= 0)
    close (root);
  json_object_set_new (root_object, "runs", list);
  json_object_set_new (root_object, "total", json_integer (n));
  return segue_json_print (root_object, JSON_COMPACT | JSON_REAL_PRECISION (6));
}

/* GFunc of the pool's one thread. */
static void
make_list (gpointer data, gpointer user_data)
{
  RunsList *list = data;
  list->text = list_runs (user_data);
  list->ready (list->data, NULL);
}

RunsList *
runs_list_new (Runs *runs, GFunc ready, gpointer data)
{
  RunsList *list = g_new0 (RunsList, 1);
  list->ready = ready;
  list->data = data;
  g_mutex_lock (&runs->lock);
  gboolean pushed = runs->pool && g_thread_pool_push (runs->pool, list, NULL);
  g_mutex_unlock (&runs->lock);
  if (!pushed) {
    list->text = problem_json (PROBLEM_STOPPING, NULL);
    ready (data, NULL);
  }
  return list;
}

char *
runs_list_take (RunsList *list)
{
  return g_steal_pointer (&list->text);
}

void
runs_list_free (RunsList *list)
{
  if (!list)
    return;
  g_free (list->text);
  g_free (list);
}

Runs *
runs_new (const char *folder, GError **error)
{
  Runs *runs = g_new0 (Runs, 1);
  g_mutex_init (&runs->lock);
  runs->folder = g_strdup (folder);
  runs->cancellable = g_cancellable_new ();
  runs->memory = run_memory_new ();
  if (token_key_init (runs->key, error))
    runs->pool = g_thread_pool_new (make_list, runs, 1, TRUE, error);
  if (runs->pool)
    return runs;
  runs_free (runs);
  return NULL;
}

void
runs_stop (Runs *runs)
{
  g_cancellable_cancel (runs->cancellable);
  g_mutex_lock (&runs->lock);
  GThreadPool *pool = g_steal_pointer (&runs->pool);
  g_mutex_unlock (&runs->lock);
  if (pool)
    g_thread_pool_free (pool, FALSE, TRUE);
}

void
runs_free (Runs *runs)
{
  if (!runs)
    return;
  runs_stop (runs);
  run_memory_free (runs->memory);
  g_object_unref (runs->cancellable);
  g_mutex_clear (&runs->lock);
  g_free (runs->folder);
  g_free (runs);
}

int
runs_open_report_file (Runs *runs, const char *path, const char **type)
{
  g_auto (GStrv) parts = g_strsplit (path, "/", MAX_PARTS + 1);
  guint n = g_strv_length (parts);
  if (n < 5 || n > MAX_PARTS || !g_strv_contains (pages, parts[3]))
    return -1;
  for (guint i = 0; i < n; i++)
    if (!run_part_is_plain (parts[i]))
      return -1;
  g_autofree char *secret = runs_report_secret (runs, parts[1], parts[2]);
  if (!token_equal (secret, parts[0]))
    return -1;
  *type = media_type_of (parts[n - 1]);
  int root = *type ? open_root (runs) : -1;
  if (root < 0)
    return -1;
  g_autofree char *folder = g_build_filename (parts[1], parts[2], NULL);
  g_autofree char *file = g_strjoinv ("/", parts + 3);
  int run = segue_beneath_open_folder (root, folder);
  int fd = run >= 0 ? run_file_open (run, file) : -1;
  if (run >= 0)
    close (run);
  close (root);
  return fd;
}
