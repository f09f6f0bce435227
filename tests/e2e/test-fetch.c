/* `segue fetch` against servers of the test's own, honest and otherwise. */
#include "command.h"
#include "http-server.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define COMMIT  "1111111111111111111111111111111111111111"
#define COMMIT2 "2222222222222222222222222222222222222222"
#define CONFIG  "{\"model_type\": \"test\"}\n"
#define WEIGHTS 300000 /* bytes */

/* How the servers behave.  The hub answers for names; the store, another origin, has the bytes of
 * large files. */
typedef struct {
  HttpServer *hub;
  HttpServer *store;
  char *folder;
  char **env;
  guint8 *weights;
  char *weights_sha256;
  char *config_sha1;

  const char *commit;        /* what the hub says */
  const char *second_commit; /* … of model.safetensors */
  const char *etag;          /* of model.safetensors; NULL: the right one */
  const char *location;      /* of it; NULL: the store */
  gint64 linked_size;        /* of it; 0: the right one */
  int config_status;         /* of config.json; 0: 200 */
  guint fail_first;          /* answers 500 to so many questions first */
  gsize cut;                 /* the store stops after so many bytes … */
  guint cuts;                /* … so many times */
  gboolean no_ranges;        /* the store answers 200 to any range */
  gboolean wrong_range;      /* … or with another part, once */
  gboolean corrupt;          /* … or with other bytes */
  gboolean more;             /* … or with more bytes than there are */
  gboolean pickle_only;
  gulong slow; /* µs between pieces of the store's answer */
  gint asked;
  gint served;
} Fixture;

/* ---- The servers ---- */

static void
answer_status (GOutputStream *out, int status)
{
  http_server_write (out, "HTTP/1.1 %d X\r\nContent-Length: 5\r\nConnection: close\r\n\r\nsorry",
                     status);
}

static void
answer_config (Fixture *f, const HttpRequest *request, GOutputStream *out)
{
  if (f->config_status) {
    answer_status (out, f->config_status);
    return;
  }
  http_server_write (out,
                     "HTTP/1.1 200 OK\r\nX-Repo-Commit: %s\r\nETag: W/\"%s\"\r\nContent-Length: "
                     "%u\r\nConnection: close\r\n\r\n%s",
                     f->commit, f->config_sha1, (guint) strlen (CONFIG),
                     g_str_equal (request->method, "HEAD") ? "" : CONFIG);
}

static void
answer_weights (Fixture *f, GOutputStream *out)
{
  g_autofree char *there =
    g_strconcat (http_server_get_url (f->store), "/bytes?signed=a%2Fb", NULL);
  http_server_write (
    out,
    "HTTP/1.1 302 Found\r\nX-Repo-Commit: %s\r\nX-Linked-Etag: "
    "\"%s\"\r\nX-Linked-Size: %" G_GINT64_FORMAT
    "\r\nLocation: %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    f->second_commit ? f->second_commit : f->commit, f->etag ? f->etag : f->weights_sha256,
    f->linked_size ? f->linked_size : (gint64) WEIGHTS, f->location ? f->location : there);
}

static void
answer_hub (gpointer data, const HttpRequest *request, GOutputStream *out)
{
  Fixture *f = data;
  if ((guint) g_atomic_int_add (&f->asked, 1) < f->fail_first)
    answer_status (out, 500);
  else if (g_str_has_suffix (request->path, "/config.json"))
    answer_config (f, request, out);
  else if (g_str_has_suffix (request->path, "/model.safetensors") && !f->pickle_only)
    answer_weights (f, out);
  else if (g_str_has_suffix (request->path, "/pytorch_model.bin") && f->pickle_only)
    answer_weights (f, out);
  else
    answer_status (out, 404);
}

