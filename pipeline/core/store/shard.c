/* 256 folders, so that none of them becomes too large for a file system. */
#include "store/shard.h"
#include "base/sha256.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <segue/error.h>
#include <segue/file.h>
#include <string.h>
#include <sys/stat.h>

#define FOLDER 2 /* digits */

char *
segue_shard_path (const char *root, const char *key)
{
  return g_strdup_printf ("%s/%.*s/%s", root, FOLDER, key, key + FOLDER);
}

gboolean
segue_shard_make (const char *path, GError **error)
{
  struct stat st;
  g_autofree char *folder = g_path_get_dirname (path);
  if (g_mkdir (folder, 0777) == 0 ||
      (errno == EEXIST && lstat (folder, &st) == 0 && S_ISDIR (st.st_mode)))
    return TRUE;
  if (errno == ENOENT)
    return segue_file_make_folder (folder, error);
  if (errno != EEXIST)
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_CANNOT_CREATE,
                                       "can't make the folder", folder);
  g_autofree char *shown = g_filename_display_name (folder);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_CANNOT_CREATE,
               "‘%s’ is a file or a link, not a folder; remove it and run again", shown);
  return FALSE;
}

char *
segue_shard_key (const char *folder, const char *name)
{
  if (strlen (folder) != FOLDER)
    return NULL;
  g_autofree char *key = g_strconcat (folder, name, NULL);
  return segue_sha256_is_valid (key) ? g_steal_pointer (&key) : NULL;
}
