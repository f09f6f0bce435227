/* The contents of a cache (internal): only files and folders with names that segue gives are
 * entries; segue never counts or removes anything else in the folder. */
#pragma once

#include <gio/gio.h>
#include <segue/host/cache.h>

/**
 * SegueCacheEntry: a file, or a folder with its contents.
 * @path: in the cache; owned by the walk
 * @left: a temporary file of a process that may be dead
 * @odd: of a type that does not fit the name: a link, a FIFO, a device, a folder instead of a file
 * @bytes: on the disk
 * @used: ns; of a folder the latest of its contents
 */
typedef struct {
  SegueCachePart part;
  const char *path;
  gboolean folder, left, odd;
  guint64 bytes, inode;
  gint64 used;
} SegueCacheEntry;

typedef struct _SegueCacheWalk SegueCacheWalk;

/** segue_cache_open: a handle of @folder (nullable: see segue_cache_info()); -1 without an error:
 * there is none. @path: (out) (transfer full) */
int segue_cache_open (const char *folder, char **path, GError **error);
/** segue_cache_walk: (transfer full): all entries of the cache at @cache, a handle. */
SegueCacheWalk *segue_cache_walk (int cache, GCancellable *cancellable, GError **error);
void segue_cache_walk_free (SegueCacheWalk *walk);
/** segue_cache_walk_get_entries: #SegueCacheEntry array; owned by the walk. */
GArray *segue_cache_walk_get_entries (SegueCacheWalk *walk);
/** segue_cache_measure: fills in all but part and path of @entry, which is @name in @parent; FALSE:
 * it does not exist. */
gboolean segue_cache_measure (int parent, const char *name, SegueCacheEntry *entry);
/** segue_cache_is_locked: whether a run is using the work folder @name of @parent.
 * @lock: (out) (optional): a handle that keeps runs out of it until closed, -1 where one uses it */
gboolean segue_cache_is_locked (int parent, const char *name, int *lock);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueCacheWalk, segue_cache_walk_free)
