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
 * SegueWorkerLock: gives up all rights but those that a stage needs to look at its input.
 * @readable: (element-type filename): files and folders that may still be read
 * @memory: bytes that the process may have
 *
 * Returns (transfer full): a line for the log that says what was given up, and what could not be.
 */
typedef char *(*SegueWorkerLock) (GPtrArray *readable, guint64 memory);

/** SegueWorkerNotes: (transfer full) (nullable): lines that libraries have said since it was last
 * called; they go to the run's log, for those who look. */
typedef char *(*SegueWorkerNotes) (void);

/** segue_worker_serve: until the other end of @socket is closed.  Returns the process's exit status.
 * @lock, @notes: (nullable) */
SEGUE_API
int segue_worker_serve (int socket, SegueWorkerLock lock, SegueWorkerNotes notes);
