/* A worker that was compromised by its file: it costs that file, and nothing else. */
#include "fixture.h"

#include <string.h>

static const char *const misbehave[] = { "misbehave", NULL };

/* Each is described in hostile-worker.c. */
static const char *const hostile[] = {
  "noise",
  "long",
  "twisted",
  "two-descriptors",
  "many-descriptors",
  "wrong-way",
  "servers-word",
  "runs-word",
  "no-event",
  "descriptor-with-text",
  "chatter",
  "a-descriptor",
  "endless",
  "many-bytes",
  "not-there",
  "short",
  "sparse",
  "mapped",
  "shrinks",
  "sealed",
  "grows",
  "late-buffer",
  "no-buffer",
  "past-the-end",
  "overflow",
  "no-rate",
  "no-channels",
  "odd-frames",
  "many-channels",
  "too-many-channels",
  "wrong-shape",
  "endless-shape",
  "high-rank",
  "no-dtype",
  "a-path",
  "a-model",
  "no-kind",
  "another-song",
  "an-item-of-its-own",
  "an-item-of-no-item",
  "a-longer-song",
  "bad-metadata",
  "the-cores-key",
  "much-metadata",
  "many-keys",
  "many-counters",
  "huge-count",
  "escape-in-a-counter",
  "many-reads",
};

static void
test_hostile (gconstpointer what)
{
  guint handles = isolate_count_handles ();
  g_setenv ("HOSTILE", what, TRUE);
  {
    g_auto (IsolateFixture) fixture;
    isolate_fixture_init (&fixture, misbehave, NULL, TRUE, 20);
    g_autoptr (GError) confused = isolate_fixture_refuse (&fixture, "fine");
    g_assert_error (confused, SEGUE_ERROR, SEGUE_ERROR_DATA);
    g_assert_nonnull (strstr (confused->message, "confused stage 'misbehave'"));
  }
  g_assert_cmpuint (isolate_count_handles (), ==, handles);
}

/* Its log messages are truncated and made printable; that costs no song. */
static void
test_log (void)
{
  for (guint i = 0; i < 2; i++) {
    g_setenv ("HOSTILE", i == 0 ? "talks" : "escapes", TRUE);
    g_auto (IsolateFixture) fixture;
    isolate_fixture_init (&fixture, misbehave, NULL, TRUE, 20);
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) nothing = isolate_fixture_carry (&fixture, "fine", &error);
    g_assert_no_error (error);
    g_assert_cmpuint (fixture.log->len, <, 300 * 1024);
    if (i == 0)
      g_assert_nonnull (strstr (fixture.log->str, "are dropped\n"));
    else
      g_assert_nonnull (strstr (fixture.log->str, "misbehave: one??]0;two??\n"));
  }
}

/* A worker that never stops sending has no more time than a silent one. */
static void
test_flood (void)
{
  g_setenv ("HOSTILE", "flood", TRUE);
  g_auto (IsolateFixture) fixture;
  isolate_fixture_init (&fixture, misbehave, NULL, TRUE, 0.05);
  g_autoptr (GError) late = isolate_fixture_refuse (&fixture, "fine");
  g_assert_error (late, SEGUE_ERROR, SEGUE_ERROR_TIMEOUT);
}

static void
test_half (void)
{
  g_setenv ("HOSTILE", "half", TRUE);
  g_auto (IsolateFixture) fixture;
  isolate_fixture_init (&fixture, misbehave, NULL, TRUE, 0.5);
  g_autoptr (GError) late = isolate_fixture_refuse (&fixture, "fine");
  g_assert_error (late, SEGUE_ERROR, SEGUE_ERROR_TIMEOUT);
}

/* It closes its socket and continues: the core does not wait for it forever. */
static void
test_closes (void)
{
  g_setenv ("HOSTILE", "closes", TRUE);
  g_auto (IsolateFixture) fixture;
  isolate_fixture_init (&fixture, misbehave, NULL, TRUE, 1000);
  g_autoptr (GError) gone = isolate_fixture_refuse (&fixture, "fine");
  g_assert_error (gone, SEGUE_ERROR, SEGUE_ERROR_TIMEOUT);
}

/* It answers and continues: it has seen its song, and gets no other. */
static void
test_deaf (void)
{
  g_setenv ("HOSTILE", "deaf", TRUE);
  g_auto (IsolateFixture) fixture;
  isolate_fixture_init (&fixture, misbehave, NULL, TRUE, 20);
  for (guint i = 0; i < 2; i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GPtrArray) nothing = isolate_fixture_carry (&fixture, "fine", &error);
    g_assert_no_error (error);
    g_assert_cmpuint (nothing->len, ==, 0);
  }
}

/* Another version, or not a worker: the installation is broken, not the song. */
static void
test_not_ours (gconstpointer what)
{
  g_setenv ("HOSTILE", what, TRUE);
  g_auto (IsolateFixture) fixture;
  isolate_fixture_init (&fixture, misbehave, NULL, TRUE, 20);
  g_autoptr (GError) refused = isolate_fixture_refuse (&fixture, "fine");
  g_assert_error (refused, SEGUE_ERROR, SEGUE_ERROR_FAILED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (hostile); i++) {
    g_autofree char *path = g_strconcat ("/hostile/", hostile[i], NULL);
    g_test_add_data_func (path, hostile[i], test_hostile);
  }
  g_test_add_func ("/hostile/log", test_log);
  g_test_add_func ("/hostile/flood", test_flood);
  g_test_add_func ("/hostile/half", test_half);
  g_test_add_func ("/hostile/closes", test_closes);
  g_test_add_func ("/hostile/deaf", test_deaf);
  g_test_add_data_func ("/hostile/old", "old", test_not_ours);
  g_test_add_data_func ("/hostile/early", "early", test_not_ours);
  return g_test_run ();
}
