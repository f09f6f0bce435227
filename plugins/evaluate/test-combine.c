/* Predictions of several models for songs that are made up: weights, joined songs, and what is refused. */
#include "tiny-model.h"
#include "weights.h"

#include <jansson.h>
#include <math.h>
#include <segue/calibration.h>
#include <segue/file.h>
#include <segue/host/segue.h>
#include <segue/model.h>
#include <segue/tensor.h>
#include <segue/testing.h>
#include <string.h>

const SeguePlugin *segue_plugin_query (void);

/* ---- Weights ---- */

/* Two songs of label 0, which member 0 gives 0.9 and 0.3, and member 1 0.5 and 0.5. By hand: the derivative of
 * −ln (0.5 + 0.4 w) − ln (0.5 − 0.2 w) is 0 where 0.4 (0.5 − 0.2 w) = 0.2 (0.5 + 0.4 w), w = 0.625. */
static const float two_songs[] = { 0.9f, 0.1f, 0.5f, 0.5f, 0.3f, 0.7f, 0.5f, 0.5f };
static const guint truths[2];

static void
test_worked_weights (void)
{
  const EvaluateEvidence evidence = { 2, 2, 2, truths, two_songs };
  double weights[2];
  double loss = evaluate_weights_learn (SEGUE_COMBINE_MEAN, &evidence, weights);
  g_assert_cmpfloat_with_epsilon (weights[0], 0.625, 1e-4);
  g_assert_cmpfloat_with_epsilon (weights[0] + weights[1], 1, 1e-12);
  g_assert_cmpfloat_with_epsilon (loss, -(log (0.75) + log (0.375)) / 2, 1e-8);

  /* ln (1 + e^(−w a)) + ln (1 + e^(w b)), a = ln 9, b = ln (7 / 3): w by bisection. */
  double a = log (9), b = log (7.0 / 3), low = 0, high = 1;
  for (guint i = 0; i < 60; i++) {
    double w = (low + high) / 2;
    double slope = -a / (1 + exp (w * a)) + b / (1 + exp (-w * b));
    *(slope < 0 ? &low : &high) = w;
  }
  evaluate_weights_learn (SEGUE_COMBINE_GEOMETRIC, &evidence, weights);
  g_assert_cmpfloat (low, <, 0.99); /* within */
  g_assert_cmpfloat_with_epsilon (weights[0], low, 1e-4);
}

/* One member is always right, one is always wrong and certain of it, one says nothing. */
static void
test_better_member (void)
{
  const float rows[] = { 0.8f, 0.2f, 0, 1, 0.5f, 0.5f };
  const EvaluateEvidence evidence = { 1, 3, 2, truths, rows };
  double weights[3];
  for (guint rule = 0; rule < SEGUE_N_COMBINATION_RULES; rule++) {
    double loss = evaluate_weights_learn ((SegueCombinationRule) rule, &evidence, weights);
    g_assert_cmpfloat (weights[0], >, 0.99);
    g_assert_cmpfloat (weights[1], <, 1e-3);
    g_assert_cmpfloat_with_epsilon (loss, -log (0.8), 1e-2);
  }
}

/* Nothing is known of the true label: finite weights. */
static void
test_hopeless (void)
{
  const float rows[] = { 0, 1, 0, 1 };
  const EvaluateEvidence evidence = { 1, 2, 2, truths, rows };
  double weights[2];
  for (guint rule = 0; rule < SEGUE_N_COMBINATION_RULES; rule++) {
    double loss = evaluate_weights_learn ((SegueCombinationRule) rule, &evidence, weights);
    g_assert_true (isfinite (loss));
    g_assert_cmpfloat_with_epsilon (weights[0], 0.5, 1e-6);
  }
}

/* ---- The stage ---- */

typedef struct {
  SegueRegistry *registry;
  SegueHarness *harness;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->registry = tiny_registry_new (segue_plugin_query ());
  fixture->harness = segue_harness_new_in (fixture->registry, "combine", data ? data : "{}");
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  segue_harness_free (fixture->harness);
  segue_registry_free (fixture->registry);
}

/* (transfer full): a model with the labels `a` and @second. */
static SegueItem *
make_model (Fixture *fixture, const char *name, const char *second)
{
  const char *const labels[] = { "a", second, NULL };
  const SegueModelSpec spec =
    SEGUE_INIT (SegueModelSpec, .labels = labels, .rate = 8000, .seed = 1, .threads = 1);
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueModel) model = segue_model_new (tiny_plugin ()->models[0], NULL, &spec, &error);
  g_assert_no_error (error);
  g_autofree char *path =
    g_build_filename (segue_harness_get_folder (fixture->harness), name, NULL);
  segue_model_save (model, path, NULL, &error);
  g_assert_no_error (error);
  return segue_item_new_folder (SEGUE_KIND_MODEL, "model", path);
}

