/* A verb's work in a thread of its own, while the main thread draws and listens to signals. */
#pragma once

#include "cli.h"
#include "progress.h"

typedef gboolean (*SegueJob) (gpointer data, GCancellable *cancellable, GError **error);

/**
 * segue_job_run:
 * @progress: (nullable): is drawn five times a second
 *
 * Runs @job to its end.  The first SIGINT, SIGTERM or SIGHUP cancels it and is noted in @cli; a
 * second SIGINT or SIGTERM, but for an echo of the first, has its default effect and kills at once.
 */
gboolean segue_job_run (SegueCli *cli, SegueProgress *progress, SegueJob job, gpointer data,
                        GError **error);

/** segue_job_outlive_readers: from now on it does not end the program that nobody reads any more what it
 * says (a terminal that was closed, `| head`): for verbs whose results are on disk. */
void segue_job_outlive_readers (void);

/** segue_thread_start: as g_thread_try_new(), with an error in our words. */
GThread *segue_thread_start (const char *name, GThreadFunc function, gpointer data, GError **error);
