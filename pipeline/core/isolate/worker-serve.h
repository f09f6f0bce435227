/* The work of a worker process: opens one stage, and forks a worker for each song, which enters its
 * sandbox and answers (internal).
 *
 * Called by segue-worker's main (); the sandbox is part of that program, so that libsegue needs no
 * library for it. */
/* SEGUE_API marks what segue-worker calls; it is not installed. */
#pragma once

#include <glib.h>
#include <segue/version.h>

/**
 * SegueWorkerHooks: callbacks of the program; each may be %NULL.
 * @prepare: the part of the sandbox that a fork server can prepare for all of its workers
 *   @readable: (element-type filename): files and folders that may still be read
 * @lock: drops all rights but those that a stage needs to read its input; prepared before, by this
 *   process or by the one that it was forked from
 *   @memory: bytes of memory that the process may use Returns (transfer full): a log line with the
 *     rights that were dropped, and those that could not be.
 * @take_notes: (transfer full) (nullable): lines that libraries have printed since the last call;
 *   they go to the run's log, at debug level
 */
typedef struct {
  void (*prepare) (GPtrArray *readable);
  char *(*lock) (guint64 memory);
  char *(*take_notes) (void);
} SegueWorkerHooks;

/** segue_worker_serve: runs until the other end of @socket is closed. Returns the process's exit
 * status. */
SEGUE_API
int segue_worker_serve (int socket, const SegueWorkerHooks *hooks);
