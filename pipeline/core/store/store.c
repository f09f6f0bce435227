/* The store: records by key. */
#include "store/store.h"
#include "base/beneath.h"
#include "item/stretch.h"
#include "store/cache-limit.h"
#include "store/key.h"
#include "store/shard.h"
#include "store/users.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <segue/file.h>
#include <segue/host/cache.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RECORDS "records"
#define FILES   "files"

/* Backup tools look for it: https://bford.info/cachedir/ */
#define CACHEDIR_TAG                                                                               \
  "Signature: 8a477f597d28d172789f06886806bc55\n"                                                  \
  "# This folder contains results that segue can recompute.\n"

struct _SegueStore {
  char *folder, *records, *contents;
  char *warning; /* nullable */
  int fd;        /* of the folder */
  SegueUsers *users;
  gint n_written;
  GMutex room;          /* held while space is freed */
  GMutex lock;          /* for: */
  GHashTable *verified; /* keys whose payload this store checked or wrote */
  GHashTable *used;     /* paths that are stamped */
};

char *
segue_store_find_folder (const char *folder)
{
  const char *variable = g_getenv ("SEGUE_CACHE");
  g_autofree char *given = folder ? g_strdup (folder)
                           : variable && *variable
                             ? g_strdup (variable)
                             : g_build_filename (g_get_user_cache_dir (), "segue", NULL);
  return g_canonicalize_filename (given, NULL);
}

/* An untrusted cache can't make segue write elsewhere. */
static gboolean
refuse_links (SegueStore *store, GError **error)
{
  static const char *const folders[] = { RECORDS, FILES, "results", "units", "work", "users" };
  for (gsize i = 0; i < G_N_ELEMENTS (folders); i++) {
    struct stat st;
    if (fstatat (store->fd, folders[i], &st, AT_SYMLINK_NOFOLLOW) != 0 || S_ISDIR (st.st_mode))
      continue;
    g_autofree char *shown = g_filename_display_name (store->folder);
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_CANNOT_CREATE,
                 "‘%s/%s’ is a file or a link, not a folder; remove it, or set SEGUE_CACHE to the "
                 "folder that contains the whole cache",
                 shown, folders[i]);
    return FALSE;
  }
  return TRUE;
}

/* Whether it is the user's private group, as on Debian and Fedora: it has the user's name and no other
 * members. FALSE where that is unknown. */
static gboolean
is_private_group (gid_t gid)
{
  struct group group, *found = NULL;
  char names[16384];
  if (getgrgid_r (gid, &group, names, sizeof names, &found) != 0 || !found ||
      strcmp (group.gr_name, g_get_user_name ()) != 0)
    return FALSE;
  for (char **member = group.gr_mem; *member; member++)
    if (strcmp (*member, group.gr_name) != 0)
      return FALSE;
  return TRUE;
}

/* A shared cache is useful, so it is not refused: but every user who may write to it may change the
 * results of a run. */
static char *
find_warning (SegueStore *store)
{
  struct stat st;
  g_autofree char *shown = g_filename_display_name (store->folder);
  g_autofree char *quoted = g_shell_quote (shown);
  if (fstat (store->fd, &st) != 0)
    return NULL;
  if (st.st_mode & S_IWOTH)
    return g_strdup_printf ("all users of this system can change the cache ‘%s’ and so the results "
                            "of runs; to prevent that: chmod o-w %s",
                            shown, quoted);
  if ((st.st_mode & S_IWGRP) && !is_private_group (st.st_gid))
    return g_strdup_printf ("the members of a group can change the cache ‘%s’ and so the results "
                            "of runs; to prevent that: chmod g-w %s",
                            shown, quoted);
  if (st.st_uid != geteuid () && st.st_uid != 0)
    return g_strdup_printf ("the cache ‘%s’ belongs to another user, who can change the results of "
                            "runs; set SEGUE_CACHE to one of your own folders",
                            shown);
  return NULL;
}