/* @id: "SET/LABEL/NAME"; @p: of label `a`, in each of @n segments of 10 s */
static SegueItem *
make_song (const char *id, const double *p, guint n)
{
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) parts = g_strsplit (id, "/", 3);
  double *row;
  SegueItem *item = segue_item_new_predictions (NULL, parts[2], n, 2, &row, &error);
  g_assert_no_error (error);
  for (guint s = 0; s < n; s++, row += SEGUE_PREDICTION_LABELS + 2) {
    row[SEGUE_PREDICTION_START] = 10.0 * s;
    row[SEGUE_PREDICTION_DURATION] = 10;
    row[SEGUE_PREDICTION_LABELS] = (double) (float) p[s];
    row[SEGUE_PREDICTION_LABELS + 1] = 1 - (double) (float) p[s];
  }
  segue_item_set_string (item, SEGUE_META_SET, parts[0]);
  segue_item_set_string (item, SEGUE_META_LABEL, parts[1]);
  segue_item_set_string (item, SEGUE_META_SOURCE, "/music/song.mp3");
  return item;
}

/* @songs: ids, in order, up to %NULL, each with the same @p */
static void
add_model (Fixture *fixture, const char *name, const char *second, const char *const *songs,
           double p)
{
  g_autoptr (SegueItem) model = make_model (fixture, name, second);
  g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  const double both[] = { p, p };
  for (guint i = 0; songs[i]; i++)
    g_ptr_array_add (items, make_song (songs[i], both, 2));
  segue_harness_add_input (fixture->harness, "model", &model, 1);
  segue_harness_add_input (fixture->harness, "predictions", (SegueItem **) items->pdata,
                           items->len);
}

static void
run (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  segue_harness_run (fixture->harness, &error);
  g_assert_no_error (error);
}

static void
assert_refused (Fixture *fixture, SegueErrorCode code, const char *reason)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (segue_harness_run (fixture->harness, &error));
  g_assert_error (error, SEGUE_ERROR, (int) code);
  if (!strstr (error->message, reason))
    g_error ("the message is “%s”, and should contain “%s”", error->message, reason);
}

static const char *const songs[] = { "test/a/1", "test/b/2", "validation/a/3", NULL };

/* The predictions, the figures, and the model. */
static void
test_equal (Fixture *fixture, gconstpointer data)
{
  add_model (fixture, "one", "b", songs, 0.9);
  add_model (fixture, "other", "b", songs, 0.3);
  run (fixture);
  for (guint i = 0; i < 3; i++) {
    g_autoptr (SegueItem) item = segue_harness_pull (fixture->harness);
    g_assert_cmpint (segue_item_get_kind (item), ==, SEGUE_KIND_PREDICTIONS);
    guint n_segments, n_labels;
    g_autoptr (GError) error = NULL;
    const double *row = segue_item_get_predictions (item, &n_segments, &n_labels, &error);
    g_assert_no_error (error);
    g_assert_cmpuint (n_segments, ==, 2);
    g_assert_cmpfloat_with_epsilon (row[SEGUE_PREDICTION_LABELS], 0.6, 1e-6);
    g_assert_cmpfloat (row[SEGUE_PREDICTION_LABELS + 2], ==, 10); /* where the second one starts */
    g_assert_cmpstr (segue_item_get_string (item, SEGUE_META_PREDICTED), ==, "a");
    g_assert_cmpstr (segue_item_get_string (item, SEGUE_META_SOURCE), ==, "/music/song.mp3");
  }
  g_autofree char *text = tiny_read (fixture->harness, "metrics.json");
  json_t *metrics = json_loads (text, 0, NULL);
  const json_t *test = json_object_get (metrics, "test");
  g_assert_cmpfloat (json_number_value (json_object_get (test, "song_accuracy")), ==, 0.5);
  json_decref (metrics);
  g_autofree char *description = tiny_read (fixture->harness, "model/segue.json");
  g_assert_nonnull (strstr (description, "\"weight\": 0.5"));
  g_autofree char *calibration = tiny_read (fixture->harness, "model/calibration.json");
  g_assert_nonnull (strstr (calibration, "0.6"));
  g_free (tiny_read (fixture->harness, "model/members/2/model.safetensors"));
}

