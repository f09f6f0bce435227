/* The whole model on a tiny network: gradients, threads, folders, hostile folders, learning. */
#include "mel-cnn.h"

#include <glib/gstdio.h>
#include <segue/nn/cross-entropy.h>
#include <segue/nn/optimiser.h>
#include <segue/nn/safetensors.h>
#include <segue/plugin.h>
#include <stdlib.h>
#include <string.h>

#define RATE   8000
#define LENGTH 1500
#define BATCH  5
#define STEP   3e-4f /* larger ones meet the kinks of ReLU and maximum, smaller ones rounding */

const SeguePlugin *segue_plugin_query (void);

static const char *const labels[] = { "noise", "Ægir", "tone", NULL };

static const SegueModelType *
type (void)
{
  return segue_plugin_query ()->models[0];
}

/* Two blocks over 16 bands and 21 frames; every kind of augmentation. */
static MelCnnConfig
tiny_config (void)
{
  MelCnnConfig config = {
    .bands = 16,
    .window = 20,
    .hop = 8,
    .low = 100,
    .high = 4000,
    .floor = -60,
    .channels = g_array_new (FALSE, FALSE, sizeof (gint64)),
    .dropout = 0.25,
    .crop = 0.8,
    .gain = 6,
    .tilt = 3,
    .time_masks = 1,
    .time_mask = 0.03,
    .band_masks = 1,
    .band_mask = 3,
  };
  const gint64 channels[] = { 4, 6 };
  g_array_append_vals (config.channels, channels, 2);
  return config;
}

static MelCnn *
new_model (const MelCnnConfig *config, guint threads)
{
  g_autoptr (GError) error = NULL;
  const SegueModelSpec spec = { labels, LENGTH, RATE, 7, threads };
  MelCnn *model = type ()->create (config, &spec, &error);
  g_assert_no_error (error);
  return model;
}

/* Tones of different pitches, and noise: label i % 3. */
static float *
make_batch (guint n, gint32 *targets)
{
  float *x = g_new (float, n *LENGTH);
  guint32 state = 1;
  for (guint i = 0; i < n; i++) {
    targets[i] = (gint32) (i % 3);
    for (gsize t = 0; t < LENGTH; t++) {
      state = state * 1664525u + 1013904223u;
      double noise = (double) (state >> 8) / 16777216.0 - 0.5;
      double tone = sin (2.0 * G_PI * (i % 3 == 1 ? 440.0 : 1320.0 + 10.0 * i) * (double) t / RATE);
      x[i * LENGTH + t] = (float) (i % 3 == 0 ? noise : 0.4 * tone + 0.05 * noise);
    }
  }
  return x;
}

/* One pass and what it needs. */
typedef struct {
  MelCnn *model;
  SegueModelPass pass;
  guint64 items[BATCH];
  gint32 targets[BATCH];
  float logits[BATCH * 3];
  float *x;
} Fixture;

static void
fixture_init (Fixture *f, const MelCnnConfig *config, guint threads, SegueModelMode mode)
{
  gsize bytes;
  memset (f, 0, sizeof *f);
  f->model = new_model (config, threads);
  f->x = make_batch (BATCH, f->targets);
  for (guint i = 0; i < BATCH; i++)
    f->items[i] = 100 + i;
  bytes = type ()->plan (f->model, BATCH, LENGTH, mode, FALSE);
  g_assert_cmpuint (bytes, <, G_MAXSIZE);
  f->pass = (SegueModelPass){ .mode = mode,
                              .batch = BATCH,
                              .length = LENGTH,
                              .input = f->x,
                              .items = f->items,
                              .seed = 3,
                              .step = 11,
                              .workspace = aligned_alloc (64, (bytes + 63) / 64 * 64),
                              .logits = f->logits };
}

static void
fixture_clear (Fixture *f)
{
  type ()->free (f->model);
  free (f->pass.workspace);
  g_free (f->x);
}

static double
run_forward (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  const SegueNnCrossEntropy loss = { .batch = f->pass.batch, .classes = 3 };
  float probabilities[BATCH * 3];
  type ()->forward (f->model, &f->pass, &error);
  g_assert_no_error (error);
  return segue_nn_cross_entropy_forward (&loss, f->logits, f->targets, probabilities);
}