static gboolean
open_folder (SegueStore *store, GError **error)
{
  store->records = g_build_filename (store->folder, RECORDS, NULL);
  store->contents = g_build_filename (store->folder, FILES, NULL);
  /* The music that users have is private. */
  if (g_mkdir_with_parents (store->folder, 0700) != 0)
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_CANNOT_CREATE,
                                       "can't make the folder", store->folder);
  store->fd = open (store->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (store->fd < 0)
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_CANNOT_CREATE, "can't use",
                                       store->folder);
  if (!refuse_links (store, error))
    return FALSE;
  store->warning = find_warning (store);
  store->users = segue_users_join (store->folder, error);
  if (store->users && !store->warning && segue_users_is_shut (store->users))
    store->warning =
      g_strdup ("another process holds the lock ‘users/gate’ of the cache: until it releases the "
                "lock, nothing is read from the cache, and nothing is removed");
  g_autofree char *tag = g_build_filename (store->folder, "CACHEDIR.TAG", NULL);
  return store->users && segue_file_make_folder (store->records, error) &&
         segue_file_make_folder (store->contents, error) &&
         (g_file_test (tag, G_FILE_TEST_EXISTS) || segue_file_write (tag, CACHEDIR_TAG, -1, error));
}

/* An invalid limit is reported before the work, not after it. */
static gboolean
check_limit (SegueStore *store, GError **error)
{
  guint64 limit;
  return segue_cache_limit (store->folder, 0, &limit, NULL, error);
}

SegueStore *
segue_store_open (const char *folder, GError **error)
{
  g_autoptr (SegueStore) store = g_new0 (SegueStore, 1);
  g_mutex_init (&store->lock);
  g_mutex_init (&store->room);
  store->fd = -1;
  store->verified = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  store->used = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  store->folder = segue_store_find_folder (folder);
  return open_folder (store, error) && check_limit (store, error) ? g_steal_pointer (&store) : NULL;
}

void
segue_store_free (SegueStore *store)
{
  if (!store)
    return;
  segue_users_quit (store->users);
  if (store->fd >= 0)
    close (store->fd);
  g_hash_table_unref (store->verified);
  g_hash_table_unref (store->used);
  g_mutex_clear (&store->lock);
  g_mutex_clear (&store->room);
  g_free (store->folder);
  g_free (store->records);
  g_free (store->contents);
  g_free (store->warning);
  g_free (store);
}

const char *
segue_store_get_warning (SegueStore *store)
{
  return store->warning;
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
  return segue_shard_path (store->records, key);
}

static gboolean
is_noted (SegueStore *store, GHashTable *set, const char *name)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->lock);
  return g_hash_table_contains (set, name);
}

static void
note (SegueStore *store, GHashTable *set, const char *name)
{
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->lock);
  g_hash_table_add (set, g_strdup (name));
}

/* Whether it exists; a read-only cache keeps its old stamp. */
static gboolean
stamp (SegueStore *store, const char *path, GError **error)
{
  const char *name;
  struct stat st;
  int parent = segue_beneath_open_parent (store->fd, path, &name);
  if (parent < 0) {
    int err = errno;
    g_autofree char *full = g_build_filename (store->folder, path, NULL);
    if (err == EMFILE || err == ENFILE || err == ENOMEM)
      segue_set_error_from_errno (error, err, SEGUE_ERROR_NO_INPUT, "can't open", full);
    return FALSE;
  }
  gboolean there = utimensat (parent, name, NULL, AT_SYMLINK_NOFOLLOW) == 0 ||
                   (errno != ENOENT && fstatat (parent, name, &st, AT_SYMLINK_NOFOLLOW) == 0);
  close (parent);
  return there;
}

gboolean
segue_store_use (SegueStore *store, const char *path, GError **error)
{
  if (is_noted (store, store->used, path))
    return TRUE;
  if (!segue_users_enter (store->users))
    return FALSE;
  gboolean there = stamp (store, path, error);
  segue_users_leave (store->users);
  if (there)
    note (store, store->used, path);
  return there;
}

void
segue_store_use_written (SegueStore *store, const char *path)
{
  if (!segue_store_use (store, path, NULL))
    note (store, store->used, path);
}

