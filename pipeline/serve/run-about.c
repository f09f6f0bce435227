#include "run-about.h"

#include "run-files.h"

#include <segue/host/segue.h>
#include <segue/json.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_TIME 40 /* bytes of a time as text */

enum { RUN, TIMES, METRICS, N_FILES };
static const char *const files[N_FILES] = { "run.json", "timings.json", "metrics.json" };

/* The stamp of a file when it was read; all zero: no such file. */
typedef struct {
  guint64 device, inode, size;
  gint64 seconds, nanoseconds;
} Stamp;

typedef struct {
  Stamp stamps[N_FILES];
  json_t *about;
  gboolean used;
} Entry;

struct _RunMemory {
  GHashTable *entries; /* by place */
};

static void
entry_free (gpointer data)
{
  Entry *entry = data;
  json_decref (entry->about);
  g_free (entry);
}

RunMemory *
run_memory_new (void)
{
  RunMemory *memory = g_new0 (RunMemory, 1);
  memory->entries = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, entry_free);
  return memory;
}

void
run_memory_free (RunMemory *memory)
{
  if (!memory)
    return;
  g_hash_table_unref (memory->entries);
  g_free (memory);
}

void
run_memory_begin (RunMemory *memory)
{
  GHashTableIter iter;
  gpointer entry;
  g_hash_table_iter_init (&iter, memory->entries);
  while (g_hash_table_iter_next (&iter, NULL, &entry))
    ((Entry *) entry)->used = FALSE;
}

static gboolean
is_unused (gpointer place, gpointer entry, gpointer data)
{
  return !((Entry *) entry)->used;
}

void
run_memory_end (RunMemory *memory)
{
  g_hash_table_foreach_remove (memory->entries, is_unused, NULL);
}

/* ---- From files ---- */

static void
take_stamp (int fd, Stamp *stamp)
{
  struct stat info;
  memset (stamp, 0, sizeof *stamp);
  if (fd >= 0 && fstat (fd, &info) == 0)
    *stamp = (Stamp){ .device = info.st_dev,
                      .inode = info.st_ino,
                      .size = (guint64) info.st_size,
                      .seconds = info.st_mtim.tv_sec,
                      .nanoseconds = info.st_mtim.tv_nsec };
}

/* Copies @key of @from, if it is a number, to @key of @to; else null. */
static void
take_number (json_t *to, const json_t *from, const char *key)
{
  json_t *value = json_object_get (from, key);
  json_object_set_new (to, key, json_is_number (value) ? json_incref (value) : json_null ());
}

/* One of the states that segue writes, or null. */
static json_t *
known_state (const json_t *about)
{
  static const char *const states[] = { "running", "finished", "stopped", "failed" };
  const char *given = json_string_value (json_object_get (about, "state"));
  for (gsize i = 0; given && i < G_N_ELEMENTS (states); i++)
    if (g_str_equal (given, states[i]))
      return json_string (given);
  return json_null ();
}

static json_t *
known_time (const json_t *times)
{
  json_t *given = json_object_get (times, "started");
  return given && json_string_length (given) <= MAX_TIME ? json_incref (given) : json_null ();
}

static json_t *
read_files (const int fds[N_FILES], GCancellable *cancellable)
{
  json_t *read[N_FILES] = { NULL }, *object = json_object (), *figures = json_object ();
  for (gsize i = 0; i < N_FILES; i++)
    read[i] = fds[i] >= 0
                ? segue_json_read_fd (fds[i], files[i], SEGUE_JSON_SERVED, cancellable, NULL)
                : NULL;
  json_t *test = json_object_get (read[METRICS], "test");
  gboolean unreadable = fds[RUN] >= 0 && !read[RUN];
  json_object_set_new (object, "state",
                       unreadable ? json_string ("unreadable") : known_state (read[RUN]));
  json_object_set_new (object, "started", known_time (read[TIMES]));
  take_number (object, read[TIMES], "seconds");
  take_number (figures, test, "segment_accuracy");
  take_number (figures, test, "song_accuracy");
  take_number (figures, test, "songs");
  json_object_set_new (object, "test", test ? json_incref (figures) : json_null ());
  json_decref (figures);
  for (gsize i = 0; i < N_FILES; i++)
    json_decref (read[i]);
  return object;
}

/* Adds what can change without the files: whether a process is working on it. */
static json_t *
with_life (const json_t *about, int run)
{
  json_t *copy = json_deep_copy (about);
  const char *state = json_string_value (json_object_get (copy, "state"));
  gboolean at_work = (!state || g_str_equal (state, "running")) && segue_run_is_at_work (run);
  if (at_work || g_strcmp0 (state, "running") == 0)
    json_object_set_new (copy, "state", json_string (at_work ? "running" : "killed"));
  return copy;
}

json_t *
run_memory_describe (RunMemory *memory, int run, const char *place, GCancellable *cancellable)
{
  Stamp stamps[N_FILES];
  int fds[N_FILES];
  for (gsize i = 0; i < N_FILES; i++) {
    fds[i] = run_file_open (run, files[i]);
    take_stamp (fds[i], &stamps[i]);
  }
  Entry *entry = g_hash_table_lookup (memory->entries, place);
  if (!entry || memcmp (entry->stamps, stamps, sizeof stamps) != 0) {
    entry = g_new0 (Entry, 1);
    memcpy (entry->stamps, stamps, sizeof stamps);
    entry->about = read_files (fds, cancellable);
    g_hash_table_insert (memory->entries, g_strdup (place), entry);
  }
  entry->used = TRUE;
  for (gsize i = 0; i < N_FILES; i++)
    if (fds[i] >= 0)
      close (fds[i]);
  return with_life (entry->about, run);
}
