#include "report-place.h"

#include "base/beneath.h"
#include "base/file-type.h"

#include <errno.h>
#include <fcntl.h>
#include <segue/error.h>
#include <segue/file.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Prefix of the folder in which a report is written; locked while a command uses it. */
#define WORK  SEGUE_FILE_TEMPORARY "report-"
#define DRAWN 6 /* random characters of its name, from mkdtemp () */

struct _SegueReportPlace {
  char *target; /* absolute, no link */
  char *work;   /* beside it */
  int lock;
  gboolean is_there;
};

void
segue_report_place_free (SegueReportPlace *place)
{
  if (!place)
    return;
  if (place->work)
    segue_file_remove_folder (place->work, NULL);
  if (place->lock >= 0)
    close (place->lock);
  g_free (place->work);
  g_free (place->target);
  g_free (place);
}

const char *
segue_report_place_get_work (SegueReportPlace *place)
{
  return place->work;
}

/* @path with the links in it resolved, whether or not it exists. */
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

static gboolean
leads_out (const char *run, GError **error)
{
  g_autofree char *shown = g_filename_display_name (run);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_CANNOT_CREATE,
               "‘%s/report’ is a link that segue did not create; give a folder with --out", shown);
  return FALSE;
}

/* The target of the alias `report` of a run with that stage: `stages/STAGE/report`. A run may be
 * untrusted: no other link is followed, nor links in the path. */
static gboolean
find_in_run (SegueReportPlace *place, const char *run, GError **error)
{
  char target[512];
  const char *name;
  g_autofree char *real = resolve (run);
  int fd = open (real, O_PATH | O_DIRECTORY | O_CLOEXEC);
  gssize n = readlinkat (fd, "report", target, sizeof target);
  g_autofree char *alias = g_strndup (n > 0 ? target : "report", n > 0 ? (gsize) n : 6);
  g_auto (GStrv) parts = g_strsplit (alias, "/", -1);
  gboolean ok = n < 0 || ((gsize) n < sizeof target && g_strv_length (parts) == 3 &&
                          g_str_equal (parts[0], "stages") && *parts[1] && *parts[1] != '.' &&
                          g_str_equal (parts[2], "report"));
  int parent = ok ? segue_beneath_open_parent (fd, alias, &name) : -1;
  place->target = g_build_filename (real, alias, NULL);
  if (parent >= 0)
    close (parent);
  if (fd >= 0)
    close (fd);
  return parent >= 0 || leads_out (run, error);
}

/* A folder that is replaced must contain nothing but a report. */
static gboolean
check_target (SegueReportPlace *place, const char *folder, GError **error)
{
  struct stat info;
  gboolean is_there = lstat (folder, &info) == 0;
  g_autofree char *stranger = !is_there                ? NULL
                              : S_ISDIR (info.st_mode) ? segue_file_find_unsealed (folder)
                                                       : g_strdup (".");
  place->is_there = is_there;
  if (!stranger)
    return TRUE;
  g_autofree char *shown = g_filename_display_name (place->target);
  g_autofree char *file = g_filename_display_name (stranger);
  g_set_error (
    error, SEGUE_ERROR, SEGUE_ERROR_CANNOT_CREATE,
    "‘%s’ contains something other than an unchanged report (‘%s’): give another folder with --out",
    shown, file);
  return FALSE;
}

static gboolean
is_run (const char *run, GError **error)
{
  g_autofree char *record = g_build_filename (run, "run.json", NULL);
  mode_t type;
  if (!segue_file_type (record, &type, error))
    return FALSE;
  if (type)
    return TRUE;
  g_autofree char *shown = g_filename_display_name (run);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
               "‘%s’ is not the folder of a run: it has no run.json; give one such as "
               "runs/artist/latest",
               shown);
  return FALSE;
}

/* -1: in use, or removed */
static int
lock_work (const char *path)
{
  struct stat held, there;
  int fd = open (path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd >= 0 && flock (fd, LOCK_EX | LOCK_NB) == 0 && fstat (fd, &held) == 0 &&
      lstat (path, &there) == 0 && held.st_ino == there.st_ino && held.st_dev == there.st_dev)
    return fd;
  if (fd >= 0)
    close (fd);
  return -1;
}

