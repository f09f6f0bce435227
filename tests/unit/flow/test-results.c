/* Results of stages: cache hits, computed results, and the reasons. */
#include "study.h"

#include <glib/gstdio.h>
#include <segue/file.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
assert_same (const char *a, const char *b)
{
  g_assert_cmpstr (a, ==, b);
}

/* The second run computes nothing, and gives the same files and messages as the first. */
static void
test_again (void)
{
  g_auto (Study) study;
  study_init (&study);
  study_run (&study);
  study_assert_work (1, 1, 1, 1);
  g_assert_cmpstr (study.cached->str, ==, "");
  g_autofree char *first = study_digest (&study);
  g_autofree char *table = study_read (&study, "table.txt");
  g_assert_nonnull (strstr (table, "ben/three.song "));
  int decoded = g_atomic_int_get (&fake_decoded);

  study_run (&study);
  study_assert_work (0, 0, 0, 0);
  g_assert_cmpint (g_atomic_int_get (&fake_decoded), ==, decoded);
  g_assert_cmpstr (study.cached->str, ==,
                   "fake-decode, fake-segment\nfake-split\nlearn-sift\nlearn\nlearn-judge\n"
                   "learn-table\n");
  g_autofree char *second = study_digest (&study);
  assert_same (first, second);
  g_autofree char *model = study_read (&study, "model/deep/er/layer");
  assert_same (model, "");
  study_assert_why (&study, "learn", NULL);

  /* Counters, curves, warnings and skipped items. */
  g_autofree char *report = study_read (&study, "run.json");
  g_assert_nonnull (strstr (report, "\"epochs\": 2"));
  g_assert_nonnull (strstr (report, "not to be judged"));
  g_autofree char *log = study_read (&study, "log.ndjson");
  g_assert_nonnull (strstr (log, "\"scalar\":\"train/loss\",\"step\":1,\"value\":0.5}"));
  g_assert_nonnull (strstr (study.log->str, "learn: learnt by heart\n"));

  /* Changes that users make to their copy do not affect the cache. */
  g_autofree char *mine = g_build_filename (study.runs, "study", "latest", "history.txt", NULL);
  g_assert_true (g_file_set_contents (mine, "mine", -1, NULL));
  study_run (&study);
  g_autofree char *third = study_digest (&study);
  assert_same (first, third);
}

static void
assert_all_cached (Study *study)
{
  g_autofree char *before = study_digest (study);
  study_run (study);
  study_assert_work (0, 0, 0, 0);
}

/* Names of stages and pipelines, workers and locations are not part of a result. */
static void
test_cosmetic (void)
{
  g_auto (Study) study;
  study_init (&study);
  study_run (&study);
  study_assert_work (1, 1, 1, 1);
  study.workers = 4;
  assert_all_cached (&study);
  study.with = "epochs: 2"; /* the default */
  assert_all_cached (&study);
  study.learn = "school";
  study_run (&study);
  study_assert_work (0, 0, 0, 0);
  study.name = "another";
  study_run (&study);
  study_assert_work (0, 0, 0, 0);
  g_free (study.runs);
  study.runs = g_build_filename (study.folder, "elsewhere", NULL);
  study_run (&study);
  study_assert_work (0, 0, 0, 0);
  /* The music moves as a whole. */
  g_autofree char *moved = g_build_filename (study.folder, "library", NULL);
  g_assert_cmpint (g_rename (study.music, moved), ==, 0);
  g_free (study.music);
  study.music = g_steal_pointer (&moved);
  assert_all_cached (&study);
}

/* Equal stages work once, even where results of earlier runs are not used. */
static void
test_equal_stages (void)
{
  g_auto (Study) study;
  study_init (&study);
  study.tail = "  - { id: twin, use: learn-train }\n  - { id: other, use: learn-train, seed: 3 }\n";
  study_run (&study);
  study_assert_work (1, 2, 1, 1);
  g_assert_nonnull (strstr (study.cached->str, "twin\n"));
  study.fresh = TRUE;
  study_run (&study);
  study_assert_work (1, 2, 1, 1);
  g_assert_cmpstr (study.cached->str, ==, "twin\n");
  study.fresh = FALSE;
  study.tail = "  - { id: other, use: learn-train, seed: 4 }\n";
  study_run (&study);
  study_assert_work (0, 1, 0, 0);
  study_assert_why (&study, "other", "the seed of stage 'other' changed");
}

