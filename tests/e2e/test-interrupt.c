/* Ctrl-C in the middle of a training. */
#include "fixture.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static GPid
spawn_endless (Fixture *f, int *err)
{
  g_autofree char *program = command_path ();
  char *argv[] = { program,
                   (char *) "run",
                   (char *) "--preset",
                   (char *) "artist-cnn",
                   f->music,
                   (char *) "--set",
                   (char *) "segment.count=2",
                   (char *) "--set",
                   (char *) "train.epochs=100000",
                   (char *) "--set",
                   (char *) "train.model.channels=[8,8]",
                   NULL };
  GPid pid;
  g_autoptr (GError) error = NULL;
  g_spawn_async_with_pipes (f->folder, argv, f->env,
                            G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL,
                            &pid, NULL, NULL, err, &error);
  g_assert_no_error (error);
  return pid;
}

/* Reads output until @text has been printed. */
static void
await (int fd, GString *heard, const char *text)
{
  char buffer[512];
  while (!strstr (heard->str, text)) {
    gssize n = read (fd, buffer, sizeof buffer);
    if (n <= 0)
      g_test_message ("never heard ‘%s’ in:\n%s", text, heard->str);
    g_assert_cmpint (n, >, 0);
    g_string_append_len (heard, buffer, n);
  }
}

static void
test_interrupt (Fixture *f, gconstpointer data)
{
  int err = -1;
  GPid pid = spawn_endless (f, &err);
  g_autoptr (GString) heard = g_string_new (NULL);
  await (err, heard, "epoch");
  gint64 began = g_get_monotonic_time ();
  kill (pid, SIGINT);
  await (err, heard, "run the same command again to continue");
  int status = -1;
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  double seconds = (double) (g_get_monotonic_time () - began) / 1e6;
  close (err);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 130);
  g_test_message ("stopped within %.2f s", seconds);
  command_assert_has (heard->str, "press Ctrl-C again to stop at once");
  fixture_assert_exists (f, "runs/artist-cnn");

  /* Finished work is not done again. */
  g_auto (CommandResult) result = { 0 };
  command_run (&result, f->folder, f->env, "run", "--preset", "artist-cnn", f->music, "--json",
               "--set", "segment.count=2", "--set", "train.epochs=1", "--set",
               "train.model.channels=[8,8]", NULL);
  command_assert (&result, 0);
  g_assert_cmpint (command_get_int (&result, "cached"), ==, 18);
}

/* A second Ctrl-C ends it without waiting. */
static void
test_interrupt_twice (Fixture *f, gconstpointer data)
{
  int err = -1;
  GPid pid = spawn_endless (f, &err);
  g_autoptr (GString) heard = g_string_new (NULL);
  await (err, heard, "epoch");
  kill (pid, SIGINT);
  await (err, heard, "stopping");
  kill (pid, SIGINT);
  int status = -1;
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  close (err);
  /* Killed, unless it has ended in the meantime. */
  g_assert_true ((WIFSIGNALED (status) && WTERMSIG (status) == SIGINT) ||
                 (WIFEXITED (status) && WEXITSTATUS (status) == 130));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  signal (SIGINT, SIG_DFL); /* it is ignored where the tests run in the background */
  g_auto (FixtureLibrary) library = fixture_library_new (3, 6);
#define ADD(path, test)                                                                            \
  g_test_add ("/interrupt/" path, Fixture, &library, fixture_set_up, test, fixture_tear_down)
  ADD ("once", test_interrupt);
  ADD ("twice", test_interrupt_twice);
#undef ADD
  return g_test_run ();
}