static void
answer_store (gpointer data, const HttpRequest *request, GOutputStream *out)
{
  Fixture *f = data;
  guint turn = (guint) g_atomic_int_add (&f->served, 1);
  gboolean wrong = f->wrong_range && turn == 1;
  gsize start = request->range > 0 && !f->no_ranges ? (gsize) request->range : 0;
  if (wrong)
    start += 10;
  gsize end = f->cut && turn < f->cuts ? MIN (start + f->cut, WEIGHTS) : WEIGHTS;
  if (start > 0)
    http_server_write (out,
                       "HTTP/1.1 206 Partial\r\nContent-Range: bytes %" G_GSIZE_FORMAT
                       "-%u/%u\r\nContent-Length: %" G_GSIZE_FORMAT "\r\nConnection: close\r\n\r\n",
                       start, WEIGHTS - 1, WEIGHTS, WEIGHTS - start);
  else
    http_server_write (out, "HTTP/1.1 200 OK\r\nETag: \"other\"\r\nContent-Length: %u\r\n\r\n",
                       f->more ? WEIGHTS + 1000 : WEIGHTS);
  g_autofree guint8 *bytes = g_memdup2 (f->weights, WEIGHTS);
  if (f->corrupt)
    bytes[WEIGHTS / 2] ^= 1;
  gsize step = f->slow ? 10000 : WEIGHTS;
  for (gsize at = start; at < end; at += step) {
    if (!g_output_stream_write_all (out, bytes + at, MIN (step, end - at), NULL, NULL, NULL))
      return;
    if (f->slow)
      g_usleep (f->slow);
  }
  if (f->more)
    g_output_stream_write_all (out, bytes, 1000, NULL, NULL, NULL);
}

/* ---- Each test has its own servers and its own cache ---- */

static char *
git_sha1 (const char *text)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA1);
  g_autofree char *head = g_strdup_printf ("blob %u", (guint) strlen (text));
  g_checksum_update (sum, (const guchar *) head, (gssize) strlen (head) + 1);
  g_checksum_update (sum, (const guchar *) text, -1);
  return g_strdup (g_checksum_get_string (sum));
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->folder = scratch_new ();
  f->commit = COMMIT;
  f->weights = g_malloc (WEIGHTS);
  for (guint i = 0; i < WEIGHTS; i++)
    f->weights[i] = (guint8) (i * 2654435761u >> 13);
  f->weights_sha256 = g_compute_checksum_for_data (G_CHECKSUM_SHA256, f->weights, WEIGHTS);
  f->config_sha1 = git_sha1 (CONFIG);
  f->hub = http_server_new (answer_hub, f);
  f->store = http_server_new (answer_store, f);
  f->env = command_env (f->folder, TRUE);
  f->env = g_environ_setenv (f->env, "HF_ENDPOINT", http_server_get_url (f->hub), TRUE);
  f->env = g_environ_setenv (f->env, "HF_TOKEN", "hf_secret", TRUE);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  http_server_free (f->hub);
  http_server_free (f->store);
  scratch_free (f->folder);
  g_strfreev (f->env);
  g_free (f->weights);
  g_free (f->weights_sha256);
  g_free (f->config_sha1);
}

static char *
repo_path (Fixture *f, const char *below)
{
  return g_build_filename (f->folder, "hub", "models--org--name", below, NULL);
}

