/* `segue fetch` from a correct server: a whole model, again, in parts, and not at all. */
#include "hub-server.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

static void
test_whole (Hub *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  hub_fetch (f, 0, &result);
  hub_assert_whole (f);
  g_autofree char *snapshot = hub_path (f, "snapshots/" HUB_COMMIT);
  g_autofree char *line = g_strconcat (snapshot, "\n", NULL);
  g_assert_cmpstr (result.out, ==, line);
  g_assert_cmpuint (http_server_count (f->hub, "token=Bearer hf_secret"), >, 0);
  /* Later files belong to the commit of the first. */
  g_assert_cmpuint (http_server_count (f->hub, "/org/name/resolve/main/config.json"), ==, 1);
  g_assert_cmpuint (http_server_count (f->hub, "/resolve/main/model.safetensors"), ==, 0);

  hub_fetch (f, 0, &result);
  hub_assert_whole (f);
  g_assert_cmpuint (http_server_count (f->store, "GET"), ==, 1);
}

static void
test_no_token (Hub *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  f->env = g_environ_unsetenv (f->env, "HF_TOKEN");
  hub_fetch (f, 0, &result);
  hub_assert_whole (f);
  g_assert_cmpuint (http_server_count (f->hub, "token=none"), >, 0);
}

static void
test_revision_and_file (Hub *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  command_run (&result, f->folder, f->env, "fetch", "org/name", "--revision", "refs/pr/7", "--file",
               "config.json", NULL);
  command_assert (&result, 0);
  hub_assert_content (f, "refs/refs/pr/7", HUB_COMMIT, strlen (HUB_COMMIT));
  g_assert_false (hub_has (f, "refs/main"));
  g_assert_false (hub_has (f, "snapshots/" HUB_COMMIT "/model.safetensors"));
  g_assert_cmpuint (http_server_count (f->hub, "/resolve/refs%2Fpr%2F7/config.json"), >, 0);
}

static void
test_resume (Hub *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  f->cut = 100000;
  f->cuts = 2;
  hub_fetch (f, 0, &result);
  hub_assert_whole (f);
  g_assert_cmpuint (http_server_count (f->store, "range=100000 "), ==, 1);
  g_assert_cmpuint (http_server_count (f->store, "range=200000 "), ==, 1);
}

static void
test_resume_restarts (Hub *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  f->cut = 100000;
  f->cuts = 1;
  f->no_ranges = TRUE;
  hub_fetch (f, 0, &result);
  hub_assert_whole (f);
  g_assert_cmpuint (http_server_count (f->store, "range=100000 "), ==, 1);
}

static void
test_resume_wrong_part (Hub *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  f->cut = 100000;
  f->cuts = 1;
  f->wrong_range = TRUE;
  hub_fetch (f, 0, &result);
  hub_assert_whole (f);
}

static void
test_resume_of_rubbish (Hub *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  g_autofree char *blobs = hub_path (f, "blobs");
  g_assert_cmpint (g_mkdir_with_parents (blobs, 0777), ==, 0);
  g_autofree char *name = g_strconcat (f->weights_sha256, ".incomplete", NULL);
  g_autofree char *partial = g_build_filename (blobs, name, NULL);
  g_assert_true (g_file_set_contents (partial, "rubbish", -1, NULL));
  hub_fetch (f, 0, &result);
  hub_assert_whole (f);
  g_assert_cmpuint (http_server_count (f->store, "range=7 "), ==, 1);
  g_assert_cmpuint (http_server_count (f->store, "range=-1 "), ==, 1);
}

static void
test_busy_then_fine (Hub *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  f->fail_first = 1;
  hub_fetch (f, 0, &result);
  hub_assert_whole (f);
  command_assert_says (&result, "500; trying again");
}

static void
test_two_at_once (Hub *f, gconstpointer data)
{
  f->slow = 20000;
  g_autofree char *program = command_path ();
  char *argv[] = { program, (char *) "fetch", (char *) "org/name", NULL };
  GPid pids[2];
  for (gsize i = 0; i < 2; i++)
    g_assert_true (g_spawn_async (f->folder, argv, f->env,
                                  G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL |
                                    G_SPAWN_STDERR_TO_DEV_NULL,
                                  NULL, NULL, &pids[i], NULL));
  for (gsize i = 0; i < 2; i++) {
    int status = -1;
    g_assert_cmpint (waitpid (pids[i], &status, 0), ==, pids[i]);
    g_assert_cmpint (status, ==, 0);
  }
  hub_assert_whole (f);
  g_assert_cmpuint (http_server_count (f->store, "GET"), ==, 1);
}