SegueRecord *
segue_store_read (SegueStore *store, const char *key, gboolean verify, char **problem,
                  GError **error)
{
  g_autoptr (GError) local = NULL;
  g_autofree char *name = segue_shard_path (RECORDS, key);
  *problem = NULL;
  if (!segue_store_use (store, name, error))
    return NULL;
  g_autofree char *path = segue_store_get_path (store, key);
  verify = verify && !is_noted (store, store->verified, key);
  SegueRecord *record = segue_record_read (path, key, verify, NULL, &local);
  if (record) {
    if (verify)
      note (store, store->verified, key);
    return record;
  }
  if (g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_RESOURCE))
    g_propagate_error (error, g_steal_pointer (&local));
  else if (!g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT))
    *problem = g_strdup_printf ("%s (%s)", local->message, path);
  return NULL;
}

void
segue_store_forget (SegueStore *store, const char *key)
{
  g_autofree char *name = segue_shard_path (RECORDS, key);
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->lock);
  g_hash_table_remove (store->verified, key);
  g_hash_table_remove (store->used, name);
}

static gboolean
has_room (SegueStore *store, guint64 bytes, SegueDisk *disk)
{
  return !segue_disk_look (store->folder, disk) || disk->free >= bytes;
}

gboolean
segue_store_has_room (SegueStore *store, guint64 bytes)
{
  SegueDisk disk;
  return has_room (store, bytes, &disk);
}

gboolean
segue_store_make_room (SegueStore *store, guint64 bytes, const char *what, GError **error)
{
  SegueDisk disk;
  if (has_room (store, bytes, &disk))
    return TRUE;
  /* One at a time: the next may find that there is enough space. */
  g_autoptr (GMutexLocker) locker = g_mutex_locker_new (&store->room);
  if (has_room (store, bytes, &disk))
    return TRUE;
  SegueCacheGcOptions options = SEGUE_INIT (SegueCacheGcOptions, .room = bytes - disk.free);
  if (!segue_users_hold_gate (store->users))
    segue_cache_gc (store->folder, &options, NULL, NULL, NULL);
  if (has_room (store, bytes, &disk))
    return TRUE;
  g_autofree char *shown = g_filename_display_name (store->folder);
  g_autofree char *needed = g_format_size (bytes);
  g_autofree char *left = g_format_size (disk.free);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_IO,
               "the disk of the cache ‘%s’ is full: %s are needed for %s, %s are free; free some "
               "space (segue cache gc --all removes everything that no run is using), or set "
               "SEGUE_CACHE to a folder on a larger disk, and run again; finished work is kept",
               shown, needed, what, left);
  return FALSE;
}

gboolean
segue_store_write (SegueStore *store, const SegueRecordContent *content, GError **error)
{
  guint64 bytes;
  g_autofree char *path = segue_store_get_path (store, content->key);
  g_autofree char *name = segue_shard_path (RECORDS, content->key);
  g_autoptr (GArray) stretches = segue_stretches_find (content->items, content->n_items, &bytes);
  if (!segue_shard_make (path, error) || !segue_store_make_room (store, bytes, "a song", error))
    return FALSE;
  /* Its stamp is now, as is that of a record that it replaces: neither is removed. */
  if (!segue_record_write (path, content, error))
    return FALSE;
  note (store, store->used, name);
  note (store, store->verified, content->key);
  segue_store_note_written (store);
  return TRUE;
}

void
segue_store_note_written (SegueStore *store)
{
  g_atomic_int_inc (&store->n_written);
}

gboolean
segue_store_tidy (SegueStore *store, SegueCacheFreed *freed, GError **error)
{
  *freed = (SegueCacheFreed) SEGUE_INIT (SegueCacheFreed);
  /* A run that only read has not made it larger. Entries that this run used are kept, as the store is
   * still open: else a run that ended because the disk is full would start from the beginning. */
  if (g_atomic_int_get (&store->n_written) == 0 || segue_users_hold_gate (store->users))
    return TRUE;
  return segue_cache_gc (store->folder, NULL, freed, NULL, error);
}
