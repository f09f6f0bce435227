/* The file .running of a run's folder (internal): there and locked while a process works on the run, so
 * that others can tell a run at work from one that was killed.
 *
 * It names the process, too, for file systems without locks. */
#pragma once

#include <glib.h>

/** SegueRunLock: @path: %NULL: not taken.  @fd: -1: no file could be made; the run goes on without. */
typedef struct {
  char *path;
  int fd;
} SegueRunLock;

void segue_run_lock_take (SegueRunLock *lock, const char *folder);
/** segue_run_lock_release: the run has ended and has said so in its run.json; where it was not taken,
 * nothing happens. */
void segue_run_lock_release (SegueRunLock *lock);
/** segue_run_lock_is_of_process: what goes by @text, the file's content, where there are no locks:
 * whether the process is there, or may be, on another machine. */
gboolean segue_run_lock_is_of_process (const char *text);