static void
test_interrupt (Hub *f, gconstpointer data)
{
  f->slow = 100000; /* the whole takes 3 s */
  g_autofree char *program = command_path ();
  char *argv[] = { program, (char *) "fetch", (char *) "org/name", NULL };
  GPid pid;
  g_assert_true (g_spawn_async (f->folder, argv, f->env,
                                G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL |
                                  G_SPAWN_STDERR_TO_DEV_NULL,
                                NULL, NULL, &pid, NULL));
  while (http_server_count (f->store, "GET") == 0)
    g_usleep (10000);
  g_usleep (500000);
  kill (pid, SIGINT);
  int status = -1;
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_true (WIFEXITED (status));
  g_assert_cmpint (WEXITSTATUS (status), ==, 130);
  hub_assert_nothing (f);

  f->slow = 0;
  g_auto (CommandResult) result = { 0 };
  hub_fetch (f, 0, &result);
  hub_assert_whole (f);
  /* It resumed and did not start again. */
  g_assert_cmpuint (http_server_count (f->store, "range=-1 "), ==, 1);
}

/* Weights in several files, and the preprocessor's settings. */
static void
test_shards (Hub *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  f->index = "{\"weight_map\": {\"a\": \"model-00001-of-00002.safetensors\", "
             "\"b\": \"model-00002-of-00002.safetensors\"}}";
  hub_fetch (f, 0, &result);
  g_assert_true (hub_has (f, "snapshots/" HUB_COMMIT "/processor_config.json"));
  hub_assert_content (f, "snapshots/" HUB_COMMIT "/model-00001-of-00002.safetensors", f->weights,
                      HUB_WEIGHTS);
  hub_assert_content (f, "snapshots/" HUB_COMMIT "/model-00002-of-00002.safetensors", f->weights,
                      HUB_WEIGHTS);
  hub_assert_content (f, "refs/main", HUB_COMMIT, strlen (HUB_COMMIT));
}

static void
test_hostile_shards (Hub *f, gconstpointer data)
{
  static const char *const indices[] = {
    "{\"weight_map\": {\"a\": \"../../../x.safetensors\"}}",
    "{\"weight_map\": {\"a\": \"/tmp/x.safetensors\"}}",
    "{\"weight_map\": {\"a\": \"pytorch_model.bin\"}}",
    "{\"weight_map\": {\"a\": \"model\\n-of-00002.safetensors\"}}",
    "{\"weight_map\": 7}",
  };
  for (guint i = 0; i < G_N_ELEMENTS (indices); i++) {
    g_auto (CommandResult) result = { 0 };
    f->index = indices[i];
    hub_fetch (f, 65, &result);
    command_assert_says (&result, "does not map tensors to files in the same folder");
    g_assert_false (hub_has (f, "refs/main"));
  }
}

/* ---- Refused without a request ---- */

static void
test_offline (Hub *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  f->env = g_environ_setenv (f->env, "HF_HUB_OFFLINE", "1", TRUE);
  hub_fetch (f, 69, &result);
  command_assert_says (&result, "HF_HUB_OFFLINE");
  g_assert_cmpuint (http_server_count (f->hub, ""), ==, 0);
}

static void
test_names (Hub *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  static const char *const names[] = { "..",    "../x",   "a/..", "a/b/c",    "a",
                                       "a/b c", "a--b/c", "/a/b", "a/b@../c", "" };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    command_run (&result, f->folder, f->env, "fetch", names[i], NULL);
    command_assert (&result, 64);
  }
  static const char *const files[] = { "../x", "/etc/passwd", "a/../../x", "a//b", "", "a\nb" };
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++) {
    command_run (&result, f->folder, f->env, "fetch", "org/name", "--file", files[i], NULL);
    command_assert (&result, 64);
  }
  command_run (&result, f->folder, f->env, "fetch", "org/name", "--revision", "../../x", NULL);
  command_assert (&result, 64);
  command_run (&result, f->folder, f->env, "fetch", NULL);
  command_assert (&result, 64);
  f->env = g_environ_setenv (f->env, "HF_TOKEN", "a\r\nX: y", TRUE);
  command_run (&result, f->folder, f->env, "fetch", "org/name", NULL);
  command_assert (&result, 64);
  g_assert_cmpuint (http_server_count (f->hub, ""), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  signal (SIGINT, SIG_DFL); /* it is ignored where the tests run in the background */
#define ADD(path, test) g_test_add ("/fetch/" path, Hub, NULL, hub_set_up, test, hub_tear_down)
  ADD ("whole", test_whole);
  ADD ("no-token", test_no_token);
  ADD ("revision-and-file", test_revision_and_file);
  ADD ("resume", test_resume);
  ADD ("resume/restarts", test_resume_restarts);
  ADD ("resume/wrong-part", test_resume_wrong_part);
  ADD ("resume/rubbish", test_resume_of_rubbish);
  ADD ("busy-then-fine", test_busy_then_fine);
  ADD ("two-at-once", test_two_at_once);
  ADD ("interrupt", test_interrupt);
  ADD ("shards", test_shards);
  ADD ("shards/hostile", test_hostile_shards);
  ADD ("offline", test_offline);
  ADD ("names", test_names);
#undef ADD
  return g_test_run ();
}
