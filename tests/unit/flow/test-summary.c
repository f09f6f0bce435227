/* The summary of a run: the same for the same run, part of its readers' keys, and read again when a stage is applied
 * to the finished run. */
#include "study.h"

#include <glib/gstdio.h>
#include <jansson.h>
#include <segue/file.h>
#include <string.h>
#include <unistd.h>

static void
assert_reported (gint n)
{
  g_assert_cmpint (g_atomic_int_get (&learn_reported), ==, n);
  g_atomic_int_set (&learn_reported, 0);
}

static void
set_up (Study *study)
{
  study_init (study);
  study->tail = "  - use: learn-report\n";
  g_atomic_int_set (&learn_reported, 0);
}

static json_t *
parse (const char *text)
{
  json_t *root = json_loads (text, JSON_REJECT_DUPLICATES, NULL);
  g_assert_nonnull (root);
  return root;
}

static json_t *
find_stage (json_t *summary, const char *id)
{
  size_t i;
  json_t *stage;
  json_array_foreach (json_object_get (summary, "stages"), i, stage)
  {
    if (g_strcmp0 (json_string_value (json_object_get (stage, "id")), id) == 0)
      return stage;
  }
  return NULL;
}

static void
test_content (void)
{
  g_auto (Study) study;
  set_up (&study);
  study_run (&study);
  g_autofree char *text = study_read (&study, "seen.json");
  json_t *summary = parse (text), *learn = find_stage (summary, "learn");
  json_t *point =
    json_array_get (json_object_get (json_object_get (learn, "curves"), "train/loss"), 1);
  json_t *left_out = json_array_get (json_object_get (summary, "quarantined"), 0);
  g_assert_cmpstr (json_string_value (json_object_get (summary, "name")), ==, "study");
  g_assert_cmpint (json_integer_value (json_object_get (summary, "seed")), ==, 7);
  g_assert_cmpuint (json_array_size (json_object_get (summary, "stages")), ==, 9);
  g_assert_null (find_stage (summary, "learn-report"));
  g_assert_cmpstr (json_string_value (json_object_get (learn, "plugin")), ==, "learn");
  g_assert_cmpint (json_integer_value (json_object_get (json_object_get (learn, "with"), "epochs")),
                   ==, 2);
  g_assert_cmpint (
    json_integer_value (json_object_get (json_object_get (learn, "counters"), "epochs")), ==, 2);
  g_assert_cmpint (json_integer_value (json_array_get (point, 0)), ==, 1);
  g_assert_cmpfloat (json_number_value (json_array_get (point, 1)), ==, 0.5);
  g_assert_cmpstr (json_string_value (json_object_get (left_out, "id")), ==, "ben/odd.song");
  g_assert_cmpstr (json_string_value (json_object_get (left_out, "stage")), ==, "learn-judge");
  json_decref (summary);
}

/* Results from the store give the same summary as computed ones, with any number of workers. */
static void
test_again (void)
{
  g_auto (Study) study;
  set_up (&study);
  study_run (&study);
  assert_reported (1);
  g_autofree char *first = study_read (&study, "seen.json");
  study.workers = 5;
  study_run (&study);
  assert_reported (0);
  g_autofree char *plan = study_plan (&study);
  g_assert_nonnull (strstr (plan, "learn-report: 1 cached, 0 computed\n"));
  study.fresh = TRUE;
  study_run (&study);
  assert_reported (1);
  g_autofree char *second = study_read (&study, "seen.json");
  g_assert_cmpstr (first, ==, second);
}

/* A change of any content recomputes it; other changes do not. */
static void
test_in_key (void)
{
  g_auto (Study) study;
  set_up (&study);
  study_run (&study);
  assert_reported (1);
  study_add_song (&study, "ben/odd too.song", "the sixth song");
  study_run (&study);
  assert_reported (1);
  study.learn = "school";
  g_autofree char *plan = study_plan (&study);
  g_assert_nonnull (strstr (plan, "learn-table: 1 cached"));
  g_assert_nonnull (strstr (
    plan, "learn-report: 0 cached, 1 computed, the run summary of stage 'learn-report' changed"));
  study_run (&study);
  assert_reported (1);
}

