/* A process that runs segue-worker: started, listened to, ended (internal).
 *
 * It is a program of its own, as a fork of a process with threads may do next to nothing.  It has a session
 * of its own, so that Ctrl-C in a terminal reaches the command only, and no terminal: what it writes to its
 * stderr goes into a pipe.  It ends when its socket's other end is closed, so that it does not outlive its
 * parent.
 * libsegue installs no signal handlers: a child is waited for where it is known to have ended. */
#pragma once

#include <glib.h>

/** segue_worker_memory: bytes that each of @n_workers may have at once: together half of the machine's
 * memory, but enough for a song, and no more than any song needs. */
guint64 segue_worker_memory (guint n_workers);

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
/** segue_worker_process_take_words: (transfer full) (nullable): what it wrote to its stderr since the
 * last call: printable lines, bounded in number and length.  Does not wait. */
char *segue_worker_process_take_words (SegueWorkerProcess *process);
/** segue_worker_process_reap: (transfer full): it closed its socket: what it ended with, as from
 * waitpid (); -1: unknown (other code waits for this process's children), or it had to be ended.
 * @words: (out) (transfer full) (nullable): as from segue_worker_process_take_words () */
int segue_worker_process_reap (SegueWorkerProcess *process, char **words);
/** segue_worker_process_read_status: @status of a process of a namespace, as from waitpid (): what is not
 * killed by its own signals ends with 128 and their number. */
int segue_worker_process_read_status (int status);
