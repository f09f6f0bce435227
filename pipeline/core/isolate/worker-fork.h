/* A fork server from the inside (internal). */
#pragma once

#include <glib.h>

/** SegueWorkerMain: runs a worker until its socket closes. Returns its exit status.
 * @socket: its own */
typedef int (*SegueWorkerMain) (int socket, gpointer data);

/** segue_worker_fork_is_safe: whether this process has only one thread, so that a fork of it is
 * complete. */
gboolean segue_worker_fork_is_safe (void);

/**
 * segue_worker_fork_all: forks and ends workers as requested over @socket, until that is closed.
 * @main: runs in each worker; %NULL: workers run this program from the start
 * @when_idle: called once, after the first fork, when there is no request; must leave no threads
 *   running
 */
void segue_worker_fork_all (int socket, SegueWorkerMain main, void (*when_idle) (gpointer data),
                            gpointer data);