static gboolean
exists (Fixture *f, const char *below)
{
  g_autofree char *path = repo_path (f, below);
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static void
assert_content (Fixture *f, const char *below, const void *bytes, gsize length)
{
  g_autofree char *path = repo_path (f, below);
  g_autofree char *content = NULL;
  gsize n = 0;
  g_autoptr (GError) error = NULL;
  g_file_get_contents (path, &content, &n, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (content, n, bytes, length);
}

/* The whole model, exactly as Hugging Face's own programs would have laid it down. */
static void
assert_whole (Fixture *f)
{
  assert_content (f, "refs/main", COMMIT, strlen (COMMIT));
  assert_content (f, "snapshots/" COMMIT "/config.json", CONFIG, strlen (CONFIG));
  assert_content (f, "snapshots/" COMMIT "/model.safetensors", f->weights, WEIGHTS);
  g_autofree char *link = repo_path (f, "snapshots/" COMMIT "/model.safetensors");
  g_autofree char *target = g_file_read_link (link, NULL);
  g_autofree char *wanted = g_strconcat ("../../blobs/", f->weights_sha256, NULL);
  g_assert_cmpstr (target, ==, wanted);
  g_autofree char *partial = g_strconcat ("blobs/", f->weights_sha256, ".incomplete", NULL);
  g_assert_false (exists (f, partial));
}

/* Nothing that a program could take for the model. */
static void
assert_nothing (Fixture *f)
{
  g_autofree char *blob = g_strconcat ("blobs/", f->weights_sha256, NULL);
  g_assert_false (exists (f, blob));
  g_assert_false (exists (f, "refs/main"));
  g_assert_false (exists (f, "snapshots/" COMMIT "/model.safetensors"));
}

static void
fetch (Fixture *f, int status, CommandResult *result)
{
  command_run (result, f->folder, f->env, "fetch", "org/name", NULL);
  command_assert (result, status);
  g_assert_cmpuint (http_server_count (f->store, "secret"), ==, 0);
}

/* ---- Honest servers ---- */

static void
test_whole (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  fetch (f, 0, &result);
  assert_whole (f);
  g_autofree char *snapshot = repo_path (f, "snapshots/" COMMIT);
  g_autofree char *line = g_strconcat (snapshot, "\n", NULL);
  g_assert_cmpstr (result.out, ==, line);
  g_assert_cmpuint (http_server_count (f->hub, "token=Bearer hf_secret"), >, 0);
  /* Later files belong to the commit of the first. */
  g_assert_cmpuint (http_server_count (f->hub, "/org/name/resolve/main/config.json"), ==, 1);
  g_assert_cmpuint (http_server_count (f->hub, "/resolve/main/model.safetensors"), ==, 0);

  fetch (f, 0, &result);
  assert_whole (f);
  g_assert_cmpuint (http_server_count (f->store, "GET"), ==, 1);
}

static void
test_no_token (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  f->env = g_environ_unsetenv (f->env, "HF_TOKEN");
  fetch (f, 0, &result);
  assert_whole (f);
  g_assert_cmpuint (http_server_count (f->hub, "token=none"), >, 0);
}

static void
test_revision_and_file (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  command_run (&result, f->folder, f->env, "fetch", "org/name", "--revision", "refs/pr/7", "--file",
               "config.json", NULL);
  command_assert (&result, 0);
  assert_content (f, "refs/refs/pr/7", COMMIT, strlen (COMMIT));
  g_assert_false (exists (f, "refs/main"));
  g_assert_false (exists (f, "snapshots/" COMMIT "/model.safetensors"));
  g_assert_cmpuint (http_server_count (f->hub, "/resolve/refs%2Fpr%2F7/config.json"), >, 0);
}

static void
test_resume (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  f->cut = 100000;
  f->cuts = 2;
  fetch (f, 0, &result);
  assert_whole (f);
  g_assert_cmpuint (http_server_count (f->store, "range=100000 "), ==, 1);
  g_assert_cmpuint (http_server_count (f->store, "range=200000 "), ==, 1);
}

static void
test_resume_restarts (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  f->cut = 100000;
  f->cuts = 1;
  f->no_ranges = TRUE;
  fetch (f, 0, &result);
  assert_whole (f);
  g_assert_cmpuint (http_server_count (f->store, "range=100000 "), ==, 1);
}

static void
test_resume_wrong_part (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  f->cut = 100000;
  f->cuts = 1;
  f->wrong_range = TRUE;
  fetch (f, 0, &result);
  assert_whole (f);
}

static void
test_resume_of_rubbish (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  g_autofree char *blobs = repo_path (f, "blobs");
  g_assert_cmpint (g_mkdir_with_parents (blobs, 0777), ==, 0);
  g_autofree char *name = g_strconcat (f->weights_sha256, ".incomplete", NULL);
  g_autofree char *partial = g_build_filename (blobs, name, NULL);
  g_assert_true (g_file_set_contents (partial, "rubbish", -1, NULL));
  fetch (f, 0, &result);
  assert_whole (f);
  g_assert_cmpuint (http_server_count (f->store, "range=7 "), ==, 1);
  g_assert_cmpuint (http_server_count (f->store, "range=-1 "), ==, 1);
}

static void
test_busy_then_fine (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  f->fail_first = 1;
  fetch (f, 0, &result);
  assert_whole (f);
  command_assert_says (&result, "500; trying again");
}

static void
test_two_at_once (Fixture *f, gconstpointer data)
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
  assert_whole (f);
  g_assert_cmpuint (http_server_count (f->store, "GET"), ==, 1);
}

static void
test_interrupt (Fixture *f, gconstpointer data)
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
  assert_nothing (f);

  f->slow = 0;
  g_auto (CommandResult) result = { 0 };
  fetch (f, 0, &result);
  assert_whole (f);
  /* It went on and did not start again. */
  g_assert_cmpuint (http_server_count (f->store, "range=-1 "), ==, 1);
}

/* ---- Servers that fail or lie ---- */

