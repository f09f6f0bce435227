/* Threads for the tasks of a pipeline, with an error when one can't be created.
 *
 * GStreamer itself only logs that a thread was refused (no memory for its stack, a limit on
 * processes), and counts the task as running: a wait for its end then never returns.
 */
#pragma once

#include <gst/gst.h>

typedef struct _TaskThreads TaskThreads;

/** task_threads_new: (transfer full): free with g_object_unref(), any thread. */
TaskThreads *task_threads_new (void);
/** task_threads_serve: makes every task of @pipeline get its thread from @self; call it before the
 * pipeline starts. */
void task_threads_serve (TaskThreads *self, GstElement *pipeline);
/** task_threads_are_refused: whether a thread was refused; nothing in that pipeline may be
 * ended or freed then.
 * @error: (nullable): set in that case, in %SEGUE_ERROR. */
gboolean task_threads_are_refused (TaskThreads *self, GError **error);
