/* Jobs and signals. */
#include "job.h"

#include <glib-unix.h>
#include <signal.h>

#define TICK 200 /* ms */
/* In ms. Shells, `timeout` and other wrappers forward a signal that the whole process group got
 * already: within this time it counts as the same one. */
#define ECHO 200

typedef struct {
  SegueCli *cli;
  SegueProgress *progress;
  SegueJob job;
  gpointer data;
  GCancellable *cancellable;
  GMainLoop *loop;
  struct _Signal *signals; /* [N_SIGNALS] */
  guint echo;              /* timer */
  gboolean ok;
  GError *error;
} Running;

/* @source: 0: has its default effect, or is ignored */
typedef struct _Signal {
  Running *running;
  int number;
  guint source;
} Signal;

static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
#define N_SIGNALS G_N_ELEMENTS (numbers)

/* Without their sources, signals have their default effect again. */
static void
stop_listening (Running *running, int but)
{
  for (gsize i = 0; i < N_SIGNALS; i++)
    if (numbers[i] != but)
      g_clear_handle_id (&running->signals[i].source, g_source_remove);
}

/* From now on a second one kills. Not SIGHUP: a closed terminal sends it more than once. */
static gboolean
on_echo_over (gpointer data)
{
  Running *running = data;
  running->echo = 0;
  stop_listening (running, SIGHUP);
  return G_SOURCE_REMOVE;
}

static gboolean
on_signal (gpointer data)
{
  Signal *received = data;
  Running *running = received->running;
  if (g_cancellable_is_cancelled (running->cancellable))
    return G_SOURCE_CONTINUE;
  running->cli->signal = received->number;
  const char *line =
    received->number == SIGINT ? "stopping; press Ctrl-C again to stop at once" : "stopping";
  if (running->progress)
    segue_progress_print (running->progress, line);
  else
    fprintf (running->cli->err.stream, "%s\n", line);
  g_cancellable_cancel (running->cancellable);
  running->echo = g_timeout_add (ECHO, on_echo_over, running);
  return G_SOURCE_CONTINUE;
}

/* A signal that was ignored when we were started (nohup, a background job) stays ignored. */
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
  Signal signals[N_SIGNALS] = { 0 };
  running.signals = signals;
  for (gsize i = 0; i < N_SIGNALS; i++) {
    signals[i] = (Signal){ &running, numbers[i], 0 };
    if (!is_ignored (numbers[i]))
      signals[i].source = g_unix_signal_add (numbers[i], on_signal, &signals[i]);
  }
  guint tick = progress ? g_timeout_add (TICK, on_tick, progress) : 0;

  GThread *thread = segue_thread_start ("job", job_thread, &running, &running.error);
  if (thread) {
    g_main_loop_run (loop);
    g_thread_join (thread);
  }

  g_clear_handle_id (&running.echo, g_source_remove);
  stop_listening (&running, 0);
  if (tick)
    g_source_remove (tick);
  if (progress)
    segue_progress_hide (progress);
  if (!running.ok)
    g_propagate_error (error, running.error);
  return running.ok;
}

void
segue_job_outlive_readers (void)
{
  signal (SIGPIPE, SIG_IGN);
}
