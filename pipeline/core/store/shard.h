/* Where the cache stores the file of a key: <root>/ab/cdef… (internal). */
#pragma once

#include <glib.h>

/** segue_shard_path: (transfer full): of @key, 64 hexadecimal digits, in @root. */
char *segue_shard_path (const char *root, const char *key);
/** segue_shard_make: creates the folder of @path, of segue_shard_path(). A link in its place is
 * refused: an untrusted cache can't make segue write outside it. */
gboolean segue_shard_make (const char *path, GError **error);
/** segue_shard_key: (transfer full) (nullable): the key of <folder>/<name>, where both have the form
 * that segue_shard_path() returns. */
char *segue_shard_key (const char *folder, const char *name);
