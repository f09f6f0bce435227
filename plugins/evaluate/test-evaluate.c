/* Figures compared with a case computed by hand. */
#include "tally.h"
#include "tiny-model.h"

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

#define COMMA_LABEL "Crosby, Stills \"&\" Nash"

typedef struct {
  SegueRegistry *registry;
  SegueHarness *harness;
  char *model;
  GPtrArray *items;
} Fixture;

/* A model that predicts tones as `tone` and noise as COMMA_LABEL, by zero crossings only. */
static char *
save_model (const char *folder)
{
  static const char *const labels[] = { COMMA_LABEL, "tone", NULL };
  const SegueModelSpec spec =
    SEGUE_INIT (SegueModelSpec, .labels = labels, .rate = 8000, .seed = 1, .threads = 1);
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueModel) model = segue_model_new (tiny_plugin ()->models[0], NULL, &spec, &error);
  g_assert_no_error (error);
  g_autoptr (GArray) tensors =
    segue_model_get_type (model)->list_tensors (segue_model_get_impl (model));
  float *weight = g_array_index (tensors, SegueModelTensor, 0).value;
  float *bias = g_array_index (tensors, SegueModelTensor, 1).value;
  memset (weight, 0, 12 * sizeof (float));
  weight[0] = 40;
  bias[0] = -12;
  char *path = g_build_filename (folder, "the model", NULL);
  segue_model_save (model, path, NULL, &error);
  g_assert_no_error (error);
  return path;
}

static void
set_up (Fixture *fixture, gconstpointer data)
{
  fixture->registry = tiny_registry_new (segue_plugin_query ());
  fixture->harness = segue_harness_new_in (fixture->registry, "evaluate", data ? data : "{}");
  fixture->model = save_model (segue_harness_get_folder (fixture->harness));
  fixture->items = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  g_autoptr (SegueItem) model = segue_item_new_folder (SEGUE_KIND_MODEL, "model", fixture->model);
  segue_harness_set_input (fixture->harness, "model", &model, 1);
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_ptr_array_unref (fixture->items);
  segue_harness_free (fixture->harness);
  segue_registry_free (fixture->registry);
  g_free (fixture->model);
}

/* @sounds: a letter per segment, t for a tone, n for noise. */
static void
add_song (Fixture *fixture, const char *id, const char *set, const char *label, const char *sounds)
{
  for (guint i = 0; sounds[i] != '\0'; i++) {
    g_autoptr (SegueItem) whole =
      sounds[i] == 't' ? segue_test_tone (id, 440, 0.2, 8000) : tiny_noise (id, i);
    g_autofree char *suffix = g_strdup_printf ("%04u", i);
    SegueItem *item = segue_item_new_audio (whole, suffix, segue_item_get_bytes (whole), 8000, 1);
    if (set)
      segue_item_set_string (item, SEGUE_META_SET, set);
    if (label)
      segue_item_set_string (item, SEGUE_META_LABEL, label);
    segue_item_set_string (item, SEGUE_META_SOURCE, "/music/a, \"b\".mp3");
    segue_item_set_double (item, SEGUE_META_START, 10.25 + i);
    segue_item_set_double (item, SEGUE_META_DURATION, 0.2);
    g_ptr_array_add (fixture->items, item);
  }
}

static void
run (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  segue_harness_set_input (fixture->harness, "items", (SegueItem **) fixture->items->pdata,
                           fixture->items->len);
  segue_harness_run (fixture->harness, &error);
  g_assert_no_error (error);
}

static json_t *
read_metrics (Fixture *fixture)
{
  g_autofree char *text = tiny_read (fixture->harness, "metrics.json");
  json_t *metrics = json_loads (text, JSON_REJECT_DUPLICATES, NULL);
  g_assert_nonnull (metrics);
  return metrics;
}

/* The value at a path of keys. */
static json_t *
at (json_t *object, const char *first, ...)
{
  va_list keys;
  va_start (keys, first);
  for (const char *key = first; key; key = va_arg (keys, const char *))
    object = json_object_get (object, key);
  va_end (keys);
  g_assert_nonnull (object);
  return object;
}

#define assert_number(expected, ...)                                                               \
  g_assert_cmpfloat_with_epsilon (json_number_value (at (__VA_ARGS__, NULL)), expected, 1e-8)

