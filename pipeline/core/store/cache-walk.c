/* Walking a cache: through handles of folders, never a link; nothing is opened that could block. */
#include "store/cache-walk.h"
#include "base/beneath.h"
#include "base/sha256.h"
#include "store/shard.h"
#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <segue/file.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_DEPTH 32 /* of stages' output folders; deeper files are not counted */

struct _SegueCacheWalk {
  GStringChunk *paths;
  GArray *entries;
  int cache;
  GCancellable *cancellable;
};

/* The types of names in a folder of the cache. */
typedef enum { NAME_NONE, NAME_ENTRY, NAME_LEFT } Name;

/* One folder of the cache, or all of its 256 folders of keys. */
typedef struct {
  const char *folder; /* "": the cache itself */
  gboolean sharded, folders;
  SegueCachePart part;
  Name (*name) (const char *shard, const char *name);
} Place;

static Name
name_key (const char *shard, const char *name)
{
  g_autofree char *key = segue_shard_key (shard, name);
  return key ? NAME_ENTRY : segue_file_is_temporary (name) ? NAME_LEFT : NAME_NONE;
}

static Name
name_digest (const char *shard, const char *name)
{
  return segue_sha256_is_valid (name)     ? NAME_ENTRY
         : segue_file_is_temporary (name) ? NAME_LEFT
                                          : NAME_NONE;
}

/* A key, or a key and a number where several runs did the same work. */
static Name
name_work (const char *shard, const char *name)
{
  gsize digits = strspn (name, "0123456789abcdef");
  const char *rest = name + digits;
  if (digits == 64 && (*rest == '\0' || (*rest == '-' && rest[1] != '\0' &&
                                         rest[1 + strspn (rest + 1, "0123456789")] == '\0')))
    return NAME_ENTRY;
  return g_str_has_prefix (name, ".spool-") ? NAME_LEFT : NAME_NONE;
}

/* The text after the name of GStreamer's registry, which has numbers where limits are tight:
 * "gstreamer-registry.bin", "gstreamer-registry-8589934592-15.bin"; NULL: it is another name. */
static const char *
skip_registry (const char *name)
{
  if (!g_str_has_prefix (name, "gstreamer-registry"))
    return NULL;
  name += strlen ("gstreamer-registry");
  name += strspn (name, "-0123456789");
  return g_str_has_prefix (name, ".bin") ? name + strlen (".bin") : NULL;
}

/* GStreamer writes its registry next to the old one, under a separate name. */
static Name
name_top (const char *shard, const char *name)
{
  const char *rest = skip_registry (name);
  if (rest && !*rest)
    return NAME_ENTRY;
  return segue_file_is_temporary (name) || (rest && *rest == '.') ? NAME_LEFT : NAME_NONE;
}

static const Place places[] = {
  { "records", TRUE, FALSE, SEGUE_CACHE_RECORDS, name_key },
  { "results", TRUE, TRUE, SEGUE_CACHE_RESULTS, name_key },
  { "files", TRUE, FALSE, SEGUE_CACHE_STATE, name_key },
  { "units", FALSE, FALSE, SEGUE_CACHE_STATE, name_digest },
  { "work", FALSE, TRUE, SEGUE_CACHE_WORK, name_work },
  { "", FALSE, FALSE, SEGUE_CACHE_OTHER, name_top },
};

