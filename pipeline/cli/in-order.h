/* Many tasks by several threads, their results one by one in order, and few at a time in memory. */
#pragma once

#include <glib.h>

/**
 * SegueInOrder:
 * @n: tasks
 * @n_threads: at least 1; where the system refuses some, fewer do
 * @window: tasks that are at work, or done and not yet taken: a slow one must not let all that come after
 *   it pile up; at least 1
 * @make: by any thread: the result of a task (transfer full), not %NULL
 * @take: by the thread that calls, in order: @result (transfer full).  %FALSE: no more are wanted
 * @drop: frees a result that is not taken
 */
typedef struct {
  guint n;
  guint n_threads;
  guint window;
  gpointer data;
  gpointer (*make) (gpointer data, guint index);
  gboolean (*take) (gpointer data, guint index, gpointer result);
  GDestroyNotify drop;
} SegueInOrder;

/** segue_in_order: until all are taken, or no more are wanted, and no task is under way.  %FALSE with
 * %SEGUE_ERROR_RESOURCE where there is no thread at all. */
gboolean segue_in_order (const SegueInOrder *work, GError **error);
