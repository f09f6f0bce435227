/* What is at a path. */
#include "base/file-type.h"

#include <errno.h>
#include <segue/error.h>

static gboolean
find_type (int failed, const struct stat *info, const char *path, mode_t *type, GError **error)
{
  gboolean missing = failed && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP);
  *type = failed ? 0 : info->st_mode & S_IFMT;
  return !failed || missing ||
         segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't examine", path);
}

gboolean
segue_file_type (const char *path, mode_t *type, GError **error)
{
  struct stat info;
  return find_type (stat (path, &info), &info, path, type, error);
}

gboolean
segue_file_type_of_link (const char *path, mode_t *type, GError **error)
{
  struct stat info;
  return find_type (lstat (path, &info), &info, path, type, error);
}
