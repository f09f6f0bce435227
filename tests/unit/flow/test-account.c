/* The account of a run: the same for the same run, part of its readers' keys, and recreated from a finished run's
 * folder. */
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
find_stage (json_t *account, const char *id)
{
  size_t i;
  json_t *stage;
  json_array_foreach (json_object_get (account, "stages"), i, stage)
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
  g_autofree char *text = study_read (&study, "account.json");
  json_t *account = parse (text), *learn = find_stage (account, "learn");
  json_t *point =
    json_array_get (json_object_get (json_object_get (learn, "curves"), "train/loss"), 1);
  json_t *left_out = json_array_get (json_object_get (account, "quarantined"), 0);
  g_assert_cmpstr (json_string_value (json_object_get (account, "name")), ==, "study");
  g_assert_cmpint (json_integer_value (json_object_get (account, "seed")), ==, 7);
  g_assert_cmpuint (json_array_size (json_object_get (account, "stages")), ==, 9);
  g_assert_null (find_stage (account, "learn-report"));
  g_assert_cmpstr (json_string_value (json_object_get (learn, "plugin")), ==, "learn");
  g_assert_cmpint (json_integer_value (json_object_get (json_object_get (learn, "with"), "epochs")),
                   ==, 2);
  g_assert_cmpint (
    json_integer_value (json_object_get (json_object_get (learn, "counters"), "epochs")), ==, 2);
  g_assert_cmpint (json_integer_value (json_array_get (point, 0)), ==, 1);
  g_assert_cmpfloat (json_number_value (json_array_get (point, 1)), ==, 0.5);
  g_assert_cmpstr (json_string_value (json_object_get (left_out, "id")), ==, "ben/odd.song");
  g_assert_cmpstr (json_string_value (json_object_get (left_out, "stage")), ==, "learn-judge");
  json_decref (account);
}

/* Results from the store give the same account as computed ones, with any number of workers. */
static void
test_again (void)
{
  g_auto (Study) study;
  set_up (&study);
  study_run (&study);
  assert_reported (1);
  g_autofree char *first = study_read (&study, "account.json");
  study.workers = 5;
  study_run (&study);
  assert_reported (0);
  g_autofree char *plan = study_plan (&study);
  g_assert_nonnull (strstr (plan, "learn-report: 1 cached, 0 computed\n"));
  study.fresh = TRUE;
  study_run (&study);
  assert_reported (1);
  g_autofree char *second = study_read (&study, "account.json");
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

static void
test_without_flag (void)
{
  g_auto (Study) study;
  g_autoptr (GError) error = NULL;
  set_up (&study);
  study.tail = "  - use: learn-pry\n";
  g_assert_false (study_try_run (&study, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL);
  g_assert_nonnull (strstr (error->message, "SEGUE_STAGE_ACCOUNT"));
}

/* ---- A finished run ---- */

static gboolean
revisit (Study *study, const char *use, char **account, GError **error)
{
  const SegueRunOptions options = { .struct_size = sizeof options };
  g_autofree char *run = g_build_filename (study->runs, study->name, "latest", NULL);
  g_autofree char *output = g_dir_make_tmp ("segue-visit-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (output, "account.json", NULL);
  g_autofree char *copy = g_build_filename (output, "judged.txt", NULL);
  gboolean ok = segue_run_revisit (study->registry, run, use, NULL, output, &options, NULL, error);
  if (ok) {
    g_assert_true (g_file_get_contents (path, account, NULL, NULL));
    g_assert_true (g_file_test (copy, G_FILE_TEST_EXISTS));
  }
  segue_file_remove_folder (output, NULL);
  return ok;
}

static void
test_revisit (void)
{
  g_auto (Study) study;
  g_autoptr (GError) error = NULL;
  g_autofree char *later = NULL;
  set_up (&study);
  study_run (&study);
  g_autofree char *text = study_read (&study, "account.json");
  g_autofree char *before = study_digest (&study);
  g_assert_true (revisit (&study, "learn-report", &later, &error));
  g_assert_no_error (error);
  json_t *one = parse (text), *other = parse (later);
  g_assert_true (json_equal (one, other));
  json_decref (one);
  json_decref (other);
  g_autofree char *after = study_digest (&study);
  g_assert_cmpstr (before, ==, after);
  /* Items of a run are removed with it. */
  g_assert_false (revisit (&study, "learn-table", &later, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE);
  g_clear_error (&error);
  g_assert_false (revisit (&study, "no-such-type", &later, &error));
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

static void
test_hostile_run (void)
{
  static const char *const texts[] = {
    "",
    "[]",
    "{\"segue\": \"1\", \"name\": \"x\", \"seed\": 1}",
    "{\"segue\": \"1\", \"name\": \"x\", \"seed\": 1, \"pipeline\": {\"stages\": [7]}, "
    "\"quarantined\": []}",
    "{\"segue\": \"1\", \"name\": \"x\", \"seed\": 1, \"pipeline\": {\"stages\": [{\"id\": \"a\", "
    "\"use\": \"b\", \"result_version\": 1, \"with\": {}}]}, \"quarantined\": [{}]}",
  };
  g_auto (Study) study;
  g_autofree char *account = NULL;
  set_up (&study);
  study_run (&study);
  g_autofree char *good = study_read (&study, "run.json");
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;
    put (&study, "run.json", texts[i]);
    g_assert_false (revisit (&study, "learn-report", &account, &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
    g_assert_nonnull (strstr (error->message, "run.json"));
  }
  g_autoptr (GError) gone = NULL, outside = NULL, fine = NULL;
  put (&study, "run.json", NULL);
  g_assert_false (revisit (&study, "learn-report", &account, &gone));
  g_assert_error (gone, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT);

  /* A log with arbitrary lines; lines that are not points. */
  put (&study, "run.json", good);
  put (&study, "log.ndjson",
       "\n{\"scalar\": 1}\nnonsense \"scalar\"\n{\"stage\":\"learn\",\"scalar\":\"x\",\"step\":1}\n"
       "{\"stage\":\"nobody\",\"scalar\":\"x\",\"step\":1,\"value\":2}\n{\"scalar\":\"cut");
  g_assert_true (revisit (&study, "learn-report", &account, &fine));
  g_assert_no_error (fine);

  /* Untrusted metrics. */
  g_autofree char *alias =
    g_build_filename (study.runs, study.name, "latest", "metrics.json", NULL);
  g_autofree char *elsewhere = g_build_filename (study.folder, "metrics.json", NULL);
  g_assert_true (g_file_set_contents (elsewhere, "x", -1, NULL));
  g_unlink (alias);
  g_assert_cmpint (symlink (elsewhere, alias), ==, 0);
  g_assert_false (revisit (&study, "learn-report", &account, &outside));
  g_assert_error (outside, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/account/content", test_content);
  g_test_add_func ("/account/again", test_again);
  g_test_add_func ("/account/in-key", test_in_key);
  g_test_add_func ("/account/without-flag", test_without_flag);
  g_test_add_func ("/account/revisit", test_revisit);
  g_test_add_func ("/account/hostile-run", test_hostile_run);
  return g_test_run ();
}
