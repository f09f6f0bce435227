/* Files that are either complete or absent.
 *
 * Where the file system can, a file that is being written has no name, so that a kill leaves nothing
 * behind; elsewhere it is a temporary file in the target's folder. */
#include "base/beneath.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <segue/error.h>
#include <segue/file.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct _SegueFileWriter {
  char *path;
  char *temporary; /* nullable: it has no name, or already has its final one */
  int fd;
};

/* Adds advice about a full disk to the system's message. */
static gboolean
set_write_error (GError **error, int err, const char *path)
{
  if (err != ENOSPC && err != EDQUOT)
    return segue_set_error_from_errno (error, err, SEGUE_ERROR_CANNOT_CREATE, "can't write", path);
  g_autofree char *shown = g_filename_display_name (path);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_IO,
               "can't write ‘%s’: %s; free some space and run again; finished work is kept", shown,
               err == EDQUOT ? "the disk quota is exceeded" : "the disk is full");
  return FALSE;
}

/* -1 where that is not possible. A file without a name is named through /proc. */
static int
open_nameless (const char *folder)
{
  return access ("/proc/self/fd", X_OK) == 0 ? open (folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0666)
                                             : -1;
}

SegueFileWriter *
segue_file_writer_new (const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *temporary = NULL;
  int fd = open_nameless (folder);
  if (fd < 0) {
    temporary = g_build_filename (folder, SEGUE_FILE_TEMPORARY "XXXXXX", NULL);
    fd = g_mkstemp_full (temporary, O_RDWR | O_CLOEXEC, 0666);
  }
  if (fd < 0) {
    set_write_error (error, errno, path);
    return NULL;
  }
  SegueFileWriter *writer = g_new0 (SegueFileWriter, 1);
  writer->path = g_strdup (path);
  writer->temporary = g_steal_pointer (&temporary);
  writer->fd = fd;
  return writer;
}

gboolean
segue_file_writer_write (SegueFileWriter *writer, const void *data, gsize length, GError **error)
{
  const guint8 *at = data;
  while (length > 0) {
    gssize n = write (writer->fd, at, MIN (length, (gsize) 1 << 30));
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return set_write_error (error, errno, writer->path);
    at += n;
    length -= (gsize) n;
  }
  return TRUE;
}

#define COPY_CHUNK (256 * 1024)

gboolean
segue_file_writer_copy (SegueFileWriter *writer, int fd, GError **error)
{
  gssize n;
  do
    n = copy_file_range (fd, NULL, writer->fd, NULL, (gsize) 1 << 30, 0);
  while (n > 0 || (n < 0 && errno == EINTR));
  if (n < 0 && (errno == ENOSPC || errno == EDQUOT))
    return set_write_error (error, errno, writer->path);
  /* Not every pair of files can share data, nor every kernel copy it: from where it ended. */
  g_autofree guint8 *buffer = n < 0 ? g_malloc (COPY_CHUNK) : NULL;
  while (n != 0) {
    n = read (fd, buffer, COPY_CHUNK);
    if (n < 0 && errno != EINTR)
      return segue_set_error_from_errno (error, errno, SEGUE_ERROR_IO, "can't copy to",
                                         writer->path);
    if (n > 0 && !segue_file_writer_write (writer, buffer, (gsize) n, error))
      return FALSE;
  }
  return TRUE;
}

/* Makes a rename in @path's folder durable. Some file systems can't, and then need not. */
static void
sync_folder (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);
  int fd = open (folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0)
    return;
  (void) fsync (fd);
  close (fd);
}

/* (transfer full): a name in @path's folder that is most likely unused. */
static char *
draw_temporary (const char *path)
{
  g_autofree char *folder = g_path_get_dirname (path);
  return g_strdup_printf ("%s/" SEGUE_FILE_TEMPORARY "%08x", folder, g_random_int ());
}

/* Names a file without a name: directly only where the path is free: link() does not replace. */
static gboolean
name_file (SegueFileWriter *writer, gboolean *in_place)
{
  g_autofree char *source = g_strdup_printf ("/proc/self/fd/%d", writer->fd);
  *in_place = linkat (AT_FDCWD, source, AT_FDCWD, writer->path, AT_SYMLINK_FOLLOW) == 0;
  while (!*in_place && errno == EEXIST) {
    g_autofree char *temporary = draw_temporary (writer->path);
    if (linkat (AT_FDCWD, source, AT_FDCWD, temporary, AT_SYMLINK_FOLLOW) == 0) {
      writer->temporary = g_steal_pointer (&temporary);
      return TRUE;
    }
  }
  return *in_place;
}

