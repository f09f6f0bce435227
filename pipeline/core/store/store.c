/* The store: records by key. */
#include "store.h"
#include "key.h"

#include <segue/file.h>
#include <string.h>
#include <sys/statvfs.h>

/* What tools for back-ups look for: https://bford.info/cachedir/ */
#define CACHEDIR_TAG                                                                               \
  "Signature: 8a477f597d28d172789f06886806bc55\n"                                                  \
  "# This folder holds what segue can compute again.\n"

struct _SegueStore {
  char *folder, *records, *contents;
  GMutex lock;
  GHashTable *verified; /* keys whose payload was checked, or written, by us */
};

SegueStore *
segue_store_open (const char *folder, GError **error)
{
  const char *variable = g_getenv ("SEGUE_CACHE");
  g_autoptr (SegueStore) store = g_new0 (SegueStore, 1);
  g_mutex_init (&store->lock);
  store->verified = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *given = folder ? g_strdup (folder)
                           : variable && *variable
                             ? g_strdup (variable)
                             : g_build_filename (g_get_user_cache_dir (), "segue", NULL);
  store->folder = g_canonicalize_filename (given, NULL);
  store->records = g_build_filename (store->folder, "records", NULL);
  store->contents = g_build_filename (store->folder, "files", NULL);
  g_autofree char *tag = g_build_filename (store->folder, "CACHEDIR.TAG", NULL);
  if (!segue_file_make_folder (store->records, error) ||
      !segue_file_make_folder (store->contents, error))
    return NULL;
  if (!g_file_test (tag, G_FILE_TEST_EXISTS) && !segue_file_write (tag, CACHEDIR_TAG, -1, error))
    return NULL;
  return g_steal_pointer (&store);
}

void
segue_store_free (SegueStore *store)
{
  if (!store)
    return;
  g_hash_table_unref (store->verified);
  g_mutex_clear (&store->lock);
  g_free (store->folder);
  g_free (store->records);
  g_free (store->contents);
  g_free (store);
}

const char *
segue_store_get_folder (SegueStore *store)
{
  return store->folder;
}

const char *
segue_store_get_contents_folder (SegueStore *store)
{
  return store->contents;
}

char *
segue_store_get_path (SegueStore *store, const char *key)
{
  return g_strdup_printf ("%s/%.2s/%s", store->records, key, key + 2);
}

static gboolean
is_verified (SegueStore *store, const char *key)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->lock);
  return g_hash_table_contains (store->verified, key);
}

static void
set_verified (SegueStore *store, const char *key)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->lock);
  g_hash_table_add (store->verified, g_strdup (key));
}

SegueRecord *
segue_store_read (SegueStore *store, const char *key, char **problem, GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autofree char *path = segue_store_get_path (store, key);
  gboolean verified = is_verified (store, key);
  SegueRecord *record = segue_record_read (path, key, !verified, &local);
  *problem = NULL;
  if (record) {
    if (!verified)
      set_verified (store, key);
    return record;
  }
  if (g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_RESOURCE))
    g_propagate_error (error, g_steal_pointer (&local));
  else if (!g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT))
    *problem = g_strdup_printf ("%s (%s)", local->message, path);
  return NULL;
}

/* A hint in good time; the disk may still fill up while the record is written. */
static gboolean
check_space (const char *folder, const SegueRecordContent *content, GError **error)
{
  struct statvfs fs;
  guint64 largest = 0;
  for (guint i = 0; i < content->n_items; i++)
    if (content->items[i]->bytes)
      largest = MAX (largest, g_bytes_get_size (content->items[i]->bytes));
  if (statvfs (folder, &fs) != 0 || (guint64) fs.f_bavail * fs.f_frsize >= largest)
    return TRUE;
  g_autofree char *shown = g_filename_display_name (folder);
  g_set_error (
    error, SEGUE_ERROR, SEGUE_ERROR_IO,
    "the disk of the cache ‘%s’ is full; free some space, or set SEGUE_CACHE to a folder "
    "on another one, and run again: what is finished is kept",
    shown);
  return FALSE;
}

gboolean
segue_store_write (SegueStore *store, const SegueRecordContent *content, GError **error)
{
  g_autofree char *path = segue_store_get_path (store, content->key);
  g_autofree char *folder = g_path_get_dirname (path);
  if (!segue_file_make_folder (folder, error) || !check_space (folder, content, error) ||
      !segue_record_write (path, content, error))
    return FALSE;
  set_verified (store, content->key);
  return TRUE;
}
