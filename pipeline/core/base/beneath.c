/* Paths beneath a folder: one openat () per part, none of them through a link. */
#include "base/beneath.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <segue/error.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
segue_beneath_open_parent (int folder, const char *path, const char **name)
{
  int at = folder;
  const char *slash;
  while ((slash = strchr (path, '/'))) {
    g_autofree char *part = g_strndup (path, (gsize) (slash - path));
    int next = openat (at, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int err = errno;
    if (at != folder)
      close (at);
    errno = err;
    if (next < 0)
      return -1;
    at = next;
    path = slash + 1;
  }
  *name = path;
  /* The caller closes the result. */
  return at == folder ? openat (folder, ".", O_PATH | O_DIRECTORY | O_CLOEXEC) : at;
}

int
segue_beneath_open_file (int folder, const char *path)
{
  const char *name;
  struct stat info;
  int parent = segue_beneath_open_parent (folder, path, &name);
  if (parent < 0)
    return -1;
  int fd = openat (parent, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  int err = fd < 0 ? errno : fstat (fd, &info) != 0 ? errno : S_ISREG (info.st_mode) ? 0 : EINVAL;
  close (parent);
  if (fd >= 0 && err != 0) {
    close (fd);
    fd = -1;
  }
  errno = err;
  return fd;
}

int
segue_beneath_open_folder (int folder, const char *path)
{
  const char *name;
  int parent = segue_beneath_open_parent (folder, path, &name);
  if (parent < 0)
    return -1;
  int fd = openat (parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  int err = errno;
  close (parent);
  errno = err;
  return fd;
}

static gboolean
remove_folder (int parent, const char *name, const char *shown, GError **error)
{
  int fd = openat (parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  DIR *folder = fd >= 0 ? fdopendir (fd) : NULL;
  if (!folder) {
    segue_set_error_from_errno (error, errno, SEGUE_ERROR_IO, "can't remove", shown);
    if (fd >= 0)
      close (fd);
    return FALSE;
  }
  gboolean ok = TRUE;
  struct dirent *entry;
  while (ok && (entry = readdir (folder)))
    if (strcmp (entry->d_name, ".") != 0 && strcmp (entry->d_name, "..") != 0)
      ok = segue_beneath_remove (fd, entry->d_name, shown, error);
  closedir (folder);
  if (ok && unlinkat (parent, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_IO, "can't remove", shown);
  return ok;
}

gboolean
segue_beneath_remove (int parent, const char *name, const char *shown, GError **error)
{
  if (unlinkat (parent, name, 0) == 0 || errno == ENOENT)
    return TRUE;
  if (errno != EISDIR && errno != EPERM)
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_IO, "can't remove", shown);
  /* An empty folder needs no list, which may not be had for lack of memory. */
  if (unlinkat (parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
    return TRUE;
  return remove_folder (parent, name, shown, error);
}
