/* A fork server: a process that has a stage open, and forks a worker for each song (internal).
 *
 * Opening a stage, and loading all that it uses, takes longer than many songs do; a fork of an open
 * stage takes a millisecond. The server itself never sees a song: damage that a file does ends
 * with its worker. The server waits for its workers, so that their exit status is known however
 * this process handles SIGCHLD. */
#pragma once

#include "isolate/message.h"
#include "isolate/worker-process.h"
#include "stage/context-private.h"

typedef struct _SegueForkServer SegueForkServer;

/**
 * SegueOpening: the result of waiting until a stage is open.
 * @SEGUE_OPENING_ENDED: the process ended before that; another try may succeed
 * @SEGUE_OPENING_FAILED: the stage can't be opened, or this process failed: see @error
 */
typedef enum {
  SEGUE_OPENING_DONE,
  SEGUE_OPENING_ENDED,
  SEGUE_OPENING_FAILED,
} SegueOpening;

/** segue_fork_server_start: does not wait for it.
 * @context: of the stage to open; borrowed for the server's lifetime
 * @memory: bytes that each worker may have */
SegueForkServer *segue_fork_server_start (SegueContext *context, guint64 memory, GError **error);
/** segue_fork_server_free: lets it close its stage; its workers are killed. */
void segue_fork_server_free (SegueForkServer *server);

/** segue_fork_server_await: waits until its stage is open; returns at once if it is. */
SegueOpening segue_fork_server_await (SegueForkServer *server, GError **error);
/** segue_fork_server_is_gone: whether its process has ended. */
gboolean segue_fork_server_is_gone (SegueForkServer *server);
/** segue_fork_server_reap: (transfer full): of a server that has ended: its exit status, see
 * segue_worker_process_reap(). */
int segue_fork_server_reap (SegueForkServer *server);

/** segue_fork_server_fork: requests a worker, and does not wait for it. @socket: (out): its
 * socket, owned by the caller. Returns its number, above 0; 0 with @error. */
guint segue_fork_server_fork (SegueForkServer *server, int *socket, GError **error);
/** segue_fork_server_kill: ends worker @number; does not wait. */
void segue_fork_server_kill (SegueForkServer *server, guint number);
/** segue_fork_server_wait: exit status of worker @number, which has closed its socket, as from
 * waitpid (); -1: not known. */
int segue_fork_server_wait (SegueForkServer *server, guint number);

/** segue_fork_server_get_path: of its program, for messages; UTF-8. */
const char *segue_fork_server_get_path (SegueForkServer *server);
/** segue_fork_server_explain: whether an exchange failed because of this side: sets @error then. */
gboolean segue_fork_server_explain (SegueForkServer *server, SegueWire wire, GError **error);
/** segue_fork_server_listen: waits for READY on @socket, the server's or a worker's.
 * @quiet: events that come before it are not passed on
 * @forks: (out): from READY */
SegueOpening segue_fork_server_listen (SegueForkServer *server, int socket, gboolean quiet,
                                       gboolean *forks, GError **error);
/** segue_fork_server_send_open: over @socket, the server's or a worker's. */
gboolean segue_fork_server_send_open (SegueForkServer *server, int socket, gboolean be_server,
                                      GError **error);
/** segue_fork_server_is_open: whether its stage is known to be open. */
gboolean segue_fork_server_is_open (SegueForkServer *server);
/** segue_fork_server_has_open_workers: whether workers have the stage open when they start; known
 * once the server is. */
gboolean segue_fork_server_has_open_workers (SegueForkServer *server);
/** segue_fork_server_log_words: logs what it and its workers wrote to stderr. */
void segue_fork_server_log_words (SegueForkServer *server, GLogLevelFlags level);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueForkServer, segue_fork_server_free)
