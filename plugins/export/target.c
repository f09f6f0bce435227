#include "target.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <segue/error.h>
#include <segue/file.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define LIST ".segue-export"
/* A million files take a tenth of it. */
#define MAX_LIST ((gsize) 1 << 30)

struct _Target {
  char *path;
  GHashTable *files; /* of this export */
  GPtrArray *stale;  /* of earlier ones only */
};

/* Lines of the list come from disk: nothing in it may lead out of the folder. */
static gboolean
is_below (const char *file)
{
  g_auto (GStrv) parts = g_strsplit (file, "/", -1);

  for (guint i = 0; parts[i]; i++)
    if (*parts[i] == '\0' || g_str_equal (parts[i], ".") || g_str_equal (parts[i], ".."))
      return FALSE;
  return parts[0] != NULL;
}

/* Whether all folders that @file stands in are folders, or not there yet.  A link is neither: it
 * may lead to anywhere. */
static gboolean
is_reached_by_folders (Target *self, const char *file)
{
  for (const char *slash = strchr (file, '/'); slash; slash = strchr (slash + 1, '/')) {
    g_autofree char *below = g_strndup (file, (gsize) (slash - file));
    g_autofree char *path = g_build_filename (self->path, below, NULL);
    struct stat info;

    if (lstat (path, &info) != 0)
      return errno == ENOENT;
    if (!S_ISDIR (info.st_mode))
      return FALSE;
  }
  return TRUE;
}

/* An export that was killed at once may have left its list, unfinished. */
static gboolean
check_empty (const char *path, GError **error)
{
  g_auto (GStrv) names = segue_file_list_folder (path, error);
  gboolean is_empty = names != NULL;

  for (guint i = 0; is_empty && names[i]; i++)
    is_empty = segue_file_is_temporary (names[i]);
  if (names && !is_empty) {
    g_autofree char *shown = g_filename_display_name (path);

    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_CANNOT_CREATE,
                 "‘%s’ holds files that export did not write: name an empty folder", shown);
  }
  return is_empty;
}

/* What is listed already, and an error where the folder is somebody else's. */
static gboolean
read_list (Target *self, GError **error)
{
  g_autofree char *path = g_build_filename (self->path, LIST, NULL), *text = NULL;
  g_auto (GStrv) lines = NULL;

  if (!(text = segue_file_read (path, MAX_LIST, NULL, NULL)))
    return check_empty (self->path, error);
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    if (is_below (lines[i]) && !g_hash_table_contains (self->files, lines[i]))
      g_ptr_array_add (self->stale, g_strdup (lines[i]));
  return TRUE;
}

/* Before anything else is written: after a kill, the next export knows what is ours. */
static gboolean
write_list (Target *self, const GPtrArray *files, gboolean with_stale, GError **error)
{
  g_autofree char *path = g_build_filename (self->path, LIST, NULL);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < files->len; i++)
    g_string_append_printf (text, "%s\n", (const char *) g_ptr_array_index (files, i));
  for (guint i = 0; with_stale && i < self->stale->len; i++)
    g_string_append_printf (text, "%s\n", (const char *) g_ptr_array_index (self->stale, i));
  return segue_file_write (path, text->str, (gssize) text->len, error);
}

Target *
target_open (const char *path, const GPtrArray *files, GError **error)
{
  g_autoptr (Target) self = g_new0 (Target, 1);

  self->path = g_strdup (path);
  self->files = g_hash_table_new (g_str_hash, g_str_equal);
  self->stale = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < files->len; i++)
    g_hash_table_add (self->files, g_ptr_array_index (files, i));
  if (!segue_file_make_folder (path, error) || !read_list (self, error) ||
      !write_list (self, files, TRUE, error))
    return NULL;
  return g_steal_pointer (&self);
}

void
target_free (Target *self)
{
  if (!self)
    return;
  g_free (self->path);
  g_hash_table_unref (self->files);
  g_ptr_array_unref (self->stale);
  g_free (self);
}

static gboolean
holds (const char *path, GBytes *bytes)
{
  g_autofree char *text = NULL;
  gsize length, size;
  const void *data = g_bytes_get_data (bytes, &size);
  struct stat info;

  return lstat (path, &info) == 0 && S_ISREG (info.st_mode) && (gsize) info.st_size == size &&
         g_file_get_contents (path, &text, &length, NULL) && length == size &&
         memcmp (text, data, size) == 0;
}

gboolean
target_write (Target *self, const char *file, GBytes *bytes, GError **error)
{
  g_autofree char *path = g_build_filename (self->path, file, NULL);
  g_autofree char *folder = g_path_get_dirname (path);
  gsize size;
  const void *data = g_bytes_get_data (bytes, &size);

  if (!is_reached_by_folders (self, file)) {
    g_autofree char *shown = g_filename_display_name (folder);

    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_CANNOT_CREATE,
                 "‘%s’ is reached by a link or a file, not by folders: remove that, or export to "
                 "another folder",
                 shown);
    return FALSE;
  }
  return holds (path, bytes) || (segue_file_make_folder (folder, error) &&
                                 segue_file_write (path, data, (gssize) size, error));
}

gboolean
target_has_room (Target *self, guint64 bytes, GError **error)
{
  g_autofree char *shown = NULL, *needed = NULL, *there = NULL;
  struct statvfs info;

  if (statvfs (self->path, &info) != 0 || (guint64) info.f_bavail >= bytes / MAX (info.f_frsize, 1))
    return TRUE;
  shown = g_filename_display_name (self->path);
  needed = g_format_size (bytes);
  there = g_format_size ((guint64) info.f_bavail * info.f_frsize);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_IO,
               "the export needs %s in ‘%s’, where %s are free: make room, or export elsewhere",
               needed, shown, there);
  return FALSE;
}

/* In every folder that files of this export stand in, or stood. */
static void
remove_temporaries (Target *self)
{
  g_autoptr (GHashTable) folders = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  GHashTableIter iter;
  gpointer item;

  g_hash_table_iter_init (&iter, self->files);
  while (g_hash_table_iter_next (&iter, &item, NULL))
    g_hash_table_add (folders, g_path_get_dirname (item));
  for (guint i = 0; i < self->stale->len; i++)
    g_hash_table_add (folders, g_path_get_dirname (g_ptr_array_index (self->stale, i)));
  g_hash_table_iter_init (&iter, folders);
  while (g_hash_table_iter_next (&iter, &item, NULL)) {
    g_autofree char *folder = g_build_filename (self->path, item, NULL);
    g_autofree char *inside = g_strconcat (item, "/", NULL);

    if (is_reached_by_folders (self, inside))
      segue_file_remove_temporaries (folder);
  }
}

static int
compare_strings (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

gboolean
target_finish (Target *self, GError **error)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer file;

  remove_temporaries (self);
  for (guint i = 0; i < self->stale->len; i++) {
    const char *stale = g_ptr_array_index (self->stale, i);
    g_autofree char *path = g_build_filename (self->path, stale, NULL);
    g_autofree char *folder = g_path_get_dirname (path);

    if (!is_reached_by_folders (self, stale))
      continue; /* what lies there is not ours */
    if (g_unlink (path) != 0 && errno != ENOENT)
      return segue_set_error_from_errno (error, errno, SEGUE_ERROR_IO, "can't remove the outdated",
                                         path);
    g_rmdir (folder); /* fails unless it is empty */
  }
  g_hash_table_iter_init (&iter, self->files);
  while (g_hash_table_iter_next (&iter, &file, NULL))
    g_ptr_array_add (files, file);
  g_ptr_array_sort (files, compare_strings);
  return write_list (self, files, FALSE, error);
}