static void
add_worked_example (Fixture *fixture)
{
  add_song (fixture, "a/1.mp3", "test", "tone", "ttn");
  add_song (fixture, "b/2.mp3", "test", COMMA_LABEL, "tnn");
  add_song (fixture, "b/3.mp3", "test", COMMA_LABEL, "ttn");
  add_song (fixture, "c/4.mp3", "test", "stranger", "t");
  add_song (fixture, "a/5.mp3", "validation", "tone", "t");
  add_song (fixture, "b/6.mp3", NULL, COMMA_LABEL, "n");
  add_song (fixture, "d/7.mp3", "test", NULL, "nn");
}

static void
test_figures (Fixture *fixture, gconstpointer data)
{
  add_worked_example (fixture);
  run (fixture);
  json_t *metrics = read_metrics (fixture);

  /* Segments: tone is predicted as tone 2 times, as the other 1; the other as tone 1 + 2, as itself
   * 2 + 1; one of an unknown label. */
  assert_number (5.0 / 10, metrics, "test", "segment_accuracy");
  assert_number (2.0 / 4, metrics, "test", "song_accuracy");
  assert_number ((2.0 * 2 / (3 + 5) + 2.0 * 3 / (6 + 4)) / 2, metrics, "test", "macro_f1");
  assert_number ((2.0 * 1 / (1 + 2) + 2.0 * 1 / (2 + 1)) / 2, metrics, "test", "song_macro_f1");
  assert_number (10, metrics, "test", "segments");
  assert_number (4, metrics, "test", "songs");
  /* 2 of 4 right: Wilson's interval as in tables. */
  json_t *interval = at (metrics, "test", "song_accuracy_interval", NULL);
  g_assert_cmpfloat_with_epsilon (json_number_value (json_array_get (interval, 0)), 0.15003899,
                                  1e-8);
  g_assert_cmpfloat_with_epsilon (json_number_value (json_array_get (interval, 1)), 0.84996101,
                                  1e-8);
  assert_number (0.5, metrics, "test", "chance");
  assert_number (2.0 / 4, metrics, "test", "majority");
  assert_number (2.0 / 3, metrics, "test", "labels", "tone", "segment_accuracy");
  assert_number (1, metrics, "test", "labels", "tone", "song_accuracy");
  assert_number (0.5, metrics, "test", "labels", "tone", "macro_f1");
  assert_number (2.0 / 5, metrics, "test", "labels", "tone", "precision");
  assert_number (3.0 / 6, metrics, "test", "labels", COMMA_LABEL, "segment_accuracy");
  assert_number (0.5, metrics, "test", "labels", COMMA_LABEL, "song_accuracy");
  assert_number (2, metrics, "test", "labels", COMMA_LABEL, "songs");
  assert_number (1, metrics, "test", "unknown_labels", "stranger");
  assert_number (2, metrics, "test", "unlabelled_segments");

  json_t *confusion = at (metrics, "test", "confusion", "segments", NULL);
  const int expected[2][2] = { { 3, 3 }, { 1, 2 } };
  for (guint t = 0; t < 2; t++)
    for (guint a = 0; a < 2; a++)
      g_assert_cmpint (json_integer_value (json_array_get (json_array_get (confusion, t), a)), ==,
                       expected[t][a]);
  g_assert_cmpstr (
    json_string_value (json_array_get (at (metrics, "test", "confusion", "labels", NULL), 0)), ==,
    COMMA_LABEL);

  assert_number (1, metrics, "validation", "song_accuracy");
  g_assert_true (
    json_is_null (at (metrics, "validation", "labels", COMMA_LABEL, "segment_accuracy", NULL)));
  assert_number (1, metrics, "train", "segments");
  json_decref (metrics);
}

/* One record of a table, without quotes; @text moves past it. */
static GPtrArray *
read_record (const char **text)
{
  GPtrArray *fields = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GString) field = g_string_new (NULL);
  gboolean quoted = FALSE;
  const char *p = *text;
  for (; *p != '\0' && (quoted || *p != '\n'); p++) {
    if (*p == '"' && quoted && p[1] == '"')
      g_string_append_c (field, *p++);
    else if (*p == '"')
      quoted = !quoted;
    else if (*p == ',' && !quoted) {
      g_ptr_array_add (fields, g_strdup (field->str));
      g_string_truncate (field, 0);
    } else
      g_string_append_c (field, *p);
  }
  g_ptr_array_add (fields, g_strdup (field->str));
  *text = *p == '\n' ? p + 1 : p;
  return fields;
}

