/* Training of model types that take vectors: fitted in closed form, and fitted before steps. */
#include "folds.h"
#include "stage/dataset-private.h"
#include "tiny-model.h"

#include <jansson.h>
#include <math.h>
#include <segue/calibration.h>
#include <segue/tensor.h>
#include <string.h>

const SeguePlugin *segue_plugin_query (void);

static SegueRegistry *registry; /* with train, and model types to train */

static SegueHarness *
harness_with (const char *config, GPtrArray *items)
{
  SegueHarness *harness = segue_harness_new_in (registry, "train", config);
  segue_harness_set_input (harness, "items", (SegueItem **) items->pdata, items->len);
  return harness;
}

static void
run (SegueHarness *harness)
{
  g_autoptr (GError) error = NULL;
  segue_harness_run (harness, &error);
  g_assert_no_error (error);
}

/* (transfer full): the model that a training wrote. */
static SegueModel *
load_model (SegueHarness *harness)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path =
    g_build_filename (segue_harness_get_folder (harness), "output", "model", NULL);
  SegueModel *model = segue_model_load (registry, path, NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  return model;
}

/* All numbers and text of a training. */
static char *
read_all (SegueHarness *harness)
{
  g_autoptr (SegueModel) model = load_model (harness);
  g_autoptr (GArray) tensors = segue_model_list_tensors (model, NULL);
  g_autofree char *config = tiny_read (harness, "model/config.json");
  g_autofree char *history = tiny_read (harness, "history.json");
  g_autoptr (GString) all = g_string_new (config);
  g_string_append (all, history);
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *t = &g_array_index (tensors, SegueModelTensor, i);
    for (gsize j = 0; j < t->n_elements; j++)
      g_string_append_printf (all, "\n%s %a", t->name, (double) t->value[j]);
  }
  return g_string_free (g_steal_pointer (&all), FALSE);
}

static char *
train_once (const char *config, GPtrArray *items, guint threads)
{
  g_autoptr (SegueHarness) harness = harness_with (config, items);
  segue_harness_set_threads (harness, threads);
  run (harness);
  return read_all (harness);
}

static json_t *
read_history (SegueHarness *harness)
{
  g_autofree char *text = tiny_read (harness, "history.json");
  json_t *history = json_loads (text, 0, NULL);
  g_assert_nonnull (history);
  return history;
}

/* A number of @object: of its member @set if that is not %NULL. */
static double
number_of (json_t *object, const char *set, const char *key)
{
  json_t *value = json_object_get (set ? json_object_get (object, set) : object, key);
  g_assert_true (json_is_number (value));
  return json_number_value (value);
}

static json_t *
get_epoch (json_t *history, gsize n_epochs, gsize epoch)
{
  json_t *epochs = json_object_get (history, "epochs");
  g_assert_cmpuint (json_array_size (epochs), ==, n_epochs);
  return json_array_get (epochs, epoch);
}

/* ---- Trainings ---- */

static void
test_fit_only (void)
{
  g_autoptr (GPtrArray) items = tiny_vectors (8, 3, TRUE);
  g_autoptr (SegueHarness) harness = harness_with ("{ model: tiny-centroids }", items);
  run (harness);
  json_t *history = read_history (harness);
  json_t *only = get_epoch (history, 1, 0);
  g_assert_cmpfloat (number_of (only, "validation", "segment_accuracy"), >, 0.9);
  g_assert_cmpfloat (number_of (only, NULL, "train_loss"), <, 0.5);
  g_assert_cmpfloat (number_of (history, NULL, "kept_epoch"), ==, 1);
  json_decref (history);

  g_autofree char *one = train_once ("{ model: tiny-centroids }", items, 1);
  g_autofree char *three = train_once ("{ model: tiny-centroids }", items, 3);
  g_assert_cmpstr (one, ==, three);

  g_autoptr (GPtrArray) alone = tiny_vectors (4, 3, FALSE);
  g_autoptr (SegueHarness) without = harness_with ("{ model: tiny-centroids }", alone);
  run (without);
  history = read_history (without);
  g_assert_null (json_object_get (get_epoch (history, 1, 0), "validation"));
  json_decref (history);
}

