#include "target.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <segue/error.h>
#include <segue/file.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define LIST ".segue-export"
/* A list of a million files needs a tenth of it. */
#define MAX_LIST ((gsize) 1 << 30)

/* Between a digest and its file, as sha256sum writes it. */
#define GAP          "  "
#define DIGEST_CHARS 64

struct _Target {
  char *path;
  GHashTable *files; /* of this export → SHA-256 of what was written; "" before */
  GHashTable *known; /* content of the list: file → SHA-256; "": of an export that did not finish */
  GPtrArray *stale; /* of earlier ones only; borrowed from @known */
};

static int
compare_strings (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Lines of the list come from disk: no path in it may lead outside of the folder. */
static gboolean
is_below (const char *file)
{
  g_auto (GStrv) parts = g_strsplit (file, "/", -1);

  for (guint i = 0; parts[i]; i++)
    if (*parts[i] == '\0' || g_str_equal (parts[i], ".") || g_str_equal (parts[i], ".."))
      return FALSE;
  return parts[0] != NULL;
}

/* Whether all parent folders of @file are folders, or don't exist yet. A link is neither: it may lead
 * anywhere. */
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

/* An export that was killed immediately may have left an unfinished list. */
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
                 "‘%s’ contains files that export did not write: choose an empty folder", shown);
  }
  return is_empty;
}

/* A line of the list: a file that was written, after its digest, or one that was about to be written. */
static void
take_line (Target *self, const char *line)
{
  gboolean finished = strspn (line, "0123456789abcdef") == DIGEST_CHARS &&
                      g_str_has_prefix (line + DIGEST_CHARS, GAP);
  const char *file = finished ? line + DIGEST_CHARS + strlen (GAP) : line;

  if (is_below (file))
    g_hash_table_replace (self->known, g_strdup (file),
                          finished ? g_strndup (line, DIGEST_CHARS) : g_strdup (""));
}

/* (transfer full) (nullable): the SHA-256 of a regular file of this folder; NULL where there is none. */
static char *
digest_of (Target *self, const char *file)
{
  g_autofree char *path = g_build_filename (self->path, file, NULL);
  GChecksum *sum = g_checksum_new (G_CHECKSUM_SHA256);
  int fd = is_reached_by_folders (self, file)
             ? open (path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
             : -1;
  guint8 buffer[65536];
  struct stat info;
  gssize n = -1;
  char *digest = NULL;

  if (fd >= 0 && fstat (fd, &info) == 0 && S_ISREG (info.st_mode))
    while ((n = read (fd, buffer, sizeof buffer)) > 0)
      g_checksum_update (sum, buffer, n);
  if (n == 0)
    digest = g_strdup (g_checksum_get_string (sum));
  if (fd >= 0)
    close (fd);
  g_checksum_free (sum);
  return digest;
}

static gboolean
is_there (Target *self, const char *file)
{
  g_autofree char *path = g_build_filename (self->path, file, NULL);
  struct stat info;

  return is_reached_by_folders (self, file) && lstat (path, &info) == 0;
}

/* Whether @file has the content that an earlier export wrote: a list alone may be untrusted. */
static gboolean
is_ours (Target *self, const char *file)
{
  const char *known = g_hash_table_lookup (self->known, file);
  g_autofree char *digest = known && *known ? digest_of (self, file) : NULL;

  return digest && g_str_equal (digest, known);
}

static gboolean
refuse (Target *self, const char *file, const char *what, GError **error)
{
  g_autofree char *path = g_build_filename (self->path, file, NULL);
  g_autofree char *shown = g_filename_display_name (path);

  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_CANNOT_CREATE,
               "‘%s’ %s: remove it, or export to another folder", shown, what);
  return FALSE;
}

