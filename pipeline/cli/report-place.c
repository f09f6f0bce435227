#include "report-place.h"

#include <errno.h>
#include <fcntl.h>
#include <segue/error.h>
#include <segue/file.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct _SegueReportPlace {
  char *target; /* absolute, no link */
  char *work;   /* beside it */
  gboolean is_there;
};

void
segue_report_place_free (SegueReportPlace *place)
{
  if (!place)
    return;
  if (place->work)
    segue_file_remove_folder (place->work, NULL);
  g_free (place->work);
  g_free (place->target);
  g_free (place);
}

const char *
segue_report_place_get_work (SegueReportPlace *place)
{
  return place->work;
}

/* @path with the links on its way resolved, whether or not it is there itself. */
static char *
resolve (const char *path)
{
  char *real = realpath (path, NULL);
  char *resolved = g_strdup (real);
  if (!real) {
    g_autofree char *absolute = g_canonicalize_filename (path, NULL);
    g_autofree char *parent = g_path_get_dirname (absolute);
    g_autofree char *name = g_path_get_basename (absolute);
    real = realpath (parent, NULL);
    resolved = g_build_filename (real ? real : parent, name, NULL);
  }
  free (real);
  return resolved;
}

/* Nothing of anybody else's may be in a folder that is replaced. */
static gboolean
is_report (const char *folder)
{
  static const char *const ours[] = { "charts",   "clips",   "data.js", "index.html",
                                      "page.css", "page.js", NULL };
  g_auto (GStrv) names = segue_file_list_folder (folder, NULL);
  gboolean only_ours = names != NULL;
  for (guint i = 0; only_ours && names[i]; i++)
    only_ours = g_strv_contains (ours, names[i]);
  return only_ours;
}

static gboolean
check_target (SegueReportPlace *place, GError **error)
{
  struct stat info;
  place->is_there = lstat (place->target, &info) == 0;
  if (!place->is_there || (S_ISDIR (info.st_mode) && is_report (place->target)))
    return TRUE;
  g_autofree char *shown = g_filename_display_name (place->target);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_CANNOT_CREATE,
               "‘%s’ holds something else than a report; name another folder with --out", shown);
  return FALSE;
}

static gboolean
is_run (const char *run, GError **error)
{
  g_autofree char *record = g_build_filename (run, "run.json", NULL);
  if (g_file_test (record, G_FILE_TEST_EXISTS))
    return TRUE;
  g_autofree char *shown = g_filename_display_name (run);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
               "‘%s’ is not the folder of a run: it has no run.json; give one such as "
               "runs/artist/latest",
               shown);
  return FALSE;
}

SegueReportPlace *
segue_report_place_new (const char *run, const char *out, GError **error)
{
  g_autoptr (SegueReportPlace) place = g_new0 (SegueReportPlace, 1);
  g_autofree char *usual = g_build_filename (run, "report", NULL);
  if (!is_run (run, error))
    return NULL;
  place->target = resolve (out ? out : usual);
  g_autofree char *parent = g_path_get_dirname (place->target);
  g_autofree char *work = g_build_filename (parent, ".segue-tmp-XXXXXX", NULL);
  if (!check_target (place, error) || !segue_file_make_folder (parent, error))
    return NULL;
  if (!g_mkdtemp_full (work, 0777)) {
    segue_set_error_from_errno (error, errno, SEGUE_ERROR_CANNOT_CREATE, "can't write in", parent);
    return NULL;
  }
  place->work = g_steal_pointer (&work);
  return g_steal_pointer (&place);
}

gboolean
segue_report_place_commit (SegueReportPlace *place, GError **error)
{
  g_autofree char *made = g_build_filename (place->work, "report", NULL);
  int failed = renameat2 (AT_FDCWD, made, AT_FDCWD, place->target,
                          place->is_there ? RENAME_EXCHANGE : RENAME_NOREPLACE);
  /* Not every file system can exchange two folders; then there is a moment without one. */
  if (failed && (errno == EINVAL || errno == ENOSYS)) {
    if (place->is_there && !segue_file_remove_folder (place->target, error))
      return FALSE;
    failed = rename (made, place->target);
  }
  return !failed || segue_set_error_from_errno (error, errno, SEGUE_ERROR_CANNOT_CREATE,
                                                "can't make the folder", place->target);
}