static void
run_backward (Fixture *f)
{
  g_autoptr (GError) error = NULL;
  const SegueNnCrossEntropy loss = { .batch = f->pass.batch, .classes = 3 };
  float d_logits[BATCH * 3];
  segue_nn_cross_entropy_forward (&loss, f->logits, f->targets, d_logits);
  segue_nn_cross_entropy_backward (&loss, d_logits, f->targets, d_logits);
  type ()->backward (f->model, &f->pass, d_logits, &error);
  g_assert_no_error (error);
}

/* The loss after `t` was moved by `amount` along a direction of ±1s. */
static double
loss_along (Fixture *f, const SegueModelTensor *t, float amount)
{
  g_autofree float *kept = g_memdup2 (t->value, t->n_elements * sizeof (float));
  for (gsize i = 0; i < t->n_elements; i++)
    t->value[i] += (i * 7 % 11 < 5 ? -amount : amount);
  type ()->changed (f->model);
  double loss = run_forward (f);
  memcpy (t->value, kept, t->n_elements * sizeof (float));
  type ()->changed (f->model);
  return loss;
}

/* Central differences over a few steps, the one nearest to @expected: a long step may cross the kink
 * of a ReLU or change which value is largest, a short one drowns in rounding.  Where which happens
 * depends on how the compiler rounds. */
static double
nearest_difference (Fixture *f, const SegueModelTensor *t, double expected)
{
  double nearest = NAN;
  for (float step = 4.0f * STEP; step > 0.01f * STEP; step *= 0.5f) {
    double numeric = (loss_along (f, t, step) - loss_along (f, t, -step)) / (2.0 * (double) step);
    if (isnan (nearest) || fabs (numeric - expected) < fabs (nearest - expected))
      nearest = numeric;
  }
  return nearest;
}

static void
check_gradients (const MelCnnConfig *config)
{
  Fixture f;
  fixture_init (&f, config, 2, SEGUE_MODEL_TRAIN);
  run_forward (&f);
  run_backward (&f);
  g_autoptr (GArray) tensors = type ()->list_tensors (f.model);
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *t = &g_array_index (tensors, SegueModelTensor, i);
    if (t->gradient == NULL)
      continue;
    double along = 0.0, norm = 0.0;
    for (gsize j = 0; j < t->n_elements; j++) {
      along += (double) t->gradient[j] * (j * 7 % 11 < 5 ? -1.0 : 1.0);
      norm += (double) t->gradient[j] * (double) t->gradient[j];
    }
    g_assert_cmpfloat (norm, >, 0.0);
    double numeric = nearest_difference (&f, t, along);
    g_test_message ("%s: %g, numerically %g", t->name, along, numeric);
    g_assert_cmpfloat_with_epsilon (along, numeric, 5e-4 + 0.01 * sqrt (norm));
  }
  fixture_clear (&f);
}

static void
test_gradients (void)
{
  MelCnnConfig config = tiny_config ();
  for (int standardise = 0; standardise < 2; standardise++)
    for (int pool = 0; pool < 2; pool++) {
      config.standardise = standardise;
      config.pool = pool;
      check_gradients (&config);
    }
  g_array_unref (config.channels);
}

/* Everything that a step leaves: logits, gradients, running statistics. */
static void
append_state (Fixture *f, GByteArray *state)
{
  g_autoptr (GArray) tensors = type ()->list_tensors (f->model);
  g_byte_array_append (state, (guint8 *) f->logits, sizeof f->logits);
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *t = &g_array_index (tensors, SegueModelTensor, i);
    float *x = t->gradient != NULL ? t->gradient : t->value;
    g_byte_array_append (state, (guint8 *) x, (guint) (t->n_elements * sizeof *x));
  }
}

static void
test_threads (void)
{
  MelCnnConfig config = tiny_config ();
  g_autoptr (GByteArray) expected = g_byte_array_new ();
  for (guint threads = 1; threads <= 4; threads++) {
    g_autoptr (GByteArray) state = g_byte_array_new ();
    Fixture f;
    fixture_init (&f, &config, threads, SEGUE_MODEL_TRAIN);
    run_forward (&f);
    run_backward (&f);
    append_state (&f, threads == 1 ? expected : state);
    if (threads > 1)
      g_assert_cmpmem (state->data, state->len, expected->data, expected->len);
    fixture_clear (&f);
  }
  g_array_unref (config.channels);
}

