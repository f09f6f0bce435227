/* Thresholds from right answers, and their file. */
#include <glib/gstdio.h>
#include <math.h>
#include <segue/calibration.h>
#include <segue/error.h>
#include <segue/file.h>
#include <string.h>

/* @n songs of one segment, predicted rightly with probabilities from just above 0.5 up to 1, unordered. */
static SegueCalibration *
calibrate (guint n)
{
  SegueCalibration *calibration = segue_calibration_new (SEGUE_AGGREGATE_VOTE);
  for (guint i = 0; i < n; i++) {
    float p = 0.5f + 0.5f * (float) ((i * 7) % n + 1) / (float) n;
    const float row[] = { p, 1 - p };
    segue_calibration_add (calibration, 0, row, 1, 2, NAN);
  }
  return calibration;
}

static double
threshold (const SegueCalibration *calibration, double share)
{
  g_autoptr (GError) error = NULL;
  SegueThreshold found = { 0 };
  segue_calibration_find_threshold (calibration, SEGUE_AGGREGATE_MEAN_PROBABILITY, share, &found,
                                    &error);
  g_assert_no_error (error);
  g_assert_cmpint (found.measure, ==,
                   segue_calibration_get_measure (calibration, SEGUE_AGGREGATE_MEAN_PROBABILITY));
  return found.limit;
}

/* Of new songs like the n given ones, a share of k / (n + 1) is below the k-th. */
static void
test_ranks (void)
{
  g_autoptr (SegueCalibration) calibration = calibrate (19);
  g_autoptr (GError) error = NULL;
  SegueThreshold found;
  g_assert_cmpuint (segue_calibration_count (calibration, SEGUE_AGGREGATE_MEAN_LOGIT), ==, 19);
  g_assert_cmpfloat_with_epsilon (threshold (calibration, 0.05), 0.5 + 0.5 / 19, 1e-6);
  g_assert_cmpfloat_with_epsilon (threshold (calibration, 0.1), 0.5 + 1.0 / 19, 1e-6);
  g_assert_cmpfloat_with_epsilon (threshold (calibration, 0.149), 0.5 + 1.0 / 19, 1e-6);
  g_assert_cmpfloat_with_epsilon (threshold (calibration, 0.95), 1, 1e-6);
  g_assert_false (segue_calibration_find_threshold (calibration, SEGUE_AGGREGATE_MEAN_PROBABILITY,
                                                    0.04, &found, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, "4 % needs at least 24 correctly classified"));
  g_assert_nonnull (strstr (error->message, "there are 19"));
  /* Thresholds exist for the levels with enough songs. */
  static const guint sizes[] = { 1, 2, 3, 8, 19, 99, 1000, 5000 };
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (SegueCalibration) few = calibrate (sizes[i]);
    double least = segue_calibration_least_share (few, SEGUE_AGGREGATE_MEAN_PROBABILITY);
    g_assert_cmpfloat (least, ==, 1.0 / (MIN (sizes[i], SEGUE_CALIBRATION_MAX) + 1.0));
    g_assert_cmpfloat (threshold (few, least), <=, threshold (few, 0.5));
  }
  g_autoptr (SegueCalibration) none = calibrate (0);
  g_assert_cmpfloat (segue_calibration_least_share (none, SEGUE_AGGREGATE_VOTE), ==, 1);
}

/* A wrong answer carries no information about the confidence of right ones. */
static void
test_wrong_answers (void)
{
  g_autoptr (SegueCalibration) calibration = segue_calibration_new (SEGUE_AGGREGATE_VOTE);
  /* Two of three votes, but the mean gives another label. */
  const float rows[] = { 0.9f, 0.1f, 0.45f, 0.55f, 0.45f, 0.55f };
  segue_calibration_add (calibration, 1, rows, 3, 2, NAN);
  g_assert_cmpuint (segue_calibration_count (calibration, SEGUE_AGGREGATE_MEAN_PROBABILITY), ==, 0);
  g_assert_cmpuint (segue_calibration_count (calibration, SEGUE_AGGREGATE_VOTE), ==, 1);
  SegueThreshold found;
  g_assert_true (
    segue_calibration_find_threshold (calibration, SEGUE_AGGREGATE_VOTE, 0.5, &found, NULL));
  g_assert_cmpfloat_with_epsilon (found.limit, 2.0 / 3, 1e-6);
}

