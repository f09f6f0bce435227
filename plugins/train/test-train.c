/* The whole stage over a model that trains in milliseconds. */
#include "feed.h"
#include "settings.h"
#include "stage/dataset-private.h"
#include "tiny-model.h"

#include <jansson.h>
#include <math.h>
#include <segue/host/segue.h>
#include <segue/nn/cross-entropy.h>
#include <segue/testing.h>

const SeguePlugin *segue_plugin_query (void);

static SegueRegistry *registry; /* with train, and a model type to train */

static SegueHarness *
harness_with (const char *config, GPtrArray *songs)
{
  SegueHarness *harness = segue_harness_new_in (registry, "train", config);
  segue_harness_set_input (harness, "items", (SegueItem **) songs->pdata, songs->len);
  return harness;
}

/* All output of a training. */
static char *
read_all (SegueHarness *harness)
{
  g_autofree char *config = tiny_read (harness, "model/config.json");
  g_autofree char *segue = tiny_read (harness, "model/segue.json");
  g_autofree char *history = tiny_read (harness, "history.json");
  return g_strconcat (config, segue, history, NULL);
}

static char *
train_once (const char *config, GPtrArray *songs, guint64 seed, guint threads)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueHarness) harness = harness_with (config, songs);
  segue_harness_set_seed (harness, seed);
  segue_harness_set_threads (harness, threads);
  segue_harness_run (harness, &error);
  g_assert_no_error (error);
  return read_all (harness);
}

/* (transfer full): history.json of a training that must succeed. */
static json_t *
train_history (const char *config, GPtrArray *songs)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueHarness) harness = harness_with (config, songs);
  segue_harness_run (harness, &error);
  g_assert_no_error (error);
  g_autofree char *text = tiny_read (harness, "history.json");
  json_t *history = json_loads (text, 0, NULL);
  g_assert_nonnull (history);
  return history;
}

static double
epoch_number (json_t *history, guint epoch, const char *set, const char *key)
{
  json_t *object = json_array_get (json_object_get (history, "epochs"), epoch);
  if (set)
    object = json_object_get (object, set);
  json_t *value = json_object_get (object, key);
  g_assert_true (json_is_number (value));
  return json_number_value (value);
}

static guint
count_epochs (json_t *history)
{
  return (guint) json_array_size (json_object_get (history, "epochs"));
}

static void
assert_fails (const char *config, GPtrArray *songs, SegueErrorCode code, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueHarness) harness = harness_with (config, songs);
  g_assert_false (segue_harness_run (harness, &error));
  g_assert_error (error, SEGUE_ERROR, (int) code);
  if (!strstr (error->message, words))
    g_error ("‘%s’ does not say ‘%s’", error->message, words);
}

static SegueItem *
labelled (SegueItem *item, const char *label, const char *set)
{
  if (label)
    segue_item_set_string (item, SEGUE_META_LABEL, label);
  segue_item_set_string (item, SEGUE_META_SET, set);
  return item;
}

static void
test_learns (void)
{
  g_autoptr (GPtrArray) songs = tiny_songs (16, 4, TRUE);
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueHarness) harness = harness_with ("{ model: tiny }", songs);
  segue_harness_run (harness, &error);
  g_assert_no_error (error);

  g_autofree char *text = tiny_read (harness, "history.json");
  json_t *history = json_loads (text, 0, NULL);
  guint kept = (guint) json_integer_value (json_object_get (history, "kept_epoch")) - 1;
  g_assert_cmpfloat (epoch_number (history, kept, "validation", "segment_accuracy"), >, 0.95);
  g_assert_cmpfloat (epoch_number (history, kept, "validation", "song_accuracy"), >, 0.95);
  g_assert_cmpfloat (epoch_number (history, 7, NULL, "train_loss"), <,
                     epoch_number (history, 0, NULL, "train_loss") / 2);
  g_assert_cmpint (
    json_integer_value (json_object_get (json_object_get (history, "train"), "songs")), ==, 24);
  json_decref (history);

  g_autoptr (SegueItem) model = segue_harness_pull (harness);
  g_assert_cmpint (segue_item_get_kind (model), ==, SEGUE_KIND_MODEL);
  g_autoptr (SegueModel) loaded =
    segue_model_load (registry, segue_item_get_path (model), NULL, NULL, NULL, &error);
  g_assert_no_error (error);
  SegueModelInfo info = SEGUE_INIT (SegueModelInfo);
  segue_model_describe (loaded, &info);
  g_assert_cmpstr (info.labels[0], ==, "noise");
  g_assert_cmpstr (info.labels[1], ==, "tone");
}

