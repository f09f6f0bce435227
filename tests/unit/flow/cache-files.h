/* Files in a cache's folder, as tests of its removal and damage need them. */
#pragma once

#include <segue/host/cache.h>

/** cache_put: (transfer full): the path of the new file @name with @text below @folder. */
char *cache_put (const char *folder, const char *name, const char *text);
/** cache_set_used: as if @path had last been used @seconds_ago, by the test's clock. */
void cache_set_used (const char *path, gint64 seconds_ago);
/** cache_gc: segue_cache_gc (), which must succeed. */
SegueCacheFreed cache_gc (const char *folder, SegueCacheGcOptions options);