static void
test_step_parameters (void)
{
  static const char *const parameters[] = {
    "epochs: 3",        "batch: 4",          "accumulate: 2",           "learning_rate: 0.1",
    "schedule: cosine", "warmup: 0.1",       "weight_decay: 0.1",       "label_smoothing: 0.1",
    "gradient_clip: 1", "early_stopping: 2", "class_weights: balanced",
  };
  for (guint i = 0; i < G_N_ELEMENTS (parameters); i++) {
    g_autoptr (GError) error = NULL;
    g_autofree char *config = g_strdup_printf ("{ model: tiny-centroids, %s }", parameters[i]);
    g_autofree char *words =
      g_strdup_printf ("%.*s has no effect: 'tiny-centroids' is computed in one step; remove it",
                       (int) strcspn (parameters[i], ":"), parameters[i]);
    g_autoptr (SegueHarness) harness = segue_harness_try_new_in (registry, "train", config, &error);
    g_assert_null (harness);
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
    if (!strstr (error->message, words))
      g_error ("‘%s’ does not contain ‘%s’", error->message, words);
  }
}

/* Mean and deviation are those of the training rows; only weight and bias learn. */
static void
test_fit_and_steps (void)
{
  g_autoptr (GPtrArray) items = tiny_vectors (8, 3, TRUE);
  g_autoptr (SegueHarness) harness = harness_with ("{ model: tiny-scaled, epochs: 5 }", items);
  run (harness);
  json_t *history = read_history (harness);
  g_assert_cmpfloat (number_of (get_epoch (history, 5, 4), NULL, "train_loss"), <,
                     0.7 * number_of (get_epoch (history, 5, 0), NULL, "train_loss"));
  json_decref (history);

  double sums[TINY_VECTOR] = { 0 };
  guint n = 0;
  for (guint i = 0; i < items->len; i++) {
    SegueItem *item = g_ptr_array_index (items, i);
    const float *values = g_bytes_get_data (segue_item_get_bytes (item), NULL);
    gboolean in = g_str_equal (segue_item_get_string (item, SEGUE_META_SET), "train");
    n += in;
    for (guint c = 0; in && c < TINY_VECTOR; c++)
      sums[c] += (double) values[c];
  }
  g_assert_cmpuint (n, <, items->len);
  g_autoptr (SegueModel) model = load_model (harness);
  g_autoptr (GArray) tensors = segue_model_list_tensors (model, NULL);
  for (guint c = 0; c < TINY_VECTOR; c++)
    g_assert_cmpfloat_with_epsilon ((double) g_array_index (tensors, SegueModelTensor, 0).value[c],
                                    sums[c] / n, 1e-4);

  g_autofree char *one = train_once ("{ model: tiny-scaled, epochs: 5 }", items, 1);
  g_autofree char *three = train_once ("{ model: tiny-scaled, epochs: 5 }", items, 3);
  g_assert_cmpstr (one, ==, three);
}

/* Interrupted at the n-th pass and run again: with the same result as without an interruption. */
static void
test_resume (void)
{
  static const char *const configs[] = { "{ model: tiny-scaled, epochs: 3, batch: 5 }",
                                         "{ model: tiny-centroids }" };
  static const guint ends[] = { 26, 4 };
  g_autoptr (GPtrArray) items = tiny_vectors (8, 3, TRUE);
  for (guint c = 0; c < G_N_ELEMENTS (configs); c++) {
    g_autofree char *whole = train_once (configs[c], items, 1);
    for (guint n = 1; n < ends[c]; n += 2) {
      g_autoptr (GError) error = NULL;
      g_autoptr (SegueHarness) harness = harness_with (configs[c], items);
      tiny_cancel_after (segue_harness_get_cancellable (harness), n);
      g_assert_false (segue_harness_run (harness, &error));
      g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED);
      tiny_cancel_after (NULL, 0);
      g_cancellable_reset (segue_harness_get_cancellable (harness));
      run (harness);
      g_autofree char *resumed = read_all (harness);
      g_assert_cmpstr (resumed, ==, whole);
    }
  }
}

/* ---- Augmented copies ---- */

/* @source with other numbers, as its copy. */
static SegueItem *
make_copy (SegueItem *source, guint copy, gboolean tone)
{
  g_autofree char *suffix = g_strdup_printf ("copy-%u", copy);
  SegueItem *item = tiny_vector (source, suffix, tone, 1000 + copy);
  segue_item_set_int (item, SEGUE_META_COPY, copy);
  return item;
}

