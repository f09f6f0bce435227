/* Folders of a run. */
#include "run/run-folder.h"
#include "store/work-about.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <segue/error.h>
#include <segue/file.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_ATTEMPTS 1000

char *
segue_run_folder_make (const char *runs, const char *name, char **id, GError **error)
{
  g_autofree char *parent = g_build_filename (runs, name, NULL);
  if (!segue_file_make_folder (parent, error))
    return NULL;
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  g_autofree char *time = g_date_time_format (now, "%Y%m%d-%H%M%S");
  for (guint i = 1; i <= MAX_ATTEMPTS; i++) {
    g_autofree char *candidate = i == 1 ? g_strdup (time) : g_strdup_printf ("%s-%u", time, i);
    g_autofree char *folder = g_build_filename (parent, candidate, NULL);
    if (g_mkdir (folder, 0777) != 0) {
      if (errno == EEXIST)
        continue;
      segue_set_error_from_errno (error, errno, SEGUE_ERROR_CANNOT_CREATE, "can't make the folder",
                                  folder);
      return NULL;
    }
    *id = g_steal_pointer (&candidate);
    return g_canonicalize_filename (folder, NULL);
  }
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_CANNOT_CREATE,
               "more than %d runs began in one second in ‘%s’", MAX_ATTEMPTS, parent);
  return NULL;
}

char *
segue_run_folder_make_stage (const char *folder, const char *stage, int *fd, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "stages", stage, NULL);
  if (!segue_file_make_folder (path, error))
    return NULL;
  *fd = open (path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (*fd < 0) {
    segue_set_error_from_errno (error, errno, SEGUE_ERROR_CANNOT_CREATE, "can't use the folder",
                                path);
    return NULL;
  }
  return g_steal_pointer (&path);
}

gboolean
segue_run_folder_check_stage (const char *path, int fd, GError **error)
{
  struct stat ours, there;
  if (fstat (fd, &ours) == 0 && stat (path, &there) == 0 && ours.st_ino == there.st_ino &&
      ours.st_dev == there.st_dev)
    return TRUE;
  g_autofree char *shown = g_filename_display_name (path);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_IO,
               "‘%s’ was removed while it was being written; run again", shown);
  return FALSE;
}

static gboolean
is_ours (const char *name)
{
  static const char *const reserved[] = { "run.json",   "summary.json", "timings.json",
                                          "log.ndjson", "stages",       NULL };
  return g_strv_contains (reserved, name) || name[0] == '.';
}

gboolean
segue_run_folder_alias (const char *folder, const char *stage, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "stages", stage, NULL);
  g_auto (GStrv) names = segue_file_list_folder (path, error);
  gboolean ok = names != NULL;
  for (guint i = 0; ok && names[i]; i++) {
    g_autofree char *alias = g_build_filename (folder, names[i], NULL);
    g_autofree char *target = g_build_filename ("stages", stage, names[i], NULL);
    ok = is_ours (names[i]) || segue_file_link (alias, target, error);
  }
  return ok;
}

/* (transfer full) (nullable): where the alias @name in @folder leads: `stages/STAGE/@name`. */
static char *
read_alias (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *target = g_file_read_link (path, NULL);
  g_auto (GStrv) parts = target ? g_strsplit (target, "/", 0) : NULL;
  gboolean ours = parts && g_strv_length (parts) == 3 && g_str_equal (parts[0], "stages") &&
                  parts[1][0] != '.' && g_str_equal (parts[2], name);
  return ours ? g_build_filename (folder, target, NULL) : NULL;
}

/* Exchanges @own and @alias; @own then is a link to the new place. */
static void
change_places (const char *own, const char *alias, const char *name)
{
  g_autofree char *back = g_build_filename ("..", "..", name, NULL);
  g_autoptr (GError) error = NULL;
  struct stat info;
  if (lstat (own, &info) != 0 || S_ISLNK (info.st_mode))
    return;
  int failed = renameat2 (AT_FDCWD, own, AT_FDCWD, alias, RENAME_EXCHANGE);
  /* Not every file system can exchange two names; then there is a moment without the name. */
  if (failed && (errno == EINVAL || errno == ENOSYS) && g_unlink (alias) == 0)
    failed = rename (own, alias);
  if (failed || !segue_file_link (own, back, &error))
    g_debug ("‘%s’ remains a link: %s", alias, error ? error->message : g_strerror (errno));
}

void
segue_run_folder_settle (const char *folder)
{
  g_auto (GStrv) names = segue_file_list_folder (folder, NULL);
  for (guint i = 0; names && names[i]; i++) {
    g_autofree char *own = is_ours (names[i]) ? NULL : read_alias (folder, names[i]);
    g_autofree char *alias = g_build_filename (folder, names[i], NULL);
    if (own)
      change_places (own, alias, names[i]);
  }
}

gboolean
segue_run_folder_make_latest (const char *folder, GError **error)
{
  g_autofree char *parent = g_path_get_dirname (folder), *id = g_path_get_basename (folder);
  g_autofree char *latest = g_build_filename (parent, "latest", NULL);
  return segue_file_link (latest, id, error);
}

/* Opens and locks @path, created if needed; -1 with errno EWOULDBLOCK: in use. */
static int
lock_folder (const char *path)
{
  for (;;) {
    if (g_mkdir (path, 0700) != 0 && errno != EEXIST)
      return -1;
    int fd = open (path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
      return -1;
    struct stat held, there;
    if (flock (fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      close (fd);
      errno = EWOULDBLOCK;
      return -1;
    }
    /* Some network file systems have no locks for folders: two runs of the same work then write the
     * same files, each of them complete. */
    /* The previous owner may just have removed it: then the locked folder has no name. */
    if (fstat (fd, &held) == 0 && stat (path, &there) == 0 && held.st_ino == there.st_ino)
      return fd;
    close (fd);
  }
}

SegueWorkFolder *
segue_work_folder_open (const char *cache, const char *key, const char *about, GError **error)
{
  g_autofree char *parent = g_build_filename (cache, "work", NULL);
  if (!segue_file_make_folder (parent, error))
    return NULL;
  for (guint i = 1; i <= MAX_ATTEMPTS; i++) {
    g_autofree char *name = i == 1 ? g_strdup (key) : g_strdup_printf ("%s-%u", key, i);
    g_autofree char *path = g_build_filename (parent, name, NULL);
    int fd = lock_folder (path);
    if (fd < 0 && errno == EWOULDBLOCK)
      continue;
    if (fd < 0) {
      segue_set_error_from_errno (error, errno, SEGUE_ERROR_CANNOT_CREATE, "can't use the folder",
                                  path);
      return NULL;
    }
    segue_work_about_write (path, about);
    SegueWorkFolder *work = g_new0 (SegueWorkFolder, 1);
    work->path = g_steal_pointer (&path);
    work->fd = fd;
    return work;
  }
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_CANNOT_CREATE,
               "more than %d runs do the same work in ‘%s’", MAX_ATTEMPTS, parent);
  return NULL;
}

void
segue_work_folder_close (SegueWorkFolder *work, gboolean finished)
{
  if (!work)
    return;
  if (finished)
    segue_file_remove_folder (work->path, NULL);
  close (work->fd);
  g_free (work->path);
  g_free (work);
}
