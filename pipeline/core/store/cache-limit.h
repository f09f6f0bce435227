/* How large a cache may grow (internal). */
#pragma once

#include <glib.h>

/** SegueDisk: bytes of a file system; @free: available to unprivileged users. */
typedef struct {
  guint64 size, free;
} SegueDisk;

/** segue_disk_look: FALSE: the sizes are unknown. */
gboolean segue_disk_look (const char *folder, SegueDisk *disk);
/**
 * segue_cache_limit: maximum size in bytes of the cache in @folder, which has @bytes now:
 * $SEGUE_CACHE_SIZE, else a fifth of the file system, but no more than half of what would be free
 * without the cache.
 * @set: (out) (optional): whether the variable sets it
 */
gboolean segue_cache_limit (const char *folder, guint64 bytes, guint64 *limit, gboolean *set,
                            GError **error);
