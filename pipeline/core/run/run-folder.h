/* The folder of a run's results, and its scratch folders (internal).
 *
 *   runs/<name>/<id>/         id: local time, so that names sort by age; -2, -3 … within a second
 *     stages/<stage>/         the stage's output
 *     <entry>                 if several stages have it, the last one's: while the run is active, a
 *                             link to stages/…; then the entry itself, and stages/… has the link
 *   runs/<name>/latest → <id> of the run that finished last */
#pragma once

#include <glib.h>

/** segue_run_folder_make: (transfer full): a new folder for a run of pipeline @name in @runs.
 * @id: (out) (transfer full) */
char *segue_run_folder_make (const char *runs, const char *name, char **id, GError **error);
/** segue_run_folder_make_stage: (transfer full): stages/@stage in @folder.
 * @fd: (out): a descriptor of it, for segue_run_folder_check_stage() */
char *segue_run_folder_make_stage (const char *folder, const char *stage, int *fd, GError **error);
/** segue_run_folder_check_stage: whether the folder at @path still is the one open as @fd. */
gboolean segue_run_folder_check_stage (const char *path, int fd, GError **error);
/** segue_run_folder_alias: links the entries of @stage's folder from the top folder. */
gboolean segue_run_folder_alias (const char *folder, const char *stage, GError **error);
/** segue_run_folder_settle: when no stage is active any more: moves the targets of the aliases to
 * the aliases' places, so that a copy of runs/<name>/<id>/model is a model and not a link. Entries
 * that can't be moved stay. */
void segue_run_folder_settle (const char *folder);
/** segue_run_folder_make_latest: links runs/<name>/latest to @folder. */
gboolean segue_run_folder_make_latest (const char *folder, GError **error);

/**
 * SegueWorkFolder: work/<key>/ in the cache, for one run at a time.
 *
 * It is locked by flock() on the folder itself: a run that is killed leaves no lock behind, only
 * its checkpoints. If another run is doing the same work, a folder with a higher number is used.
 */
typedef struct {
  char *path;
  int fd;
} SegueWorkFolder;

/** segue_work_folder_open: @about: which stage of which pipeline, for display. */
SegueWorkFolder *segue_work_folder_open (const char *cache, const char *key, const char *about,
                                         GError **error);
/** segue_work_folder_close: @finished: the work is done: removes the folder. */
void segue_work_folder_close (SegueWorkFolder *work, gboolean finished);
