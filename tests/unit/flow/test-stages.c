/* SERIAL and COLLECT stages, live stages, and the description of a dataset. */
#include "fake.h"

#include <string.h>

static void
test_serial (void)
{
  g_auto (FlowFixture) fixture;
  flow_fixture_init (&fixture);
  flow_fixture_write_songs (&fixture);
  flow_fixture_run (&fixture,
                    "  - use: fake-decode\n  - use: fake-segment\n  - use: fake-predict\n"
                    "  - use: fake-table\n",
                    2, NULL);
  g_autofree char *text = flow_fixture_read (&fixture, "table.txt");
  /* Three segments each; the first samples of a song's are its bytes at 0, 10 and 20, plus 30. */
  g_assert_cmpstr (text, ==,
                   "anna/one.song 3 375\n"
                   "anna/two.song 3 279\n"
                   "ben/three.song 3 366\n");
  g_assert_nonnull (strstr (fixture.log->str, "\n3 songs\n"));
  g_assert_cmpstr (fixture.units->str, ==,
                   "fake-decode, fake-segment: songs\nfake-predict: sums\n");
  g_autofree char *journal = flow_fixture_read (&fixture, "log.ndjson");
  g_assert_nonnull (strstr (journal, "\"scalar\":\"test/songs\",\"step\":1,\"value\":3}"));

  /* A finished stage leaves no scratch files. */
  g_autofree char *work = g_build_filename (fixture.cache, "work", NULL);
  g_autoptr (GDir) folder = g_dir_open (work, 0, NULL);
  g_assert_nonnull (folder);
  g_assert_null (g_dir_read_name (folder));
}

static void
test_live (void)
{
  g_auto (FlowFixture) fixture;
  flow_fixture_init (&fixture);
  flow_fixture_write_songs (&fixture);
  static const char stages[] =
    "  - use: fake-decode\n  - use: fake-segment\n  - use: fake-live\n"
    "  - { id: live, use: fake-dump-live }\n  - { id: clean, use: fake-dump }\n";
  g_autofree char *first = NULL;
  for (guint workers = 1; workers <= 3; workers++) {
    flow_fixture_run (&fixture, stages, workers, NULL);
    g_autofree char *live = flow_fixture_read (&fixture, "stages/live/dump.txt");
    g_autofree char *clean = flow_fixture_read (&fixture, "stages/clean/dump.txt");
    /* One sample, the seed: different in each epoch and for each item. */
    g_auto (GStrv) lines = g_strsplit (live, "\n", -1);
    g_assert_cmpuint (g_strv_length (lines), ==, 2 * 9 + 1);
    for (guint i = 0; i < 18; i++)
      for (guint j = 0; j < i; j++)
        g_assert_cmpstr (strrchr (lines[i], '}'), !=, strrchr (lines[j], '}'));
    g_assert_nonnull (strstr (live, "#0001 anna/one.song "));
    /* A port that did not request live data skips live stages: both epochs are equal. */
    gsize half = strlen (clean) / 2;
    g_assert_cmpint (memcmp (clean, clean + half, half), ==, 0);
    g_assert_nonnull (strstr (clean, " 80\n"));
    if (!first)
      first = g_strdup (live);
    g_assert_cmpstr (live, ==, first);
  }
}

static void
test_preparation (void)
{
  g_auto (FlowFixture) fixture;
  flow_fixture_init (&fixture);
  flow_fixture_write_songs (&fixture);
  flow_fixture_run (&fixture,
                    "  - use: fake-decode\n    with: { gain: 0.5 }\n    cache: true\n"
                    "  - use: fake-segment\n  - use: fake-split\n  - use: fake-noise\n"
                    "  - use: fake-dump\n",
                    2, NULL);
  g_autofree char *text = flow_fixture_read (&fixture, "preparation.json");
  g_assert_cmpstr (text, ==,
                   "[{\"use\":\"fake-decode\",\"result_version\":3,\"with\":{\"gain\":0.5,"
                   "\"repeat\":10}},{\"use\":\"fake-segment\",\"result_version\":1,\"with\":"
                   "{\"count\":3,\"hop\":10,\"length\":20}}]");
}

static void
test_split (void)
{
  g_auto (FlowFixture) fixture;
  flow_fixture_init (&fixture);
  flow_fixture_write_songs (&fixture);
  flow_fixture_run (&fixture,
                    "  - use: fake-decode\n  - use: fake-split\n  - use: fake-segment\n"
                    "  - use: fake-dump\n",
                    2, NULL);
  g_autofree char *dump = flow_fixture_read (&fixture, "dump.txt");
  g_auto (GStrv) lines = g_strsplit (dump, "\n", -1);
  for (guint i = 0; lines[i] && *lines[i]; i++)
    g_assert_nonnull (strstr (lines[i], g_str_has_prefix (lines[i], "anna/two.song")
                                          ? "'set': <'test'>"
                                          : "'set': <'train'>"));
}

/* Two readers of one stage: it ends its chain, and is computed once. */
static void
test_branches (void)
{
  g_auto (FlowFixture) fixture;
  flow_fixture_init (&fixture);
  flow_fixture_write_songs (&fixture);
  int before = g_atomic_int_get (&fake_decoded);
  flow_fixture_run (
    &fixture,
    "  - use: fake-decode\n  - { id: short, use: fake-segment, with: { length: 5 } }\n"
    "  - { id: long, use: fake-segment, from: fake-decode, with: { length: 30 } }\n"
    "  - { id: dump-short, use: fake-dump, from: short }\n"
    "  - { id: dump-long, use: fake-dump, from: long }\n",
    2, NULL);
  g_assert_cmpint (g_atomic_int_get (&fake_decoded) - before, ==, 3);
  g_autofree char *less = flow_fixture_read (&fixture, "stages/dump-short/dump.txt");
  g_autofree char *more = flow_fixture_read (&fixture, "stages/dump-long/dump.txt");
  g_assert_nonnull (strstr (less, " 20\n"));
  g_assert_nonnull (strstr (more, " 120\n"));
}

static void
test_no_songs (void)
{
  g_auto (FlowFixture) fixture;
  flow_fixture_init (&fixture);
  SegueRunResult result = SEGUE_INIT (SegueRunResult);
  flow_fixture_run (&fixture, "  - use: fake-decode\n  - use: fake-segment\n  - use: fake-dump\n",
                    2, &result);
  g_assert_cmpuint (result.n_songs, ==, 0);
  g_autofree char *dump = flow_fixture_read (&fixture, "dump.txt");
  g_assert_cmpstr (dump, ==, "");
  segue_run_result_clear (&result);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/stages/serial", test_serial);
  g_test_add_func ("/stages/live", test_live);
  g_test_add_func ("/stages/preparation", test_preparation);
  g_test_add_func ("/stages/split", test_split);
  g_test_add_func ("/stages/branches", test_branches);
  g_test_add_func ("/stages/no-songs", test_no_songs);
  return g_test_run ();
}