static void
test_table (Fixture *fixture, gconstpointer data)
{
  add_worked_example (fixture);
  run (fixture);
  g_autofree char *content = tiny_read (fixture->harness, "predictions.csv");
  const char *text = content;
  g_autoptr (GPtrArray) head = read_record (&text);
  g_assert_cmpuint (head->len, ==, 9);
  g_assert_cmpstr (g_ptr_array_index (head, 0), ==, "set");
  g_assert_cmpstr (g_ptr_array_index (head, 7), ==, "p:" COMMA_LABEL);
  g_assert_cmpstr (g_ptr_array_index (head, 8), ==, "p:tone");

  guint n = 0;
  double loss = 0;
  while (*text != '\0') {
    g_autoptr (GPtrArray) row = read_record (&text);
    g_assert_cmpuint (row->len, ==, 9);
    double other = g_ascii_strtod (g_ptr_array_index (row, 7), NULL);
    double tone = g_ascii_strtod (g_ptr_array_index (row, 8), NULL);
    const char *label = g_ptr_array_index (row, 3);
    g_assert_cmpfloat_with_epsilon (other + tone, 1, 1e-6);
    g_assert_cmpstr (g_ptr_array_index (row, 4), ==, tone > other ? "tone" : COMMA_LABEL);
    g_assert_cmpstr (g_ptr_array_index (row, 2), ==, "/music/a, \"b\".mp3");
    if (n == 0) {
      g_assert_cmpstr (g_ptr_array_index (row, 0), ==, "test");
      g_assert_cmpstr (g_ptr_array_index (row, 1), ==, "a/1.mp3");
      g_assert_cmpstr (g_ptr_array_index (row, 5), ==, "10.25");
      g_assert_cmpstr (g_ptr_array_index (row, 6), ==, "0.2");
    }
    if (g_str_equal (g_ptr_array_index (row, 0), "test") && g_str_equal (label, "tone"))
      loss -= log (tone);
    n++;
  }
  g_assert_cmpuint (n, ==, 14);
  json_t *metrics = read_metrics (fixture);
  g_assert_cmpfloat_with_epsilon (
    json_number_value (at (metrics, "test", "labels", "tone", "loss", NULL)), loss / 3, 1e-6);
  json_decref (metrics);
}

static void
test_items (Fixture *fixture, gconstpointer data)
{
  add_worked_example (fixture);
  run (fixture);
  g_autoptr (SegueItem) first = segue_harness_pull (fixture->harness);
  g_assert_cmpint (segue_item_get_kind (first), ==, SEGUE_KIND_PREDICTIONS);
  g_assert_cmpstr (segue_item_get_id (first), ==, "a/1.mp3");
  g_autoptr (GError) error = NULL;
  guint n_segments, n_labels;
  const double *rows = segue_item_get_predictions (first, &n_segments, &n_labels, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n_segments, ==, 3);
  g_assert_cmpuint (n_labels, ==, 2);
  double mean = 0;
  for (guint s = 0; s < 3; s++) {
    const double *row = rows + s * (SEGUE_PREDICTION_LABELS + 2);
    g_assert_cmpfloat (row[SEGUE_PREDICTION_START], ==, 10.25 + s);
    g_assert_cmpfloat (row[SEGUE_PREDICTION_DURATION], ==, 0.2);
    g_assert_cmpfloat_with_epsilon (row[SEGUE_PREDICTION_LABELS] + row[SEGUE_PREDICTION_LABELS + 1],
                                    1, 1e-6);
    g_assert_true ((row[SEGUE_PREDICTION_LABELS + 1] > 0.5) == (s < 2));
    mean += row[SEGUE_PREDICTION_LABELS + 1] / 3;
  }
  g_assert_cmpstr (segue_item_get_string (first, SEGUE_META_PREDICTED), ==, "tone");
  g_assert_cmpfloat_with_epsilon (segue_item_get_double (first, SEGUE_META_PROBABILITY, -1), mean,
                                  1e-6);
  g_assert_cmpstr (segue_item_get_string (first, SEGUE_META_SET), ==, "test");

  guint n_songs = 1;
  for (;;) {
    g_autoptr (SegueItem) item = segue_harness_pull (fixture->harness);
    g_assert_nonnull (item);
    if (segue_item_get_kind (item) == SEGUE_KIND_MODEL)
      break;
    n_songs++;
  }
  g_assert_cmpuint (n_songs, ==, 7);
  g_autoptr (SegueItem) metrics = segue_harness_pull (fixture->harness);
  g_assert_cmpint (segue_item_get_kind (metrics), ==, SEGUE_KIND_METRICS);
  g_assert_null (segue_harness_pull (fixture->harness));
}