/* Copies are trained on. Those of validation segments, here all wrong, are not validated. */
static void
test_copies (void)
{
  g_autoptr (GPtrArray) items = tiny_vectors (8, 2, TRUE);
  guint n = items->len;
  g_autoptr (SegueHarness) plain = harness_with ("{ model: tiny-centroids }", items);
  run (plain);
  for (guint i = 0; i < n; i++) {
    SegueItem *item = g_ptr_array_index (items, i);
    gboolean tone = g_str_equal (segue_item_get_string (item, SEGUE_META_LABEL), "tone");
    gboolean in = g_str_equal (segue_item_get_string (item, SEGUE_META_SET), "train");
    g_ptr_array_add (items, make_copy (item, i + 1, in ? tone : !tone));
  }
  g_autoptr (SegueHarness) harness = harness_with ("{ model: tiny-centroids }", items);
  run (harness);
  json_t *before = read_history (plain), *after = read_history (harness);
  g_assert_cmpfloat (number_of (after, "train", "segments"), ==,
                     2 * number_of (before, "train", "segments"));
  g_assert_cmpfloat (number_of (after, "train", "songs"), ==, number_of (before, "train", "songs"));
  g_assert_cmpfloat (number_of (after, "validation", "segments"), ==,
                     number_of (before, "validation", "segments"));
  g_assert_cmpfloat (number_of (get_epoch (after, 1, 0), "validation", "segment_accuracy"), >, 0.9);
  json_decref (before);
  json_decref (after);
  g_autofree char *a = read_all (plain);
  g_autofree char *b = read_all (harness);
  g_assert_cmpstr (a, !=, b);
}

/* ---- Cross-validation ---- */

static SegueCalibration *
read_calibration (SegueHarness *harness)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path =
    g_build_filename (segue_harness_get_folder (harness), "output", "model", NULL);
  SegueCalibration *calibration = segue_calibration_read (path, &error);
  g_assert_no_error (error);
  return calibration;
}

static guint
count_measured (const char *config, GPtrArray *items)
{
  g_autoptr (SegueHarness) harness = harness_with (config, items);
  run (harness);
  g_autoptr (SegueCalibration) calibration = read_calibration (harness);
  return segue_calibration_count (calibration, SEGUE_AGGREGATE_MEAN_PROBABILITY);
}

static char *
calibrate_once (GPtrArray *items, guint threads)
{
  g_autoptr (SegueHarness) harness = harness_with ("{ model: tiny-centroids }", items);
  segue_harness_set_threads (harness, threads);
  run (harness);
  return tiny_read (harness, "model/calibration.json");
}

/* The mean distance of songs to the model that was trained on all of them. */
static double
measure_known (SegueHarness *harness, GPtrArray *items)
{
  g_autoptr (SegueModel) model = load_model (harness);
  g_autoptr (GError) error = NULL;
  SegueModelInfo info = SEGUE_INIT (SegueModelInfo);
  segue_model_describe (model, &info);
  g_autofree float *probabilities = g_new (float, items->len *info.n_labels);
  g_autofree float *points = g_new (float, items->len *info.n_axes);
  segue_model_predict (model, (SegueItem **) items->pdata, items->len, probabilities, points, NULL,
                       &error);
  g_assert_no_error (error);
  return segue_model_measure_distance (&info, points, items->len);
}

/* Every song of five per label is held out once, by models that were not trained on it. */
static void
test_calibration (void)
{
  g_autoptr (GPtrArray) items = tiny_vectors (5, 1, FALSE);
  g_autoptr (SegueHarness) harness = harness_with ("{ model: tiny-centroids }", items);
  run (harness);
  g_autoptr (SegueCalibration) calibration = read_calibration (harness);
  g_assert_cmpuint (segue_calibration_count (calibration, SEGUE_AGGREGATE_VOTE), ==, 10);
  double sum = 0;
  for (guint k = 1; k <= 10; k++) {
    SegueThreshold threshold;
    g_assert_true (segue_calibration_find_threshold (calibration, SEGUE_AGGREGATE_VOTE, k / 11.0,
                                                     &threshold, NULL));
    g_assert_cmpint (threshold.measure, ==, SEGUE_MEASURE_DISTANCE);
    sum += threshold.limit;
  }
  g_assert_cmpfloat (sum / 10, >, 1.1 * measure_known (harness, items));

  g_autofree char *one = calibrate_once (items, 1);
  g_autofree char *three = calibrate_once (items, 3);
  g_assert_cmpstr (one, ==, three);
}

/* Copies are trained on, in the fold of their song, and never measured. */
static void
test_calibration_copies (void)
{
  g_autoptr (GPtrArray) items = tiny_vectors (5, 2, FALSE);
  guint n = items->len;
  g_autofree char *before = calibrate_once (items, 1);
  for (guint i = 0; i < n; i++) {
    SegueItem *item = g_ptr_array_index (items, i);
    gboolean tone = g_str_equal (segue_item_get_string (item, SEGUE_META_LABEL), "tone");
    g_ptr_array_add (items, make_copy (item, i + 1, tone));
  }
  g_autofree char *after = calibrate_once (items, 1);
  g_assert_cmpstr (before, !=, after);
  g_assert_cmpuint (count_measured ("{ model: tiny-centroids }", items), ==, 10);
}

