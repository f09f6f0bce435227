/* A fork server from the inside (internal). */
#pragma once

#include <glib.h>

/** SegueWorkerMain: what a worker does, until its socket closes.  Returns its exit status.
 * @socket: its own */
typedef int (*SegueWorkerMain) (int socket, gpointer data);

/** segue_worker_fork_is_safe: whether this process has one thread only, so that a fork of it is whole. */
gboolean segue_worker_fork_is_safe (void);

/**
 * segue_worker_fork_all: forks and ends workers as @socket asks, until that is closed.
 * @main: in each worker; %NULL: workers are this program, started again
 * @when_idle: once, after the first fork, when there is nothing to do; leaves no thread behind
 */
void segue_worker_fork_all (int socket, SegueWorkerMain main, void (*when_idle) (gpointer data),
                            gpointer data);