/* (transfer full): ids of the stages in @text, joined by commas. */
static char *
list_stages (const char *text)
{
  json_t *summary = parse (text), *stage;
  g_autoptr (GString) ids = g_string_new (NULL);
  size_t i;
  json_array_foreach (json_object_get (summary, "stages"), i, stage)
  {
    g_string_append_printf (ids, "%s%s", i > 0 ? "," : "",
                            json_string_value (json_object_get (stage, "id")));
  }
  json_decref (summary);
  return g_string_free (g_steal_pointer (&ids), FALSE);
}

#define STAGES                                                                                     \
  "songs,fake-decode,fake-segment,fake-split,learn-sift,fake-live,learn,learn-judge,learn-table"

/* What the stage reads is what the run keeps, also if other stages follow. */
static void
test_file (void)
{
  g_auto (Study) study;
  set_up (&study);
  study.tail = "  - use: learn-report\n  - { id: more, use: learn-table }\n";
  study_run (&study);
  g_autofree char *seen = study_read (&study, "seen.json");
  g_autofree char *kept = study_read (&study, "summary.json");
  g_assert_cmpstr (seen, ==, kept);
  g_autofree char *stages = list_stages (kept);
  g_assert_cmpstr (stages, ==, STAGES);
  /* A run that takes all results from the cache keeps the same file. */
  study_run (&study);
  assert_reported (1);
  g_autofree char *again = study_read (&study, "summary.json");
  g_assert_cmpstr (again, ==, kept);
}

/* Each reads what precedes it; the run keeps what the last one read, beside that stage's files. */
static void
test_two_readers (void)
{
  g_auto (Study) study;
  set_up (&study);
  study.tail = "  - use: learn-report\n  - { id: second, use: learn-report }\n";
  study_run (&study);
  assert_reported (2);
  g_autofree char *first = study_read (&study, "stages/learn-report/seen.json");
  g_autofree char *second = study_read (&study, "seen.json");
  g_autofree char *kept = study_read (&study, "summary.json");
  g_autofree char *one = list_stages (first), *other = list_stages (second);
  g_assert_cmpstr (one, ==, STAGES);
  g_assert_cmpstr (other, ==, STAGES ",learn-report");
  g_assert_cmpstr (second, ==, kept);
  study_run (&study);
  assert_reported (0);
}

/* A run whose stages do not read it leaves one of all stages at its end. */
static void
test_no_reader (void)
{
  g_auto (Study) study;
  set_up (&study);
  study.tail = "";
  study_run (&study);
  g_autofree char *kept = study_read (&study, "summary.json");
  g_autofree char *stages = list_stages (kept);
  g_assert_cmpstr (stages, ==, STAGES);
}

/* A plan does not know the summary while a stage before it would run, also one that it does not read otherwise. */
static void
test_plan (void)
{
  g_auto (Study) study;
  set_up (&study);
  g_autofree char *tail = g_strdup_printf (
    "  - { id: always, use: learn-train, with: { into: %s/into } }\n  - use: learn-report\n",
    study.folder);
  study.tail = tail;
  study_run (&study);
  assert_reported (1);
  g_autofree char *plan = study_plan (&study);
  g_assert_nonnull (strstr (plan, "learn-judge: 1 cached"));
  g_assert_nonnull (strstr (plan, "learn-report: later, depends on 'always', which would run"));
  study_run (&study);
  assert_reported (0);
}

