/* The file .running of a run's folder (internal): present and locked while a process works on the
 * run, so that other processes can distinguish an active run from a killed one.
 *
 * It also names the process, for file systems without locks. */
#pragma once

#include <glib.h>

/** SegueRunLock: @path: %NULL: not taken. @fd: -1: no file could be created; the run continues
 * without it. */
typedef struct {
  char *path;
  int fd;
} SegueRunLock;

void segue_run_lock_take (SegueRunLock *lock, const char *folder);
/** segue_run_lock_release: after the run has ended and that is in its run.json; no effect if it was
 * not taken. */
void segue_run_lock_release (SegueRunLock *lock);
/** segue_run_lock_is_of_process: for file systems without locks: whether the process named by
 * @text, the file's content, exists, or may exist on another machine. */
gboolean segue_run_lock_is_of_process (const char *text);
