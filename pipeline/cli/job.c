/* Jobs and signals. */
#include "job.h"

#include <glib-unix.h>
#include <signal.h>

#define TICK 200 /* ms */

typedef struct {
  SegueCli *cli;
  SegueProgress *progress;
  SegueJob job;
  gpointer data;
  GCancellable *cancellable;
  GMainLoop *loop;
  gboolean ok;
  GError *error;
} Running;

typedef struct {
  Running *running;
  int number;
  guint source;
} Signal;

static gboolean
on_signal (gpointer data)
{
  Signal *received = data;
  Running *running = received->running;
  running->cli->signal = received->number;
  const char *line =
    received->number == SIGINT ? "stopping; press Ctrl-C again to stop at once" : "stopping";
  if (running->progress)
    segue_progress_print (running->progress, line);
  else
    fprintf (running->cli->err.stream, "%s\n", line);
  g_cancellable_cancel (running->cancellable);
  /* Once its source is gone, the signal has its default effect again. */
  received->source = 0;
  return G_SOURCE_REMOVE;
}

/* What was ignored when we were started (nohup, a background job) stays ignored. */
static gboolean
is_ignored (int number)
{
  struct sigaction action;
  return sigaction (number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static gboolean
on_tick (gpointer data)
{
  segue_progress_tick (data);
  return G_SOURCE_CONTINUE;
}

static gboolean
quit (gpointer data)
{
  g_main_loop_quit (data);
  return G_SOURCE_REMOVE;
}

GThread *
segue_thread_start (const char *name, GThreadFunc function, gpointer data, GError **error)
{
  g_autoptr (GError) local = NULL;
  GThread *thread = g_thread_try_new (name, function, data, &local);
  if (!thread)
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                 "can't start a thread: %s; close other programs, or raise the limit (ulimit -u), "
                 "and run again",
                 local->message);
  return thread;
}

static gpointer
job_thread (gpointer data)
{
  Running *running = data;
  running->ok = running->job (running->data, running->cancellable, &running->error);
  g_idle_add (quit, running->loop);
  return NULL;
}

gboolean
segue_job_run (SegueCli *cli, SegueProgress *progress, SegueJob job, gpointer data, GError **error)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  Running running = { .cli = cli,
                      .progress = progress,
                      .job = job,
                      .data = data,
                      .cancellable = cancellable,
                      .loop = loop };
  Signal signals[] = { { &running, SIGINT, 0 }, { &running, SIGTERM, 0 }, { &running, SIGHUP, 0 } };
  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    if (!is_ignored (signals[i].number))
      signals[i].source = g_unix_signal_add (signals[i].number, on_signal, &signals[i]);
  guint tick = progress ? g_timeout_add (TICK, on_tick, progress) : 0;

  GThread *thread = segue_thread_start ("job", job_thread, &running, &running.error);
  if (thread) {
    g_main_loop_run (loop);
    g_thread_join (thread);
  }

  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    if (signals[i].source)
      g_source_remove (signals[i].source);
  if (tick)
    g_source_remove (tick);
  if (progress)
    segue_progress_hide (progress);
  if (!running.ok)
    g_propagate_error (error, running.error);
  return running.ok;
}