static void
assert_same_file (Fixture *fixture, const char *name)
{
  g_autofree char *given = g_build_filename (fixture->model, name, NULL), *bytes = NULL;
  g_autofree char *output = g_build_filename ("model", name, NULL);
  g_autofree char *text = tiny_read (fixture->harness, output);
  gsize length;
  g_assert_true (g_file_get_contents (given, &bytes, &length, NULL));
  g_assert_cmpmem (text, length, bytes, length);
}

/* The output is the model with the aggregation and the songs of the set validation; the model itself stays as it
 * was. */
static void
test_model (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  add_worked_example (fixture);
  add_song (fixture, "a/8.mp3", "validation", "tone", "ttn");
  add_song (fixture, "a/9.mp3", "validation", "tone", "nnt");
  add_song (fixture, "c/1.mp3", "validation", "stranger", "t");
  add_song (fixture, "c/2.mp3", "validation", NULL, "t");
  run (fixture);
  assert_same_file (fixture, "config.json");
  assert_same_file (fixture, "segue.json");
  g_assert_null (segue_calibration_read (fixture->model, &error));
  g_assert_no_error (error);
  g_autofree char *folder =
    g_build_filename (segue_harness_get_folder (fixture->harness), "output", "model", NULL);
  g_autoptr (SegueCalibration) calibration = segue_calibration_read (folder, &error);
  g_assert_no_error (error);
  g_assert_cmpint (segue_calibration_get_aggregation (calibration), ==, SEGUE_AGGREGATE_VOTE);
  g_assert_cmpuint (segue_calibration_count (calibration, SEGUE_AGGREGATE_VOTE), ==, 2);
  SegueThreshold threshold;
  g_assert_true (
    segue_calibration_find_threshold (calibration, SEGUE_AGGREGATE_VOTE, 0.34, &threshold, NULL));
  g_assert_cmpint (threshold.measure, ==, SEGUE_MEASURE_CONFIDENCE);
  g_assert_cmpfloat_with_epsilon (threshold.limit, 2.0 / 3, 1e-6);
  g_autoptr (SegueModel) model =
    segue_model_load (fixture->registry, folder, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
}

static void
write_calibration (Fixture *fixture, const char *text)
{
  g_autofree char *path = g_build_filename (fixture->model, "calibration.json", NULL);
  g_assert_true (segue_file_write (path, text, -1, NULL));
}

/* Of nine measures that the model brings, the lowest confidence: a song below it is unsure. Validation songs are judged,
 * not measured. */
static void
test_unsure (Fixture *fixture, gconstpointer data)
{
  write_calibration (fixture, "{\"segue\": 1, \"confidences\": {\"vote\": "
                              "[0.75, 1, 1, 1, 1, 1, 1, 1, 1]}}");
  add_worked_example (fixture);
  add_song (fixture, "a/8.mp3", "validation", "tone", "ttn");
  run (fixture);
  json_t *metrics = read_metrics (fixture);
  g_assert_cmpstr (json_string_value (at (metrics, "unsure", "measure", NULL)), ==, "confidence");
  assert_number (0.75, metrics, "unsure", "threshold");
  assert_number (0.1, metrics, "unsure", "share");
  assert_number (9, metrics, "unsure", "measured");
  /* Two thirds of the votes: two right songs and one wrong song of the test set, one of the validation set. */
  assert_number (2, metrics, "test", "unsure", "right");
  assert_number (1, metrics, "test", "unsure", "wrong");
  assert_number (0, metrics, "test", "unsure", "unlabelled");
  assert_number (1, metrics, "validation", "unsure", "right");
  assert_number (0, metrics, "train", "unsure", "right");
  json_decref (metrics);

  g_autoptr (GError) error = NULL;
  g_autofree char *folder =
    g_build_filename (segue_harness_get_folder (fixture->harness), "output", "model", NULL);
  g_autoptr (SegueCalibration) calibration = segue_calibration_read (folder, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (segue_calibration_count (calibration, SEGUE_AGGREGATE_VOTE), ==, 9);
  g_assert_cmpint (segue_calibration_get_aggregation (calibration), ==, SEGUE_AGGREGATE_VOTE);
}

static void
test_never_unsure (Fixture *fixture, gconstpointer data)
{
  write_calibration (fixture, "{\"segue\": 1, \"confidences\": {\"mean-probability\": "
                              "[1, 1, 1, 1, 1, 1, 1, 1, 1]}}");
  add_worked_example (fixture);
  run (fixture);
  json_t *metrics = read_metrics (fixture);
  g_assert_true (json_is_null (at (metrics, "unsure", NULL)));
  g_assert_null (json_object_get (at (metrics, "test", NULL), "unsure"));
  json_decref (metrics);
}

static void
test_damaged_calibration (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  write_calibration (fixture, "{\"segue\": 1, \"confidences\": {\"vote\": [7]}}");
  add_worked_example (fixture);
  segue_harness_set_input (fixture->harness, "items", (SegueItem **) fixture->items->pdata,
                           fixture->items->len);
  g_assert_false (segue_harness_run (fixture->harness, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, "is not a valid calibration file"));
}

/* More segments than fit into a batch, and a last one that is shorter. */
static void
test_batches (Fixture *fixture, gconstpointer data)
{
  add_song (fixture, "long.mp3", "test", "tone", "ttttttttttttttttttttttttttttttttttttttttt");
  g_autoptr (SegueItem) whole = segue_test_tone ("long.mp3", 440, 0.1, 8000);
  SegueItem *last = segue_item_new_audio (whole, "0099", segue_item_get_bytes (whole), 8000, 1);
  segue_item_set_string (last, SEGUE_META_LABEL, "tone");
  segue_item_set_string (last, SEGUE_META_SET, "test");
  g_ptr_array_add (fixture->items, last);
  run (fixture);
  json_t *metrics = read_metrics (fixture);
  assert_number (42, metrics, "test", "segments");
  assert_number (1, metrics, "test", "segment_accuracy");
  json_decref (metrics);
}

static void
add_at_rate (Fixture *fixture, const char *id, guint rate)
{
  SegueItem *item = segue_test_tone (id, 440, 0.2, rate);
  segue_item_set_string (item, SEGUE_META_LABEL, "tone");
  g_ptr_array_add (fixture->items, item);
}

static void
test_quarantine (Fixture *fixture, gconstpointer data)
{
  add_song (fixture, "good.mp3", "test", "tone", "tt");
  add_at_rate (fixture, "odd.mp3", 16000);
  run (fixture);
  GPtrArray *quarantined = segue_harness_get_quarantined (fixture->harness);
  g_assert_cmpuint (quarantined->len, ==, 1);
  g_assert_true (g_str_has_prefix (g_ptr_array_index (quarantined, 0), "odd.mp3: "));
  json_t *metrics = read_metrics (fixture);
  assert_number (2, metrics, "test", "segments");
  g_assert_null (json_object_get (metrics, "train"));
  json_decref (metrics);
}

static void
test_nothing_fits (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  add_at_rate (fixture, "odd.mp3", 16000);
  segue_harness_set_input (fixture->harness, "items", (SegueItem **) fixture->items->pdata, 1);
  g_assert_false (segue_harness_run (fixture->harness, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_autofree char *path = g_build_filename (segue_harness_get_folder (fixture->harness), "output",
                                            "predictions.csv", NULL);
  g_assert_false (g_file_test (path, G_FILE_TEST_EXISTS));
}

static void
test_cancel (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  add_worked_example (fixture);
  tiny_cancel_after (segue_harness_get_cancellable (fixture->harness), 2);
  segue_harness_set_input (fixture->harness, "items", (SegueItem **) fixture->items->pdata,
                           fixture->items->len);
  g_assert_false (segue_harness_run (fixture->harness, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED);
  tiny_cancel_after (NULL, 0);
}

/* ---- Vectors ---- */

/* In place of the fixture's model: tones are vectors above 100 in odd columns. */
static void
set_vector_model (Fixture *fixture)
{
  static const char *const labels[] = { COMMA_LABEL, "tone", NULL };
  const SegueModelSpec spec =
    SEGUE_INIT (SegueModelSpec, .labels = labels, .length = TINY_VECTOR, .threads = 1);
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueModel) model = segue_model_new (&tiny_centroids, NULL, &spec, &error);
  g_assert_no_error (error);
  g_autoptr (GArray) tensors = segue_model_list_tensors (model, &error);
  float *mean = g_array_index (tensors, SegueModelTensor, 0).value;
  float *weight = g_array_index (tensors, SegueModelTensor, 2).value;
  for (guint c = 0; c < TINY_VECTOR; c++) {
    mean[c] = 105;
    weight[c] = c % 2 ? -1 : 1;
    weight[TINY_VECTOR + c] = -weight[c];
  }
  segue_model_changed (model);
  g_free (fixture->model);
  fixture->model = g_build_filename (segue_harness_get_folder (fixture->harness), "vectors", NULL);
  segue_model_save (model, fixture->model, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (SegueItem) item = segue_item_new_folder (SEGUE_KIND_MODEL, "model", fixture->model);
  segue_harness_set_input (fixture->harness, "model", &item, 1);
}

/* The segments that were added become vectors, tones and noise as their letters say. */
static void
make_vectors (Fixture *fixture, const char *sounds)
{
  g_assert_cmpuint (strlen (sounds), ==, fixture->items->len);
  for (guint i = 0; i < fixture->items->len; i++) {
    SegueItem *segment = fixture->items->pdata[i];
    fixture->items->pdata[i] = tiny_vector (segment, NULL, sounds[i] == 't', i);
    segue_item_unref (segment);
  }
}

static void
test_vectors (Fixture *fixture, gconstpointer data)
{
  set_vector_model (fixture);
  add_song (fixture, "a/1.mp3", "test", "tone", "ttt");
  add_song (fixture, "b/2.mp3", "test", COMMA_LABEL, "nnn");
  add_song (fixture, "b/3.mp3", "validation", COMMA_LABEL, "n");
  make_vectors (fixture, "ttn"
                         "nnn"
                         "t");
  run (fixture);
  json_t *metrics = read_metrics (fixture);
  assert_number (6, metrics, "test", "segments");
  assert_number (5.0 / 6, metrics, "test", "segment_accuracy");
  assert_number (1, metrics, "test", "song_accuracy");
  assert_number (0, metrics, "validation", "song_accuracy");
  json_decref (metrics);
  /* Where a segment is in its song is known without samples. */
  g_autoptr (SegueItem) first = segue_harness_pull (fixture->harness);
  guint n_segments, n_labels;
  const double *row = segue_item_get_predictions (first, &n_segments, &n_labels, NULL);
  g_assert_cmpuint (n_segments, ==, 3);
  g_assert_cmpfloat (row[SEGUE_PREDICTION_START], ==, 10.25);
  g_assert_cmpfloat (row[SEGUE_PREDICTION_DURATION], ==, 0.2);
}

static SegueItem *
make_tensor (const char *id, guint rank, gsize first)
{
  const gsize shape[] = { first, 3 };
  gsize n = (rank > 1 ? 3 : 1) * first * sizeof (float);
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (n), n);
  SegueItem *item =
    segue_item_new_tensor (SEGUE_KIND_TENSOR, NULL, id, bytes, SEGUE_DTYPE_F32, rank, shape);
  segue_item_set_string (item, SEGUE_META_LABEL, "tone");
  segue_item_set_string (item, SEGUE_META_SET, "test");
  return item;
}

/* Songs with vectors of another shape are quarantined. */
static void
test_odd_vectors (Fixture *fixture, gconstpointer data)
{
  static const char *const says[] = {
    "five: ‘five’ has 5 numbers, the model takes vectors of 6",
    "frames: ‘frames’ is a tensor of 2 dimensions, the model takes vectors of float32",
  };
  set_vector_model (fixture);
  add_song (fixture, "a/1.mp3", "test", "tone", "tt");
  make_vectors (fixture, "tt");
  g_ptr_array_add (fixture->items, make_tensor ("five", 1, 5));
  g_ptr_array_add (fixture->items, make_tensor ("frames", 2, 2));
  run (fixture);
  GPtrArray *quarantined = segue_harness_get_quarantined (fixture->harness);
  g_assert_cmpuint (quarantined->len, ==, G_N_ELEMENTS (says));
  for (guint i = 0; i < G_N_ELEMENTS (says); i++)
    g_assert_cmpstr (quarantined->pdata[i], ==, says[i]);
  json_t *metrics = read_metrics (fixture);
  assert_number (2, metrics, "test", "segments");
  json_decref (metrics);
}

static void
assert_fails (Fixture *fixture, const char *words)
{
  g_autoptr (GError) error = NULL;
  segue_harness_set_input (fixture->harness, "items", (SegueItem **) fixture->items->pdata,
                           fixture->items->len);
  g_assert_false (segue_harness_run (fixture->harness, &error));
  g_test_message ("%s", error->message);
  if (!strstr (error->message, words))
    g_error ("‘%s’ does not contain ‘%s’", error->message, words);
}

/* All songs are wrong: frames are refused before anything runs, the kind when the model is loaded. */
static void
test_wrong_kind (Fixture *fixture, gconstpointer data)
{
  add_song (fixture, "a/1.mp3", "test", "tone", "t");
  make_vectors (fixture, "t");
  assert_fails (fixture, "‘a/1.mp3#0000’ is not audio");
  g_ptr_array_set_size (fixture->items, 0);
  set_vector_model (fixture);
  add_song (fixture, "a/1.mp3", "test", "tone", "t");
  assert_fails (fixture,
                "‘a/1.mp3#0000’ is not a vector; the model takes those of an `embed` stage");
  g_ptr_array_set_size (fixture->items, 0);
  g_ptr_array_add (fixture->items, make_tensor ("frames", 2, 2));
  assert_fails (fixture, "takes float32 tensors of shape [the same]");
}

static void
test_interval (void)
{
  /* Of 15 songs: published values of Wilson's interval without continuity correction. */
  static const struct {
    guint right, n;
    double low, high;
  } cases[] = { { 0, 15, 0, 0.2038833 },
                { 5, 15, 0.15176324, 0.58286452 },
                { 15, 15, 0.7961167, 1 },
                { 81, 263, 0.25528852, 0.36620958 } };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (EvaluateTally) tally = evaluate_tally_new (2);
    double low, high;
    for (guint k = 0; k < cases[i].n; k++)
      evaluate_tally_add_song (tally, 0, k < cases[i].right ? 0 : 1);
    evaluate_counts_interval (&tally->songs, 2, &low, &high);
    g_assert_cmpfloat_with_epsilon (low, cases[i].low, 1e-6);
    g_assert_cmpfloat_with_epsilon (high, cases[i].high, 1e-6);
    g_assert_cmpfloat (evaluate_counts_majority (&tally->songs, 2), ==, 1);
  }
}

static void
test_empty_tally (void)
{
  g_autoptr (EvaluateTally) tally = evaluate_tally_new (3);
  g_assert_true (isnan (evaluate_counts_accuracy (&tally->segments, 3)));
  g_assert_true (isnan (evaluate_counts_macro_f1 (&tally->segments, 3)));
  double low, high;
  evaluate_counts_interval (&tally->songs, 3, &low, &high);
  g_assert_true (isnan (low) && isnan (high) &&
                 isnan (evaluate_counts_majority (&tally->songs, 3)));
  const float certain[] = { 1, 0, 0 };
  evaluate_tally_add_segment (tally, 2, certain);
  g_assert_true (isfinite (tally->loss[2]));
  g_assert_cmpfloat (tally->loss[2], >, 80);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)
  ADD ("/evaluate/figures", test_figures);
  ADD ("/evaluate/table", test_table);
  ADD ("/evaluate/items", test_items);
  g_test_add ("/evaluate/model", Fixture, "{ aggregation: vote }", set_up, test_model, tear_down);
  g_test_add ("/evaluate/unsure", Fixture, "{ aggregation: vote }", set_up, test_unsure, tear_down);
  g_test_add ("/evaluate/never-unsure", Fixture, "{ unsure: 0 }", set_up, test_never_unsure,
              tear_down);
  g_test_add ("/evaluate/damaged-calibration", Fixture, NULL, set_up, test_damaged_calibration,
              tear_down);
  ADD ("/evaluate/batches", test_batches);
  ADD ("/evaluate/quarantine", test_quarantine);
  ADD ("/evaluate/nothing-fits", test_nothing_fits);
  ADD ("/evaluate/cancel", test_cancel);
  ADD ("/evaluate/vectors", test_vectors);
  ADD ("/evaluate/odd-vectors", test_odd_vectors);
  ADD ("/evaluate/wrong-kind", test_wrong_kind);
  g_test_add_func ("/evaluate/interval", test_interval);
  g_test_add_func ("/evaluate/empty-tally", test_empty_tally);
  return g_test_run ();
}
