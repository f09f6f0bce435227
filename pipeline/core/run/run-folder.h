/* The folder that a run leaves, and the scratch folders that it works in (internal).
 *
 *   runs/<name>/<id>/         id: local time, so that names sort by age; -2, -3 … within a second
 *     stages/<stage>/         what the stage leaves
 *     <entry>                 of entries of one name the last stage's: while the run is at work a link
 *                             to stages/…; then the entry itself, and stages/… has the link
 *   runs/<name>/latest → <id> of the run that finished last */
#pragma once

#include <glib.h>

/** segue_run_folder_make: (transfer full): a new folder for a run of pipeline @name in @runs.
 * @id: (out) (transfer full) */
char *segue_run_folder_make (const char *runs, const char *name, char **id, GError **error);
/** segue_run_folder_make_stage: (transfer full): stages/@stage in @folder.
 * @fd: (out): of it, as long as it is watched */
char *segue_run_folder_make_stage (const char *folder, const char *stage, int *fd, GError **error);
/** segue_run_folder_check_stage: whether the folder at @path is the one that @fd is of. */
gboolean segue_run_folder_check_stage (const char *path, int fd, GError **error);
/** segue_run_folder_alias: links what stands in @stage's folder from the top. */
gboolean segue_run_folder_alias (const char *folder, const char *stage, GError **error);
/** segue_run_folder_settle: no stage is at work any more: what the aliases lead to takes their places, so
 * that a copy of runs/<name>/<id>/model is a model and no link.  What can't be moved stays. */
void segue_run_folder_settle (const char *folder);
/** segue_run_folder_make_latest: runs/<name>/latest leads to @folder from now on. */
gboolean segue_run_folder_make_latest (const char *folder, GError **error);

/**
 * SegueWorkFolder: work/<key>/ in the cache, for one run at a time.
 *
 * It is locked by flock() on the folder itself: a run that is killed leaves no lock behind, only
 * its
 * checkpoints.  Where another run is at the same work, a folder of a higher number is taken.
 */
typedef struct {
  char *path;
  int fd;
} SegueWorkFolder;

/** segue_work_folder_open: @about: which stage of which pipeline, for people. */
SegueWorkFolder *segue_work_folder_open (const char *cache, const char *key, const char *about,
                                         GError **error);
/** segue_work_folder_close: @finished: the work is done, remove all of it. */
void segue_work_folder_close (SegueWorkFolder *work, gboolean finished);
