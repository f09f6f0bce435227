/* How large a cache may grow (internal). */
#pragma once

#include <glib.h>

/** SegueDisk: bytes of a file system; @free: for people who are not root. */
typedef struct {
  guint64 size, free;
} SegueDisk;

/** segue_disk_look: FALSE: it doesn't say. */
gboolean segue_disk_look (const char *folder, SegueDisk *disk);
/**
 * segue_cache_limit: bytes that the cache in @folder, which has @bytes now, may grow to:
 * $SEGUE_CACHE_SIZE, else a fifth of the file system, but no more than half of what would be free
 * without the cache.
 * @set: (out) (optional): by the variable
 */
gboolean segue_cache_limit (const char *folder, guint64 bytes, guint64 *limit, gboolean *set,
                            GError **error);
