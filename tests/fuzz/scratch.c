#include "scratch.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <segue/error.h>
#include <segue/file.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void
write_all (int fd, const guint8 *data, gsize size)
{
  for (gsize at = 0; at < size;) {
    gssize n = write (fd, data + at, size - at);
    g_assert_cmpint (n, >, 0);
    at += (gsize) n;
  }
}

int
fuzz_fd (const void *data, gsize size)
{
  static int fd = -1;
  if (fd < 0)
    fd = memfd_create ("fuzz", MFD_CLOEXEC);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (ftruncate (fd, 0), ==, 0);
  g_assert_cmpint (lseek (fd, 0, SEEK_SET), ==, 0);
  write_all (fd, data, size);
  g_assert_cmpint (lseek (fd, 0, SEEK_SET), ==, 0);
  return fd;
}

const char *
fuzz_path (const void *data, gsize size)
{
  static char path[32];
  g_snprintf (path, sizeof path, "/proc/self/fd/%d", fuzz_fd (data, size));
  return path;
}

static char *folder;

static void
remove_folder (void)
{
  segue_file_remove_folder (folder, NULL);
  g_clear_pointer (&folder, g_free);
}

const char *
fuzz_folder (void)
{
  if (folder)
    return folder;
  const char *root = g_access ("/dev/shm", W_OK) == 0 ? "/dev/shm" : g_get_tmp_dir ();
  folder = g_build_filename (root, "segue-fuzz-XXXXXX", NULL);
  g_assert_nonnull (g_mkdtemp (folder));
  atexit (remove_folder);
  return folder;
}

void
fuzz_put (const char *name, const void *data, gsize size)
{
  char path[256];
  g_snprintf (path, sizeof path, "%s/%s", fuzz_folder (), name);
  if (!data) {
    (void) unlink (path);
    return;
  }
  int fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) {
    g_autofree char *parent = g_path_get_dirname (path);
    g_assert_cmpint (g_mkdir_with_parents (parent, 0700), ==, 0);
    fd = open (path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  }
  g_assert_cmpint (fd, >=, 0);
  write_all (fd, data, size);
  close (fd);
}

void
fuzz_split (const guint8 *data, gsize size, FuzzText *texts, guint n)
{
  for (guint i = 0; i < n; i++) {
    const guint8 *end = i + 1 < n && size > 0 ? memchr (data, 0, size) : NULL;
    texts[i] = (FuzzText){ data, end ? (gsize) (end - data) : size };
    gsize used = texts[i].size + (end != NULL);
    data += used;
    size -= used;
  }
}

void
fuzz_check_error (const GError *error)
{
  g_assert_nonnull (error);
  g_assert_true (error->domain == SEGUE_ERROR);
  g_assert_true (*error->message != '\0');
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
}