static void
test_reasons (void)
{
  g_auto (Study) study;
  study_init (&study);
  study_run (&study);
  study_assert_why (&study, "learn", "first run of this pipeline");
  study_assert_work (1, 1, 1, 1);

  study.with = "epochs: 3";
  study_run (&study);
  study_assert_work (0, 1, 1, 1);
  study_assert_why (&study, "learn-sift", NULL);
  study_assert_why (&study, "learn", "parameter epochs of stage 'learn' changed");
  study_assert_why (&study, "learn-judge", "the model of stage 'learn' changed");
  study_assert_why (&study, "learn-table", "3 songs changed");

  /* One that still exists, and one with the same result from another path. */
  study.with = "";
  study_run (&study);
  study_assert_work (0, 0, 0, 0);

  study.seed = 8;
  study_run (&study);
  study_assert_work (0, 1, 1, 1);
  study_assert_why (&study, "learn", "the seed of stage 'learn' changed");
  study.seed = 7;
  study_run (&study);
  study_assert_work (0, 0, 0, 0);

  int decoded = g_atomic_int_get (&fake_decoded);
  study_add_song (&study, "ben/new.song", "the new song");
  study_run (&study);
  g_assert_cmpint (g_atomic_int_get (&fake_decoded), ==, decoded + 1);
  study_assert_work (1, 1, 1, 1);
  study_assert_why (&study, "learn-sift", "1 song is new");
  study_assert_why (&study, "learn", "1 song is new");
  study_add_song (&study, "ben/new.song", "the song, remixed");
  study_run (&study);
  study_assert_why (&study, "learn", "1 song changed");
  g_autofree char *path = g_build_filename (study.music, "ben", "new.song", NULL);
  g_unlink (path);
  study_run (&study);
  study_assert_work (1, 1, 1, 1);
  study_run (&study);
  study_assert_work (0, 0, 0, 0);

  study.fresh = TRUE;
  decoded = g_atomic_int_get (&fake_decoded);
  study_run (&study);
  study_assert_work (1, 1, 1, 1);
  g_assert_cmpint (g_atomic_int_get (&fake_decoded), ==, decoded + 5);
  study_assert_why (&study, "learn", "--fresh was given");
}

/* Only metadata that a stage read is in its key; other metadata has its current values. */
static void
test_metadata (void)
{
  g_auto (Study) study;
  study_init (&study);
  study.tail = "  - { id: titles, use: learn-table, with: { titles: true } }\n"
               "  - use: fake-dump\n";
  study_run (&study);
  study_assert_work (1, 1, 1, 2);

  study.title = "renamed";
  study_run (&study);
  study_assert_work (0, 0, 0, 1);
  study_assert_why (&study, "titles", "metadata of songs changed: title");
  g_autofree char *titles = study_read (&study, "stages/titles/table.txt");
  g_assert_nonnull (strstr (titles, "anna/one.song#0000#half renamed\n"));
  /* The dump reads everything; items that sift made, and those it passed on, have the new title. */
  g_autofree char *dump = study_read (&study, "dump.txt");
  g_assert_nonnull (strstr (dump, "anna/one.song#0000#half"));
  g_assert_null (strstr (dump, "'title': <'plain'>"));
  g_assert_null (strstr (dump, "drop"));
  g_assert_nonnull (strstr (dump, "'halved': <int64 1>"));

  /* Another model, by chance with the same predictions: stages after these are not recomputed. */
  study.style = "grand";
  study_run (&study);
  study_assert_work (0, 1, 1, 0);
  study_assert_why (&study, "learn", "metadata of songs changed: label");
}

/* A dry run reports what a run then does, and leaves no files. */
static void
test_plan (void)
{
  g_auto (Study) study;
  study_init (&study);
  g_autofree char *first = study_plan (&study);
  assert_same (first,
               "fake-decode, fake-segment: 0 cached, 5 computed, first run of this pipeline\n"
               "fake-split: later, depends on 'fake-decode, fake-segment', which would run\n"
               "learn-sift: later, depends on 'fake-split', which would run\n"
               "learn: later, depends on 'learn-sift', which would run\n"
               "learn-judge: later, depends on 'learn-sift', which would run\n"
               "learn-table: later, depends on 'learn-judge', which would run\n");
  study_assert_work (0, 0, 0, 0);
  g_assert_false (g_file_test (study.runs, G_FILE_TEST_EXISTS));
  study_run (&study);
  study_assert_work (1, 1, 1, 1);

  g_autofree char *results = g_build_filename (study.cache, "results", NULL);
  g_autoptr (GPtrArray) before = study_list (results);
  g_autofree char *second = study_plan (&study);
  assert_same (second, "fake-decode, fake-segment: 5 cached, 0 computed\n"
                       "fake-split: 1 cached, 0 computed\n"
                       "learn-sift: 1 cached, 0 computed\n"
                       "learn: 1 cached, 0 computed\n"
                       "learn-judge: 1 cached, 0 computed\n"
                       "learn-table: 1 cached, 0 computed\n");
  study.with = "epochs: 5";
  for (guint i = 0; i < 2; i++) { /* it caches nothing */
    g_autofree char *third = study_plan (&study);
    assert_same (third, "fake-decode, fake-segment: 5 cached, 0 computed\n"
                        "fake-split: 1 cached, 0 computed\n"
                        "learn-sift: 1 cached, 0 computed\n"
                        "learn: 0 cached, 1 computed, parameter epochs of stage 'learn' changed\n"
                        "learn-judge: later, depends on 'learn', which would run\n"
                        "learn-table: later, depends on 'learn-judge', which would run\n");
  }
  study_add_song (&study, "anna/new.song", "one more");
  study.with = "";
  g_autofree char *fourth = study_plan (&study);
  g_assert_true (
    g_str_has_prefix (fourth, "fake-decode, fake-segment: 5 cached, 1 computed, new\n"));
  g_autoptr (GPtrArray) after = study_list (results);
  g_assert_cmpuint (before->len, ==, after->len);
  study_assert_work (0, 0, 0, 0);
}