/* @n songs with distances from 1 to @n, unordered, and confidences that are all the same. */
static SegueCalibration *
calibrate_distances (guint n)
{
  static const float row[] = { 0.75f, 0.25f };
  SegueCalibration *calibration = segue_calibration_new (SEGUE_AGGREGATE_MEAN_PROBABILITY);
  for (guint i = 0; i < n; i++)
    segue_calibration_add (calibration, 0, row, 1, 2, 1 + (i * 7) % n);
  segue_calibration_add (calibration, 1, row, 1, 2, 1e6); /* wrong */
  return calibration;
}

/* Where there are distances, the largest ones are strange, and confidences don't count. */
static void
test_distances (void)
{
  g_autoptr (SegueCalibration) calibration = calibrate_distances (99);
  g_assert_cmpuint (segue_calibration_count (calibration, SEGUE_AGGREGATE_MEAN_LOGIT), ==, 99);
  g_assert_cmpfloat (threshold (calibration, 0.01), ==, 99);
  g_assert_cmpfloat (threshold (calibration, 0.1), ==, 90);
  g_assert_cmpfloat (threshold (calibration, 0.99), ==, 1);
  const SegueThreshold limit = { SEGUE_MEASURE_DISTANCE, 90 };
  g_assert_true (segue_threshold_is_unsure (&limit, 1, 90.5));
  g_assert_false (segue_threshold_is_unsure (&limit, 0, 90));
  g_assert_false (segue_threshold_is_unsure (&limit, 0, NAN));
  const SegueThreshold none = { 0 };
  g_assert_false (segue_threshold_is_unsure (&none, 0, INFINITY));
}

/* The share that a model states, as far as there are songs for it. */
static void
test_default (void)
{
  static const struct {
    guint n;
    double share, found; /* 0: none */
  } cases[] = { { 99, 0.1, 0.1 }, { 9, 0.1, 0.1 }, { 8, 0.1, 1.0 / 9 }, { 4, 0.1, 0.2 },
                { 3, 0.1, 0 },    { 0, 0.1, 0 },   { 99, 0, 0 },        { 99, 0.02, 0.02 },
                { 9, 0.02, 0 },   { 1, 0.4, 0.5 }, { 1, 0.2, 0 } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (SegueCalibration) calibration = calibrate_distances (cases[i].n);
    SegueThreshold limit;
    double share;
    segue_calibration_set_share (calibration, cases[i].share);
    gboolean found = segue_calibration_find_default (calibration, SEGUE_AGGREGATE_MEAN_PROBABILITY,
                                                     &share, &limit);
    g_assert_cmpint (found, ==, cases[i].found > 0);
    if (found) {
      g_assert_cmpfloat (share, ==, cases[i].found);
      g_assert_cmpfloat (limit.limit, ==, threshold (calibration, share));
    }
    g_assert_cmpint (segue_threshold_is_unsure (&limit, 0, INFINITY), ==, found);
  }
}

static SegueCalibration *
read_text (const char *folder, const char *text, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "calibration.json", NULL);
  g_assert_true (segue_file_write (path, text, -1, NULL));
  return segue_calibration_read (folder, error);
}

/* The file gives the same thresholds when read back, bit for bit; for many songs, approximately. */
static void
test_file (void)
{
  g_autofree char *folder = g_dir_make_tmp ("segue-test-XXXXXX", NULL);
  g_autoptr (GError) error = NULL;
  g_assert_null (segue_calibration_read (folder, &error));
  g_assert_no_error (error);
  static const guint sizes[] = { 0, 1, 40, 5000 };
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autoptr (SegueCalibration) written = calibrate (sizes[i]);
    g_assert_true (segue_calibration_write (written, folder, &error));
    g_autoptr (SegueCalibration) read = segue_calibration_read (folder, &error);
    g_assert_no_error (error);
    g_assert_cmpint (segue_calibration_get_aggregation (read), ==, SEGUE_AGGREGATE_VOTE);
    g_assert_cmpuint (segue_calibration_count (read, SEGUE_AGGREGATE_VOTE), ==,
                      MIN (sizes[i], SEGUE_CALIBRATION_MAX));
    for (double share = 0.05; sizes[i] >= 40 && share < 1; share += 0.05)
      g_assert_cmpfloat (threshold (read, share), ==, threshold (written, share));
  }
  g_autoptr (SegueCalibration) many = segue_calibration_read (folder, &error);
  g_assert_cmpfloat_with_epsilon (threshold (many, 0.1), 0.55, 0.001);

  g_autoptr (SegueCalibration) distances = calibrate_distances (40);
  segue_calibration_set_share (distances, 0.125);
  segue_calibration_set_aggregation (distances, SEGUE_AGGREGATE_VOTE);
  g_assert_true (segue_calibration_write (distances, folder, &error));
  g_autoptr (SegueCalibration) again = segue_calibration_read (folder, &error);
  g_assert_no_error (error);
  g_assert_cmpint (segue_calibration_get_aggregation (again), ==, SEGUE_AGGREGATE_VOTE);
  g_assert_cmpfloat (segue_calibration_get_share (again), ==, 0.125);
  for (double share = 0.05; share < 1; share += 0.05)
    g_assert_cmpfloat (threshold (again, share), ==, threshold (distances, share));
  segue_file_remove_folder (folder, NULL);
}

