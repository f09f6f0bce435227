#include "walk.h"

#include "names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <segue/error.h>
#include <segue/file.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Deeper folders are a mistake, or an attack on the stack. */
#define MAX_DEPTH 64
/* Eight hours at the highest quality. A whole song is hashed, which would take an hour for a sparse file of a
 * terabyte that uses no disk. */
#define MAX_SIZE ((goffset) 16 << 30)

typedef struct {
  int root_fd;
  const GArray *extensions;
  WalkExcludeFunc exclude;
  gpointer data;
  GCancellable *cancellable;
  GHashTable *seen;      /* "device:inode" of folders and linked files → path */
  GPtrArray *file_links; /* char *, links to regular files, handled last */
  GQueue folder_links;   /* char *, links to folders, not yet walked */
  GError *error;         /* the environment's, which ends the walk */
  Walk *walk;
} Walker;

static void
problem_free (gpointer data)
{
  WalkProblem *problem = data;

  g_free (problem->path);
  g_free (problem->reason);
  g_free (problem);
}

void
walk_free (Walk *walk)
{
  if (!walk)
    return;
  g_ptr_array_unref (walk->files);
  g_ptr_array_unref (walk->problems);
  g_hash_table_unref (walk->ignored);
  g_free (walk);
}

static void G_GNUC_PRINTF (3, 4)
  add_problem (Walker *self, const char *path, const char *format, ...)
{
  WalkProblem *problem = g_new0 (WalkProblem, 1);
  va_list args;

  va_start (args, format);
  problem->path = g_strdup (path);
  problem->reason = g_strdup_vprintf (format, args);
  va_end (args);
  g_ptr_array_add (self->walk->problems, problem);
}

/* The system error for @path: a problem of that file or folder, or one of memory, descriptors or the disk, after
 * which the content of the folder is unknown. */
static void
add_failure (Walker *self, const char *path, int number, const char *what)
{
  g_autoptr (GError) error = NULL;

  segue_set_error_from_errno (&error, number, SEGUE_ERROR_NO_INPUT, "can't read",
                              *path ? path : "the music folder");
  if (segue_error_is_about_item (error))
    add_problem (self, path, "%s: %s", what, g_strerror (number));
  else if (!self->error)
    self->error = g_steal_pointer (&error);
}

static gboolean
is_over (Walker *self)
{
  return self->error || g_cancellable_is_cancelled (self->cancellable);
}

/* The path that @info was first reached by, or NULL: then it is recorded now. */
static const char *
first_path (Walker *self, const struct stat *info, const char *path)
{
  g_autofree char *key = g_strdup_printf ("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT,
                                          (guint64) info->st_dev, (guint64) info->st_ino);
  const char *known = g_hash_table_lookup (self->seen, key);

  if (known)
    return known;
  g_hash_table_insert (self->seen, g_steal_pointer (&key), g_strdup (path));
  return NULL;
}

static gboolean
is_too_large (Walker *self, const char *path, const struct stat *info)
{
  if (info->st_size > MAX_SIZE)
    add_problem (self, path, "is larger than %d GiB, the limit for a song", (int) (MAX_SIZE >> 30));
  return info->st_size > MAX_SIZE;
}

static void
visit_file (Walker *self, int folder, const char *name, const char *path, const struct stat *info)
{
  if (is_too_large (self, path, info))
    return;
  if (faccessat (folder, name, R_OK, 0) != 0) {
    add_failure (self, path, errno, "can't be read");
    return;
  }
  first_path (self, info, path);
  g_ptr_array_add (self->walk->files, g_strdup (path));
}

static void
ignore (Walker *self, const char *name)
{
  const char *dot = strrchr (name, '.');
  g_autofree char *extension = g_ascii_strdown (dot && dot != name ? dot + 1 : "", -1);
  guint n = GPOINTER_TO_UINT (g_hash_table_lookup (self->walk->ignored, extension));

  self->walk->n_ignored++;
  g_hash_table_replace (self->walk->ignored, g_steal_pointer (&extension),
                        GUINT_TO_POINTER (n + 1));
}

static void walk_one (Walker *self, int folder, const char *path, guint depth);

