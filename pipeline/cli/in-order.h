/* Runs many tasks in several threads; takes their results in order, with few in memory at a
 * time. */
#pragma once

#include <glib.h>

/**
 * SegueInOrder:
 * @n: tasks
 * @n_threads: at least 1; if the system refuses some, fewer are used
 * @window: maximum number of tasks that are running, or done and not yet taken: a slow one must not
 *   let all later ones pile up; at least 1
 * @make: called in any thread: returns the result of a task (transfer full), not %NULL
 * @take: called in the caller's thread, in order: @result (transfer full). %FALSE: no more are
 *   wanted
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

/** segue_in_order: returns when all are taken, or no more are wanted, and no task is running.
 * %FALSE with %SEGUE_ERROR_RESOURCE if no thread could be started. */
gboolean segue_in_order (const SegueInOrder *work, GError **error);
