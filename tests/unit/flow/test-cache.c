/* The store as used by runs: cache hits, computed results, and the reasons. */
#include "fake.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHAIN(decode)                                                                              \
  "  - use: fake-decode\n    with: { " decode " }\n  - use: fake-segment\n  - use: fake-dump\n"

/* Runs @stages and returns how many songs came from the store; the number of decoded songs must match. */
static guint
count_cached (FlowFixture *fixture, const char *stages)
{
  SegueRunResult result = SEGUE_INIT (SegueRunResult);
  int before = g_atomic_int_get (&fake_decoded);
  flow_fixture_run (fixture, stages, 2, &result);
  guint cached = result.n_cached;
  g_assert_cmpuint (g_atomic_int_get (&fake_decoded) - before, ==, result.n_songs - cached);
  segue_run_result_clear (&result);
  return cached;
}

/* Checks run.json's reason why @n songs were computed. */
static void
assert_reason (FlowFixture *fixture, const char *reason, guint n)
{
  g_autofree char *report = flow_fixture_read (fixture, "run.json");
  g_autofree char *expected = g_strdup_printf ("\"%s\": %u", reason, n);
  g_assert_nonnull (strstr (report, expected));
}

static void
test_reasons (void)
{
  g_auto (FlowFixture) fixture;
  flow_fixture_init (&fixture);
  flow_fixture_write_songs (&fixture);
  g_assert_cmpuint (count_cached (&fixture, CHAIN ("")), ==, 0);
  assert_reason (&fixture, "first run of this pipeline", 3);
  g_autofree char *first = flow_fixture_read (&fixture, "dump.txt");
  g_assert_cmpuint (count_cached (&fixture, CHAIN ("")), ==, 3);
  g_autofree char *second = flow_fixture_read (&fixture, "dump.txt");
  g_assert_cmpstr (first, ==, second);

  /* An explicit default is no change; another value is, and the first one still has its records. */
  g_assert_cmpuint (count_cached (&fixture, CHAIN ("gain: 1.0")), ==, 3);
  g_assert_cmpuint (count_cached (&fixture, CHAIN ("gain: 2")), ==, 0);
  assert_reason (&fixture, "parameter gain of stage 'fake-decode' changed", 3);
  g_assert_cmpuint (count_cached (&fixture, CHAIN ("")), ==, 3);

  /* Other bytes under the same name; touched without a change. */
  flow_fixture_write (&fixture, "anna/two.song", "the second song, again");
  flow_fixture_write (&fixture, "anna/one.song", "the first song");
  flow_fixture_write (&fixture, "ben/four.song", "the fourth song");
  g_assert_cmpuint (count_cached (&fixture, CHAIN ("")), ==, 2);
  assert_reason (&fixture, "its bytes changed", 1);
  assert_reason (&fixture, "new", 1);
}

static void
test_relabel (void)
{
  g_auto (FlowFixture) fixture;
  flow_fixture_init (&fixture);
  flow_fixture_write_songs (&fixture);
  g_assert_cmpuint (count_cached (&fixture, CHAIN ("")), ==, 0);
  g_autofree char *from = g_build_filename (fixture.music, "anna", "two.song", NULL);
  g_autofree char *to = g_build_filename (fixture.music, "ben", "two.song", NULL);
  g_assert_cmpint (g_rename (from, to), ==, 0);
  g_assert_cmpuint (count_cached (&fixture, CHAIN ("")), ==, 3);
  g_autofree char *dump = flow_fixture_read (&fixture, "dump.txt");
  g_assert_null (strstr (dump, "anna/two.song"));
  const char *line = strstr (dump, "ben/two.song#0001");
  g_assert_nonnull (line);
  g_assert_nonnull (g_strstr_len (line, strchr (line, '\n') - line, "'label': <'ben'>"));
  g_assert_nonnull (g_strstr_len (line, strchr (line, '\n') - line, to));
}

static void
test_equal_songs (void)
{
  g_auto (FlowFixture) fixture;
  flow_fixture_init (&fixture);
  flow_fixture_write (&fixture, "anna/one.song", "the same song");
  flow_fixture_write (&fixture, "ben/other.song", "the same song");
  flow_fixture_run (&fixture, CHAIN (""), 1, NULL);
  g_assert_cmpuint (flow_fixture_count_records (&fixture), ==, 1);
  g_autofree char *dump = flow_fixture_read (&fixture, "dump.txt");
  g_assert_nonnull (strstr (dump, "anna/one.song#0002"));
  g_assert_nonnull (strstr (dump, "ben/other.song#0002"));

  /* But not where random numbers are drawn. */
  flow_fixture_run (&fixture, "  - use: fake-decode\n  - use: fake-noise\n  - use: fake-dump\n", 1,
                    NULL);
  g_assert_cmpuint (flow_fixture_count_records (&fixture), ==, 3);
}

