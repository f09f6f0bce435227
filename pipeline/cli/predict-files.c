/* Files and folders → files. */
#include "predict-files.h"

#include <errno.h>
#include <fts.h>
#include <segue/error.h>
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
  /* Links are followed; fts notices when one leads back (FTS_DC). */
  FTS *tree = fts_open (roots, FTS_LOGICAL | FTS_NOCHDIR, compare);
  FTSENT *entry;
  while (tree && (errno = 0, entry = fts_read (tree))) {
    gboolean hidden = entry->fts_level > 0 && entry->fts_name[0] == '.';
    if (entry->fts_info == FTS_D && hidden)
      fts_set (tree, entry, FTS_SKIP);
    /* A folder or link that can't be read is answered with its error. */
    gboolean broken = entry->fts_info == FTS_DNR || entry->fts_info == FTS_NS;
    gboolean audio = (entry->fts_info == FTS_F || entry->fts_info == FTS_SLNONE) && !hidden &&
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

GPtrArray *
segue_predict_files (char *const *arguments, const char *const *extensions, GError **error)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (g_free);
  for (; *arguments; arguments++) {
    struct stat info;
    if (stat (*arguments, &info) != 0 || !S_ISDIR (info.st_mode))
      g_ptr_array_add (files, g_strdup (*arguments));
    else if (!add_folder (files, *arguments, extensions, error))
      return NULL;
  }
  return g_steal_pointer (&files);
}
