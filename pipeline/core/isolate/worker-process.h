/* A process that runs segue-worker: start, read its output, end (internal).
 *
 * It is a separate program, as a fork of a process with threads may do very little. It has a
 * separate session, so that Ctrl-C in a terminal reaches the command only, and no terminal: its
 * stderr is a pipe. It ends when its socket's other end is closed, so that it does not outlive its
 * parent. libsegue installs no signal handlers: it waits for a child when that is known to have
 * ended. */
#pragma once

#include <glib.h>

/** segue_worker_memory: bytes of memory that each of @n_workers may use: together half of the
 * system's memory, but enough for a song, and no more than any song needs. */
guint64 segue_worker_memory (guint n_workers);

typedef struct _SegueWorkerProcess SegueWorkerProcess;

/** segue_worker_process_start: runs $SEGUE_WORKER, else the installed program. Does not wait until
 * it is ready. */
SegueWorkerProcess *segue_worker_process_start (GError **error);
/** segue_worker_process_get_socket: (transfer none). */
int segue_worker_process_get_socket (SegueWorkerProcess *process);
/** segue_worker_process_get_path: of the program, for messages; UTF-8. */
const char *segue_worker_process_get_path (SegueWorkerProcess *process);

/** segue_worker_process_kill: (transfer full): ends it now. */
void segue_worker_process_kill (SegueWorkerProcess *process);
/** segue_worker_process_close: (transfer full): lets it close its stage, within a short time
 * limit. */
void segue_worker_process_close (SegueWorkerProcess *process);
/** segue_worker_process_take_words: (transfer full) (nullable): what it wrote to its stderr since the
 * last call: printable lines, bounded in number and length. Does not wait. */
char *segue_worker_process_take_words (SegueWorkerProcess *process);
/** segue_worker_process_reap: (transfer full): of a process that has closed its socket: its exit
 * status, as from waitpid (); -1: unknown (other code waits for this process's children), or it had
 * to be killed.
 * @words: (out) (transfer full) (nullable): as from segue_worker_process_take_words () */
int segue_worker_process_reap (SegueWorkerProcess *process, char **words);
/** segue_worker_process_read_status: @status of a process in a namespace, as from waitpid (): its
 * exit status 128 + n means that signal n killed it. */
int segue_worker_process_read_status (int status);
