/* Sizes of caches: as text, and from the disk. */
#include "store/cache-limit.h"

#include <segue/host/cache.h>
#include <string.h>
#include <sys/statvfs.h>

#define DISK_SHARE 5 /* of the file system: one part */
#define FREE_SHARE 2 /* of what would be free without the cache: one part */

gboolean
segue_cache_parse_size (const char *text, guint64 *bytes, GError **error)
{
  static const char suffixes[] = "KMGT";
  guint64 value = 0, factor = 1;
  const char *at = text;
  gboolean ok = g_ascii_isdigit (*at);
  for (; ok && g_ascii_isdigit (*at); at++)
    ok = g_uint64_checked_mul (&value, value, 10) &&
         g_uint64_checked_add (&value, value, (guint64) (*at - '0'));
  if (ok && *at) {
    const char *suffix = strchr (suffixes, *at);
    for (const char *s = suffixes; suffix && s <= suffix; s++)
      factor *= 1000;
    ok = suffix && at[1] == '\0';
  }
  if (ok && g_uint64_checked_mul (bytes, value, factor))
    return TRUE;
  g_autofree char *shown = g_utf8_make_valid (text, -1);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE,
               "‘%s’ is not a size; write a whole number with K, M, G or T, such as 50G", shown);
  return FALSE;
}

gboolean
segue_disk_look (const char *folder, SegueDisk *disk)
{
  struct statvfs fs;
  if (statvfs (folder, &fs) != 0 || fs.f_blocks == 0)
    return FALSE;
  disk->size = (guint64) fs.f_blocks * fs.f_frsize;
  disk->free = (guint64) fs.f_bavail * fs.f_frsize;
  return TRUE;
}

gboolean
segue_cache_limit (const char *folder, guint64 bytes, guint64 *limit, gboolean *set, GError **error)
{
  const char *variable = g_getenv ("SEGUE_CACHE_SIZE");
  gboolean given = variable && *variable;
  SegueDisk disk;
  if (set)
    *set = given;
  if (given) {
    if (segue_cache_parse_size (variable, limit, error))
      return TRUE;
    g_prefix_error (error, "$SEGUE_CACHE_SIZE: ");
    return FALSE;
  }
  *limit = G_MAXUINT64;
  if (segue_disk_look (folder, &disk))
    *limit = MIN (disk.size / DISK_SHARE, (disk.free + bytes) / FREE_SHARE);
  return TRUE;
}