static void
test_not_calibrated (void)
{
  g_autoptr (GPtrArray) few = tiny_vectors (1, 3, FALSE);
  g_assert_cmpuint (count_measured ("{ model: tiny-centroids }", few), ==, 0);
  g_autoptr (GPtrArray) items = tiny_vectors (5, 2, FALSE);
  g_autoptr (SegueHarness) trained = harness_with ("{ model: tiny-scaled, epochs: 1 }", items);
  run (trained);
  g_assert_null (read_calibration (trained));
}

/* ---- Folds ---- */

static void
add_song (GPtrArray *items, const char *label, guint number, const char *key, const char *value)
{
  g_autofree char *id = g_strdup_printf ("%s/%02u", label, number);
  for (guint i = 0; i < 2; i++) {
    g_autoptr (SegueItem) song = segue_item_new_file (id, "/nowhere");
    g_autofree char *suffix = g_strdup_printf ("%u", i);
    SegueItem *item = tiny_vector (song, suffix, i % 2, number);
    segue_item_set_string (item, SEGUE_META_LABEL, label);
    if (key)
      segue_item_set_string (item, key, value);
    g_ptr_array_add (items, item);
  }
}

/* (transfer full): the fold of each song, in the order of the items. */
static int *
make_folds (GPtrArray *items, guint64 seed)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueDataset) dataset =
    segue_dataset_new_from_items ((SegueItem **) items->pdata, items->len);
  g_autoptr (TrainSets) sets = train_sets_new (dataset, &error);
  g_assert_no_error (error);
  return train_folds_new (dataset, &sets->train, sets->n_labels, seed);
}

static void
test_folds (void)
{
  g_autoptr (GPtrArray) items = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  for (guint i = 0; i < 10; i++) /* five albums of two songs */
    add_song (items, "a", i, SEGUE_META_GROUP, (const char *[]){ "1", "2", "3", "4", "5" }[i / 2]);
  for (guint i = 0; i < 7; i++)
    add_song (items, "b", i, NULL, NULL);
  add_song (items, "c", 0, NULL, NULL); /* one song */
  for (guint i = 0; i < 2; i++)         /* two versions of one recording */
    add_song (items, "d", i, SEGUE_META_RECORDING, "x");
  add_song (items, "e", 0, SEGUE_META_RECORDING,
            "y"); /* of these labels, one recording is the same */
  add_song (items, "e", 1, NULL, NULL);
  add_song (items, "f", 0, SEGUE_META_RECORDING, "y");
  add_song (items, "f", 1, NULL, NULL);

  g_autofree int *folds = make_folds (items, 1);
  g_autofree int *again = make_folds (items, 1);
  g_autofree int *other = make_folds (items, 2);
  const int *a = folds, *b = folds + 10, *c = folds + 17, *d = folds + 18, *e = folds + 20,
            *f = folds + 22;
  g_assert_cmpmem (folds, 24 * sizeof *folds, again, 24 * sizeof *again);
  g_assert_true (memcmp (folds, other, 24 * sizeof *folds) != 0);

  guint in_a = 0, counts[TRAIN_N_FOLDS] = { 0 };
  for (guint i = 0; i < 10; i += 2) {
    g_assert_cmpint (a[i], ==, a[i + 1]);
    in_a |= 1u << a[i];
  }
  g_assert_cmpuint (in_a, ==, 31);
  for (guint i = 0; i < 7; i++)
    counts[b[i]]++;
  for (guint i = 0; i < TRAIN_N_FOLDS; i++)
    g_assert_true (counts[i] == 1 || counts[i] == 2);
  g_assert_cmpint (c[0], ==, TRAIN_NO_FOLD);
  g_assert_cmpint (d[0], ==, TRAIN_NO_FOLD);
  g_assert_cmpint (d[1], ==, TRAIN_NO_FOLD);
  g_assert_cmpint (e[0], ==, f[0]);
  g_assert_true (e[0] != e[1] || e[0] == TRAIN_NO_FOLD);
}

/* ---- Refusals ---- */

static SegueItem *
make_tensor (SegueDtype dtype, guint rank, gsize first, gsize second)
{
  const gsize shape[] = { first, second };
  gsize n = first * (rank > 1 ? second : 1) * (dtype == SEGUE_DTYPE_F64 ? 8 : 4);
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (n), n);
  SegueItem *item =
    segue_item_new_tensor (SEGUE_KIND_TENSOR, NULL, "zz odd", bytes, dtype, rank, shape);
  segue_item_set_string (item, SEGUE_META_LABEL, "tone");
  return item;
}