static void
test_repeats (void)
{
  g_autoptr (GPtrArray) songs = tiny_songs (9, 3, TRUE);
  const char *config = "{ model: { use: tiny, dropout: 0.3 }, epochs: 3, batch: 5 }";
  g_autofree char *first = train_once (config, songs, 7, 1);
  g_autofree char *again = train_once (config, songs, 7, 1);
  g_autofree char *threads = train_once (config, songs, 7, 3);
  g_autofree char *other = train_once (config, songs, 8, 1);
  g_assert_cmpstr (first, ==, again);
  g_assert_cmpstr (first, ==, threads);
  g_assert_cmpstr (first, !=, other);
}

/* A number of a list in a model's config.json. */
static double
read_weight (const char *all, const char *name, guint index)
{
  json_t *config = json_loads (all, JSON_DISABLE_EOF_CHECK, NULL);
  json_t *value = json_array_get (json_object_get (config, name), index);
  g_assert_true (json_is_number (value));
  double number = json_number_value (value);
  json_decref (config);
  return number;
}

/* Four batches of four make the step of one batch of sixteen. */
static void
test_accumulate (void)
{
  g_autoptr (GPtrArray) songs = tiny_songs (6, 3, FALSE);
  g_autofree char *whole = train_once ("{ model: tiny, epochs: 2, batch: 16 }", songs, 7, 1);
  g_autofree char *parts =
    train_once ("{ model: tiny, epochs: 2, batch: 4, accumulate: 4 }", songs, 7, 1);
  g_autofree char *unlike = train_once ("{ model: tiny, epochs: 2, batch: 4 }", songs, 7, 1);
  double difference = 0;
  for (guint i = 0; i < 12; i++) {
    double weight = read_weight (whole, "weight", i);
    g_assert_cmpfloat (fabs (read_weight (parts, "weight", i) - weight), <, 1e-5);
    difference = MAX (difference, fabs (read_weight (unlike, "weight", i) - weight));
  }
  g_assert_cmpfloat (difference, >, 1e-3);
}

/* With ε of the target spread over two labels no loss is below the entropy of (1 − ε/2, ε/2). */
static void
test_label_smoothing (void)
{
  g_autoptr (GPtrArray) songs = tiny_songs (8, 4, FALSE);
  json_t *sharp = train_history ("{ model: tiny, epochs: 40 }", songs);
  json_t *smooth = train_history ("{ model: tiny, epochs: 40, label_smoothing: 0.2 }", songs);
  double least = -(0.9 * log (0.9) + 0.1 * log (0.1));
  g_assert_cmpfloat (epoch_number (sharp, 39, NULL, "train_loss"), <, 0.2);
  g_assert_cmpfloat (epoch_number (smooth, 39, NULL, "train_loss"), >=, least);
  g_assert_cmpfloat (epoch_number (smooth, 39, NULL, "train_loss"), <, least + 0.1);
  json_decref (sharp);
  json_decref (smooth);
}

/* Steps far too large to converge: epochs get better and worse. */
static char *
noisy_config (guint epochs, const char *best)
{
  return g_strdup_printf ("{ model: tiny, schedule: constant, learning_rate: 8, batch: 2, "
                          "epochs: %u, best: %s }",
                          epochs, best);
}

