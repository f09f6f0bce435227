/* A worker as the core sees it: forked by its server, asked, ended (internal). */
#pragma once

#include "isolate/fork-server.h"

typedef struct _SegueWorker SegueWorker;

/** segue_worker_new: does not wait for it.  @server: borrowed for life. */
SegueWorker *segue_worker_new (SegueForkServer *server, GError **error);
/** segue_worker_await: until it is ready to be asked; at once where it is.  @quiet: what it reports on
 * the way is not passed on, as another worker of the stage has reported it. */
SegueOpening segue_worker_await (SegueWorker *worker, gboolean quiet, GError **error);
/** segue_worker_get_socket: (transfer none). */
int segue_worker_get_socket (SegueWorker *worker);

/** segue_worker_kill: (transfer full): ends it; does not wait for that. */
void segue_worker_kill (SegueWorker *worker);
/** segue_worker_reap: (transfer full): it has closed its socket: what it ended with, as from waitpid ();
 * -1: not known. */
int segue_worker_reap (SegueWorker *worker);
