/* Expands files, folders, patterns and lists to files. */
#include "predict-files.h"
#include "predict-list.h"

#include <errno.h>
#include <fts.h>
#include <glob.h>
#include <segue/error.h>
#include <segue/file.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static gboolean
has_extension (const char *name, const char *const *extensions)
{
  const char *dot = strrchr (name, '.');
  if (!extensions)
    return TRUE;
  for (; dot && dot != name && *extensions; extensions++)
    if (g_ascii_strcasecmp (dot + 1, *extensions) == 0)
      return TRUE;
  return FALSE;
}

static int
compare (const FTSENT **a, const FTSENT **b)
{
  return strcmp ((*a)->fts_name, (*b)->fts_name);
}

static gboolean
add_folder (GPtrArray *files, char *folder, const char *const *extensions, GError **error)
{
  char *const roots[] = { folder, NULL };
  /* Links are followed; fts detects cycles (FTS_DC). */
  FTS *tree = fts_open (roots, FTS_LOGICAL | FTS_NOCHDIR, compare);
  FTSENT *entry;
  while (tree && (errno = 0, entry = fts_read (tree))) {
    gboolean junk = entry->fts_level > 0 && segue_file_is_junk (entry->fts_name);
    if (entry->fts_info == FTS_D && junk)
      fts_set (tree, entry, FTS_SKIP);
    /* An unreadable folder or link stays in the list; its answer is the error. */
    gboolean broken = (entry->fts_info == FTS_DNR || entry->fts_info == FTS_NS) && !junk;
    gboolean audio = (entry->fts_info == FTS_F || entry->fts_info == FTS_SLNONE) && !junk &&
                     has_extension (entry->fts_name, extensions);
    if (broken || audio)
      g_ptr_array_add (files, g_strdup (entry->fts_path));
  }
  int problem = errno;
  if (tree)
    fts_close (tree);
  return problem == 0 ||
         segue_set_error_from_errno (error, problem, SEGUE_ERROR_NO_INPUT, "can't read", folder);
}

static gboolean
add_name (GPtrArray *files, const char *name, const char *const *extensions, GError **error)
{
  struct stat info;
  if (stat (name, &info) == 0 && S_ISDIR (info.st_mode))
    return add_folder (files, (char *) name, extensions, error);
  g_ptr_array_add (files, g_strdup (name));
  return TRUE;
}

/* In a playlist, which may be untrusted and name a folder in every line. */
#define MAX_LISTED 200000

/* The names in a list. @most: maximum number of files; 0: no limit */
typedef struct {
  GPtrArray *files;
  const char *const *extensions;
  guint most;
} Found;

static gboolean
add_listed (gpointer data, const char *name, GError **error)
{
  Found *found = data;
  if (!add_name (found->files, name, found->extensions, error))
    return FALSE;
  if (found->most == 0 || found->files->len <= found->most)
    return TRUE;
  g_set_error (
    error, SEGUE_ERROR, SEGUE_ERROR_DATA,
    "the folders in the playlist contain more than %d files; give the folders themselves",
    MAX_LISTED);
  return FALSE;
}

static gboolean
add_playlist (GPtrArray *files, const char *path, const char *const *extensions, GError **error)
{
  Found found = { files, extensions, files->len + MAX_LISTED };
  g_autofree char *folder = strchr (path, '/') ? g_path_get_dirname (path) : NULL;
  FILE *stream = fopen (path, "re");
  if (!stream)
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't read", path);
  const SeguePredictList list = {
    .stream = stream, .separator = '\n', .folder = folder, .playlist = TRUE
  };
  gboolean ok = segue_predict_list_read (&list, add_listed, &found, error);
  fclose (stream);
  if (!ok)
    g_prefix_error (error, "‘%s’: ", path);
  return ok;
}

/* A playlist, a file or a folder. */
static gboolean
add_path (GPtrArray *files, const char *path, const char *const *extensions, GError **error)
{
  gboolean playlist =
    segue_predict_is_playlist (path) && g_file_test (path, G_FILE_TEST_IS_REGULAR);
  return playlist ? add_playlist (files, path, extensions, error)
                  : add_name (files, path, extensions, error);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* A pattern in quotes, or from a program: expanded as by a shell. */
static gboolean
add_pattern (GPtrArray *files, const char *pattern, const char *const *extensions, GError **error)
{
  glob_t found = { 0 };
  /* Byte order, not a locale's order. */
  int status = glob (pattern, GLOB_NOSORT, NULL, &found);
  gboolean ok = TRUE;
  if (status == 0)
    qsort (found.gl_pathv, found.gl_pathc, sizeof (char *), compare_names);
  for (gsize i = 0; ok && status == 0 && i < found.gl_pathc; i++)
    ok = add_path (files, found.gl_pathv[i], extensions, error);
  if (status == 0)
    globfree (&found);
  else if (status == GLOB_NOMATCH)
    g_ptr_array_add (files, g_strdup (pattern));
  else
    return segue_set_error_from_errno (error, status == GLOB_NOSPACE ? ENOMEM : EIO,
                                       SEGUE_ERROR_NO_INPUT, "can't search for", pattern);
  return ok;
}

static gboolean
is_pattern (const char *name)
{
  struct stat info;
  return strpbrk (name, "*?[") && lstat (name, &info) != 0;
}

static gboolean
add_list (GPtrArray *files, const SeguePredictInput *input, GError **error)
{
  Found found = { files, input->extensions, 0 };
  const SeguePredictList list = { .stream = input->list, .separator = input->separator };
  return segue_predict_list_read (&list, add_listed, &found, error);
}

/* An argument: a pattern or a path; file managers pass URIs. */
static gboolean
add_argument (GPtrArray *files, const char *given, const char *const *extensions, GError **error)
{
  struct stat info;
  g_autofree char *name =
    lstat (given, &info) == 0 ? g_strdup (given) : segue_predict_path_from_uri (given);
  return is_pattern (name) ? add_pattern (files, name, extensions, error)
                           : add_path (files, name, extensions, error);
}

GPtrArray *
segue_predict_files (const SeguePredictInput *input, GError **error)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_free);
  for (char *const *name = input->arguments; *name; name++) {
    gboolean ok = strcmp (*name, "-") == 0 ? add_list (files, input, error)
                                           : add_argument (files, *name, input->extensions, error);
    if (!ok)
      return NULL;
  }
  return g_steal_pointer (&files);
}