static void
test_from (void)
{
  g_auto (Study) study;
  g_autoptr (GError) error = NULL;
  set_up (&study);
  study.tail = "  - { use: learn-report, from: { summary: learn-judge } }\n";
  g_assert_false (study_try_load (&study, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
  g_assert_nonnull (strstr (error->message, "input 'summary' is the run's summary"));
}

/* ---- A finished run ---- */

static gboolean
apply (Study *study, const char *use, char **summary, GError **error)
{
  const SegueRunOptions options = SEGUE_INIT (SegueRunOptions);
  g_autofree char *run = g_build_filename (study->runs, study->name, "latest", NULL);
  g_autofree char *output = g_dir_make_tmp ("segue-visit-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (output, "seen.json", NULL);
  g_autofree char *copy = g_build_filename (output, "judged.txt", NULL);
  gboolean ok =
    segue_finished_run_apply (study->registry, run, use, NULL, output, &options, NULL, error);
  if (ok) {
    g_assert_true (g_file_get_contents (path, summary, NULL, NULL));
    g_assert_true (g_file_test (copy, G_FILE_TEST_EXISTS));
  }
  segue_file_remove_folder (output, NULL);
  return ok;
}

static void
test_finished_run (void)
{
  g_auto (Study) study;
  g_autoptr (GError) error = NULL;
  g_autofree char *later = NULL;
  set_up (&study);
  study_run (&study);
  g_autofree char *text = study_read (&study, "seen.json");
  g_autofree char *before = study_digest (&study);
  g_assert_true (apply (&study, "learn-report", &later, &error));
  g_assert_no_error (error);
  json_t *one = parse (text), *other = parse (later);
  g_assert_true (json_equal (one, other));
  json_decref (one);
  json_decref (other);
  g_autofree char *after = study_digest (&study);
  g_assert_cmpstr (before, ==, after);
  /* Items of a run are removed with it. */
  g_assert_false (apply (&study, "learn-table", &later, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE);
  g_clear_error (&error);
  g_assert_false (apply (&study, "no-such-type", &later, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
}

static void
put (Study *study, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (study->runs, study->name, "latest", name, NULL);
  g_unlink (path);
  if (text)
    g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

/* A run that failed keeps the summary of what was done; one that was killed has none. */
static void
test_unfinished_run (void)
{
  g_auto (Study) study;
  g_autoptr (GError) error = NULL, failed = NULL, fine = NULL;
  g_autofree char *seen = NULL;
  set_up (&study);
  study_run (&study);
  put (&study, "summary.json", NULL);
  g_assert_false (apply (&study, "learn-report", &seen, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT);
  g_assert_nonnull (strstr (error->message, "has no summary.json"));
  g_assert_nonnull (strstr (error->message, "`segue run`"));

  g_autofree char *latest = g_build_filename (study.runs, study.name, "latest", NULL);
  study.tail = "  - use: learn-stop\n  - use: learn-report\n";
  g_assert_false (study_try_run (&study, &failed));
  g_assert_error (failed, SEGUE_ERROR, SEGUE_ERROR_IO);
  g_unlink (latest);
  g_autofree char *parent = g_path_get_dirname (latest);
  g_autoptr (GPtrArray) files = study_list (parent);
  for (guint i = 0; i < files->len; i++) {
    g_auto (GStrv) parts = g_strsplit (g_ptr_array_index (files, i), "/", 2);
    if (parts[1] && g_str_equal (parts[1], "summary.json")) {
      g_unlink (latest);
      g_assert_cmpint (symlink (parts[0], latest), ==, 0);
    }
  }
  g_assert_true (apply (&study, "learn-report", &seen, &fine));
  g_assert_no_error (fine);
  g_autofree char *stages = list_stages (seen);
  g_assert_cmpstr (stages, ==, STAGES ",learn-stop");
}

/* An untrusted folder. */
static void
test_hostile_run (void)
{
  g_auto (Study) study;
  g_autoptr (GError) gone = NULL, outside = NULL;
  g_autofree char *seen = NULL;
  set_up (&study);
  study_run (&study);
  g_autofree char *alias =
    g_build_filename (study.runs, study.name, "latest", "metrics.json", NULL);
  g_autofree char *elsewhere = g_build_filename (study.folder, "metrics.json", NULL);
  g_assert_true (g_file_set_contents (elsewhere, "x", -1, NULL));
  g_unlink (alias);
  g_assert_cmpint (symlink (elsewhere, alias), ==, 0);
  g_assert_false (apply (&study, "learn-report", &seen, &outside));
  g_assert_error (outside, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT);

  put (&study, "run.json", NULL);
  g_assert_false (apply (&study, "learn-report", &seen, &gone));
  g_assert_error (gone, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT);
  g_assert_nonnull (strstr (gone->message, "it has no run.json"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/summary/content", test_content);
  g_test_add_func ("/summary/again", test_again);
  g_test_add_func ("/summary/in-key", test_in_key);
  g_test_add_func ("/summary/file", test_file);
  g_test_add_func ("/summary/two-readers", test_two_readers);
  g_test_add_func ("/summary/no-reader", test_no_reader);
  g_test_add_func ("/summary/plan", test_plan);
  g_test_add_func ("/summary/from", test_from);
  g_test_add_func ("/summary/finished-run", test_finished_run);
  g_test_add_func ("/summary/unfinished-run", test_unfinished_run);
  g_test_add_func ("/summary/hostile-run", test_hostile_run);
  return g_test_run ();
}