static void
test_seed (void)
{
  static const char noise[] = "  - use: fake-decode\n  - use: fake-noise\n  - use: fake-dump\n";
  g_auto (FlowFixture) fixture;
  g_autoptr (GError) error = NULL;
  flow_fixture_init (&fixture);
  flow_fixture_write_songs (&fixture);
  g_assert_cmpuint (count_cached (&fixture, noise), ==, 0);
  g_autofree char *first = flow_fixture_read (&fixture, "dump.txt");
  g_assert_cmpuint (count_cached (&fixture, noise), ==, 3);
  SegueRunResult result = SEGUE_INIT (SegueRunResult);
  flow_fixture_try_run (&fixture, "seed: 8", noise, 2, &result, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (result.n_cached, ==, 0);
  segue_run_result_clear (&result);
  g_autofree char *second = flow_fixture_read (&fixture, "dump.txt");
  g_assert_cmpstr (first, !=, second);
  /* A stage without random numbers does not depend on the seed. */
  flow_fixture_run (&fixture, CHAIN (""), 2, NULL);
  flow_fixture_try_run (&fixture, "seed: 9", CHAIN (""), 2, &result, &error);
  g_assert_cmpuint (result.n_cached, ==, 3);
  segue_run_result_clear (&result);
}

/* Equal stages give equal results, at any position and with any other stages. */
static void
test_own_seed (void)
{
  static const char first[] =
    "  - { id: one, use: fake-noise }\n  - { id: dump-one, use: fake-dump }\n";
  static const char rest[] = "  - { id: two, use: fake-noise, from: fake-decode }\n"
                             "  - { id: dump-two, use: fake-dump }\n"
                             "  - { id: three, use: fake-noise, from: fake-decode, seed: 1 }\n"
                             "  - { id: dump-three, use: fake-dump }\n";
  static const char decode[] = "  - { use: fake-decode, cache: true }\n";
  g_auto (FlowFixture) fixture;
  flow_fixture_init (&fixture);
  flow_fixture_write_songs (&fixture);
  g_autofree char *all = g_strconcat (decode, first, rest, NULL);
  flow_fixture_run (&fixture, all, 2, NULL);
  g_autofree char *one = flow_fixture_read (&fixture, "stages/dump-one/dump.txt");
  g_autofree char *two = flow_fixture_read (&fixture, "stages/dump-two/dump.txt");
  g_autofree char *three = flow_fixture_read (&fixture, "stages/dump-three/dump.txt");
  g_assert_cmpstr (one, ==, two);
  g_assert_cmpstr (one, !=, three);
  /* Three songs decoded, with noise twice: the second stage's songs are the first one's. */
  guint n_records = flow_fixture_count_records (&fixture);
  g_autofree char *fewer = g_strconcat (decode, rest, NULL);
  SegueRunResult result = SEGUE_INIT (SegueRunResult);
  flow_fixture_run (&fixture, fewer, 2, &result);
  g_assert_cmpuint (result.n_cached, ==, 3);
  segue_run_result_clear (&result);
  g_assert_cmpuint (flow_fixture_count_records (&fixture), ==, n_records);
  g_autofree char *still = flow_fixture_read (&fixture, "stages/dump-two/dump.txt");
  g_assert_cmpstr (still, ==, one);

  /* Recomputed only by the second stage: the same noise. */
  g_autoptr (GPtrArray) records = flow_fixture_list_records (&fixture);
  for (guint i = 0; i < records->len; i++)
    g_assert_cmpint (g_unlink (g_ptr_array_index (records, i)), ==, 0);
  flow_fixture_forget_results (&fixture);
  flow_fixture_run (&fixture, fewer, 2, NULL);
  g_autofree char *again = flow_fixture_read (&fixture, "stages/dump-two/dump.txt");
  g_assert_cmpstr (again, ==, one);
}

static void
test_kept_between (void)
{
  static const char kept[] = "  - use: fake-decode\n    cache: true\n  - use: fake-segment\n"
                             "    with: { count: %d }\n  - use: fake-dump\n";
  g_auto (FlowFixture) fixture;
  flow_fixture_init (&fixture);
  flow_fixture_write_songs (&fixture);
  g_autofree char *three = g_strdup_printf (kept, 3);
  g_autofree char *two = g_strdup_printf (kept, 2);
  flow_fixture_run (&fixture, three, 2, NULL);
  g_assert_cmpuint (flow_fixture_count_records (&fixture), ==, 6);
  int before = g_atomic_int_get (&fake_decoded);
  flow_fixture_run (&fixture, two, 2, NULL);
  g_assert_cmpint (g_atomic_int_get (&fake_decoded), ==, before);
  g_autofree char *dump = flow_fixture_read (&fixture, "dump.txt");
  flow_fixture_run (&fixture,
                    "  - use: fake-decode\n  - use: fake-segment\n    with: { count: 2 }\n"
                    "  - use: fake-dump\n",
                    2, NULL);
  g_autofree char *straight = flow_fixture_read (&fixture, "dump.txt");
  g_assert_cmpstr (dump, ==, straight);
}

/* A stage that reads metadata from outside: its results depend on the values that it read. */
static void
test_reads (void)
{
  static const char text[] = "  - use: fake-decode\n  - use: fake-segment\n  - use: fake-split\n"
                             "    with: { every: %d }\n  - use: fake-copies\n  - use: fake-dump\n";
  g_auto (FlowFixture) fixture;
  flow_fixture_init (&fixture);
  flow_fixture_write_songs (&fixture);
  g_autofree char *second = g_strdup_printf (text, 2);
  g_autofree char *third = g_strdup_printf (text, 3);
  flow_fixture_run (&fixture, second, 2, NULL);
  g_autofree char *dump_second = flow_fixture_read (&fixture, "dump.txt");
  g_assert_nonnull (strstr (dump_second, "anna/one.song#0000#copy"));
  g_assert_null (strstr (dump_second, "anna/two.song#0000#copy"));
  g_assert_nonnull (strstr (dump_second, "'twin': <int64 1>"));

  flow_fixture_run (&fixture, third, 2, NULL);
  g_autofree char *dump_third = flow_fixture_read (&fixture, "dump.txt");
  g_assert_nonnull (strstr (dump_third, "anna/two.song#0000#copy"));
  g_assert_null (strstr (dump_third, "ben/three.song#0000#copy"));

  SegueRunResult result = SEGUE_INIT (SegueRunResult);
  flow_fixture_run (&fixture, second, 2, &result);
  g_assert_cmpuint (result.n_cached, ==, 3);
  segue_run_result_clear (&result);
  g_autofree char *again = flow_fixture_read (&fixture, "dump.txt");
  g_assert_cmpstr (dump_second, ==, again);
}

/* Counters of a song are stored with its result. */
static void
test_counters (void)
{
  g_auto (FlowFixture) fixture;
  flow_fixture_init (&fixture);
  flow_fixture_write_songs (&fixture);
  flow_fixture_run (&fixture, CHAIN (""), 2, NULL);
  g_autofree char *first = flow_fixture_read (&fixture, "run.json");
  g_assert_nonnull (strstr (first, "\"songs decoded\": 3"));
  flow_fixture_run (&fixture, CHAIN (""), 2, NULL);
  g_autofree char *second = flow_fixture_read (&fixture, "run.json");
  g_assert_nonnull (strstr (second, "\"songs decoded\": 3"));
}

/* Whatever is wrong with a record, the song is recomputed and the result is the same. */
static void
test_damage (void)
{
  g_auto (FlowFixture) fixture;
  flow_fixture_init (&fixture);
  flow_fixture_write_songs (&fixture);
  flow_fixture_run (&fixture, CHAIN (""), 2, NULL);
  g_autofree char *expected = flow_fixture_read (&fixture, "dump.txt");
  g_autoptr (GPtrArray) records = flow_fixture_list_records (&fixture);
  const char *path = g_ptr_array_index (records, 1);
  const char *other = g_ptr_array_index (records, 2);
  g_autofree char *data = NULL;
  g_autofree char *foreign = NULL;
  gsize size, foreign_size;
  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  g_assert_true (g_file_get_contents (other, &foreign, &foreign_size, NULL));

  for (guint damage = 0; damage < 6; damage++) {
    g_autofree char *bad = g_memdup2 (data, size);
    g_unlink (path);
    if (damage == 0)
      g_file_set_contents (path, bad, 0, NULL);
    else if (damage == 1)
      g_file_set_contents (path, bad, (gssize) size - 1, NULL);
    else if (damage == 2)
      g_file_set_contents (path, bad, 100, NULL);
    else if (damage == 3)
      g_file_set_contents (path, foreign, (gssize) foreign_size, NULL);
    else if (damage == 4)
      g_mkdir (path, 0700);
    else {
      bad[size - 5] ^= 0x40; /* in the payload */
      g_file_set_contents (path, bad, (gssize) size, NULL);
    }
    if (damage == 4) {
      /* A folder can't be replaced by a file: that is left to the user. */
      g_autoptr (GError) error = NULL;
      g_assert_false (flow_fixture_try_run (&fixture, "seed: 7", CHAIN (""), 2, NULL, &error));
      g_assert_nonnull (error);
      g_rmdir (path);
      continue;
    }
    if (damage == 5) {
      /* It is never read, so it does not matter. */
      g_assert_cmpuint (count_cached (&fixture, CHAIN ("")), ==, 3);
      g_autofree char *dump = flow_fixture_read (&fixture, "dump.txt");
      g_assert_cmpstr (dump, ==, expected);
    }
    flow_fixture_forget_results (&fixture);
    g_assert_cmpuint (count_cached (&fixture, CHAIN ("")), ==, 2);
    g_assert_nonnull (strstr (fixture.log->str, "recomputed: damaged record"));
    assert_reason (&fixture, "its record was damaged", 1);
    g_autofree char *dump = flow_fixture_read (&fixture, "dump.txt");
    g_assert_cmpstr (dump, ==, expected);
  }
}

/* Slices that overlap are stored once: three of 20 samples, 10 apart, are 40 samples. */
static void
test_overlap (void)
{
  g_auto (FlowFixture) fixture;
  flow_fixture_init (&fixture);
  flow_fixture_write (&fixture, "a/long.song", "a song of some length");
  flow_fixture_run (&fixture, CHAIN ("repeat: 1000"), 1, NULL);
  g_autoptr (GPtrArray) records = flow_fixture_list_records (&fixture);
  struct stat st;
  g_assert_cmpuint (records->len, ==, 1);
  g_assert_cmpint (stat (g_ptr_array_index (records, 0), &st), ==, 0);
  g_assert_cmpint (st.st_size % 64, ==, 40 * sizeof (float) % 64);
  g_assert_cmpint (st.st_size, <, 2048);

  flow_fixture_run (&fixture,
                    "  - use: fake-decode\n    with: { repeat: 1000 }\n  - use: fake-segment\n"
                    "    with: { length: 10000, hop: 100, count: 100 }\n  - use: fake-dump\n",
                    1, NULL);
  g_autoptr (GPtrArray) both = flow_fixture_list_records (&fixture);
  goffset total = 0;
  for (guint i = 0; i < both->len; i++) {
    g_assert_cmpint (stat (g_ptr_array_index (both, i), &st), ==, 0);
    total += st.st_size;
  }
  /* 19,900 samples instead of a million. */
  g_assert_cmpint (total, >, 19900 * 4);
  g_assert_cmpint (total, <, 30000 * 4);
}

static gpointer
run_in_thread (gpointer data)
{
  flow_fixture_run (data, CHAIN (""), 2, NULL);
  return NULL;
}

/* Two runs at once over one cache: each finishes, both find the same. */
static void
test_two_runs (void)
{
  g_auto (FlowFixture) first;
  g_auto (FlowFixture) second;
  flow_fixture_init (&first);
  flow_fixture_init (&second);
  flow_fixture_write_songs (&first);
  g_free (second.music);
  g_free (second.cache);
  second.music = g_strdup (first.music);
  second.cache = g_strdup (first.cache);
  for (guint round = 0; round < 10; round++) {
    g_autofree char *content = g_strdup_printf ("a song of round %u", round);
    flow_fixture_write (&first, "anna/new.song", content);
    GThread *thread = g_thread_new ("other run", run_in_thread, &second);
    flow_fixture_run (&first, CHAIN (""), 2, NULL);
    g_thread_join (thread);
    g_autofree char *one = flow_fixture_read (&first, "dump.txt");
    g_autofree char *other = flow_fixture_read (&second, "dump.txt");
    g_assert_cmpstr (one, ==, other);
    g_assert_cmpuint (flow_fixture_count_records (&first), ==, 4 + round);
  }
}

static const SeguePort *const files[] = { SEGUE_PORT ("files", SEGUE_KIND_FILE, NULL), NULL };

static gboolean
count_files (gpointer instance, SegueContext *context, GError **error)
{
  guint n = segue_dataset_get_length (segue_context_get_input (context, "files"));
  segue_context_count (context, "files", n);
  return TRUE;
}

/* Hashing files takes as long as reading them, and is shown as progress. */
static void
test_hashing (void)
{
  static const SegueStageType count = {
    SEGUE_STAGE_TYPE,       .name = "count-files",      .summary = "Counts files",
    .result_version = 1,    .mode = SEGUE_MODE_COLLECT, .inputs = files,
    .collect = count_files,
  };
  static const SegueStageType *const types[] = { &count, NULL };
  static const SeguePlugin plugin =
    SEGUE_INIT (SeguePlugin, .abi_major = SEGUE_ABI_MAJOR, .abi_minor = SEGUE_ABI_MINOR,
                .name = "count", .version = "1", .licence = "MIT", .stages = types);
  g_auto (FlowFixture) fixture;
  g_autoptr (GError) error = NULL;
  flow_fixture_init (&fixture);
  segue_registry_add (fixture.registry, &plugin, NULL, &error);
  g_assert_no_error (error);
  flow_fixture_write_songs (&fixture);
  flow_fixture_run (&fixture, "  - use: count-files\n", 2, NULL);
  g_assert_cmpint (fixture.progress_calls, ==, 3);
  g_assert_cmpuint (fixture.songs_done, ==, 0); /* what the stage itself does counts from 0 */
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
/* Bytes of "VmHWM" and the like in /proc/self/status. */
static guint64
get_status (const char *name)
{
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents ("/proc/self/status", &text, NULL, NULL));
  const char *at = strstr (text, name);
  g_assert_nonnull (at);
  return g_ascii_strtoull (at + strlen (name) + 1, NULL, 10) * 1024;
}

#endif

/* 70 MiB pass through twice; only the current song may be in memory at any time. */
static void
test_memory (void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  g_test_skip ("sanitizers hold on to freed memory");
#else
  g_auto (FlowFixture) fixture;
  flow_fixture_init (&fixture);
  for (guint i = 0; i < 16; i++) {
    g_autofree char *path = g_strdup_printf ("a/%02u.song", i);
    g_autofree char *content = g_strdup_printf ("a song with number %02u ", i);
    flow_fixture_write (&fixture, path, content);
  }
  guint64 before = get_status ("VmRSS:");
  int fd = g_open ("/proc/self/clear_refs", O_WRONLY, 0);
  gboolean reset = fd >= 0 && write (fd, "5", 1) == 1;
  if (fd >= 0)
    close (fd);
  flow_fixture_run (&fixture,
                    "  - use: fake-decode\n    with: { repeat: 48000 }\n  - use: fake-segment\n"
                    "    with: { length: 500000, hop: 500000, count: 2 }\n  - use: fake-dump\n",
                    1, NULL);
  guint64 after = get_status (reset ? "VmHWM:" : "VmRSS:");
  g_test_message ("%" G_GUINT64_FORMAT " KiB before, at most %" G_GUINT64_FORMAT " KiB since",
                  before / 1024, after / 1024);
  g_assert_cmpuint (after, <, before + 24 * 1024 * 1024);
#endif
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/cache/reasons", test_reasons);
  g_test_add_func ("/cache/relabel", test_relabel);
  g_test_add_func ("/cache/equal-songs", test_equal_songs);
  g_test_add_func ("/cache/seed", test_seed);
  g_test_add_func ("/cache/own-seed", test_own_seed);
  g_test_add_func ("/cache/kept-between", test_kept_between);
  g_test_add_func ("/cache/reads", test_reads);
  g_test_add_func ("/cache/counters", test_counters);
  g_test_add_func ("/cache/damage", test_damage);
  g_test_add_func ("/cache/overlap", test_overlap);
  g_test_add_func ("/cache/two-runs", test_two_runs);
  g_test_add_func ("/cache/hashing", test_hashing);
  g_test_add_func ("/cache/memory", test_memory);
  return g_test_run ();
}