/* Untrusted content: an error in each case. */
static void
test_hostile (void)
{
  g_autofree char *folder = g_dir_make_tmp ("segue-test-XXXXXX", NULL);
  static const char *const texts[] = {
    "",
    "[]",
    "{}",
    "{\"segue\": 1}",
    "{\"segue\": 2, \"confidences\": {}}",
    "{\"segue\": \"1\", \"confidences\": {}}",
    "{\"segue\": 1, \"confidences\": []}",
    "{\"segue\": 1, \"confidences\": {\"vote\": 1}}",
    "{\"segue\": 1, \"confidences\": {\"vote\": [\"1\"]}}",
    "{\"segue\": 1, \"confidences\": {\"vote\": [1.5]}}",
    "{\"segue\": 1, \"confidences\": {\"vote\": [-1]}}",
    "{\"segue\": 1, \"confidences\": {\"vote\": [1e999]}}",
    "{\"segue\": 1, \"confidences\": {\"vote\": [null]}}",
    "{\"segue\": 1, \"confidences\": {}, \"aggregation\": \"dice\"}",
    "{\"segue\": 1, \"confidences\": {}, \"aggregation\": 0}",
    "{\"segue\": 1, \"distances\": {\"vote\": [1]}}",
    "{\"segue\": 1, \"confidences\": {}, \"distances\": []}",
    "{\"segue\": 1, \"confidences\": {}, \"distances\": {\"vote\": [-1]}}",
    "{\"segue\": 1, \"confidences\": {}, \"distances\": {\"vote\": [1e39]}}",
    "{\"segue\": 1, \"confidences\": {}, \"distances\": {\"vote\": [\"nan\"]}}",
    "{\"segue\": 1, \"confidences\": {}, \"share\": 1}",
    "{\"segue\": 1, \"confidences\": {}, \"share\": -0.1}",
    "{\"segue\": 1, \"confidences\": {}, \"share\": \"0.1\"}",
    "{\"segue\": 1, \"confidences\": {}, \"share\": null}",
  };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (read_text (folder, texts[i], &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
    g_assert_nonnull (strstr (error->message, "calibration.json"));
  }
  g_autoptr (GString) long_list = g_string_new ("{\"segue\": 1, \"confidences\": {\"vote\": [1");
  for (guint i = 0; i < SEGUE_CALIBRATION_MAX; i++)
    g_string_append (long_list, ",1");
  g_string_append (long_list, "]}}");
  g_autoptr (GError) error = NULL;
  g_assert_null (read_text (folder, long_list->str, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);

  /* Methods unknown to this version are not errors, and the order is not fixed. */
  g_autoptr (SegueCalibration) fine = read_text (
    folder, "{\"segue\": 1, \"confidences\": {\"new\": 7, \"mean-probability\": [1, 0.25, 0.5]}}",
    NULL);
  g_assert_nonnull (fine);
  g_assert_cmpfloat (threshold (fine, 0.25), ==, 0.25);
  /* As segue 1 wrote it. */
  g_assert_cmpfloat (segue_calibration_get_share (fine), ==, SEGUE_CALIBRATION_SHARE);
  g_assert_cmpint (segue_calibration_get_aggregation (fine), ==, SEGUE_AGGREGATE_MEAN_PROBABILITY);
  segue_file_remove_folder (folder, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/calibration/ranks", test_ranks);
  g_test_add_func ("/calibration/wrong-answers", test_wrong_answers);
  g_test_add_func ("/calibration/distances", test_distances);
  g_test_add_func ("/calibration/default", test_default);
  g_test_add_func ("/calibration/file", test_file);
  g_test_add_func ("/calibration/hostile", test_hostile);
  return g_test_run ();
}
