/* Copies of folders: every name is opened below a folder that is kept open, links are not followed,
 * and the copied data is checked against its hash. */
#include "base/beneath.h"
#include "base/sha256.h"
#include "store/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <segue/error.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK (64 * 1024)

typedef struct {
  int from, to; /* open folders */
  const char *from_path, *to_path;
  GHashTable *twins;
  GCancellable *cancellable;
  guint8 buffer[CHUNK];
} Copy;

static gboolean
damaged (const Copy *copy, const SegueTreeFile *file, const char *what, GError **error)
{
  g_autofree char *path = g_build_filename (copy->from_path, file->name, NULL);
  g_autofree char *shown = g_filename_display_name (path);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’ %s", shown, what);
  return FALSE;
}

static gboolean
cant_write (const Copy *copy, const SegueTreeFile *file, GError **error)
{
  int err = errno;
  g_autofree char *path = g_build_filename (copy->to_path, file->name, NULL);
  return segue_set_error_from_errno (error, err, SEGUE_ERROR_CANNOT_CREATE, "can't write", path);
}

/* Opens @name below @root; -1 with errno. */
static int
open_below (int root, const char *name, int flags)
{
  const char *base;
  int parent = segue_beneath_open_parent (root, name, &base);
  if (parent < 0)
    return -1;
  int fd = openat (parent, base, flags | O_NOFOLLOW | O_CLOEXEC, 0666);
  int err = errno;
  close (parent);
  errno = err;
  return fd;
}

/* Creates the parent folders of @name below @root. */
static gboolean
make_folders (int root, const char *name)
{
  for (const char *slash = strchr (name, '/'); slash; slash = strchr (slash + 1, '/')) {
    const char *base;
    g_autofree char *folder = g_strndup (name, (gsize) (slash - name));
    int parent = segue_beneath_open_parent (root, folder, &base);
    if (parent < 0)
      return FALSE;
    gboolean ok = mkdirat (parent, base, 0777) == 0 || errno == EEXIST;
    int err = errno;
    close (parent);
    errno = err;
    if (!ok)
      return FALSE;
  }
  return TRUE;
}

static gssize
read_some (int fd, guint8 *buffer, gsize length)
{
  gssize n;
  do {
    n = read (fd, buffer, length);
  } while (n < 0 && errno == EINTR);
  return n;
}

static gboolean
write_all (int fd, const guint8 *data, gsize length)
{
  while (length > 0) {
    gssize n = write (fd, data, length);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return FALSE;
    data += n;
    length -= (gsize) n;
  }
  return TRUE;
}

static gboolean
check_cancelled (const Copy *copy, GError **error)
{
  if (!copy->cancellable || !g_cancellable_is_cancelled (copy->cancellable))
    return TRUE;
  g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "stopped");
  return FALSE;
}

/* Copies @in to @out, or where @out is already a clone of it, only hashes it. */
static gboolean
transfer (Copy *copy, const SegueTreeFile *file, int in, int out, GError **error)
{
  struct sha256_ctx sha;
  sha256_init (&sha);
  gboolean cloned = ioctl (out, FICLONE, in) == 0;
  for (guint64 left = file->size; left > 0;) {
    if (!check_cancelled (copy, error))
      return FALSE;
    gssize n = read_some (cloned ? out : in, copy->buffer, (gsize) MIN (left, CHUNK));
    if (n <= 0)
      return damaged (copy, file, n < 0 ? "can't be read" : "is truncated", error);
    if (!cloned && !write_all (out, copy->buffer, (gsize) n))
      return cant_write (copy, file, error);
    sha256_update (&sha, (gsize) n, copy->buffer);
    left -= (guint64) n;
  }
  g_autofree char *key = segue_sha256_finish (&sha);
  if (strcmp (key, file->key) != 0)
    return damaged (copy, file, "has changed", error);
  return fsync (out) == 0 || cant_write (copy, file, error);
}

static gboolean
link_twin (const Copy *copy, const SegueTreeFile *file)
{
  struct stat st;
  const char *base, *twin = copy->twins ? g_hash_table_lookup (copy->twins, file->key) : NULL;
  if (!twin || lstat (twin, &st) != 0 || !S_ISREG (st.st_mode) ||
      (guint64) st.st_size != file->size || !make_folders (copy->to, file->name))
    return FALSE;
  int parent = segue_beneath_open_parent (copy->to, file->name, &base);
  gboolean ok = parent >= 0 && linkat (AT_FDCWD, twin, parent, base, 0) == 0;
  if (parent >= 0)
    close (parent);
  return ok;
}

static gboolean
copy_file (Copy *copy, const SegueTreeFile *file, GError **error)
{
  struct stat st;
  if (link_twin (copy, file))
    return TRUE;
  int in = open_below (copy->from, file->name, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (in < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_IO, "can't open", file->name);
  if (in < 0)
    return damaged (copy, file, "can't be opened", error);
  gboolean ok = fstat (in, &st) == 0 && S_ISREG (st.st_mode) && (guint64) st.st_size == file->size;
  if (!ok) {
    close (in);
    return damaged (copy, file, "has changed", error);
  }
  int out = make_folders (copy->to, file->name)
              ? open_below (copy->to, file->name, O_RDWR | O_CREAT | O_EXCL)
              : -1;
  if (out < 0)
    ok = cant_write (copy, file, error);
  ok = ok && transfer (copy, file, in, out, error);
  close (in);
  if (out >= 0)
    close (out);
  return ok;
}

/* Makes the names durable. Some file systems can't, and then need not. */
static void
sync_folders (const Copy *copy, GPtrArray *files)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < files->len; i++) {
    const SegueTreeFile *file = g_ptr_array_index (files, i);
    g_autofree char *folder = g_path_get_dirname (file->name);
    while (!g_str_equal (folder, ".") && g_hash_table_add (seen, g_strdup (folder))) {
      int fd = segue_beneath_open_folder (copy->to, folder);
      if (fd >= 0) {
        (void) fsync (fd);
        close (fd);
      }
      char *above = g_path_get_dirname (folder);
      g_free (folder);
      folder = above;
    }
  }
  (void) fsync (copy->to);
}

static gboolean
copy_all (Copy *copy, GPtrArray *files, GError **error)
{
  for (guint i = 0; i < files->len; i++)
    if (!copy_file (copy, g_ptr_array_index (files, i), error))
      return FALSE;
  sync_folders (copy, files);
  return TRUE;
}

gboolean
segue_tree_copy (const char *from, GPtrArray *files, const char *to, GHashTable *twins,
                 GCancellable *cancellable, GError **error)
{
  g_return_val_if_fail (segue_tree_is_sound (files), FALSE);
  Copy copy = { .from = open (from, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
                .to = open (to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC),
                .from_path = from,
                .to_path = to,
                .twins = twins,
                .cancellable = cancellable };
  gboolean ok = TRUE;
  if (copy.to < 0) {
    ok = segue_set_error_from_errno (error, errno, SEGUE_ERROR_CANNOT_CREATE, "can't open", to);
  } else if (copy.from < 0) {
    g_autofree char *shown = g_filename_display_name (from);
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’ can't be opened", shown);
    ok = FALSE;
  }
  ok = ok && copy_all (&copy, files, error);
  if (copy.from >= 0)
    close (copy.from);
  if (copy.to >= 0)
    close (copy.to);
  return ok;
}