gboolean
segue_file_writer_commit (SegueFileWriter *writer, GError **error)
{
  gboolean in_place = FALSE;
  if (fsync (writer->fd) != 0 || (!writer->temporary && !name_file (writer, &in_place)) ||
      (!in_place && rename (writer->temporary, writer->path) != 0))
    return set_write_error (error, errno, writer->path);
  g_clear_pointer (&writer->temporary, g_free);
  sync_folder (writer->path);
  return TRUE;
}

void
segue_file_writer_free (SegueFileWriter *writer)
{
  if (!writer)
    return;
  if (writer->temporary)
    (void) g_unlink (writer->temporary);
  close (writer->fd);
  g_free (writer->temporary);
  g_free (writer->path);
  g_free (writer);
}

gboolean
segue_file_write (const char *path, const void *data, gssize length, GError **error)
{
  g_autoptr (SegueFileWriter) writer = segue_file_writer_new (path, error);
  gsize size = length < 0 ? strlen (data) : (gsize) length;
  return writer && segue_file_writer_write (writer, data, size, error) &&
         segue_file_writer_commit (writer, error);
}

static char *
read_open (int fd, const char *path, gsize max, gsize *length, GError **error)
{
  struct stat st;
  g_autofree char *shown = g_filename_display_name (path);
  if (fstat (fd, &st) != 0 || !S_ISREG (st.st_mode) || (guint64) st.st_size > max) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "‘%s’ is not a file of at most %" G_GSIZE_FORMAT " bytes", shown, max);
    return NULL;
  }
  /* It may grow while it is read. */
  g_autofree char *text = g_try_malloc ((gsize) st.st_size + 1);
  gsize size = (gsize) st.st_size;
  if (!text) {
    segue_set_error_from_errno (error, ENOMEM, SEGUE_ERROR_IO, "can't read", path);
    return NULL;
  }
  for (*length = 0; *length < size;) {
    gssize n = read (fd, text + *length, size - *length);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0) {
      segue_set_error_from_errno (error, errno, SEGUE_ERROR_IO, "can't read", path);
      return NULL;
    }
    if (n == 0)
      break;
    *length += (gsize) n;
  }
  text[*length] = '\0';
  return g_steal_pointer (&text);
}

char *
segue_file_read (const char *path, gsize max, gsize *length, GError **error)
{
  gsize n;
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't open", path);
    return NULL;
  }
  char *text = read_open (fd, path, max, length ? length : &n, error);
  close (fd);
  return text;
}

gboolean
segue_file_make_folder (const char *path, GError **error)
{
  if (g_mkdir_with_parents (path, 0777) != 0)
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_CANNOT_CREATE,
                                       "can't make the folder", path);
  return TRUE;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* GDir reports a read error in the middle of a folder as its end. */
GStrv
segue_file_list_folder (const char *path, GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  DIR *folder = opendir (path);
  struct dirent *entry;
  while (folder && (errno = 0, entry = readdir (folder)))
    if (strcmp (entry->d_name, ".") != 0 && strcmp (entry->d_name, "..") != 0)
      g_ptr_array_add (names, g_strdup (entry->d_name));
  int problem = errno;
  if (folder)
    closedir (folder);
  if (problem != 0) {
    segue_set_error_from_errno (error, problem, SEGUE_ERROR_NO_INPUT, "can't read the folder",
                                path);
    return NULL;
  }
  g_ptr_array_sort (names, compare_names);
  g_ptr_array_add (names, NULL);
  return (GStrv) g_ptr_array_steal (names, NULL);
}

gboolean
segue_file_remove_folder (const char *path, GError **error)
{
  return segue_beneath_remove (AT_FDCWD, path, path, error);
}

gboolean
segue_file_is_temporary (const char *name)
{
  return g_str_has_prefix (name, SEGUE_FILE_TEMPORARY);
}

void
segue_file_remove_temporaries (const char *folder)
{
  g_autoptr (GDir) entries = g_dir_open (folder, 0, NULL);
  const char *name;
  while (entries && (name = g_dir_read_name (entries))) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    if (segue_file_is_temporary (name))
      (void) g_unlink (path);
  }
}

gboolean
segue_file_link (const char *path, const char *target, GError **error)
{
  if (symlink (target, path) == 0)
    return TRUE;
  /* symlink() does not replace: make a new one in the same folder and rename. */
  int err = errno;
  while (err == EEXIST) {
    g_autofree char *temporary = draw_temporary (path);
    if (symlink (target, temporary) == 0) {
      if (rename (temporary, path) == 0)
        return TRUE;
      err = errno;
      (void) g_unlink (temporary);
      break;
    }
    err = errno;
  }
  return set_write_error (error, err, path);
}
