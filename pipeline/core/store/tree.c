/* Folders by content: listing, keys, checks. */
#include "store/tree.h"
#include "base/sha256.h"
#include "store/contents.h"

#include <errno.h>
#include <segue/error.h>
#include <segue/file.h>
#include <string.h>
#include <sys/stat.h>

/* More than any model or report has, but fast enough to process. */
#define MAX_FILES 1000000
#define MAX_DEPTH 64
#define MAX_NAME  4096

void
segue_tree_file_free (SegueTreeFile *file)
{
  g_free (file->name);
  g_free (file->key);
  g_free (file);
}

typedef struct {
  const char *root, *contents;
  gboolean follow;
  GCancellable *cancellable;
  GPtrArray *files;
} Walk;

static gboolean
refuse (GError **error, const char *path, const char *what)
{
  g_autofree char *shown = g_filename_display_name (path);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’ %s", shown, what);
  return FALSE;
}

static gboolean
add_file (Walk *walk, const char *name, const char *path, GError **error)
{
  SegueFileStamp stamp;
  if (walk->files->len >= MAX_FILES)
    return refuse (error, walk->root, "contains too many files");
  g_autofree char *key =
    segue_contents_key (walk->contents, path, &stamp, walk->cancellable, error);
  if (!key)
    return FALSE;
  SegueTreeFile *file = g_new0 (SegueTreeFile, 1);
  file->name = g_strdup (name);
  file->size = stamp.size;
  file->key = g_steal_pointer (&key);
  g_ptr_array_add (walk->files, file);
  return TRUE;
}

static gboolean walk_folder (Walk *walk, const char *below, guint depth, GError **error);

static gboolean
walk_entry (Walk *walk, const char *name, guint depth, GError **error)
{
  struct stat st;
  g_autofree char *path = g_build_filename (walk->root, name, NULL);
  if (lstat (path, &st) != 0)
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't access", path);
  if (S_ISDIR (st.st_mode))
    return walk_folder (walk, name, depth + 1, error);
  if (S_ISLNK (st.st_mode) && walk->follow && stat (path, &st) != 0)
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't access", path);
  if (S_ISREG (st.st_mode))
    return add_file (walk, name, path, error);
  return walk->follow || refuse (error, path, "is neither a file nor a folder");
}

static gboolean
walk_folder (Walk *walk, const char *below, guint depth, GError **error)
{
  g_autofree char *path = g_build_filename (walk->root, below, NULL);
  if (depth > MAX_DEPTH)
    return refuse (error, path, "is nested too deeply");
  g_auto (GStrv) names = segue_file_list_folder (path, error);
  gboolean ok = names != NULL;
  for (guint i = 0; ok && names[i]; i++) {
    g_autofree char *name = *below ? g_build_filename (below, names[i], NULL) : g_strdup (names[i]);
    ok = walk_entry (walk, name, depth, error);
  }
  return ok;
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(SegueTreeFile *const *) a)->name, (*(SegueTreeFile *const *) b)->name);
}

GPtrArray *
segue_tree_list (const char *folder, const char *contents, gboolean follow,
                 GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) files =
    g_ptr_array_new_with_free_func ((GDestroyNotify) segue_tree_file_free);
  Walk walk = { folder, contents, follow, cancellable, files };
  if (!walk_folder (&walk, "", 0, error))
    return NULL;
  g_ptr_array_sort (files, compare_names);
  return g_steal_pointer (&files);
}

/* @name relative to the folder @below; %NULL: it is not in it. */
static const char *
strip_folder (const char *name, const char *below)
{
  gsize length = strlen (below);
  if (length == 0)
    return name;
  return strncmp (name, below, length) == 0 && name[length] == '/' ? name + length + 1 : NULL;
}

/* Whether file @name is in one of @folders that is itself inside @below. */
static gboolean
is_deeper (const char *name, const char *below, GPtrArray *folders)
{
  for (guint i = 0; folders && i < folders->len; i++) {
    const char *folder = g_ptr_array_index (folders, i), *inside = strip_folder (folder, below);
    if (inside && *inside && strip_folder (name, folder))
      return TRUE;
  }
  return FALSE;
}

char *
segue_tree_key (GPtrArray *files, const char *below, GPtrArray *folders)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < files->len; i++) {
    const SegueTreeFile *file = g_ptr_array_index (files, i);
    const char *name = strip_folder (file->name, below);
    if (name && !is_deeper (file->name, below, folders))
      g_string_append_printf (text, "%s %s\n", file->key, name);
  }
  return segue_sha256_join ("segue tree 1", text->str);
}

gboolean
segue_tree_name_is_sound (const char *name)
{
  gsize length = strlen (name);
  if (length == 0 || length > MAX_NAME)
    return FALSE;
  g_auto (GStrv) parts = g_strsplit (name, "/", -1);
  for (guint i = 0; parts[i]; i++)
    if (*parts[i] == '\0' || g_str_equal (parts[i], ".") || g_str_equal (parts[i], ".."))
      return FALSE;
  return TRUE;
}

/* Whether a parent folder of @name is one of @names. */
static gboolean
lies_in_file (GHashTable *names, const char *name)
{
  g_autofree char *path = g_strdup (name);
  for (char *slash = strrchr (path, '/'); slash; slash = strrchr (path, '/')) {
    *slash = '\0';
    if (g_hash_table_contains (names, path))
      return TRUE;
  }
  return FALSE;
}

gboolean
segue_tree_is_sound (GPtrArray *files)
{
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  if (files->len > MAX_FILES)
    return FALSE;
  for (guint i = 0; i < files->len; i++) {
    const SegueTreeFile *file = g_ptr_array_index (files, i);
    const SegueTreeFile *previous = i > 0 ? g_ptr_array_index (files, i - 1) : NULL;
    if (!segue_tree_name_is_sound (file->name) || !segue_sha256_is_valid (file->key) ||
        file->size > G_MAXINT64 || (previous && strcmp (previous->name, file->name) >= 0))
      return FALSE;
    /* Files in a folder come after a file with the folder's name. */
    if (lies_in_file (names, file->name))
      return FALSE;
    g_hash_table_add (names, file->name);
  }
  return TRUE;
}