/* The weights that are kept are those that a training of exactly that many epochs ends with. */
static void
test_best_epoch (void)
{
  g_autoptr (GPtrArray) songs = tiny_songs (8, 2, TRUE);
  static const char *const bests[] = { "accuracy", "loss" };
  for (guint i = 0; i < G_N_ELEMENTS (bests); i++) {
    g_autofree char *config = noisy_config (12, bests[i]);
    json_t *history = train_history (config, songs);
    guint kept = (guint) json_integer_value (json_object_get (history, "kept_epoch")) - 1;
    g_assert_cmpuint (count_epochs (history), ==, 12);
    g_assert_cmpuint (kept, <, 11); /* otherwise there would be nothing to choose */
    for (guint e = 0; e < 12; e++) {
      double loss = epoch_number (history, e, "validation", "loss");
      double accuracy = epoch_number (history, e, "validation", "segment_accuracy");
      if (i == 0)
        g_assert_cmpfloat (accuracy, <=,
                           epoch_number (history, kept, "validation", "segment_accuracy"));
      else
        g_assert_cmpfloat (loss, >=, epoch_number (history, kept, "validation", "loss"));
    }
    json_decref (history);

    g_autofree char *shorter = noisy_config (kept + 1, "last");
    g_autofree char *last = train_once (shorter, songs, 42, 1);
    g_autofree char *best = train_once (config, songs, 42, 1);
    for (guint w = 0; w < 12; w++)
      g_assert_cmpfloat (read_weight (best, "weight", w), ==, read_weight (last, "weight", w));
  }
}

/* Validation songs of artists without training songs can't choose an epoch. */
static void
test_strange_validation (void)
{
  g_autoptr (GPtrArray) songs = tiny_songs (4, 2, FALSE);
  g_ptr_array_add (songs, labelled (tiny_tone ("z.wav", 5), "stranger", "validation"));
  json_t *history = train_history ("{ model: tiny, epochs: 3 }", songs);
  g_assert_cmpint (json_integer_value (json_object_get (history, "kept_epoch")), ==, 3);
  g_assert_cmpfloat (epoch_number (history, 2, "validation", "segment_accuracy"), ==, 0);
  json_decref (history);
  assert_fails ("{ model: tiny, epochs: 9, early_stopping: 3 }", songs, SEGUE_ERROR_PIPELINE,
                "validation");
}

static void
test_early_stopping (void)
{
  g_autoptr (GPtrArray) songs = tiny_songs (8, 2, TRUE);
  /* Steps too small to change anything but the first digits of a bias. */
  json_t *history = train_history (
    "{ model: tiny, learning_rate: 1.0e-9, schedule: constant, epochs: 20, early_stopping: 3 }",
    songs);
  json_int_t kept = json_integer_value (json_object_get (history, "kept_epoch"));
  g_assert_cmpuint (count_epochs (history), ==, kept + 3);
  g_assert_cmpuint (count_epochs (history), <, 20);
  g_assert_true (json_is_true (json_object_get (history, "stopped_early")));
  json_decref (history);

  g_autoptr (GPtrArray) alone = tiny_songs (4, 2, FALSE);
  assert_fails ("{ model: tiny, early_stopping: 3 }", alone, SEGUE_ERROR_PIPELINE, "validation");
}

/* Interrupted at the n-th pass and run again: with the same result as without an interruption. */
static void
test_resume (void)
{
  g_autoptr (GPtrArray) songs = tiny_songs (8, 3, TRUE);
  static const char *const configs[] = {
    "{ model: { use: tiny, dropout: 0.2 }, epochs: 4, batch: 4, accumulate: 2 }",
    "{ model: { use: tiny, coupled: true }, epochs: 4, batch: 5, best: loss, learning_rate: 0.9 }",
  };
  for (guint c = 0; c < G_N_ELEMENTS (configs); c++) {
    tiny_cancel_after (NULL, 0);
    g_autofree char *whole = train_once (configs[c], songs, 42, 1);
    guint passes = tiny_get_passes ();
    g_assert_cmpuint (passes, >, 20);
    for (guint n = 1; n < passes; n += 4) {
      g_autoptr (GError) error = NULL;
      g_autoptr (SegueHarness) harness = harness_with (configs[c], songs);
      tiny_cancel_after (segue_harness_get_cancellable (harness), n);
      g_assert_false (segue_harness_run (harness, &error));
      g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED);
      g_clear_error (&error);

      tiny_cancel_after (NULL, 0);
      g_cancellable_reset (segue_harness_get_cancellable (harness));
      segue_harness_run (harness, &error);
      g_assert_no_error (error);
      g_autofree char *resumed = read_all (harness);
      g_assert_cmpstr (resumed, ==, whole);
    }
  }
}

