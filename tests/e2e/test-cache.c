/* segue cache, and runs that share one. */
#include "command.h"
#include "fixture.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARTISTS 2
#define SONGS   4

static const char pipeline[] =
  "segue: 1\n"
  "name: shared\n"
  "seed: 42\n"
  "vars: { music: music }\n"
  "stages:\n"
  "  - { id: songs, use: scan, with: { root: \"${music}\", layout: \"{artist}/{album}/{title}\", "
  "label: artist } }\n"
  "  - { use: decode-sndfile, with: { rate: 16000, channels: mono } }\n"
  "  - { use: trim, with: { head: 5, tail: 5 } }\n"
  "  - { use: segment, with: { length: 5, count: 2 } }\n"
  "  - { use: split, with: { by: song, test: 0.25, validation: 0.25 } }\n"
  "  - { use: train, with: { model: { use: mel-cnn, channels: [4, 4] }, epochs: 2, batch: 4 } }\n"
  "  - { use: evaluate }\n";

static void
set_up (Fixture *f, gconstpointer library)
{
  fixture_set_up (f, library);
  fixture_write (f, "shared.yaml", pipeline);
}

static json_t *
cache_json (Fixture *f, const char *action, const char *option)
{
  g_auto (CommandResult) result = { 0 };
  command_run (&result, f->folder, f->env, "cache", action, "--json", option, NULL);
  command_assert (&result, 0);
  json_t *root = json_loads (result.out, JSON_REJECT_DUPLICATES, NULL);
  g_assert_nonnull (root);
  return root;
}

static gint64
get_entries (json_t *root, const char *part)
{
  json_t *value =
    json_object_get (json_object_get (json_object_get (root, "parts"), part), "entries");
  g_assert_true (json_is_integer (value));
  return json_integer_value (value);
}

/* (transfer full): the first record, its path from the test's folder. */
static char *
find_record (Fixture *f)
{
  char *argv[] = { (char *) "find", (char *) "cache/segue/records", (char *) "-type", (char *) "f",
                   NULL };
  g_autofree char *list = NULL;
  g_assert_true (
    g_spawn_sync (f->folder, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &list, NULL, NULL, NULL));
  g_auto (GStrv) lines = g_strsplit (list, "\n", 2);
  return g_strdup (lines[0]);
}

static void
test_verb (Fixture *f, gconstpointer data)
{
  g_auto (CommandResult) result = { 0 };
  command_run (&result, f->folder, f->env, "cache", NULL);
  command_assert (&result, 0);
  command_assert_has (result.out, "/cache/segue\n");
  command_assert_has (result.out, "0 bytes of at most");
  command_run (&result, f->folder, f->env, "run", "shared.yaml", NULL);
  command_assert (&result, 0);

  json_t *info = cache_json (f, "info", NULL);
  g_assert_cmpint (get_entries (info, "records"), ==, ARTISTS * SONGS);
  g_assert_cmpint (json_integer_value (json_object_get (info, "runs")), ==, 0);
  g_assert_cmpint (json_integer_value (json_object_get (info, "limit")), >, 0);
  json_decref (info);

  /* One bit of one record. */
  command_run (&result, f->folder, f->env, "cache", "verify", NULL);
  command_assert (&result, 0);
  gsize length;
  g_autofree char *record = find_record (f);
  g_autofree char *path = g_build_filename (f->folder, record, NULL);
  g_autofree char *bytes = fixture_read (f, record, &length);
  bytes[length - 1] ^= 1;
  g_assert_true (g_file_set_contents (path, bytes, (gssize) length, NULL));
  command_run (&result, f->folder, f->env, "cache", "verify", NULL);
  command_assert (&result, 65);
  command_assert_has (result.out, record + strlen ("cache/segue/"));
  command_assert_says (&result, "segue cache verify --repair");
  json_t *repaired = cache_json (f, "verify", "--repair");
  g_assert_cmpuint (json_array_size (json_object_get (repaired, "damaged")), ==, 1);
  g_assert_cmpint (json_integer_value (json_object_get (repaired, "removed")), ==, 1);
  json_decref (repaired);
  command_run (&result, f->folder, f->env, "cache", "verify", NULL);
  command_assert (&result, 0);
  command_run (&result, f->folder, f->env, "run", "shared.yaml", "--json", NULL);
  command_assert (&result, 0);
  g_assert_cmpint (command_get_int (&result, "cached"), ==, ARTISTS * SONGS - 1);

  json_t *dry = cache_json (f, "gc", "--dry-run");
  g_assert_cmpint (get_entries (dry, "records"), ==, 0);
  json_decref (dry);
  command_run (&result, f->folder, f->env, "cache", "gc", "--max", "0", "-n", NULL);
  command_assert (&result, 0);
  command_assert_has (result.out, "would be removed, 0 bytes left (limit: 0 bytes)");
  json_t *removed = cache_json (f, "gc", "--all");
  g_assert_cmpint (get_entries (removed, "records"), ==, ARTISTS * SONGS);
  json_decref (removed);
  json_t *empty = cache_json (f, "info", NULL);
  g_assert_cmpint (json_integer_value (json_object_get (empty, "bytes")), ==, 0);
  json_decref (empty);
}

