#include "cache-files.h"

#include <fcntl.h>
#include <segue/file.h>
#include <sys/stat.h>

char *
cache_put (const char *folder, const char *name, const char *text)
{
  char *path = g_build_filename (folder, name, NULL);
  g_autofree char *parent = g_path_get_dirname (path);
  g_assert_true (segue_file_make_folder (parent, NULL));
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  return path;
}

void
cache_set_used (const char *path, gint64 seconds_ago)
{
  struct timespec time = { .tv_sec = (time_t) (g_get_real_time () / 1000000 - seconds_ago) };
  const struct timespec times[2] = { time, time };
  g_assert_cmpint (utimensat (AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), ==, 0);
}

SegueCacheFreed
cache_gc (const char *folder, SegueCacheGcOptions options)
{
  SegueCacheFreed freed = SEGUE_INIT (SegueCacheFreed);
  g_autoptr (GError) error = NULL;
  options.struct_size = sizeof options;
  segue_cache_gc (folder, &options, &freed, NULL, &error);
  g_assert_no_error (error);
  return freed;
}