static SegueItem *
odd_item (guint rate, gsize n_frames, guint channels)
{
  g_autofree float *samples = g_new0 (float, n_frames *channels);
  g_autoptr (GBytes) bytes = g_bytes_new (samples, n_frames * channels * sizeof (float));
  return segue_item_new_audio (NULL, "zz odd.wav", bytes, rate, channels);
}

static void
test_refuses_data (void)
{
  g_autoptr (GPtrArray) songs = tiny_songs (2, 2, FALSE);
  const struct {
    SegueItem *item;
    const char *words;
  } odd[] = {
    { labelled (odd_item (8000, 1600, 1), NULL, "train"), "no label" },
    { labelled (odd_item (8000, 1599, 1), "tone", "train"), "one length" },
    { labelled (odd_item (8000, 1599, 1), "tone", "validation"), "zz odd.wav" },
    { labelled (odd_item (16000, 1600, 1), "tone", "train"), "the model takes 8000 Hz" },
    { labelled (odd_item (8000, 1600, 2), "tone", "train"), "the model takes one" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (odd); i++) {
    g_ptr_array_add (songs, odd[i].item);
    assert_fails ("{ model: tiny, epochs: 2 }", songs, SEGUE_ERROR_DATA, odd[i].words);
    g_ptr_array_remove_index (songs, songs->len - 1);
  }

  g_autoptr (GPtrArray) none = g_ptr_array_new_with_free_func ((GDestroyNotify) segue_item_unref);
  g_ptr_array_add (none, labelled (tiny_tone ("a.wav", 1), "tone", "test"));
  assert_fails ("{ model: tiny }", none, SEGUE_ERROR_DATA, "nothing to train on");
  g_ptr_array_add (none, labelled (tiny_tone ("b.wav", 2), "tone", "train"));
  assert_fails ("{ model: tiny }", none, SEGUE_ERROR_DATA, "at least two labels");
}

static void
test_refuses_parameters (void)
{
  static const char *const configs[] = { "{ model: tiny, warmup: 2.5 }",
                                         "{ model: tiny, epochs: 3, early_stopping: 3 }",
                                         "{ model: tiny, epochs: 0 }",
                                         "{ model: tiny, best: first }", "{ model: tinny }" };
  for (guint i = 0; i < G_N_ELEMENTS (configs); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (segue_harness_try_new_in (registry, "train", configs[i], &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
  }
}

static void
test_not_finite (void)
{
  g_autoptr (GPtrArray) songs = tiny_songs (4, 2, FALSE);
  assert_fails ("{ model: { use: tiny, scale: 1.0e+200 } }", songs, SEGUE_ERROR_FAILED,
                "epoch 1, step 1");
}

static gboolean
pass_mutely (gpointer model, SegueModelPass *pass, GError **error)
{
  return FALSE;
}

static gboolean
pass_with_error (gpointer model, SegueModelPass *pass, GError **error)
{
  g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "half of it");
  return TRUE;
}

static gboolean
backward_mutely (gpointer model, SegueModelPass *pass, const float *d_logits, GError **error)
{
  return FALSE;
}

/* A callback's return value and its error have to match: a mismatch is reported as a bug in the model's plugin. */
static void
test_mistaken_models (void)
{
  g_autoptr (GPtrArray) songs = tiny_songs (4, 2, TRUE);
  SegueModelType types[3];
  const SegueModelType *models[G_N_ELEMENTS (types) + 1] = { NULL };
  static const char *const names[] = { "mute", "with-error", "mute-back" };
  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    types[i] = *tiny_plugin ()->models[0];
    types[i].name = names[i];
    types[i].config_types = NULL;
    models[i] = &types[i];
  }
  types[0].forward = pass_mutely;
  types[1].forward = pass_with_error;
  types[2].backward = backward_mutely;
  SeguePlugin plugin = *tiny_plugin ();
  plugin.name = "mistaken";
  plugin.models = models;

  SegueRegistry *usual = registry;
  g_autoptr (GError) error = NULL;
  registry = tiny_registry_new (segue_plugin_query ());
  segue_registry_add (registry, &plugin, NULL, &error);
  g_assert_no_error (error);
  assert_fails ("{ model: mute }", songs, SEGUE_ERROR_INTERNAL,
                "'mute' failed without setting an error");
  assert_fails ("{ model: with-error }", songs, SEGUE_ERROR_INTERNAL,
                "'with-error' succeeded with an error set (half of it)");
  assert_fails ("{ model: mute-back }", songs, SEGUE_ERROR_INTERNAL,
                "'mute-back' failed without setting an error");
  segue_registry_free (registry);
  registry = usual;
}

static void
test_init (void)
{
  g_autoptr (GPtrArray) songs = tiny_songs (8, 3, TRUE);
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueHarness) first = harness_with ("{ model: tiny }", songs);
  segue_harness_run (first, &error);
  g_assert_no_error (error);

  g_autofree char *config =
    g_strdup_printf ("{ model: tiny, init: \"%s/output/model\", epochs: 1, learning_rate: 1.0e-9 }",
                     segue_harness_get_folder (first));
  json_t *history = train_history (config, songs);
  g_assert_cmpfloat (epoch_number (history, 0, "validation", "segment_accuracy"), >, 0.9);
  json_decref (history);

  assert_fails ("{ model: tiny, init: /nowhere/at/all }", songs, SEGUE_ERROR_NO_INPUT, "nowhere");
}