static void
assert_fails (const char *config, GPtrArray *items, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueHarness) harness = harness_with (config, items);
  g_assert_false (segue_harness_run (harness, &error));
  g_test_message ("%s", error->message);
  if (!strstr (error->message, words))
    g_error ("‘%s’ does not contain ‘%s’", error->message, words);
}

/* One item unlike the others, known only when it is read. */
static void
test_odd_items (void)
{
  static const char *const sets[] = { "train", "validation" };
  static const char *const configs[] = { "{ model: tiny-centroids }", "{ model: tiny-scaled }" };
  for (guint i = 0; i < 4; i++) {
    g_autoptr (GPtrArray) items = tiny_vectors (4, 2, TRUE);
    const struct {
      SegueItem *item;
      const char *words;
    } odd[] = {
      { make_tensor (SEGUE_DTYPE_F32, 1, 5, 0),
        "‘zz odd’ has 5 numbers, the model takes vectors of 6" },
      { make_tensor (SEGUE_DTYPE_F32, 2, 2, 3),
        "‘zz odd’ is a tensor of 2 dimensions, the model takes vectors" },
      { make_tensor (SEGUE_DTYPE_F64, 1, 6, 0), "the model takes vectors of float32" },
    };
    for (guint k = 0; k < G_N_ELEMENTS (odd); k++) {
      segue_item_set_string (odd[k].item, SEGUE_META_SET, sets[i / 2]);
      g_ptr_array_add (items, odd[k].item);
      assert_fails (configs[i % 2], items, odd[k].words);
      g_ptr_array_remove_index (items, items->len - 1);
    }
  }
}

/* All items of another kind or size. */
static void
test_wrong_items (void)
{
  g_autoptr (GPtrArray) vectors = tiny_vectors (4, 2, FALSE);
  g_autoptr (GPtrArray) audio = tiny_songs (4, 2, FALSE);
  g_autoptr (GPtrArray) frames = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  g_ptr_array_add (frames, make_tensor (SEGUE_DTYPE_F32, 2, 2, 3));
  segue_item_set_string (frames->pdata[0], SEGUE_META_LABEL, "noise");
  g_ptr_array_add (frames, make_tensor (SEGUE_DTYPE_F32, 2, 3, 2));
  assert_fails ("{ model: tiny }", vectors, "'tiny' takes audio");
  assert_fails ("{ model: tiny-centroids }", audio, "'tiny-centroids' takes vectors");
  assert_fails ("{ model: tiny-scaled }", frames, "takes float32 tensors of shape [the same]");

  /* A folder for vectors of another size. */
  g_autoptr (SegueHarness) first = harness_with ("{ model: tiny-centroids }", vectors);
  run (first);
  g_autofree char *config = g_strdup_printf ("{ model: tiny-centroids, init: \"%s/output/model\" }",
                                             segue_harness_get_folder (first));
  g_autofree char *again = train_once (config, vectors, 1);
  g_assert_nonnull (again);
  g_autoptr (GPtrArray) shorter =
    g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  for (guint i = 0; i < 4; i++) {
    g_ptr_array_add (shorter, make_tensor (SEGUE_DTYPE_F32, 1, 4, 0));
    segue_item_set_string (shorter->pdata[i], SEGUE_META_LABEL, i % 2 ? "tone" : "noise");
  }
  assert_fails (config, shorter, "takes vectors of 6 numbers and gets 4");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  registry = tiny_registry_new (segue_plugin_query ());
  g_test_add_func ("/train-vectors/fit-only", test_fit_only);
  g_test_add_func ("/train-vectors/step-parameters", test_step_parameters);
  g_test_add_func ("/train-vectors/fit-and-steps", test_fit_and_steps);
  g_test_add_func ("/train-vectors/resume", test_resume);
  g_test_add_func ("/train-vectors/copies", test_copies);
  g_test_add_func ("/train-vectors/calibration", test_calibration);
  g_test_add_func ("/train-vectors/calibration-copies", test_calibration_copies);
  g_test_add_func ("/train-vectors/not-calibrated", test_not_calibrated);
  g_test_add_func ("/train-vectors/folds", test_folds);
  g_test_add_func ("/train-vectors/odd-items", test_odd_items);
  g_test_add_func ("/train-vectors/wrong-items", test_wrong_items);
  int status = g_test_run ();
  segue_registry_free (registry);
  return status;
}