/* The frozen prefix in place of the samples changes nothing, in either mode. */
static void
test_prefix (void)
{
  MelCnnConfig config = tiny_config ();
  for (SegueModelMode mode = SEGUE_MODEL_INFER; mode <= SEGUE_MODEL_TRAIN; mode++) {
    g_autoptr (GError) error = NULL;
    Fixture f;
    fixture_init (&f, &config, 2, mode);
    gsize size = type ()->prefix_size (f.model, LENGTH);
    g_autofree float *frames = g_new (float, BATCH *size);
    float expected[BATCH * 3];
    g_assert_cmpuint (size, ==, 16 * 21);
    run_forward (&f);
    memcpy (expected, f.logits, sizeof expected);
    type ()->prefix (f.model, BATCH, LENGTH, f.x, f.pass.workspace, frames, &error);
    g_assert_no_error (error);
    f.pass.input = frames;
    f.pass.from_prefix = TRUE;
    run_forward (&f);
    g_assert_cmpmem (f.logits, sizeof f.logits, expected, sizeof expected);
    fixture_clear (&f);
  }
  g_array_unref (config.channels);
}

/* An answer doesn't depend on what else is in the batch. */
static void
test_batch (void)
{
  MelCnnConfig config = tiny_config ();
  Fixture f;
  float expected[BATCH * 3];
  fixture_init (&f, &config, 2, SEGUE_MODEL_INFER);
  run_forward (&f);
  memcpy (expected, f.logits, sizeof expected);
  f.pass.batch = 1;
  for (guint i = 0; i < BATCH; i++) {
    f.pass.input = f.x + i * LENGTH;
    run_forward (&f);
    g_assert_cmpmem (f.logits, 3 * sizeof (float), expected + i * 3, 3 * sizeof (float));
  }
  fixture_clear (&f);
  g_array_unref (config.channels);
}

/* What is random depends on seed, step and item, and on nothing else; inference has none. */
static void
test_random (void)
{
  MelCnnConfig config = tiny_config ();
  Fixture f;
  fixture_init (&f, &config, 1, SEGUE_MODEL_TRAIN);
  double first = run_forward (&f);
  g_assert_cmpfloat (run_forward (&f), ==, first);
  f.pass.step++;
  g_assert_cmpfloat (run_forward (&f), !=, first);
  f.pass.step--;
  f.items[2] = 1;
  g_assert_cmpfloat (run_forward (&f), !=, first);
  f.items[2] = 102;
  f.pass.seed++;
  g_assert_cmpfloat (run_forward (&f), !=, first);
  fixture_clear (&f);

  fixture_init (&f, &config, 1, SEGUE_MODEL_INFER);
  first = run_forward (&f);
  f.pass.seed++;
  f.pass.items = NULL;
  g_assert_cmpfloat (run_forward (&f), ==, first);
  fixture_clear (&f);
  g_array_unref (config.channels);
}

/* Some steps of AdamW tell noise from tones. */
static void
train (Fixture *f, guint steps)
{
  const SegueNnAdamW adamw = SEGUE_NN_ADAMW_DEFAULT;
  g_autoptr (GArray) tensors = type ()->list_tensors (f->model);
  g_autoptr (GPtrArray) moments = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < tensors->len; i++)
    g_ptr_array_add (moments,
                     g_new0 (float, 2 * g_array_index (tensors, SegueModelTensor, i).n_elements));
  for (guint step = 1; step <= steps; step++) {
    f->pass.step = step;
    run_forward (f);
    run_backward (f);
    for (guint i = 0; i < tensors->len; i++) {
      const SegueModelTensor *t = &g_array_index (tensors, SegueModelTensor, i);
      float *m = g_ptr_array_index (moments, i);
      if (t->gradient == NULL)
        continue;
      segue_nn_adamw_step (f->model->pool, &adamw, step, 0.02, 0.01, 1.0f, t->n_elements,
                           t->gradient, m, m + t->n_elements, t->value);
      memset (t->gradient, 0, t->n_elements * sizeof (float));
    }
    type ()->changed (f->model);
  }
}

