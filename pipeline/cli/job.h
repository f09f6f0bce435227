/* A verb's work in a separate thread, while the main thread draws and handles signals. */
#pragma once

#include "cli.h"
#include "progress.h"

typedef gboolean (*SegueJob) (gpointer data, GCancellable *cancellable, GError **error);

/**
 * segue_job_run:
 * @progress: (nullable): drawn five times a second
 *
 * Runs @job to its end. The first SIGINT, SIGTERM or SIGHUP cancels it and is recorded in @cli; a
 * second SIGINT or SIGTERM, except for an echo of the first, has its default effect and kills at
 * once.
 */
gboolean segue_job_run (SegueCli *cli, SegueProgress *progress, SegueJob job, gpointer data,
                        GError **error);

/** segue_job_outlive_readers: from now on a closed output (a terminal that was closed, `| head`)
 * does not end the program: for verbs whose results are on disk. */
void segue_job_outlive_readers (void);

/** segue_thread_start: as g_thread_try_new(), with a segue error. */
GThread *segue_thread_start (const char *name, GThreadFunc function, gpointer data, GError **error);
