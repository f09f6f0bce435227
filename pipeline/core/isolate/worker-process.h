/* A process that runs segue-worker: started, listened to, ended (internal).
 *
 * It is a program of its own, started with posix_spawn: a fork of a process with threads may do next
 * to nothing.  It has a process group of its own, so that Ctrl-C in a terminal reaches the command
 * only; it ends when its socket's other end is closed, so that it never outlives its parent.
 * libsegue installs no signal handlers: a child is waited for where it is known to have ended. */
#pragma once

#include <glib.h>

/** segue_worker_memory: bytes that a worker may have, and that may come out of it for one item: half
 * of the machine's memory, and enough for any song. */
guint64 segue_worker_memory (void);

typedef struct _SegueWorkerProcess SegueWorkerProcess;

/** segue_worker_process_start: from $SEGUE_WORKER, else from where segue was installed.  Does not
 * wait for it to say anything. */
SegueWorkerProcess *segue_worker_process_start (GError **error);
/** segue_worker_process_get_socket: (transfer none). */
int segue_worker_process_get_socket (SegueWorkerProcess *process);
/** segue_worker_process_get_path: of the program, for messages; UTF-8. */
const char *segue_worker_process_get_path (SegueWorkerProcess *process);

/** segue_worker_process_kill: (transfer full): ends it now. */
void segue_worker_process_kill (SegueWorkerProcess *process);
/** segue_worker_process_close: (transfer full): lets it put its stage away; not for long. */
void segue_worker_process_close (SegueWorkerProcess *process);
/** segue_worker_process_reap: (transfer full): it closed its socket: what it ended with, as from
 * waitpid (); -1: nobody knows (somebody else waits for this process's children), or it had to be
 * ended. */
int segue_worker_process_reap (SegueWorkerProcess *process);