static void
test_usage (Fixture *f, gconstpointer data)
{
  static const char *const wrong[][4] = {
    { "nothing" },        { "gc", "--max", "5GB" },      { "gc", "--max", "" },
    { "gc", "--repair" }, { "verify", "--all" },         { "info", "--dry-run" },
    { "gc", "info" },     { "gc", "--all", "--max=5G" }, { "gc", "--older=-1" },
  };
  g_auto (CommandResult) result = { 0 };
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++) {
    command_run (&result, f->folder, f->env, "cache", wrong[i][0], wrong[i][1], wrong[i][2], NULL);
    command_assert (&result, 64);
  }
  f->env = g_environ_setenv (f->env, "SEGUE_CACHE_SIZE", "lots", TRUE);
  command_run (&result, f->folder, f->env, "run", "shared.yaml", NULL);
  command_assert (&result, 64);
  command_assert_says (&result, "$SEGUE_CACHE_SIZE: ‘lots’ is not a size");
}

/* ---- Several processes at once ---- */

typedef struct {
  Fixture *f;
  const char *out, *seed;
  CommandResult result;
} Job;

static gpointer
run_job (gpointer data)
{
  Job *job = data;
  g_autofree char *seed = g_strconcat ("seed=", job->seed, NULL);
  command_run (&job->result, job->f->folder, job->f->env, "run", "shared.yaml", "-j", "2", "--out",
               job->out, "--set", seed, NULL);
  return NULL;
}

static gpointer
collect_job (gpointer data)
{
  Job *job = data;
  g_auto (CommandResult) result = { 0 };
  for (guint i = 0; i < 30; i++) {
    command_run (&result, job->f->folder, job->f->env, "cache", "gc", "--all", NULL);
    command_assert (&result, 0);
  }
  return NULL;
}

static void
assert_same (Fixture *f, const char *a, const char *b)
{
  static const char *const names[] = { "metrics.json", "predictions.csv",
                                       "model/model.safetensors" };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    gsize n_a, n_b;
    g_autofree char *path_a = g_build_filename (a, "shared/latest", names[i], NULL);
    g_autofree char *path_b = g_build_filename (b, "shared/latest", names[i], NULL);
    g_autofree char *text_a = fixture_read (f, path_a, &n_a);
    g_autofree char *text_b = fixture_read (f, path_b, &n_b);
    g_assert_cmpmem (text_a, n_a, text_b, n_b);
  }
}

/* Two runs with the same seed and one with another over one cache, from which another process removes all
 * removable entries: the result equals that of a single run. */
static void
test_together (Fixture *f, gconstpointer data)
{
  Job jobs[] = { { f, "one", "42" }, { f, "two", "42" }, { f, "other", "7" } };
  GThread *threads[G_N_ELEMENTS (jobs)];
  for (gsize i = 0; i < G_N_ELEMENTS (jobs); i++)
    threads[i] = g_thread_new ("run", run_job, &jobs[i]);
  GThread *collector = g_thread_new ("gc", collect_job, &jobs[0]);
  for (gsize i = 0; i < G_N_ELEMENTS (jobs); i++) {
    g_thread_join (threads[i]);
    command_assert (&jobs[i].result, 0);
    command_result_clear (&jobs[i].result);
  }
  g_thread_join (collector);
  Job alone[] = { { f, "alone", "42" }, { f, "other-alone", "7" } };
  for (gsize i = 0; i < G_N_ELEMENTS (alone); i++) {
    run_job (&alone[i]);
    command_assert (&alone[i].result, 0);
    command_result_clear (&alone[i].result);
  }
  assert_same (f, "one", "alone");
  assert_same (f, "two", "alone");
  assert_same (f, "other", "other-alone");
}

/* A disk that is really full: a message that states where and what to do, no partial files, and finished results
 * are available to a later run with space. */
static void
test_full_disk (Fixture *f, gconstpointer data)
{
  g_autofree char *segue = command_path ();
  g_autofree char *script = g_strdup_printf (
    "mkdir -p cache/segue && mount -t tmpfs -o size=2m,mode=700 none cache/segue || exit 77\n"
    "'%s' run shared.yaml -j 1\n"
    "echo status $?\n"
    "find cache/segue -name '.*' -type f\n"
    "mount -o remount,size=64m cache/segue || exit 77\n"
    "'%s' run shared.yaml -j 1 --json || exit 1\n",
    segue, segue);
  char *argv[] = { (char *) "unshare",
                   (char *) "--map-root-user",
                   (char *) "--mount",
                   (char *) "sh",
                   (char *) "-c",
                   script,
                   NULL };
  g_autofree char *out = NULL;
  g_autofree char *err = NULL;
  int status = 0;
  if (!g_spawn_sync (f->folder, argv, f->env, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &err, &status,
                     NULL) ||
      (WIFEXITED (status) && WEXITSTATUS (status) == 77) || strstr (err, "unshare:")) {
    g_test_skip ("no tmpfs can be mounted here");
    return;
  }
  g_test_message ("%s\n%s", out, err);
  g_assert_true (WIFEXITED (status) && WEXITSTATUS (status) == 0);
  g_assert_true (g_str_has_prefix (out, "status 74\n{"));
  command_assert_has (err, "cache/segue");
  command_assert_has (err, "full");
  command_assert_has (out, "\"cached\":");
  g_assert_null (strstr (out, "\"cached\":0"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_auto (FixtureLibrary) library = fixture_library_new (ARTISTS, SONGS);
#define ADD(path, test)                                                                            \
  g_test_add ("/cache/" path, Fixture, &library, set_up, test, fixture_tear_down)
  ADD ("verb", test_verb);
  ADD ("usage", test_usage);
  ADD ("together", test_together);
  ADD ("full-disk", test_full_disk);
#undef ADD
  return g_test_run ();
}