/* Whether the name is from make_work (), and the folder this user's. */
static gboolean
is_work (const char *name, const char *path)
{
  struct stat info;
  const char *drawn = g_str_has_prefix (name, WORK) ? name + strlen (WORK) : "";
  gsize n = 0;
  while (g_ascii_isalnum (drawn[n]))
    n++;
  return n == DRAWN && drawn[n] == '\0' && lstat (path, &info) == 0 && info.st_uid == geteuid ();
}

/* Removes work folders in @parent without a lock: left by killed commands. */
static void
sweep (const char *parent)
{
  g_auto (GStrv) names = segue_file_list_folder (parent, NULL);
  for (guint i = 0; names && names[i]; i++) {
    g_autofree char *path = g_build_filename (parent, names[i], NULL);
    int lock = is_work (names[i], path) ? lock_work (path) : -1;
    if (lock < 0)
      continue;
    segue_file_remove_folder (path, NULL);
    close (lock);
  }
}

static gboolean
make_work (SegueReportPlace *place, const char *parent, GError **error)
{
  while (place->lock < 0) {
    g_autofree char *work = g_build_filename (parent, WORK "XXXXXX", NULL);
    if (!g_mkdtemp_full (work, 0777))
      return segue_set_error_from_errno (error, errno, SEGUE_ERROR_CANNOT_CREATE, "can't write in",
                                         parent);
    /* Another command may have removed it before it was locked. */
    place->lock = lock_work (work);
    if (place->lock >= 0 || access (work, F_OK) == 0) {
      place->work = g_steal_pointer (&work);
      break; /* also without a lock: some network file systems have none */
    }
  }
  return TRUE;
}

SegueReportPlace *
segue_report_place_new (const char *run, const char *out, GError **error)
{
  g_autoptr (SegueReportPlace) place = g_new0 (SegueReportPlace, 1);
  place->lock = -1;
  if (!is_run (run, error))
    return NULL;
  if (out)
    place->target = resolve (out);
  else if (!find_in_run (place, run, error))
    return NULL;
  g_autofree char *parent = g_path_get_dirname (place->target);
  if (!check_target (place, place->target, error) || !segue_file_make_folder (parent, error))
    return NULL;
  sweep (parent);
  return make_work (place, parent, error) ? g_steal_pointer (&place) : NULL;
}

/* Replaces the target, if nothing has changed in it since it was checked. */
static gboolean
replace (SegueReportPlace *place, const char *made, GError **error)
{
  g_autofree char *old = g_build_filename (place->work, "old", NULL);
  if (renameat2 (AT_FDCWD, made, AT_FDCWD, place->target, RENAME_EXCHANGE) == 0) {
    if (check_target (place, made, error))
      return TRUE;
    (void) renameat2 (AT_FDCWD, made, AT_FDCWD, place->target, RENAME_EXCHANGE);
    return FALSE;
  }
  /* Not every file system can exchange two folders; then there is a moment without the folder. */
  if (errno != EINVAL && errno != ENOSYS)
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_CANNOT_CREATE,
                                       "can't replace the folder", place->target);
  if (rename (place->target, old) != 0)
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_CANNOT_CREATE,
                                       "can't replace the folder", place->target);
  gboolean ok = check_target (place, old, error);
  if (rename (ok ? made : old, place->target) != 0 && ok)
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_CANNOT_CREATE,
                                       "can't make the folder", place->target);
  return ok;
}

gboolean
segue_report_place_commit (SegueReportPlace *place, GError **error)
{
  g_autofree char *made = g_build_filename (place->work, "report", NULL);
  if (place->is_there)
    return replace (place, made, error);
  int failed = renameat2 (AT_FDCWD, made, AT_FDCWD, place->target, RENAME_NOREPLACE);
  if (failed && (errno == EINVAL || errno == ENOSYS))
    failed = rename (made, place->target); /* never over a folder that is not empty */
  return !failed || segue_set_error_from_errno (error, errno, SEGUE_ERROR_CANNOT_CREATE,
                                                "can't make the folder", place->target);
}