static void
test_class_weights (void)
{
  TrainSample samples[] = { { .label = 0 }, { .label = 0 }, { .label = 0 }, { .label = 1 } };
  TrainSets sets = { .n_labels = 2, .train = { samples, G_N_ELEMENTS (samples), 1 } };
  float weights[2];
  train_sets_fill_weights (&sets, weights);
  g_assert_cmpfloat_with_epsilon (weights[0], 4.0 / 6, 1e-6);
  g_assert_cmpfloat_with_epsilon (weights[1], 4.0 / 2, 1e-6);

  /* With weights, the rare label counts as much as the other: biases that start at zero stay balanced. */
  g_autoptr (GPtrArray) songs = tiny_songs (12, 2, FALSE);
  for (guint i = songs->len; i-- > 0;) {
    SegueItem *item = g_ptr_array_index (songs, i);
    if (g_str_has_prefix (segue_item_get_id (item), "noise") && i > 6)
      g_ptr_array_remove_index (songs, i);
  }
  g_autofree char *a =
    train_once ("{ model: { use: tiny, scale: 0 }, epochs: 1, batch: 64 }", songs, 1, 1);
  g_autofree char *b =
    train_once ("{ model: { use: tiny, scale: 0 }, epochs: 1, batch: 64, class_weights: balanced }",
                songs, 1, 1);
  g_assert_cmpfloat (read_weight (a, "bias", 0), <, -0.01);
  g_assert_cmpfloat (fabs (read_weight (b, "bias", 0)), <, 0.06);
  g_assert_cmpstr (a, !=, b);
}