static void
test_learning (void)
{
  MelCnnConfig config = tiny_config ();
  Fixture f;
  fixture_init (&f, &config, 2, SEGUE_MODEL_TRAIN);
  train (&f, 60);
  f.pass.mode = SEGUE_MODEL_INFER;
  g_assert_cmpfloat (run_forward (&f), <, 0.2);
  fixture_clear (&f);
  g_array_unref (config.channels);
}

static char *
new_folder (void)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("segue-mel-cnn-XXXXXX", &error);
  g_assert_no_error (error);
  return folder;
}

static void
remove_folder (const char *folder)
{
  const char *const names[] = { "config.json", "preprocessor_config.json", "model.safetensors" };
  for (guint i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = g_build_filename (folder, names[i], NULL);
    g_unlink (path);
  }
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

/* A folder with a model of a few steps, so that its statistics are its own. */
static void
save_trained (Fixture *f, const MelCnnConfig *config, const char *folder)
{
  g_autoptr (GError) error = NULL;
  fixture_init (f, config, 2, SEGUE_MODEL_TRAIN);
  train (f, 5);
  type ()->save (f->model, folder, &error);
  g_assert_no_error (error);
}

static void
test_folder (void)
{
  MelCnnConfig config = tiny_config (), other = tiny_config ();
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = new_folder ();
  const SegueModelSpec spec = { .rate = RATE, .threads = 1 };
  float expected[BATCH * 3];
  SegueModelInfo info;
  Fixture f;

  save_trained (&f, &config, folder);
  f.pass.mode = SEGUE_MODEL_INFER;
  run_forward (&f);
  memcpy (expected, f.logits, sizeof expected);
  type ()->free (f.model);

  other.bands = 99; /* the folder's architecture wins */
  other.standardise = 1;
  f.model = type ()->load (folder, &other, &spec, &error);
  g_assert_no_error (error);
  type ()->describe (f.model, &info);
  g_assert_true (g_strv_equal (info.labels, labels));
  g_assert_cmpuint (info.rate, ==, RATE);
  g_assert_true (info.coupled);
  run_forward (&f);
  g_assert_cmpmem (f.logits, sizeof f.logits, expected, sizeof expected);
  fixture_clear (&f);
  remove_folder (folder);
  g_array_unref (config.channels);
  g_array_unref (other.channels);
}

/* Other labels make a new head and keep the rest. */
static void
test_other_labels (void)
{
  MelCnnConfig config = tiny_config ();
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = new_folder ();
  const char *const others[] = { "a", "b", NULL };
  const SegueModelSpec spec = { others, LENGTH, RATE, 5, 1 };
  SegueModelInfo info;
  Fixture f;

  save_trained (&f, &config, folder);
  MelCnn *model = type ()->load (folder, &config, &spec, &error);
  g_assert_no_error (error);
  type ()->describe (model, &info);
  g_assert_cmpuint (info.n_labels, ==, 2);
  g_assert_cmpmem (model->blocks[1].conv.w, 4 * 6 * 9 * sizeof (float), f.model->blocks[1].conv.w,
                   4 * 6 * 9 * sizeof (float));
  g_assert_cmpfloat (fabsf (model->head.w[0]), >, 0.0f);
  type ()->free (model);
  fixture_clear (&f);
  remove_folder (folder);
  g_array_unref (config.channels);
}

static void
assert_refused (const char *folder, const MelCnnConfig *config, guint rate, int code)
{
  g_autoptr (GError) error = NULL;
  const SegueModelSpec spec = { .rate = rate, .threads = 1 };
  gpointer model = type ()->load (folder, config, &spec, &error);
  g_assert_null (model);
  g_assert_error (error, SEGUE_ERROR, code);
  g_test_message ("%s", error->message);
}

/* The folder's config.json with @from replaced by @to must be refused. */
static void
refuse_edit (const char *folder, const MelCnnConfig *config, const char *from, const char *to)
{
  g_autofree char *path = g_build_filename (folder, "config.json", NULL);
  g_autofree char *text = NULL;
  g_file_get_contents (path, &text, NULL, NULL);
  g_autoptr (GString) edited = g_string_new (text);
  g_assert_cmpuint (g_string_replace (edited, from, to, 1), ==, 1);
  g_file_set_contents (path, edited->str, -1, NULL);
  assert_refused (folder, config, 0, SEGUE_ERROR_DATA);
  g_file_set_contents (path, text, -1, NULL);
}

static void
test_hostile_config (void)
{
  MelCnnConfig config = tiny_config ();
  g_autofree char *folder = new_folder ();
  static const char *const edits[][2] = {
    { "\"sampling_rate\": 8000", "\"sampling_rate\": 0" },
    { "\"sampling_rate\": 8000", "\"sampling_rate\": 8000.5" },
    { "\"sampling_rate\": 8000", "\"sampling_rate\": 1e300" },
    { "\"window_length\": 160", "\"window_length\": 100000" },
    { "\"window_length\": 160", "\"window_length\": -1" },
    { "\"hop_length\": 64", "\"hop_length\": 0" },
    { "\"hop_length\": 64", "\"other\": 64" },
    { "\"n_fft\": 256", "\"n_fft\": 255" },
    { "\"n_fft\": 256", "\"n_fft\": 9223372036854775807" },
    { "\"num_mel_bins\": 16", "\"num_mel_bins\": 513" },
    { "\"num_mel_bins\": 16", "\"num_mel_bins\": 3" },
    { "\"num_mel_bins\": 16", "\"num_mel_bins\": \"16\"" },
    { "\"max_frequency\": 4000.0", "\"max_frequency\": 4001.0" },
    { "\"min_frequency\": 100.0", "\"min_frequency\": 4000.0" },
    { "\"mel_scale\": \"htk\"", "\"mel_scale\": \"bark\"" },
    { "\"standardise\": \"band\"", "\"standardise\": 1" },
    { "\"standardise\": \"band\"", "\"standardise\": \"segment\", \"standardise\": \"band\"" },
    { "\"pool\": \"max\"", "\"pool\": null" },
    { "\"channels\": [", "\"channels\": [ 1000000," },
    { "\"channels\": [", "\"channels\": [ 1, 1, 1, 1, 1, 1, 1," },
    { "\"channels\": [", "\"channels\": [ 1, 1, 1," },
    { "\"channels\": [", "\"channels\": [ 0.5," },
    { "\"channels\": [", "\"channels\": [ 8," }, /* tensors of other shapes */
    { "\"0\": \"noise\"", "\"0\": \"tone\"" },
    { "\"id2label\": {", "\"id2label\": {\"7\": \"x\"," },
    { "\"id2label\"", "\"id2labels\"" },
    { "{", "[" },
  };
  Fixture f;
  save_trained (&f, &config, folder);
  for (guint i = 0; i < G_N_ELEMENTS (edits); i++)
    refuse_edit (folder, &config, edits[i][0], edits[i][1]);
  assert_refused (folder, &config, 44100, SEGUE_ERROR_PIPELINE);
  fixture_clear (&f);
  remove_folder (folder);
  g_array_unref (config.channels);
}

static void
test_hostile_weights (void)
{
  MelCnnConfig config = tiny_config ();
  g_autofree char *folder = new_folder ();
  g_autofree char *path = g_build_filename (folder, "model.safetensors", NULL);
  g_autofree char *bytes = NULL;
  g_autoptr (GError) error = NULL;
  gsize length;
  Fixture f;

  save_trained (&f, &config, folder);
  g_file_get_contents (path, &bytes, &length, NULL);
  g_file_set_contents (path, bytes, (gssize) length - 4, NULL);
  assert_refused (folder, &config, 0, SEGUE_ERROR_DATA);
  g_file_set_contents (path, "", 0, NULL);
  assert_refused (folder, &config, 0, SEGUE_ERROR_DATA);

  /* Values that no training leaves. */
  float *variance = f.model->blocks[0].running_variance;
  const float wrong[] = { -1.0f, NAN, INFINITY };
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    float kept = variance[1];
    variance[1] = wrong[i];
    type ()->save (f.model, folder, &error);
    g_assert_no_error (error);
    assert_refused (folder, &config, 0, SEGUE_ERROR_DATA);
    variance[1] = kept;
  }

  /* A file that lacks a tensor. */
  g_autoptr (SegueSafetensorsWriter) writer = segue_safetensors_writer_new ();
  segue_safetensors_writer_add_f32 (writer, "head.bias", 1, &(gsize){ 3 }, f.model->head_bias.w);
  segue_safetensors_writer_write (writer, path, &error);
  g_assert_no_error (error);
  assert_refused (folder, &config, 0, SEGUE_ERROR_DATA);
  g_unlink (path);
  assert_refused (folder, &config, 0, SEGUE_ERROR_NO_INPUT);
  fixture_clear (&f);
  remove_folder (folder);
  g_array_unref (config.channels);
}

