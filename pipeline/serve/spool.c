#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <unistd.h>

int
spool_open (void)
{
  int fd = open (g_get_tmp_dir (), O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);
  if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
    return fd;
  /* A file system without unnamed files: removes the name at once. */
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "segue-song-XXXXXX", NULL);
  fd = g_mkstemp_full (path, O_RDWR | O_CLOEXEC, 0600);
  if (fd >= 0)
    g_unlink (path);
  return fd;
}

ProblemKind
spool_append (int fd, const void *data, gsize length)
{
  const char *at = data;
  while (length > 0) {
    gssize n = write (fd, at, length);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) {
      g_warning ("can't store a song in %s: %s", g_get_tmp_dir (), g_strerror (errno));
      return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? PROBLEM_NO_ROOM
                                                                  : PROBLEM_FAILED;
    }
    at += n;
    length -= (gsize) n;
  }
  return PROBLEM_NONE;
}
