/* Whole runs: results with any number of workers and any failures. */
#include "fake.h"
#include "run/run-folder.h"
#include "run/run-lock.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <segue/file.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHAIN "  - use: fake-decode\n  - use: fake-segment\n"
#define DUMP  CHAIN "  - use: fake-dump\n"

static void
write_songs (FlowFixture *fixture, guint n)
{
  for (guint i = 0; i < n; i++) {
    g_autofree char *path = g_strdup_printf ("artist-%u/song-%02u.song", i % 3, i);
    g_autofree char *content = g_strdup_printf ("song number %u", i);
    flow_fixture_write (fixture, path, content);
  }
}

/* Errors that follow from the sources alone are reported before a song is decoded. */
static void
test_preview (void)
{
  g_auto (FlowFixture) fixture;
  g_autoptr (GError) error = NULL;
  const char *const sets = "artist-0: 2 0 2 0 0\nartist-1: 2 0 2 0 0\nartist-2: 2 0 2 0 0\n"
                           "part: looked ahead\n";
  const char *const no_sets = "artist-0: 0 0 0 4 0\nartist-1: 0 0 0 4 0\nartist-2: 0 0 0 4 0\n";
  flow_fixture_init (&fixture);
  write_songs (&fixture, 12);
  flow_fixture_run (&fixture, CHAIN "  - { id: part, use: fake-split }\n  - use: fake-dump\n", 2,
                    NULL);
  g_assert_cmpstr (fixture.data->str, ==, sets);
  g_assert_null (strstr (fixture.log->str, "looked ahead")); /* that was only a preview */

  gint decoded = g_atomic_int_get (&fake_decoded);
  flow_fixture_write (&fixture, "artist-0/new.song", "not decoded yet");
  g_assert_false (flow_fixture_try_run (
    &fixture, "seed: 7", CHAIN "  - { id: part, use: fake-split, with: { every: 99 } }\n", 2, NULL,
    &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_cmpstr (error->message, ==, "stage 'part': too many; try --set part.every=2");
  g_assert_cmpint (g_atomic_int_get (&fake_decoded), ==, decoded);

  /* A stage that may choose songs comes before it: nothing is known. */
  flow_fixture_run (&fixture,
                    "  - use: fake-decode\n  - use: fake-copies\n"
                    "  - { id: part, use: fake-split, with: { every: 99 } }\n",
                    2, NULL);
  g_assert_null (strstr (fixture.data->str, "looked ahead"));
  g_assert_true (g_str_has_suffix (fixture.data->str, strchr (no_sets, '\n')));
}

static void
test_workers (void)
{
  g_autofree char *first = NULL;
  g_autofree char *records = NULL;
  static const guint workers[] = { 1, 2, 4, 16 };
  for (guint i = 0; i < G_N_ELEMENTS (workers); i++) {
    g_auto (FlowFixture) fixture;
    flow_fixture_init (&fixture);
    write_songs (&fixture, 12);
    flow_fixture_write (&fixture, "artist-0/song-04.song", "BAD");
    flow_fixture_write (&fixture, "artist-1/cover.txt", "not a song");
    SegueRunResult result = SEGUE_INIT (SegueRunResult);
    flow_fixture_run (&fixture, DUMP, workers[i], &result);
    g_assert_cmpuint (result.n_songs, ==, 13);
    g_assert_cmpuint (result.n_failed, ==, 1);
    g_assert_cmpuint (result.n_ignored, ==, 1);
    g_assert_cmpuint (result.n_cached, ==, 0);
    segue_run_result_clear (&result);

    /* Sources differ by the temporary folder: compare without it. */
    g_autofree char *text = flow_fixture_read (&fixture, "dump.txt");
    g_autoptr (GString) dump = g_string_new (text);
    g_string_replace (dump, fixture.folder, "", 0);
    g_autoptr (GString) names = g_string_new (NULL);
    g_autoptr (GPtrArray) paths = flow_fixture_list_records (&fixture);
    for (guint j = 0; j < paths->len; j++) {
      g_autofree char *data = NULL;
      gsize size;
      g_assert_true (g_file_get_contents (g_ptr_array_index (paths, j), &data, &size, NULL));
      g_autofree char *digest =
        g_compute_checksum_for_data (G_CHECKSUM_SHA256, (guchar *) data, size);
      g_string_append_printf (
        names, "%s %s\n", (char *) g_ptr_array_index (paths, j) + strlen (fixture.folder), digest);
    }
    if (!first) {
      first = g_strdup (dump->str);
      records = g_strdup (names->str);
      g_assert_nonnull (strstr (first, "artist-0/song-00.song#0002"));
      g_assert_null (strstr (first, "artist-0/song-04"));
    }
    g_assert_cmpstr (dump->str, ==, first);
    g_assert_cmpstr (names->str, ==, records);
  }
}

static void
test_order (void)
{
  g_auto (FlowFixture) fixture;
  flow_fixture_init (&fixture);
  /* A space sorts before the `#` of an item's id: songs must stay together all the same. */
  flow_fixture_write (&fixture, "a/x.song", "the first");
  flow_fixture_write (&fixture, "a/x.song b.song", "the second");
  flow_fixture_run (&fixture, DUMP, 2, NULL);
  g_autofree char *dump = flow_fixture_read (&fixture, "dump.txt");
  g_assert_true (g_str_has_prefix (dump, "a/x.song#0000 a/x.song "));
  g_assert_cmpuint (strstr (dump, "a/x.song#0002") - dump, <,
                    strstr (dump, "a/x.song b.song") - dump);
}

static void
test_quarantine (void)
{
  g_auto (FlowFixture) fixture;
  flow_fixture_init (&fixture);
  write_songs (&fixture, 9);
  flow_fixture_write (&fixture, "artist-1/song-04.song", "BAD");
  flow_fixture_write (&fixture, "artist-0/song-03.song", "SLOW");
  flow_fixture_write (&fixture, "artist-2/song-X.song", "fails after its first segment");
  g_autofree char *link = g_build_filename (fixture.music, "artist-2", "dangling.song", NULL);
  g_assert_cmpint (symlink ("nowhere", link), ==, 0);
  g_autofree char *folder = g_build_filename (fixture.music, "artist-2", "folder.song", NULL);
  g_assert_cmpint (g_mkdir (folder, 0700), ==, 0);
  SegueRunResult result = SEGUE_INIT (SegueRunResult);
  flow_fixture_run (&fixture, DUMP, 4, &result);
  g_assert_cmpuint (result.n_failed, ==, 5);
  g_assert_cmpuint (result.n_songs, ==, 12);
  segue_run_result_clear (&result);

  /* In source order, with the stage of the failure. */
  g_auto (GStrv) lines = g_strsplit (fixture.failures->str, "\n", -1);
  g_assert_cmpuint (g_strv_length (lines), ==, 6);
  g_assert_true (g_str_has_prefix (lines[0], "fake-decode artist-0/song-03.song: "));
  g_assert_true (g_str_has_prefix (
    lines[1], "fake-decode artist-1/song-04.song: can't decode ‘artist-1/song-04.song’: "));
  g_assert_true (g_str_has_prefix (lines[2], "fake-decode artist-2/dangling.song: can't open"));
  g_assert_nonnull (strstr (lines[3], "folder.song’ is a folder"));
  g_assert_true (g_str_has_prefix (lines[4], "fake-segment artist-2/song-X.song: "));

  /* Nothing remains of a song that failed half-way. */
  g_autofree char *dump = flow_fixture_read (&fixture, "dump.txt");
  g_assert_null (strstr (dump, "song-X"));
  g_autofree char *report = flow_fixture_read (&fixture, "run.json");
  g_assert_nonnull (strstr (report, "\"state\": \"finished\""));
  g_assert_nonnull (strstr (report, "‘artist-2/song-X.song’ is too short"));

  /* Damage is cached, under the song's current name; a timeout is retried. */
  g_autofree char *from = g_build_filename (fixture.music, "artist-1", "song-04.song", NULL);
  g_autofree char *to = g_build_filename (fixture.music, "artist-1", "renamed.song", NULL);
  g_assert_cmpint (g_rename (from, to), ==, 0);
  int before = g_atomic_int_get (&fake_decoded);
  flow_fixture_run (&fixture, DUMP, 2, &result);
  g_assert_cmpint (g_atomic_int_get (&fake_decoded) - before, ==, 1);
  g_assert_cmpuint (result.n_cached, ==, 7);
  g_assert_cmpuint (result.n_failed, ==, 5);
  segue_run_result_clear (&result);
  g_assert_nonnull (
    strstr (fixture.failures->str,
            "fake-decode artist-1/renamed.song: can't decode ‘artist-1/renamed.song’: damaged\n"));
}

/* A single failure is not the song's fault: it is not skipped, and no failure is cached. */
static void
test_glitch (void)
{
  g_auto (FlowFixture) fixture;
  flow_fixture_init (&fixture);
  write_songs (&fixture, 3);
  flow_fixture_write (&fixture, "artist-1/song-04.song", "GLITCH");
  SegueRunResult result = SEGUE_INIT (SegueRunResult);
  int before = g_atomic_int_get (&fake_decoded);
  flow_fixture_run (&fixture, DUMP, 1, &result);
  g_assert_cmpint (g_atomic_int_get (&fake_decoded) - before, ==, 5);
  g_assert_cmpuint (result.n_failed, ==, 0);
  segue_run_result_clear (&result);
  /* The counters of the failed try are not included. */
  g_autofree char *report = flow_fixture_read (&fixture, "run.json");
  g_assert_nonnull (strstr (report, "\"songs decoded\": 4"));
  flow_fixture_run (&fixture, DUMP, 1, &result);
  g_assert_cmpuint (result.n_cached, ==, 4);
  g_assert_cmpuint (result.n_failed, ==, 0);
  segue_run_result_clear (&result);
}

static void
test_limits (void)
{
  for (guint workers = 1; workers <= 4; workers++) {
    g_auto (FlowFixture) fixture;
    g_autoptr (GError) error = NULL;
    flow_fixture_init (&fixture);
    write_songs (&fixture, 12);
    flow_fixture_write (&fixture, "artist-0/song-06.song", "BAD 1");
    flow_fixture_write (&fixture, "artist-1/song-01.song", "BAD 2");
    flow_fixture_write (&fixture, "artist-2/song-11.song", "BAD 3");
    g_assert_false (flow_fixture_try_run (&fixture, "on_error: fail", DUMP, workers, NULL, &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
    g_assert_true (g_str_has_prefix (error->message,
                                     "stage 'fake-decode': can't decode ‘artist-0/song-06.song’"));
    g_assert_cmpuint (
      g_strrstr (fixture.failures->str, "\n") - strchr (fixture.failures->str, '\n'), ==, 0);
    g_clear_error (&error);
    g_assert_false (
      flow_fixture_try_run (&fixture, "max_failures: 1", DUMP, workers, NULL, &error));
    g_assert_nonnull (strstr (error->message, "artist-1/song-01.song"));
    g_clear_error (&error);
    g_autofree char *report = flow_fixture_read (&fixture, "run.json");
    g_assert_nonnull (strstr (report, "\"state\": \"failed\""));
    flow_fixture_try_run (&fixture, "max_failures: 3", DUMP, workers, NULL, &error);
    g_assert_no_error (error);
  }
}

static void
test_all_failed (void)
{
  g_auto (FlowFixture) fixture;
  g_autoptr (GError) error = NULL;
  flow_fixture_init (&fixture);
  flow_fixture_write (&fixture, "a/1.song", "BAD 1");
  flow_fixture_write (&fixture, "a/2.song", "BAD 2");
  g_assert_false (flow_fixture_try_run (&fixture, "", DUMP, 2, NULL, &error));
  g_assert_nonnull (
    strstr (error->message, "none of the 2 songs can be used; the first: can't decode"));
}

static void
test_environment (void)
{
  g_auto (FlowFixture) fixture;
  g_autoptr (GError) error = NULL;
  flow_fixture_init (&fixture);
  write_songs (&fixture, 6);
  flow_fixture_write (&fixture, "artist-9/last.song", "NOMEM");
  SegueRunResult result = SEGUE_INIT (SegueRunResult);
  g_assert_false (flow_fixture_try_run (&fixture, "", DUMP, 1, &result, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE);
  g_assert_cmpuint (result.n_failed, ==, 0);
  g_assert_nonnull (result.folder);
  segue_run_result_clear (&result);
  /* Finished results are cached, failures are not recorded for the file. */
  g_assert_cmpuint (flow_fixture_count_records (&fixture), ==, 6);
  flow_fixture_write (&fixture, "artist-9/last.song", "fine now");
  flow_fixture_run (&fixture, DUMP, 1, &result);
  g_assert_cmpuint (result.n_cached, ==, 6);
  segue_run_result_clear (&result);
}

static void
test_bad_plugins (void)
{
  g_auto (FlowFixture) fixture;
  g_autoptr (GError) error = NULL;
  flow_fixture_init (&fixture);
  flow_fixture_write (&fixture, "a/1.song", "MUTE");
  g_assert_false (flow_fixture_try_run (&fixture, "", DUMP, 1, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL);
  g_clear_error (&error);
  flow_fixture_write (&fixture, "a/1.song", "some song");
  g_assert_false (flow_fixture_try_run (&fixture, "", "  - use: fake-decode\n  - use: fake-cheat\n",
                                        1, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL);
  g_assert_nonnull (strstr (error->message, "SEGUE_STAGE_SEEDED"));
  g_clear_error (&error);
  g_assert_false (flow_fixture_try_run (&fixture, "", "  - use: fake-decode\n  - use: fake-typo\n",
                                        1, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL);
  g_assert_nonnull (strstr (error->message, "‘audoi’"));
  g_clear_error (&error);
  /* Data that could not be read back is not written in the first place. */
  flow_fixture_write (&fixture, "a/1.song", "WIDE");
  g_assert_false (flow_fixture_try_run (&fixture, "", "  - use: fake-decode\n", 1, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL);
  g_assert_nonnull (strstr (error->message, "'fake-decode'"));
  g_assert_nonnull (strstr (error->message, "more than 65535"));
  g_clear_error (&error);
  /* A stage that continues after a failed emit fails with the error of the emit. */
  flow_fixture_write (&fixture, "a/X.song", "SWALLOW");
  flow_fixture_write (&fixture, "a/1.song", "another song");
  flow_fixture_run (&fixture, DUMP, 1, NULL);
  g_assert_cmpstr (fixture.failures->str, ==, "fake-segment a/X.song: ‘a/X.song’ is too short\n");
}

/* @limit: (in FlowFixture): where it stops, by the host's cancellable or by a sink. */
static void
stop_and_continue (gsize limit)
{
  g_auto (FlowFixture) fixture;
  g_autoptr (GError) error = NULL;
  flow_fixture_init (&fixture);
  write_songs (&fixture, 8);
  flow_fixture_write (&fixture, "artist-1/song-waits.song", "WAIT");
  G_STRUCT_MEMBER (guint, &fixture, limit) = 3;
  SegueRunResult result = SEGUE_INIT (SegueRunResult);
  g_assert_false (flow_fixture_try_run (&fixture, "", DUMP, 2, &result, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED);
  g_assert_cmpuint (result.n_failed, ==, 0);
  segue_run_result_clear (&result);
  g_autofree char *report = flow_fixture_read (&fixture, "run.json");
  g_assert_nonnull (strstr (report, "\"state\": \"stopped\""));

  guint kept = flow_fixture_count_records (&fixture);
  g_assert_cmpuint (kept, >=, 3);
  g_cancellable_reset (fixture.cancellable);
  G_STRUCT_MEMBER (guint, &fixture, limit) = 0;
  flow_fixture_write (&fixture, "artist-1/song-waits.song", "no more");
  flow_fixture_run (&fixture, DUMP, 2, &result);
  g_assert_cmpuint (result.n_cached, ==, kept);
  segue_run_result_clear (&result);
}

static void
test_cancel (void)
{
  stop_and_continue (G_STRUCT_OFFSET (FlowFixture, cancel_after));
}

static void
test_stop_by_a_sink (void)
{
  stop_and_continue (G_STRUCT_OFFSET (FlowFixture, stop_after));
}

static void
test_run_folder (void)
{
  g_auto (FlowFixture) fixture;
  flow_fixture_init (&fixture);
  write_songs (&fixture, 4);
  SegueRunResult first = SEGUE_INIT (SegueRunResult);
  SegueRunResult second = SEGUE_INIT (SegueRunResult);
  flow_fixture_run (&fixture, DUMP "  - { id: again, use: fake-dump }\n", 2, &first);
  flow_fixture_run (&fixture, DUMP, 2, &second);
  g_assert_cmpint (strcmp (strrchr (first.folder, '/'), strrchr (second.folder, '/')), <, 0);
  /* Of two entries with one name the last stage's is at the top level, and is not a link. */
  static const char *const own[] = { "dump.txt", "stages/fake-dump/dump.txt" };
  for (guint i = 0; i < G_N_ELEMENTS (own); i++) {
    g_autofree char *file = g_build_filename (first.folder, own[i], NULL);
    g_assert_true (g_file_test (file, G_FILE_TEST_IS_REGULAR));
    g_assert_false (g_file_test (file, G_FILE_TEST_IS_SYMLINK));
  }
  g_autofree char *moved = g_build_filename (first.folder, "stages/again/dump.txt", NULL);
  g_autofree char *target = g_file_read_link (moved, NULL);
  g_assert_cmpstr (target, ==, "../../dump.txt");
  g_autofree char *latest = g_build_filename (fixture.runs, "flow", "latest", NULL);
  g_autofree char *newest = g_file_read_link (latest, NULL);
  g_assert_cmpstr (newest, ==, strrchr (second.folder, '/') + 1);
  static const char *const names[] = { "run.json", "summary.json", "timings.json", "log.ndjson" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *text = flow_fixture_read (&fixture, names[i]);
    g_assert_cmpuint (strlen (text), >, 10);
  }
  segue_run_result_clear (&first);
  segue_run_result_clear (&second);
}

static void
assert_latest (FlowFixture *fixture, const char *run)
{
  g_autofree char *latest = g_build_filename (fixture->runs, "flow", "latest", NULL);
  g_autofree char *target = g_file_read_link (latest, NULL);
  g_assert_cmpstr (target, ==, run ? strrchr (run, '/') + 1 : NULL);
}

/* Only a finished run becomes the latest: not a failed or cancelled one. */
static void
test_latest (void)
{
  g_auto (FlowFixture) fixture;
  g_autoptr (GError) error = NULL;
  flow_fixture_init (&fixture);
  write_songs (&fixture, 3);
  flow_fixture_write (&fixture, "artist-0/bad.song", "BAD");
  g_assert_false (flow_fixture_try_run (&fixture, "on_error: fail", DUMP, 2, NULL, &error));
  g_assert_nonnull (fixture.last_run);
  assert_latest (&fixture, NULL);
  g_assert_true (flow_fixture_try_run (&fixture, "max_failures: 3", DUMP, 2, NULL, NULL));
  g_autofree char *finished = g_strdup (fixture.last_run);
  assert_latest (&fixture, finished);
  fixture.cancel_after = 1;
  flow_fixture_write (&fixture, "artist-0/new.song", "one more");
  g_clear_error (&error);
  g_assert_false (flow_fixture_try_run (&fixture, "seed: 8", DUMP, 1, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED);
  g_assert_cmpstr (fixture.last_run, !=, finished);
  assert_latest (&fixture, finished);
}

static gboolean
is_at_work (const char *folder)
{
  int fd = open (folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
  gboolean at_work = segue_run_is_at_work (fd);
  close (fd);
  return at_work;
}

/* Other processes see that a run is in progress, has ended, or was killed. */
static void
test_at_work (void)
{
  g_autofree char *folder = g_dir_make_tmp ("segue-lock-XXXXXX", NULL);
  g_assert_false (is_at_work (folder));
  SegueRunLock lock = { 0 };
  segue_run_lock_take (&lock, folder);
  g_assert_true (is_at_work (folder));
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (lock.path, &text, NULL, NULL));
  segue_run_lock_release (&lock);
  g_assert_false (is_at_work (folder));
  segue_run_lock_release (&lock);

  int told[2];
  g_assert_cmpint (pipe (told), ==, 0);
  pid_t child = fork ();
  if (child == 0) {
    segue_run_lock_take (&lock, folder);
    if (write (told[1], "", 1) == 1)
      pause ();
    _exit (1);
  }
  char byte;
  g_assert_cmpint (read (told[0], &byte, 1), ==, 1);
  g_assert_true (is_at_work (folder));
  kill (child, SIGKILL);
  waitpid (child, NULL, 0);
  g_assert_false (is_at_work (folder));

  /* Without locks, by the process: this one, one that has ended, one on another machine. */
  g_assert_true (segue_run_lock_is_of_process (text));
  g_auto (GStrv) words = g_strsplit (text, " ", 0);
  g_autofree char *later = g_strdup_printf ("%s %s 1", words[0], words[1]);
  g_autofree char *gone = g_strdup_printf ("%s %d %s", words[0], (int) child, words[2]);
  g_autofree char *elsewhere = g_strdup_printf ("another-boot %s %s", words[1], words[2]);
  g_assert_false (segue_run_lock_is_of_process (later));
  g_assert_false (segue_run_lock_is_of_process (gone));
  g_assert_true (segue_run_lock_is_of_process (elsewhere));
  static const char *const bad[] = { "", "a", "a b c", "a -1 c", "a 0 c", "a 1 c d" };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_false (segue_run_lock_is_of_process (bad[i]));

  /* A foreign file in its place is not waited for. */
  g_autofree char *path = g_build_filename (folder, ".running", NULL);
  g_unlink (path);
  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
  g_assert_false (is_at_work (folder));
  g_unlink (path);
  g_assert_cmpint (symlink ("/proc/self/exe", path), ==, 0);
  g_assert_false (is_at_work (folder));
  close (told[0]);
  close (told[1]);
  segue_file_remove_folder (folder, NULL);
}

/* A run's folder can be copied: none of its links leads outside of the copy. */
static void
test_settle (void)
{
  g_autofree char *folder = g_dir_make_tmp ("segue-settle-XXXXXX", NULL);
  g_autofree char *model = g_build_filename (folder, "stages/train/model", NULL);
  g_autofree char *weights = g_build_filename (model, "weights", NULL);
  g_autofree char *top = g_build_filename (folder, "model", NULL);
  g_autofree char *mine = g_build_filename (folder, "mine", NULL);
  g_autofree char *inside = g_build_filename (top, "weights", NULL);
  g_assert_cmpint (g_mkdir_with_parents (model, 0777), ==, 0);
  g_assert_true (g_file_set_contents (weights, "w", -1, NULL));
  g_assert_true (segue_run_folder_alias (folder, "train", NULL));
  g_assert_true (g_file_test (top, G_FILE_TEST_IS_SYMLINK));
  g_assert_cmpint (symlink ("stages/../../etc", mine), ==, 0);
  for (guint i = 0; i < 2; i++) {
    segue_run_folder_settle (folder);
    g_assert_true (g_file_test (top, G_FILE_TEST_IS_DIR));
    g_assert_false (g_file_test (top, G_FILE_TEST_IS_SYMLINK));
    g_assert_true (g_file_test (inside, G_FILE_TEST_IS_REGULAR));
    g_assert_true (g_file_test (weights, G_FILE_TEST_IS_REGULAR));
    g_assert_true (g_file_test (mine, G_FILE_TEST_IS_SYMLINK));
  }
  g_auto (GStrv) names = segue_file_list_folder (folder, NULL);
  g_assert_cmpuint (g_strv_length (names), ==, 3);
  segue_file_remove_folder (folder, NULL);
}

/* Each mistake of a plugin is refused, with the stage, the plugin and the item. */
static void
test_mistakes (void)
{
  for (const FakeMistake *mistake = fake_mistakes; mistake->deed; mistake++) {
    g_auto (FlowFixture) fixture;
    g_autoptr (GError) error = NULL;
    g_autofree char *stages =
      g_strdup_printf ("  - use: fake-decode\n  - { id: mine, use: fake-wrong, with: { deed: %s } "
                       "}\n  - use: fake-dump\n",
                       mistake->deed);
    flow_fixture_init (&fixture);
    flow_fixture_write (&fixture, "a/1.song", "some song");
    gboolean ok = flow_fixture_try_run (&fixture, "", stages, 1, NULL, &error);
    g_test_message ("%s: %s", mistake->deed, error ? error->message : "fine");
    g_assert_true (ok == !mistake->in_run);
    if (ok)
      continue;
    g_assert_error (error, SEGUE_ERROR, (int) mistake->code);
    g_assert_nonnull (strstr (error->message, "stage 'mine' (type 'fake-wrong', plugin fake 1) "));
    g_assert_nonnull (strstr (error->message, mistake->says));
  }
}

/* A LIVE stage makes one item of one: each other number or name is refused when it is read. */
static void
test_live_mistakes (void)
{
  static const char *const cases[][2] = {
    { "nothing", "emitted nothing for ‘a/1.song’: a bug in the plugin; a LIVE stage emits one" },
    { "counted", "emitted nothing for ‘a/1.song’: a bug in the plugin; a LIVE stage emits one" },
    { "twice", "emitted ‘a/1.song’, a second item for ‘a/1.song’; a LIVE stage emits one" },
    { "letter", "for ‘a/1.song’ of kind audio; a LIVE stage keeps id and kind" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (FlowFixture) fixture;
    g_autoptr (GError) error = NULL;
    g_autofree char *stages = g_strdup_printf (
      "  - use: fake-decode\n  - { id: mine, use: fake-wrong-live, with: { deed: %s "
      "} }\n  - use: fake-dump-live\n",
      cases[i][0]);
    flow_fixture_init (&fixture);
    flow_fixture_write (&fixture, "a/1.song", "some song");
    g_assert_false (flow_fixture_try_run (&fixture, "", stages, 1, NULL, &error));
    g_test_message ("%s: %s", cases[i][0], error->message);
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL);
    g_assert_nonnull (
      strstr (error->message, "stage 'mine' (type 'fake-wrong-live', plugin fake 1) emitted "));
    g_assert_nonnull (strstr (error->message, cases[i][1]));
  }
}

/* Declarations of a stage when the pipeline was loaded are enforced: later stages rely on them. */
static void
test_promises (void)
{
  static const struct {
    const char *type, *deed, *says;
  } cases[] = {
    { "fake-promise", "right", NULL },
    { "fake-promise", "shape",
      "as float32 tensors of shape [3, 4], but declared float32 tensors of shape [4, varies]" },
    { "fake-promise", "rank", "as float32 tensors of shape [4, 1, 1], but declared" },
    { "fake-promise", "single", "as float32 tensors of shape [], but declared" },
    { "fake-promise", "dtype", "as int32 tensors of shape [4, 3], but declared" },
    { "fake-promise-audio", "right", NULL },
    { "fake-promise-audio", "longer", "as items of 6 samples, but declared items of 5 samples" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (FlowFixture) fixture;
    g_autoptr (GError) error = NULL;
    g_autofree char *stages =
      g_strdup_printf ("  - use: fake-decode\n  - { id: mine, use: %s, with: { deed: %s } }\n",
                       cases[i].type, cases[i].deed);
    flow_fixture_init (&fixture);
    flow_fixture_write (&fixture, "a/1.song", "some song");
    g_assert_true (flow_fixture_try_run (&fixture, "", stages, 1, NULL, &error) ==
                   (!cases[i].says));
    if (!cases[i].says)
      continue;
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL);
    g_assert_nonnull (strstr (error->message, "emitted ‘a/1.song’"));
    g_assert_nonnull (strstr (error->message, cases[i].says));
  }
}

/* Errors that a song may cause cost that song; a stage itself decides what it skips and counts. */
static void
test_costs_song (void)
{
  static const char *const deeds[] = { "nan", "right", "counted" };
  for (guint i = 0; i < G_N_ELEMENTS (deeds); i++) {
    g_auto (FlowFixture) fixture;
    g_autofree char *stages = g_strdup_printf (
      "  - use: fake-decode\n  - { use: fake-wrong, with: { deed: %s } }\n  - use: fake-dump\n",
      deeds[i]);
    SegueRunResult result = SEGUE_INIT (SegueRunResult);
    flow_fixture_init (&fixture);
    flow_fixture_write (&fixture, "a/1.song", "some song");
    flow_fixture_write (&fixture, "a/2.song", "BAD");
    if (i == 0) {
      g_autoptr (GError) error = NULL;
      g_assert_false (flow_fixture_try_run (&fixture, "", stages, 1, NULL, &error));
      g_assert_nonnull (strstr (fixture.failures->str, "fake-wrong a/1.song: "));
      continue;
    }
    flow_fixture_run (&fixture, stages, 1, &result);
    g_autofree char *dump = flow_fixture_read (&fixture, "dump.txt");
    g_autofree char *report = flow_fixture_read (&fixture, "run.json");
    g_assert_true (!strstr (dump, "a/1.song") == (i == 2));
    g_assert_true (!strstr (report, "songs with no items left") == (i == 1));
    segue_run_result_clear (&result);
  }
}

static void
test_mistakes_at_the_end (void)
{
  static const struct {
    const char *type, *deed, *says;
  } cases[] = {
    { "collect", "nothing", "finished without an output" },
    { "collect", "false", "failed without a reason" },
    { "collect", "true", "returned TRUE with an error set (too loud)" },
    { "collect", "letter", "in the set ‘trian’, which is not train, validation or test" },
    { "collect", "right", NULL },
    { "serial", "nothing", "finished without an output" },
    { "serial", "counted", NULL },
    { "serial", "true", "returned TRUE with an error set (too loud)" },
    { "serial", "write", "wrote into the payload of its input ‘a/1.song’" },
    { "serial", "nan", "with NaN or an infinite value" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (FlowFixture) fixture;
    g_autoptr (GError) error = NULL;
    g_autofree char *stages = g_strdup_printf (
      "  - use: fake-decode\n  - { id: mine, use: fake-wrong-%s, with: { deed: %s } }\n",
      cases[i].type, cases[i].deed);
    flow_fixture_init (&fixture);
    flow_fixture_write (&fixture, "a/1.song", "some song");
    gboolean ok = flow_fixture_try_run (&fixture, "", stages, 1, NULL, &error);
    g_test_message ("%s %s: %s", cases[i].type, cases[i].deed, error ? error->message : "fine");
    g_assert_true (ok == !cases[i].says);
    if (ok)
      continue;
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL);
    g_assert_nonnull (strstr (error->message, "stage 'mine' (type 'fake-wrong-"));
    g_assert_nonnull (strstr (error->message, cases[i].says));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/run/workers", test_workers);
  g_test_add_func ("/run/preview", test_preview);
  g_test_add_func ("/run/order", test_order);
  g_test_add_func ("/run/quarantine", test_quarantine);
  g_test_add_func ("/run/glitch", test_glitch);
  g_test_add_func ("/run/limits", test_limits);
  g_test_add_func ("/run/all-failed", test_all_failed);
  g_test_add_func ("/run/environment", test_environment);
  g_test_add_func ("/run/bad-plugins", test_bad_plugins);
  g_test_add_func ("/run/mistakes", test_mistakes);
  g_test_add_func ("/run/live-mistakes", test_live_mistakes);
  g_test_add_func ("/run/promises", test_promises);
  g_test_add_func ("/run/costs-song", test_costs_song);
  g_test_add_func ("/run/mistakes-at-the-end", test_mistakes_at_the_end);
  g_test_add_func ("/run/cancel", test_cancel);
  g_test_add_func ("/run/cancel-by-a-sink", test_stop_by_a_sink);
  g_test_add_func ("/run/folder", test_run_folder);
  g_test_add_func ("/run/latest", test_latest);
  g_test_add_func ("/run/at-work", test_at_work);
  g_test_add_func ("/run/settle", test_settle);
  return g_test_run ();
}