/* The first model gives the label of the validation song a higher probability. */
static void
test_learnt (Fixture *fixture, gconstpointer data)
{
  add_model (fixture, "one", "b", songs, 0.9);
  add_model (fixture, "other", "b", songs, 0.3);
  run (fixture);
  g_autoptr (SegueItem) item = segue_harness_pull (fixture->harness);
  g_assert_cmpfloat (segue_item_get_double (item, SEGUE_META_PROBABILITY, 0), >, 0.89);
  const GPtrArray *log = segue_harness_get_log (fixture->harness);
  g_assert_cmpuint (log->len, >, 0);
  g_assert_nonnull (strstr (g_ptr_array_index (log, 0), "learnt from 1 validation songs"));
}

static void
test_no_validation (Fixture *fixture, gconstpointer data)
{
  static const char *const no_validation[] = { "test/a/1", "train/b/2", NULL };
  add_model (fixture, "one", "b", no_validation, 0.9);
  add_model (fixture, "other", "b", no_validation, 0.3);
  assert_refused (fixture, SEGUE_ERROR_DATA, "--set combine.weights=equal");
}

static void
test_labels (Fixture *fixture, gconstpointer data)
{
  add_model (fixture, "one", "b", songs, 0.9);
  add_model (fixture, "other", "c", songs, 0.3);
  assert_refused (fixture, SEGUE_ERROR_PIPELINE, "where the first model has ‘b’, model 2 has ‘c’");
}

/* A test song of one model that another was trained on. */
static void
test_sets (Fixture *fixture, gconstpointer data)
{
  static const char *const others[] = { "train/a/1", "test/b/2", NULL };
  add_model (fixture, "one", "b", songs, 0.9);
  add_model (fixture, "other", "b", others, 0.3);
  assert_refused (fixture, SEGUE_ERROR_PIPELINE,
                  "‘1’: its set is ‘test’ for the first model and ‘train’ for model 2");
}

/* Songs that only some models predict are left out, and counted once. */
static void
test_left_out (Fixture *fixture, gconstpointer data)
{
  static const char *const others[] = { "test/b/2", "test/b/4", NULL };
  add_model (fixture, "one", "b", songs, 0.9);
  add_model (fixture, "other", "b", others, 0.3);
  run (fixture);
  g_autoptr (SegueItem) item = segue_harness_pull (fixture->harness);
  g_assert_cmpstr (segue_item_get_song (item), ==, "2");
  const GPtrArray *log = segue_harness_get_log (fixture->harness);
  g_assert_cmpuint (log->len, ==, 1);
  g_assert_cmpstr (g_ptr_array_index (log, 0), ==,
                   "warning: 3 songs are left out, because not all models predict them");
}

static void
test_no_song (Fixture *fixture, gconstpointer data)
{
  static const char *const others[] = { "test/b/9", NULL };
  add_model (fixture, "one", "b", songs, 0.9);
  add_model (fixture, "other", "b", others, 0.3);
  assert_refused (fixture, SEGUE_ERROR_DATA, "there is no song that all models predict");
}

/* Probabilities that are no numbers. */
static void
test_nan (Fixture *fixture, gconstpointer data)
{
  const double bad[] = { 0.5, NAN };
  g_autoptr (SegueItem) model = make_model (fixture, "bad", "b");
  g_autoptr (SegueItem) song = make_song ("test/a/1", bad, 2);
  add_model (fixture, "one", "b", songs, 0.9);
  segue_harness_add_input (fixture->harness, "model", &model, 1);
  segue_harness_add_input (fixture->harness, "predictions", &song, 1);
  assert_refused (fixture, SEGUE_ERROR_DATA, "a probability that is not between 0 and 1");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(path, config, function) g_test_add (path, Fixture, config, set_up, function, tear_down)
  g_test_add_func ("/combine/worked-weights", test_worked_weights);
  g_test_add_func ("/combine/better-member", test_better_member);
  g_test_add_func ("/combine/hopeless", test_hopeless);
  ADD ("/combine/equal", NULL, test_equal);
  ADD ("/combine/learnt", "{ weights: learnt }", test_learnt);
  ADD ("/combine/no-validation", "{ weights: learnt }", test_no_validation);
  ADD ("/combine/labels", NULL, test_labels);
  ADD ("/combine/sets", NULL, test_sets);
  ADD ("/combine/left-out", NULL, test_left_out);
  ADD ("/combine/no-song", NULL, test_no_song);
  ADD ("/combine/nan", NULL, test_nan);
  return g_test_run ();
}
