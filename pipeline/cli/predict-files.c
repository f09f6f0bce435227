/* Files, folders, patterns and lists of them → files. */
#include "predict-files.h"

#include <errno.h>
#include <fts.h>
#include <glob.h>
#include <segue/error.h>
#include <segue/file.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* No file system has longer paths; what is longer is no list of files. */
#define MAX_NAME (64 * 1024)

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
  /* Links are followed; fts notices when one leads back (FTS_DC). */
  FTS *tree = fts_open (roots, FTS_LOGICAL | FTS_NOCHDIR, compare);
  FTSENT *entry;
  while (tree && (errno = 0, entry = fts_read (tree))) {
    gboolean junk = entry->fts_level > 0 && segue_file_is_junk (entry->fts_name);
    if (entry->fts_info == FTS_D && junk)
      fts_set (tree, entry, FTS_SKIP);
    /* A folder or link that can't be read is answered with its error. */
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

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* A pattern that came in quotes, or from a program: what a shell would have made of it. */
static gboolean
add_pattern (GPtrArray *files, const char *pattern, const char *const *extensions, GError **error)
{
  glob_t found = { 0 };
  /* The order of bytes, not of a locale. */
  int status = glob (pattern, GLOB_NOSORT, NULL, &found);
  gboolean ok = TRUE;
  if (status == 0)
    qsort (found.gl_pathv, found.gl_pathc, sizeof (char *), compare_names);
  for (gsize i = 0; ok && status == 0 && i < found.gl_pathc; i++)
    ok = add_name (files, found.gl_pathv[i], extensions, error);
  if (status == 0)
    globfree (&found);
  else if (status == GLOB_NOMATCH)
    g_ptr_array_add (files, g_strdup (pattern));
  else
    return segue_set_error_from_errno (error, status == GLOB_NOSPACE ? ENOMEM : EIO,
                                       SEGUE_ERROR_NO_INPUT, "can't look for", pattern);
  return ok;
}

static gboolean
is_pattern (const char *name)
{
  struct stat info;
  return strpbrk (name, "*?[") && lstat (name, &info) != 0;
}

/* Reads up to @separator or the end.  %FALSE: there is no more, or an error. */
static gboolean
read_name (const SeguePredictInput *input, GString *name, guint64 line, GError **error)
{
  const char *what = NULL;
  int c = EOF;
  g_string_truncate (name, 0);
  while (!what && (c = getc (input->list)) != EOF && c != (guchar) input->separator) {
    if (name->len >= MAX_NAME)
      what = "is longer than any path; give one file a line";
    else if (c == '\0')
      what = "holds a zero byte; are names separated by those? Then say --null";
    g_string_append_c (name, (char) c);
  }
  if (!what && c == EOF && ferror (input->list))
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't read",
                                       "the list of files");
  if (!what)
    return c != EOF || name->len > 0;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "line %" G_GUINT64_FORMAT " of the list %s",
               line, what);
  return FALSE;
}

static gboolean
add_list (GPtrArray *files, const SeguePredictInput *input, GError **error)
{
  g_autoptr (GString) name = g_string_new (NULL);
  g_autoptr (GError) local = NULL;
  for (guint64 line = 1; read_name (input, name, line, &local); line++)
    if (name->len > 0 && !add_name (files, name->str, input->extensions, error))
      return FALSE;
  if (!local)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

GPtrArray *
segue_predict_files (const SeguePredictInput *input, GError **error)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_free);
  for (char *const *name = input->arguments; *name; name++) {
    gboolean ok = strcmp (*name, "-") == 0 ? add_list (files, input, error)
                  : is_pattern (*name)     ? add_pattern (files, *name, input->extensions, error)
                                           : add_name (files, *name, input->extensions, error);
    if (!ok)
      return NULL;
  }
  return g_steal_pointer (&files);
}
