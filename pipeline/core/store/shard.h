/* Where in the cache the file of a key lies: <root>/ab/cdef… (internal). */
#pragma once

#include <glib.h>

/** segue_shard_path: (transfer full): of @key, 64 hexadecimal digits, in @root. */
char *segue_shard_path (const char *root, const char *key);
/** segue_shard_make: the folder that @path, of segue_shard_path(), lies in.  A link in its place is
 * refused: a cache from somebody else can't make us write outside of it. */
gboolean segue_shard_make (const char *path, GError **error);
/** segue_shard_key: (transfer full) (nullable): the key that <folder>/<name> stands for, where both
 * are what segue_shard_path() makes. */
char *segue_shard_key (const char *folder, const char *name);