/* Parameters that don't go together, and segments that are too short. */
static void
test_limits (void)
{
  g_autoptr (GError) error = NULL;
  MelCnnConfig config = tiny_config ();
  SegueModelSpec spec = { labels, LENGTH, 4000, 7, 1 };
  SegueModelInfo info;
  SegueModelPass pass = { .mode = SEGUE_MODEL_INFER, .batch = 1 };

  g_assert_null (type ()->create (&config, &spec, &error)); /* 4000 Hz is past half the rate */
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
  g_clear_error (&error);

  g_autoptr (GArray) channels = g_array_ref (config.channels);
  g_array_set_size (channels, 5);
  spec.rate = RATE;
  g_assert_null (type ()->create (&config, &spec, &error)); /* 16 bands halved five times */
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
  g_clear_error (&error);

  g_array_set_size (channels, 2);
  MelCnn *model = new_model (&config, 1);
  type ()->describe (model, &info);
  g_assert_cmpuint (info.min_length, ==, 160 + 3 * 64);
  for (SegueModelMode mode = SEGUE_MODEL_INFER; mode <= SEGUE_MODEL_TRAIN; mode++) {
    g_assert_cmpuint (type ()->plan (model, 2, info.min_length - 1, mode, FALSE), ==, G_MAXSIZE);
    g_assert_cmpuint (type ()->plan (model, 2, info.min_length, mode, FALSE), <, 1 << 20);
    g_assert_cmpuint (type ()->plan (model, G_MAXUINT, G_MAXSIZE, mode, FALSE), ==, G_MAXSIZE);
  }
  pass.length = info.min_length - 1;
  g_assert_false (type ()->forward (model, &pass, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  type ()->free (model);
  g_array_unref (config.channels);
}

/* Silence has no variance; it must still give an answer. */
static void
test_silence (void)
{
  MelCnnConfig config = tiny_config ();
  for (config.standardise = 0; config.standardise < 2; config.standardise++) {
    Fixture f;
    fixture_init (&f, &config, 1, SEGUE_MODEL_TRAIN);
    memset (f.x, 0, BATCH * LENGTH * sizeof (float));
    g_assert_true (isfinite (run_forward (&f)));
    run_backward (&f);
    g_assert_true (isfinite (f.model->blocks[0].conv.dw[0]));
    fixture_clear (&f);
  }
  g_array_unref (config.channels);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mel-cnn/gradients", test_gradients);
  g_test_add_func ("/mel-cnn/threads", test_threads);
  g_test_add_func ("/mel-cnn/prefix", test_prefix);
  g_test_add_func ("/mel-cnn/batch", test_batch);
  g_test_add_func ("/mel-cnn/random", test_random);
  g_test_add_func ("/mel-cnn/learning", test_learning);
  g_test_add_func ("/mel-cnn/folder", test_folder);
  g_test_add_func ("/mel-cnn/other-labels", test_other_labels);
  g_test_add_func ("/mel-cnn/hostile-config", test_hostile_config);
  g_test_add_func ("/mel-cnn/hostile-weights", test_hostile_weights);
  g_test_add_func ("/mel-cnn/limits", test_limits);
  g_test_add_func ("/mel-cnn/silence", test_silence);
  return g_test_run ();
}