/* A result that can't be cached is computed each time; nothing else is affected. */
static void
test_not_kept (void)
{
  g_auto (Study) study;
  g_autoptr (GError) error = NULL;
  study_init (&study);
  study.with = "epochs: 0";
  for (guint i = 0; i < 2; i++) {
    g_assert_false (study_try_run (&study, &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
    g_clear_error (&error);
    study_assert_work (i == 0, 1, 0, 0);
  }

  /* A file outside of the run's folder is managed by the stage itself. */
  g_autofree char *into = g_build_filename (study.folder, "copy", NULL);
  g_autofree char *with = g_strdup_printf ("into: copy");
  study.with = with;
  study_run (&study);
  study_assert_work (0, 1, 1, 1);
  g_assert_cmpint (g_unlink (into), ==, 0);
  study_run (&study);
  /* The model is the same, and so are the later stages. */
  study_assert_work (0, 1, 0, 0);
  g_assert_true (g_file_test (into, G_FILE_TEST_EXISTS));

  /* A timeout may have had another reason. */
  study.with = "";
  study_add_song (&study, "ben/late.song", "a late song");
  study_run (&study);
  study_assert_work (1, 1, 1, 1);
  study_run (&study);
  study_assert_work (0, 0, 1, 0);
}

static gpointer
run_in_thread (gpointer data)
{
  study_run (data);
  return NULL;
}

static void
test_two_runs (void)
{
  g_auto (Study) first;
  g_auto (Study) second;
  study_init (&first);
  study_init (&second);
  g_free (second.music);
  g_free (second.cache);
  second.music = g_strdup (first.music);
  second.cache = g_strdup (first.cache);
  for (guint round = 0; round < 4; round++) {
    g_autofree char *with = g_strdup_printf ("epochs: %u", round + 1);
    first.with = second.with = with;
    GThread *thread = g_thread_new ("other run", run_in_thread, &second);
    study_run (&first);
    g_thread_join (thread);
    g_autofree char *one = study_digest (&first);
    g_autofree char *other = study_digest (&second);
    assert_same (one, other);
  }
  second.with = "epochs: 4";
  g_atomic_int_set (&learn_sifted, 0);
  g_atomic_int_set (&learn_trained, 0);
  g_atomic_int_set (&learn_judged, 0);
  g_atomic_int_set (&learn_tabled, 0);
  study_run (&second);
  study_assert_work (0, 0, 0, 0);
}

/* Metrics are in a folder with the model that they are of, but do not change with its weights. */
static void
test_metrics_beside_model (void)
{
  g_auto (Study) study;
  study_init (&study);
  study.tail = "  - use: learn-grade\n";
  study_run (&study);
  study_assert_work (1, 1, 1, 1);
  study.with = "epochs: 3";
  study_run (&study);
  study_assert_work (0, 1, 1, 1);
  g_assert_nonnull (strstr (study.cached->str, "learn-grade\n"));
  study_add_song (&study, "ben/new.song", "the sixth song");
  study_run (&study);
  study_assert_work (1, 1, 1, 1);
  g_assert_null (strstr (study.cached->str, "learn-grade\n"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/results/metrics-beside-model", test_metrics_beside_model);
  g_test_add_func ("/results/again", test_again);
  g_test_add_func ("/results/cosmetic", test_cosmetic);
  g_test_add_func ("/results/reasons", test_reasons);
  g_test_add_func ("/results/equal-stages", test_equal_stages);
  g_test_add_func ("/results/metadata", test_metadata);
  g_test_add_func ("/results/plan", test_plan);
  g_test_add_func ("/results/not-kept", test_not_kept);
  g_test_add_func ("/results/two-runs", test_two_runs);
  return g_test_run ();
}
