/* Isolated stages in a run: the same keys and records, and the cached failures of songs. */
#include "fake.h"

#include <string.h>

#define STAGES(settings)                                                                           \
  "  - { use: misbehave, " settings " }\n"                                                         \
  "  - { use: slices, " settings " }\n"

static void
init (FlowFixture *fixture)
{
  g_autoptr (GError) error = NULL;
  flow_fixture_init (fixture);
  segue_registry_load_file (fixture->registry, g_getenv ("MISBEHAVE"), &error);
  g_assert_no_error (error);
}

/* Everything in the store, by name and content, in one text. */
static char *
digest_records (FlowFixture *fixture)
{
  g_autoptr (GPtrArray) paths = flow_fixture_list_records (fixture);
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  for (guint i = 0; i < paths->len; i++) {
    g_autofree char *name = g_path_get_basename (paths->pdata[i]), *content = NULL;
    gsize length;
    g_assert_true (g_file_get_contents (paths->pdata[i], &content, &length, NULL));
    g_checksum_update (checksum, (const guchar *) name, -1);
    g_checksum_update (checksum, (const guchar *) content, (gssize) length);
  }
  return g_strdup_printf ("%u %s", paths->len, g_checksum_get_string (checksum));
}

static void
test_same_records (void)
{
  static const char *const ways[] = {
    STAGES ("isolate: false"),
    STAGES ("isolate: true"),
    "  - { use: misbehave, with: { level: 9 }, time_limit: 99 }\n"
    "  - { use: slices, isolate: true }\n",
  };
  g_autofree char *first = NULL, *failures = NULL;
  for (guint i = 0; i < G_N_ELEMENTS (ways); i++) {
    g_auto (FlowFixture) fixture;
    init (&fixture);
    for (guint song = 0; song < 8; song++) {
      g_autofree char *name = g_strdup_printf ("artist/%u.song", song);
      g_autofree char *deed = g_strdup_printf ("%s %u", song == 5 ? "fail" : "fine", song);
      flow_fixture_write (&fixture, name, deed);
    }
    flow_fixture_write (&fixture, "artist/long.song", "fine long");
    flow_fixture_run (&fixture, ways[i], 1 + i, NULL);
    g_autofree char *digest = digest_records (&fixture);
    g_test_message ("%s", digest);
    g_assert_cmpstr (digest, ==, first ? first : digest);
    g_assert_cmpstr (fixture.failures->str, ==, failures ? failures : fixture.failures->str);
    g_assert_nonnull (strstr (fixture.failures->str, "‘artist/5.song’ is bad: 5"));
    if (!first)
      first = g_strdup (digest);
    if (!failures)
      failures = g_strdup (fixture.failures->str);
    /* Results of one way are used by the other. */
    SegueRunResult result = SEGUE_INIT (SegueRunResult);
    flow_fixture_run (&fixture, ways[0], 2, &result);
    g_assert_cmpuint (result.n_cached, ==, 8);
    segue_run_result_clear (&result);
  }
}

/* The run continues; failures that depend on the file are cached, and possibly temporary ones are not. */
static void
test_memory_of_failures (void)
{
  g_auto (FlowFixture) fixture;
  init (&fixture);
  flow_fixture_write (&fixture, "a/crash.song", "signal 11");
  flow_fixture_write (&fixture, "b/fine.song", "fine");
  flow_fixture_write (&fixture, "c/hang.song", "hang");
  flow_fixture_write (&fixture, "d/killed.song", "signal 9");
  flow_fixture_write (&fixture, "e/fine.song", "fine too");
  for (guint again = 0; again < 2; again++) {
    SegueRunResult result = SEGUE_INIT (SegueRunResult);
    flow_fixture_run (&fixture, "  - { use: misbehave, time_limit: 0.5 }\n", 2, &result);
    g_assert_cmpuint (result.n_songs, ==, 5);
    g_assert_cmpuint (result.n_failed, ==, 3);
    g_assert_cmpuint (result.n_cached, ==, again ? 2 : 0);
    segue_run_result_clear (&result);
    g_assert_nonnull (strstr (fixture.failures->str, "‘a/crash.song’ crashed stage 'misbehave'"));
    g_assert_nonnull (strstr (fixture.failures->str, "‘c/hang.song’ kept stage 'misbehave'"));
    g_assert_nonnull (strstr (fixture.failures->str, "‘d/killed.song’ was not finished"));
    /* Two results, and the crash. */
    g_assert_cmpuint (flow_fixture_count_records (&fixture), ==, 3);
  }
}

/* An item that could not be read back costs its song, in a worker and without one: a misled decoder, or a
 * compromised process that bypasses the decoder's own checks. */
static void
test_impossible_item (gconstpointer worker)
{
  g_auto (FlowFixture) fixture;
  SegueRunResult result = SEGUE_INIT (SegueRunResult);
  g_autofree char *before = g_strdup (g_getenv ("SEGUE_WORKER"));
  init (&fixture);
  if (worker)
    g_setenv ("SEGUE_WORKER", g_getenv (worker), TRUE);
  flow_fixture_write (&fixture, "a/wide.song", "channels 70000");
  flow_fixture_write (&fixture, "b/fine.song", "fine");
  flow_fixture_run (&fixture, "  - use: misbehave\n", 1, &result);
  g_setenv ("SEGUE_WORKER", before, TRUE);
  g_assert_cmpuint (result.n_songs, ==, 2);
  g_assert_cmpuint (result.n_failed, ==, 1);
  g_assert_nonnull (strstr (fixture.failures->str, "a/wide.song"));
  g_assert_nonnull (strstr (fixture.failures->str, "more than 65535"));
  segue_run_result_clear (&result);
}

/* A worker that can't be started is an error of the installation. */
static void
test_no_worker (void)
{
  g_auto (FlowFixture) fixture;
  g_autofree char *before = g_strdup (g_getenv ("SEGUE_WORKER"));
  g_autoptr (GError) error = NULL;
  init (&fixture);
  flow_fixture_write (&fixture, "b/fine.song", "fine");
  g_setenv ("SEGUE_WORKER", "/nowhere/segue-worker", TRUE);
  g_assert_false (flow_fixture_try_run (&fixture, "", "  - use: misbehave\n", 2, NULL, &error));
  g_setenv ("SEGUE_WORKER", before, TRUE);
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_FAILED);
  g_assert_nonnull (strstr (error->message, "/nowhere/segue-worker"));
  g_assert_cmpuint (flow_fixture_count_records (&fixture), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/isolate-run/same-records", test_same_records);
  g_test_add_func ("/isolate-run/memory-of-failures", test_memory_of_failures);
  g_test_add_data_func ("/isolate-run/impossible-item", NULL, test_impossible_item);
  g_test_add_data_func ("/isolate-run/impossible-item-of-a-hostile-worker", "HOSTILE_WORKER",
                        test_impossible_item);
  g_test_add_func ("/isolate-run/no-worker", test_no_worker);
  return g_test_run ();
}