/* Every position once, in order, never across a batch boundary, whichever thread reads. */
static void
test_feed (void)
{
  enum { N = 23, WIDTH = 1600 };
  g_autoptr (GPtrArray) items = tiny_songs (12, 1, FALSE);
  g_ptr_array_remove_index (items, items->len - 1);
  TrainSample samples[N];
  guint32 order[N];
  for (guint i = 0; i < N; i++) {
    samples[i] = (TrainSample){ .index = i };
    order[i] = (i * 5) % N;
  }
  g_autoptr (SegueDataset) dataset =
    segue_dataset_new_from_items ((SegueItem **) items->pdata, items->len);
  const TrainSet set = { samples, N, N };
  const SegueModelInfo info = SEGUE_INIT (SegueModelInfo, .rate = 8000);
  const TrainSource source = {
    .dataset = dataset, .set = &set, .width = WIDTH, .info = &info, .like = "x"
  };
  for (guint threads = 1; threads <= 3; threads++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (TrainFeed) feed = train_feed_new (4 * WIDTH, threads, NULL, &error);
    g_autoptr (SegueReader) reader = segue_reader_new (dataset, 0);
    const TrainPass pass = { .source = &source, .order = order, .first = 2, .part = 4, .batch = 6 };
    for (guint round = 0; round < 3; round++) {
      guint first, n, expected = 2;
      const float *rows;
      train_feed_start (feed, &pass);
      while ((rows = train_feed_next (feed, &first, &n, &error))) {
        g_assert_cmpuint (first, ==, expected);
        g_assert_cmpuint (first / 6, ==, (first + n - 1) / 6);
        for (guint i = 0; i < n; i++) {
          g_autoptr (SegueItem) item = segue_reader_get (reader, order[first + i], NULL, &error);
          gsize n_frames;
          g_assert_cmpmem (rows + i * WIDTH, WIDTH * 4, segue_item_get_frames (item, &n_frames),
                           n_frames * 4);
        }
        expected += n;
        if (round == 1)
          break; /* a pass in progress is dropped by the next start */
      }
      g_assert_no_error (error);
      if (round != 1)
        g_assert_cmpuint (expected, ==, N);
    }
  }
}

static void
test_settings (void)
{
  static const SegueRecipe recipe =
    SEGUE_INIT (SegueRecipe, 6, 4, 0.5, 0.1, 0.25, 0.05, 2.0, SEGUE_SCHEDULE_COSINE);
  const SegueModelType type = { .recipe = &recipe };
  TrainConfig config = { .model = { &type, NULL },
                         .epochs = SEGUE_UNSET_INT,
                         .batch = SEGUE_UNSET_INT,
                         .accumulate = 2,
                         .learning_rate = NAN,
                         .schedule = -1,
                         .warmup = NAN,
                         .weight_decay = NAN,
                         .label_smoothing = NAN,
                         .gradient_clip = NAN };
  TrainSettings settings;
  train_settings_resolve (&config, 17, 1, &settings);
  g_assert_cmpuint (settings.epochs, ==, 6);
  g_assert_cmpuint (settings.step_items, ==, 8);
  g_assert_cmpuint (settings.steps_per_epoch, ==, 3);
  g_assert_cmpuint (settings.schedule.total_steps, ==, 18);
  g_assert_cmpuint (settings.schedule.warmup_steps, ==, 4);
  g_assert_cmpint (settings.schedule.kind, ==, SEGUE_SCHEDULE_COSINE);
  g_assert_cmpfloat (settings.gradient_clip, ==, 2.0);

  config.warmup = 7;
  config.weight_decay = 0;
  config.schedule = SEGUE_SCHEDULE_CONSTANT;
  train_settings_resolve (&config, 17, 1, &settings);
  g_assert_cmpuint (settings.schedule.warmup_steps, ==, 7);
  g_assert_cmpfloat (settings.weight_decay, ==, 0);
  g_assert_cmpfloat (train_settings_get_rate (&settings, 17), ==, 0.5);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  registry = tiny_registry_new (segue_plugin_query ());
  g_test_add_func ("/train/settings", test_settings);
  g_test_add_func ("/train/feed", test_feed);
  g_test_add_func ("/train/learns", test_learns);
  g_test_add_func ("/train/repeats", test_repeats);
  g_test_add_func ("/train/accumulate", test_accumulate);
  g_test_add_func ("/train/label-smoothing", test_label_smoothing);
  g_test_add_func ("/train/best-epoch", test_best_epoch);
  g_test_add_func ("/train/strange-validation", test_strange_validation);
  g_test_add_func ("/train/early-stopping", test_early_stopping);
  g_test_add_func ("/train/resume", test_resume);
  g_test_add_func ("/train/refuses-data", test_refuses_data);
  g_test_add_func ("/train/refuses-parameters", test_refuses_parameters);
  g_test_add_func ("/train/not-finite", test_not_finite);
  g_test_add_func ("/train/mistaken-models", test_mistaken_models);
  g_test_add_func ("/train/init", test_init);
  g_test_add_func ("/train/class-weights", test_class_weights);
  int status = g_test_run ();
  segue_registry_free (registry);
  return status;
}