static void
test_missing (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  f->config_status = 404;
  fetch (f, 66, &result);
  command_assert_says (&result, "/org/name/resolve/main/config.json");
  assert_nothing (f);
}

static void
test_refused (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  f->config_status = 401;
  fetch (f, 69, &result);
  command_assert_says (&result, "HF_TOKEN");
  assert_nothing (f);
}

static void
test_down (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  /* Port 1 is nobody's. */
  f->env = g_environ_setenv (f->env, "HF_ENDPOINT", "http://127.0.0.1:1", TRUE);
  fetch (f, 69, &result);
  command_assert_says (&result, "can't reach http://127.0.0.1:1/");
}

static void
test_corrupt (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  f->corrupt = TRUE;
  fetch (f, 65, &result);
  command_assert_says (&result, "checksum");
  assert_nothing (f);
  g_autofree char *partial = g_strconcat ("blobs/", f->weights_sha256, ".incomplete", NULL);
  g_assert_false (exists (f, partial));
}

static void
test_more_than_said (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  f->more = TRUE;
  fetch (f, 65, &result);
  command_assert_says (&result, "more bytes than it said");
  assert_nothing (f);
}

static void
test_less_than_said (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  f->linked_size = WEIGHTS + 1;
  fetch (f, 69, &result);
  assert_nothing (f);
}

static void
test_huge (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  f->linked_size = G_MAXINT64 - 1;
  fetch (f, 65, &result);
  command_assert_says (&result, "too much");
  assert_nothing (f);
  g_assert_cmpuint (http_server_count (f->store, "GET"), ==, 0);
}

static void
test_hostile_names (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  static const char *const etags[] = { "../../../escaped", "abc", "g" COMMIT, "" };
  for (gsize i = 0; i < G_N_ELEMENTS (etags); i++) {
    f->etag = etags[i];
    fetch (f, 65, &result);
    assert_nothing (f);
  }
  f->etag = NULL;
  f->commit = "../../../../escaped";
  fetch (f, 65, &result);
  command_assert_says (&result, "X-Repo-Commit");
  f->commit = COMMIT;
  f->second_commit = COMMIT2;
  fetch (f, 65, &result);
  command_assert_says (&result, "was asked for");
  assert_nothing (f);
}

static void
test_hostile_redirects (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  static const char *const places[] = { "file:///etc/passwd", "ftp://127.0.0.1/x",
                                        "http://user:password@127.0.0.1/x", "gopher://x" };
  for (gsize i = 0; i < G_N_ELEMENTS (places); i++) {
    f->location = places[i];
    fetch (f, 69, &result);
    command_assert_says (&result, "not followed");
    assert_nothing (f);
  }
  f->location = "model.safetensors";
  fetch (f, 69, &result);
  command_assert_says (&result, "circle");
  assert_nothing (f);
}

static void
test_pickle (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  f->pickle_only = TRUE;
  fetch (f, 65, &result);
  command_assert_says (&result, "convert it once");
  command_run (&result, f->folder, f->env, "fetch", "org/name", "--file", "pytorch_model.bin",
               NULL);
  command_assert (&result, 65);
  command_assert_says (&result, "pickle");
  g_assert_cmpuint (http_server_count (f->store, "GET"), ==, 0);
}

/* ---- What is not even asked ---- */

static void
test_offline (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  f->env = g_environ_setenv (f->env, "HF_HUB_OFFLINE", "1", TRUE);
  fetch (f, 69, &result);
  command_assert_says (&result, "HF_HUB_OFFLINE");
  g_assert_cmpuint (http_server_count (f->hub, ""), ==, 0);
}

static void
test_names (Fixture *f, gconstpointer data)
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
#define ADD(path, test) g_test_add ("/fetch/" path, Fixture, NULL, set_up, test, tear_down)
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
  ADD ("missing", test_missing);
  ADD ("refused", test_refused);
  ADD ("down", test_down);
  ADD ("corrupt", test_corrupt);
  ADD ("more-than-said", test_more_than_said);
  ADD ("less-than-said", test_less_than_said);
  ADD ("huge", test_huge);
  ADD ("hostile/names", test_hostile_names);
  ADD ("hostile/redirects", test_hostile_redirects);
  ADD ("pickle", test_pickle);
  ADD ("offline", test_offline);
  ADD ("names", test_names);
#undef ADD
  return g_test_run ();
}
