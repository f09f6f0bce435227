/* What a worker process does: opens one stage, and forks a worker for each song, which locks itself in
 * and answers (internal).
 *
 * Called by segue-worker's main (); the lock itself is the program's, so that libsegue needs no
 * library for it. */
/* SEGUE_API marks what segue-worker calls; it is not installed. */
#pragma once

#include <glib.h>
#include <segue/version.h>

/**
 * SegueWorkerHooks: what the program adds; each may be %NULL.
 * @prepare: whatever of the lock can be made ready by a fork server for all of its workers
 *   @readable: (element-type filename): files and folders that may still be read
 * @lock: gives up all rights but those that a stage needs to look at its input; prepared before, by this
 *   process or by the one that it was forked from
 *   @memory: bytes that the process may have
 *   Returns (transfer full): a line for the log that says what was given up, and what could not be.
 * @take_notes: (transfer full) (nullable): lines that libraries have said since it was last called; they
 *   go to the run's log, for those who look
 */
typedef struct {
  void (*prepare) (GPtrArray *readable);
  char *(*lock) (guint64 memory);
  char *(*take_notes) (void);
} SegueWorkerHooks;

/** segue_worker_serve: until the other end of @socket is closed.  Returns the process's exit status. */
SEGUE_API
int segue_worker_serve (int socket, const SegueWorkerHooks *hooks);