/* Reads the existing list; an error where the folder does not belong to an export. */
static gboolean
read_list (Target *self, GError **error)
{
  g_autofree char *path = g_build_filename (self->path, LIST, NULL), *text = NULL;
  g_auto (GStrv) lines = NULL;
  GHashTableIter iter;
  gpointer file, digest;

  if (!(text = segue_file_read (path, MAX_LIST, NULL, NULL)))
    return check_empty (self->path, error);
  lines = g_strsplit (text, "\n", -1);
  for (guint i = 0; lines[i]; i++)
    take_line (self, lines[i]);
  g_hash_table_iter_init (&iter, self->known);
  while (g_hash_table_iter_next (&iter, &file, &digest)) {
    if (g_hash_table_contains (self->files, file) || !is_there (self, file))
      continue;
    if (*(char *) digest == '\0')
      return refuse (self, file,
                     "is left over from an interrupted export, or was not written by an export",
                     error);
    g_ptr_array_add (self->stale, file);
  }
  g_ptr_array_sort (self->stale, compare_strings);
  return TRUE;
}

/* Before anything else is written: after a kill, the next export recognises its own files. */
static gboolean
write_list (Target *self, const GPtrArray *files, gboolean with_stale, GError **error)
{
  g_autofree char *path = g_build_filename (self->path, LIST, NULL);
  g_autoptr (GString) text = g_string_new (NULL);

  for (guint i = 0; i < files->len; i++) {
    const char *file = g_ptr_array_index (files, i),
               *digest = g_hash_table_lookup (self->files, file);

    g_string_append_printf (text, "%s%s%s\n", digest, *digest ? GAP : "", file);
  }
  for (guint i = 0; with_stale && i < self->stale->len; i++) {
    const char *file = g_ptr_array_index (self->stale, i);

    g_string_append_printf (text, "%s" GAP "%s\n", (char *) g_hash_table_lookup (self->known, file),
                            file);
  }
  return segue_file_write (path, text->str, (gssize) text->len, error);
}

gboolean
target_check (const char *path, GError **error)
{
  g_autofree char *list = g_build_filename (path, LIST, NULL), *at = g_strdup (path);

  if (g_file_test (path, G_FILE_TEST_EXISTS) && !g_file_test (list, G_FILE_TEST_EXISTS) &&
      !check_empty (path, error))
    return FALSE;
  /* The folder, or its closest existing parent. */
  while (!g_file_test (at, G_FILE_TEST_EXISTS) && strlen (at) > 1) {
    char *above = g_path_get_dirname (at);

    g_free (at);
    at = above;
  }
  if (access (at, W_OK | X_OK) == 0)
    return TRUE;
  segue_set_error_from_errno (error, errno, SEGUE_ERROR_CANNOT_CREATE, "can't write to", at);
  return FALSE;
}

Target *
target_open (const char *path, const GPtrArray *files, GError **error)
{
  g_autoptr (Target) self = g_new0 (Target, 1);

  self->path = g_strdup (path);
  self->files = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  self->known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->stale = g_ptr_array_new ();
  for (guint i = 0; i < files->len; i++)
    g_hash_table_insert (self->files, g_ptr_array_index (files, i), g_strdup (""));
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
  g_hash_table_unref (self->known);
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

/* The caller's own string for @file, which outlives this struct. */
static char *
known_name (Target *self, const char *file)
{
  gpointer name = NULL;

  g_hash_table_lookup_extended (self->files, file, &name, NULL);
  g_assert (name != NULL);
  return name;
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
                 "the path to ‘%s’ contains a link or a file instead of a folder: remove it, or "
                 "export to another folder",
                 shown);
    return FALSE;
  }
  /* After an interrupted export the list records only that it was about to be written. */
  if (!holds (path, bytes)) {
    const char *known = g_hash_table_lookup (self->known, file);

    if (is_there (self, file) && !(known && *known == '\0') && !is_ours (self, file))
      return refuse (self, file,
                     known ? "was changed since it was exported" : "was not written by an export",
                     error);
    if (!segue_file_make_folder (folder, error) ||
        !segue_file_write (path, data, (gssize) size, error))
      return FALSE;
  }
  g_hash_table_insert (self->files, known_name (self, file),
                       g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, bytes));
  return TRUE;
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
               "the export needs %s in ‘%s’, where only %s are free: free some space, or export to "
               "another disk",
               needed, shown, there);
  return FALSE;
}

/* In every folder that contains, or contained, files of exports. */
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

    if (!is_ours (self, stale))
      continue; /* missing, changed since, or not written by an export */
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