static gint64
mtime_of (const struct stat *st)
{
  return (gint64) st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

/* Adds the contents of @name to @entry. */
static void
measure_folder (int parent, const char *name, SegueCacheEntry *entry, guint depth)
{
  int fd = openat (parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *folder = fd >= 0 ? fdopendir (fd) : NULL;
  struct dirent *at;
  struct stat st;
  while (folder && (at = readdir (folder))) {
    if (strcmp (at->d_name, ".") == 0 || strcmp (at->d_name, "..") == 0 ||
        fstatat (fd, at->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
      continue;
    /* A file in several results counts once. */
    entry->bytes +=
      (guint64) st.st_blocks * 512 / (S_ISREG (st.st_mode) ? MAX (st.st_nlink, 1) : 1);
    entry->used = MAX (entry->used, mtime_of (&st));
    if (S_ISDIR (st.st_mode) && depth < MAX_DEPTH)
      measure_folder (fd, at->d_name, entry, depth + 1);
  }
  if (folder)
    closedir (folder);
  else if (fd >= 0)
    close (fd);
}

gboolean
segue_cache_measure (int parent, const char *name, SegueCacheEntry *entry)
{
  struct stat st;
  if (fstatat (parent, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
    return FALSE;
  entry->bytes = (guint64) st.st_blocks * 512;
  entry->inode = st.st_ino;
  entry->used = mtime_of (&st);
  entry->odd = entry->folder ? !S_ISDIR (st.st_mode) : !S_ISREG (st.st_mode);
  if (S_ISDIR (st.st_mode))
    measure_folder (parent, name, entry, 0);
  return TRUE;
}

gboolean
segue_cache_is_locked (int parent, const char *name, int *lock)
{
  int fd = openat (parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  gboolean locked = fd >= 0 && flock (fd, (lock ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0;
  if (fd >= 0 && (locked || !lock)) {
    close (fd);
    fd = -1;
  }
  if (lock)
    *lock = fd;
  return locked;
}

static gboolean
list_folder (SegueCacheWalk *walk, const Place *place, const char *path, const char *shard,
             GError **error)
{
  int fd = *path ? segue_beneath_open_folder (walk->cache, path)
                 : openat (walk->cache, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *folder = fd >= 0 ? fdopendir (fd) : NULL;
  if (!folder) {
    int err = errno;
    if (fd >= 0)
      close (fd);
    /* A folder that is missing or unreadable contains nothing that segue could remove. */
    return (err != EMFILE && err != ENFILE && err != ENOMEM) ||
           segue_set_error_from_errno (error, err, SEGUE_ERROR_IO, "can't list", path);
  }
  struct dirent *at;
  while ((errno = 0, at = readdir (folder))) {
    SegueCacheEntry entry = { .part = place->part, .folder = place->folders };
    Name name = place->name (shard, at->d_name);
    if (name == NAME_NONE)
      continue;
    entry.left = name == NAME_LEFT;
    if (!segue_cache_measure (fd, at->d_name, &entry))
      continue;
    g_autofree char *whole = g_strdup_printf ("%s%s%s", path, *path ? "/" : "", at->d_name);
    entry.path = g_string_chunk_insert (walk->paths, whole);
    g_array_append_val (walk->entries, entry);
  }
  int problem = errno;
  closedir (folder);
  if (problem != 0)
    return segue_set_error_from_errno (error, problem, SEGUE_ERROR_IO, "can't list", path);
  return !g_cancellable_set_error_if_cancelled (walk->cancellable, NULL) ||
         (g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped"), FALSE);
}

SegueCacheWalk *
segue_cache_walk (int cache, GCancellable *cancellable, GError **error)
{
  g_autoptr (SegueCacheWalk) walk = g_new0 (SegueCacheWalk, 1);
  walk->paths = g_string_chunk_new (64 * 1024);
  walk->entries = g_array_new (FALSE, FALSE, sizeof (SegueCacheEntry));
  walk->cache = cache;
  walk->cancellable = cancellable;
  for (gsize i = 0; i < G_N_ELEMENTS (places); i++) {
    const Place *place = &places[i];
    for (guint shard = 0; shard < (place->sharded ? 256 : 1); shard++) {
      g_autofree char *digits = g_strdup_printf ("%02x", shard);
      g_autofree char *path = place->sharded ? g_strdup_printf ("%s/%s", place->folder, digits)
                                             : g_strdup (place->folder);
      if (!list_folder (walk, place, path, digits, error))
        return NULL;
    }
  }
  return g_steal_pointer (&walk);
}

GArray *
segue_cache_walk_get_entries (SegueCacheWalk *walk)
{
  return walk->entries;
}

void
segue_cache_walk_free (SegueCacheWalk *walk)
{
  if (!walk)
    return;
  g_string_chunk_free (walk->paths);
  g_array_unref (walk->entries);
  g_free (walk);
}

int
segue_cache_open (const char *folder, char **path, GError **error)
{
  *path = segue_store_find_folder (folder);
  int fd = open (*path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0 && errno != ENOENT)
    segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't open the cache", *path);
  return fd;
}