static void
visit_folder (Walker *self, int parent, const char *name, const char *path, guint depth)
{
  guint n_files = self->walk->files->len;
  int folder;

  if (depth >= MAX_DEPTH) {
    add_problem (self, path, "is more than %u folders deep", MAX_DEPTH);
    return;
  }
  folder = openat (parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
  if (folder < 0)
    add_failure (self, path, errno, "is a folder that can't be read");
  else
    walk_one (self, folder, path, depth + 1);
  /* An album may be named `One.flac`; but an empty `song.mp3/` should have been a song. */
  if (name_has_extension (name, self->extensions) && self->walk->files->len == n_files)
    add_problem (self, path, "is a folder without songs, with an audio file's name");
}

/* Link targets are handled later: a real path to the same target comes first. */
static void
visit_link (Walker *self, int folder, const char *name, const char *path, gboolean is_audio)
{
  struct stat info;

  if (fstatat (folder, name, &info, 0) != 0) {
    if (errno == ELOOP)
      add_problem (self, path, "is a link that leads back to itself");
    else if (is_audio || errno != ENOENT)
      add_failure (self, path, errno, "is a link that leads nowhere");
    else
      ignore (self, name);
  } else if (S_ISDIR (info.st_mode)) {
    g_queue_push_tail (&self->folder_links, g_strdup (path));
  } else if (!is_audio) {
    ignore (self, name);
  } else if (S_ISREG (info.st_mode)) {
    g_ptr_array_add (self->file_links, g_strdup (path));
  } else {
    add_problem (self, path, "is a link to something that is not a regular file");
  }
}

static void
visit (Walker *self, int folder, const char *name, const char *path, guint depth)
{
  gboolean is_audio = name_has_extension (name, self->extensions);
  struct stat info;

  if (fstatat (folder, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
    add_failure (self, path, errno, "can't be accessed");
  else if (S_ISDIR (info.st_mode))
    visit_folder (self, folder, name, path, depth);
  else if (S_ISLNK (info.st_mode))
    visit_link (self, folder, name, path, is_audio);
  else if (!is_audio)
    ignore (self, name);
  else if (!S_ISREG (info.st_mode))
    add_problem (self, path, "is not a regular file");
  else
    visit_file (self, folder, name, path, &info);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/* Takes @folder, a descriptor. @path: "" for the root. */
static void
walk_one (Walker *self, int folder, const char *path, guint depth)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  DIR *stream = fdopendir (folder);
  struct dirent *entry;
  struct stat info;
  const char *known;

  if (!stream || fstat (folder, &info) != 0) {
    add_failure (self, path, errno, "is a folder that can't be read");
    if (stream)
      closedir (stream);
    else
      close (folder);
    return;
  }
  known = first_path (self, &info, path);
  if (known) {
    add_problem (self, path, "leads to a folder that was read already: ‘%s’",
                 *known ? known : "the root itself");
    closedir (stream);
    return;
  }
  while (!is_over (self) && (errno = 0, entry = readdir (stream))) {
    if (!g_str_equal (entry->d_name, ".") && !g_str_equal (entry->d_name, "..") &&
        !segue_file_is_junk (entry->d_name))
      g_ptr_array_add (names, g_strdup (entry->d_name));
  }
  if (!is_over (self) && errno)
    add_failure (self, path, errno, "is a folder that can't be read to its end");
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len && !is_over (self); i++) {
    const char *name = g_ptr_array_index (names, i);
    g_autofree char *below = *path ? g_strconcat (path, "/", name, NULL) : g_strdup (name);

    if (!self->exclude (below, self->data))
      visit (self, dirfd (stream), name, below, depth);
  }
  closedir (stream);
}

static guint
depth_of (const char *path)
{
  guint depth = 1;

  while ((path = strchr (path, '/'))) {
    path++;
    depth++;
  }
  return depth;
}

static void
follow_links (Walker *self)
{
  char *path;

  while ((path = g_queue_pop_head (&self->folder_links))) {
    g_autofree char *held = path;
    g_autofree char *name = g_path_get_basename (path);

    if (!is_over (self))
      visit_folder (self, self->root_fd, path, path, depth_of (path));
  }
  g_ptr_array_sort (self->file_links, compare_names);
  for (guint i = 0; i < self->file_links->len; i++) {
    const char *link = g_ptr_array_index (self->file_links, i), *known;
    struct stat info;

    if (fstatat (self->root_fd, link, &info, 0) != 0 || faccessat (self->root_fd, link, R_OK, 0))
      add_failure (self, link, errno, "is a link to a file that can't be read");
    else if ((known = first_path (self, &info, link)))
      add_problem (self, link, "leads to a song that was found already: ‘%s’", known);
    else if (!is_too_large (self, link, &info))
      g_ptr_array_add (self->walk->files, g_strdup (link));
  }
}

static int
compare_problems (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(const WalkProblem *const *) a)->path, (*(const WalkProblem *const *) b)->path);
}

Walk *
walk_folder (const char *root, const GArray *extensions, WalkExcludeFunc exclude, gpointer data,
             GCancellable *cancellable, GError **error)
{
  g_autoptr (Walk) walk = g_new0 (Walk, 1);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (GPtrArray) links = g_ptr_array_new_with_free_func (g_free);
  Walker self = { open (root, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK),
                  extensions,
                  exclude,
                  data,
                  cancellable,
                  seen,
                  links,
                  G_QUEUE_INIT,
                  NULL,
                  walk };
  int copy;

  walk->files = g_ptr_array_new_with_free_func (g_free);
  walk->problems = g_ptr_array_new_with_free_func (problem_free);
  walk->ignored = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  if (self.root_fd < 0) {
    segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't read the music folder",
                                root);
    return NULL;
  }
  copy = openat (self.root_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (copy < 0) {
    segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't read the music folder",
                                root);
    close (self.root_fd);
    return NULL;
  }
  walk_one (&self, copy, "", 0);
  follow_links (&self);
  close (self.root_fd);
  g_ptr_array_sort (walk->files, compare_names);
  g_ptr_array_sort (walk->problems, compare_problems);
  if (g_cancellable_is_cancelled (cancellable)) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "cancelled");
    g_clear_error (&self.error);
    return NULL;
  }
  if (self.error) {
    g_propagate_error (error, self.error);
    return NULL;
  }
  return g_steal_pointer (&walk);
}
