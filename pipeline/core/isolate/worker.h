/* A worker as the core sees it: forked by its server, used, ended (internal). */
#pragma once

#include "isolate/fork-server.h"

typedef struct _SegueWorker SegueWorker;

/** segue_worker_new: does not wait for it. @server: borrowed for the worker's lifetime. */
SegueWorker *segue_worker_new (SegueForkServer *server, GError **error);
/** segue_worker_await: waits until it is ready for a question; returns at once if it is. @quiet:
 * its events before that are not passed on, as another worker of the stage has reported them. */
SegueOpening segue_worker_await (SegueWorker *worker, gboolean quiet, GError **error);
/** segue_worker_get_socket: (transfer none). */
int segue_worker_get_socket (SegueWorker *worker);

/** segue_worker_kill: (transfer full): ends it; does not wait for that. */
void segue_worker_kill (SegueWorker *worker);
/** segue_worker_reap: (transfer full): of a worker that has closed its socket: its exit status, as
 * from waitpid (); -1: not known. */
int segue_worker_reap (SegueWorker *worker);
