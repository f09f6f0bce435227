/* Signals to a job, each in a separate process. */
#include "job.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

/* Long enough to be sure that it was not waited for. */
#define LONG 20

typedef struct {
  gboolean stubborn; /* ignores the cancel */
  int ready;         /* closed when it has begun */
} Job;

static gboolean
job (gpointer data, GCancellable *cancellable, GError **error)
{
  const Job *job = data;
  close (job->ready);
  for (guint i = 0; i < 100 * LONG; i++) {
    g_usleep (10000);
    if (!job->stubborn && g_cancellable_set_error_if_cancelled (cancellable, error))
      return FALSE;
  }
  return TRUE;
}

/* As the command: 128 + the signal that ended it. */
static int
run_job (Job *data)
{
  SegueCli cli = { .err = { .stream = stderr } };
  g_autoptr (GError) error = NULL;
  segue_job_outlive_readers ();
  gboolean ok = segue_job_run (&cli, NULL, job, data, &error);
  return ok ? 0 : cli.signal ? 128 + cli.signal : 1;
}

static pid_t
start (gboolean stubborn)
{
  int ends[2];
  char byte;
  g_assert_cmpint (pipe (ends), ==, 0);
  pid_t pid = fork ();
  if (pid == 0) {
    Job data = { stubborn, ends[1] };
    close (ends[0]);
    close (STDERR_FILENO); /* its output is not tested */
    _exit (run_job (&data));
  }
  close (ends[1]);
  g_assert_cmpint (read (ends[0], &byte, 1), ==, 0);
  close (ends[0]);
  return pid;
}

static void
assert_ends (pid_t pid, int exit_status, int signal_number)
{
  int status;
  gint64 began = g_get_monotonic_time ();
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (g_get_monotonic_time () - began, <, LONG / 2 * G_USEC_PER_SEC);
  g_assert_cmpint (WIFSIGNALED (status) ? WTERMSIG (status) : 0, ==, signal_number);
  if (!signal_number)
    g_assert_cmpint (WEXITSTATUS (status), ==, exit_status);
}

static void
test_first (void)
{
  static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++) {
    pid_t pid = start (FALSE);
    kill (pid, numbers[i]);
    assert_ends (pid, 128 + numbers[i], 0);
  }
}

/* Wrappers pass on a signal that the whole group received: it does not count as a second one. */
static void
test_echo (void)
{
  pid_t pid = start (FALSE);
  kill (pid, SIGTERM);
  g_usleep (2000);
  kill (pid, SIGTERM);
  assert_ends (pid, 128 + SIGTERM, 0);
}

static void
test_second (void)
{
  static const int numbers[] = { SIGINT, SIGTERM };
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++) {
    pid_t pid = start (TRUE);
    kill (pid, SIGINT);
    g_usleep (G_USEC_PER_SEC);
    /* A terminal that is closed now changes nothing. */
    kill (pid, SIGHUP);
    g_usleep (G_USEC_PER_SEC / 10);
    g_assert_cmpint (waitpid (pid, NULL, WNOHANG), ==, 0);
    kill (pid, numbers[i]);
    assert_ends (pid, 0, numbers[i]);
  }
}

/* What was ignored when it was started (nohup) stays ignored. */
static void
test_nohup (void)
{
  void (*before) (int) = signal (SIGHUP, SIG_IGN);
  pid_t pid = start (FALSE);
  signal (SIGHUP, before);
  kill (pid, SIGHUP);
  g_usleep (G_USEC_PER_SEC / 2);
  g_assert_cmpint (waitpid (pid, NULL, WNOHANG), ==, 0);
  kill (pid, SIGINT);
  assert_ends (pid, 128 + SIGINT, 0);
}

static void
test_closed_pipe (void)
{
  pid_t pid = start (FALSE);
  kill (pid, SIGPIPE);
  g_usleep (G_USEC_PER_SEC / 10);
  g_assert_cmpint (waitpid (pid, NULL, WNOHANG), ==, 0);
  kill (pid, SIGINT);
  assert_ends (pid, 128 + SIGINT, 0);
}

int
main (int argc, char **argv)
{
  static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
  g_test_init (&argc, &argv, NULL);
  /* Some are ignored where the tests run in the background. */
  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    signal (numbers[i], SIG_DFL);
  g_test_add_func ("/job/first-signal", test_first);
  g_test_add_func ("/job/echo", test_echo);
  g_test_add_func ("/job/second-signal", test_second);
  g_test_add_func ("/job/nohup", test_nohup);
  g_test_add_func ("/job/closed-pipe", test_closed_pipe);
  return g_test_run ();
}
