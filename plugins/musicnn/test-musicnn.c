/* musicnn compared with torch on small fixtures (tests/interop/make-musicnn-fixtures.py), and refused where its
 * folder is damaged. */
#include "musicnn.h"

#include <glib/gstdio.h>
#include <math.h>
#include <segue/error.h>
#include <segue/file.h>
#include <stdlib.h>
#include <string.h>

static const char *const fixtures[] = { "musicnn", "musicnn-odd" };

static char *
fixture_folder (const char *fixture)
{
  return g_build_filename (g_getenv ("SEGUE_SOURCE_ROOT"), "tests", "golden", "fixtures", fixture,
                           NULL);
}

static Musicnn *
load (const char *fixture, guint threads, SegueModelPrecision precision)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = fixture_folder (fixture);
  Musicnn *model = musicnn_load (folder, threads, precision, &error);
  g_assert_no_error (error);
  return model;
}

/* A tensor of the fixture's golden.safetensors. */
static float *
read_golden (const char *fixture, const char *name, gsize *first, gsize *second)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = fixture_folder (fixture);
  g_autofree char *path = g_build_filename (folder, "golden.safetensors", NULL);
  g_autoptr (SegueSafetensors) file = segue_safetensors_open (path, &error);
  g_assert_no_error (error);
  const SegueTensorInfo *info = segue_safetensors_lookup (file, name);
  float *values = g_new (float, info->n_elements);
  segue_safetensors_read_f32 (file, name, info->n_dims, info->shape, values, &error);
  g_assert_no_error (error);
  *first = info->shape[0];
  *second = info->shape[1];
  return values;
}

/* Largest difference, relative to the largest expected value. */
static void
assert_close (const char *what, gsize n, const float *found, const float *expected, double limit)
{
  double largest = 0.0, difference = 0.0;
  for (gsize i = 0; i < n; i++) {
    g_assert_true (isfinite (found[i]));
    largest = fmax (largest, fabs ((double) expected[i]));
    difference = fmax (difference, fabs ((double) found[i] - (double) expected[i]));
  }
  g_test_message ("%s: %.2g", what, difference / largest);
  g_assert_cmpfloat (difference, <=, limit * largest);
}

typedef struct {
  float *penultimate, *tags;
} Answer;

static void
answer_clear (Answer *answer)
{
  g_free (answer->penultimate);
  g_free (answer->tags);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Answer, answer_clear)

static Answer
forward (Musicnn *model, guint batch, gsize length, const float *samples)
{
  g_autoptr (GError) error = NULL;
  Answer answer = { g_new (float, batch * model->hidden),
                    g_new (float, batch * model->base.n_labels) };
  gsize bytes = musicnn_plan (model, batch, length);
  g_assert_cmpuint (bytes, <, G_MAXSIZE);
  gpointer workspace = aligned_alloc (64, bytes);
  memset (workspace, 0xff, bytes); /* NaN: a pass reads only what it has written */
  const MusicnnPass pass = { batch, length, samples, workspace, answer.penultimate, answer.tags };
  musicnn_forward (model, &pass, &error);
  g_assert_no_error (error);
  free (workspace);
  return answer;
}

static void
test_golden (gconstpointer fixture)
{
  gsize batch, length, n, time;
  g_autoptr (Musicnn) model = load (fixture, 2, SEGUE_MODEL_FLOAT32);
  g_autofree float *samples = read_golden (fixture, "samples", &batch, &length);
  g_autofree float *penultimate = read_golden (fixture, "penultimate", &batch, &n);
  g_autofree float *tags = read_golden (fixture, "tags", &batch, &n);
  g_autofree float *frames = read_golden (fixture, "frames", &batch, &time);
  gsize size = batch * time * model->frames.bands;
  g_assert_cmpuint (segue_nn_log_mel_frames (&model->frames, length), ==, time);

  g_autofree float *found = g_new (float, size);
  segue_nn_log_mel_forward (model->base.threads, model->log_mel, batch, length, samples, found);
  for (gsize i = 0; i < size; i++)
    found[i] /= (float) G_LN10;
  assert_close ("frames", size, found, frames, 3e-6);
  g_auto (Answer) answer = forward (model, (guint) batch, length, samples);
  assert_close ("penultimate", batch * model->hidden, answer.penultimate, penultimate, 2e-5);
  assert_close ("tags", batch * model->base.n_labels, answer.tags, tags, 2e-5);
}

/* The same bits alone and in a batch, with any number of threads, in every precision of this system. */
static void
test_same_bits (gconstpointer fixture)
{
  gsize batch, length;
  g_autofree float *samples = read_golden (fixture, "samples", &batch, &length);
  for (guint p = SEGUE_MODEL_FLOAT32; p <= SEGUE_MODEL_INT8; p++) {
    g_autofree char *folder = fixture_folder (fixture);
    g_autoptr (GError) error = NULL;
    g_autoptr (Musicnn) first = musicnn_load (folder, 1, (SegueModelPrecision) p, &error);
    if (!first) {
      g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
      g_assert_true (p != SEGUE_MODEL_FLOAT32 && p != SEGUE_MODEL_AUTO);
      continue;
    }
    gsize size = batch * first->hidden * sizeof (float);
    g_auto (Answer) expected = forward (first, (guint) batch, length, samples);
    for (gsize i = 0; i < batch; i++) {
      g_auto (Answer) one = forward (first, 1, length, samples + i * length);
      g_assert_cmpmem (one.penultimate, size / batch, expected.penultimate + i * first->hidden,
                       size / batch);
    }
    for (guint threads = 2; threads <= 5; threads++) {
      g_autoptr (Musicnn) model = load (fixture, threads, (SegueModelPrecision) p);
      g_auto (Answer) found = forward (model, (guint) batch, length, samples);
      g_assert_cmpmem (found.penultimate, size, expected.penultimate, size);
    }
  }
}

static void
test_length (void)
{
  g_autoptr (Musicnn) model = load ("musicnn", 1, SEGUE_MODEL_FLOAT32);
  g_autoptr (GError) error = NULL;
  gsize shortest = musicnn_get_min_length (model);
  g_autofree float *samples = g_new0 (float, shortest);
  g_assert_cmpuint (musicnn_get_rate (model), ==, 8000);
  g_auto (Answer) silence = forward (model, 1, shortest, samples);
  for (gsize i = 0; i < model->hidden; i++)
    g_assert_true (isfinite (silence.penultimate[i]));

  MusicnnPass pass = { .batch = 1, .length = shortest - 1, .samples = samples };
  g_assert_cmpuint (musicnn_plan (model, 1, shortest - 1), ==, G_MAXSIZE);
  g_assert_cmpuint (musicnn_plan (model, 1, 0), ==, G_MAXSIZE);
  g_assert_cmpuint (musicnn_plan (model, G_MAXUINT, G_MAXSIZE), ==, G_MAXSIZE);
  g_assert_false (musicnn_forward (model, &pass, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, "too short"));
}

/* A cancelled pass has no result; the next one does. */
static void
test_cancelled (void)
{
  gsize batch, length;
  g_autoptr (Musicnn) model = load ("musicnn", 2, SEGUE_MODEL_FLOAT32);
  g_autofree float *samples = read_golden ("musicnn", "samples", &batch, &length);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  float out[16];
  gpointer workspace = aligned_alloc (64, musicnn_plan (model, 1, length));
  const MusicnnPass pass = { 1, length, samples, workspace, out, NULL };
  model->base.cancellable = cancellable;
  g_cancellable_cancel (cancellable);
  g_assert_false (musicnn_forward (model, &pass, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED);
  g_clear_error (&error);
  g_cancellable_reset (cancellable);
  g_assert_true (musicnn_forward (model, &pass, &error));
  free (workspace);
}

/* int8 is not offered; the fastest is float32. */
static void
test_precision (void)
{
  g_autofree char *folder = fixture_folder ("musicnn");
  g_autoptr (GError) error = NULL;
  g_autoptr (Musicnn) model = load ("musicnn", 1, SEGUE_MODEL_AUTO);
  g_assert_cmpint (model->base.precision, ==, SEGUE_MODEL_FLOAT32);
  g_assert_null (musicnn_load (folder, 1, SEGUE_MODEL_INT8, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
}

/* ---- Damaged folders ---- */

static const char *const files[] = { "config.json", "preprocessor_config.json",
                                     "model.safetensors" };

static char *
copy_fixture (void)
{
  g_autofree char *from = fixture_folder ("musicnn");
  char *folder = g_dir_make_tmp ("segue-musicnn-XXXXXX", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *old = g_build_filename (from, files[i], NULL);
    g_autofree char *new = g_build_filename (folder, files[i], NULL);
    g_autofree char *data = NULL;
    gsize n;
    g_assert_true (g_file_get_contents (old, &data, &n, NULL));
    g_assert_true (g_file_set_contents (new, data, (gssize) n, NULL));
  }
  return folder;
}

static void
assert_refused (const char *folder, int code, const char *says)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (musicnn_load (folder, 1, SEGUE_MODEL_FLOAT32, &error));
  g_assert_error (error, SEGUE_ERROR, code);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, says));
}

/* @from in a file of the folder replaced by @to. */
static void
refuse_edit (const char *folder, const char *name, const char *from, const char *to,
             const char *says)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_autoptr (GString) edited = g_string_new (text);
  g_assert_cmpuint (g_string_replace (edited, from, to, 1), ==, 1);
  g_assert_true (g_file_set_contents (path, edited->str, -1, NULL));
  assert_refused (folder, SEGUE_ERROR_DATA, says);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

static void
test_config_refusals (void)
{
  static const char *const edits[][4] = {
    { "config.json", "\"musicnn\"", "\"hubert\"", "hubert" },
    { "config.json", "\"musicnn\"", "7", "model_type" },
    { "config.json", "\"model_type\"", "\"type\"", "model_type" },
    { "config.json", "\"timbre_frames\": 7", "\"timbre_frames\": 0", "timbre_frames" },
    { "config.json", "\"timbre_frames\": 7", "\"timbre_frames\": 1e9", "timbre_frames" },
    { "config.json", "\"timbre_frames\"", "\"frames\"", "is missing" },
    { "config.json", "\"tempo_channels\": 5", "\"tempo_channels\": 6", "tempo.0" },
    { "config.json", "\"hidden_size\": 10", "\"hidden_size\": 11", "penultimate" },
    { "config.json", "\"middle_layers\": 3", "\"middle_layers\": 5", "middle_layers" },
    { "config.json", "\"middle_layers\": 3", "\"middle_layers\": 4", "middle.3" },
    { "config.json", "\"tempo_frames\": [", "\"tempo_frames\": [ 1, 1,", "tempo_frames" },
    { "config.json", "    16\n  ],\n  \"timbre_channels\"", "    25\n  ],\n  \"timbre_channels\"",
      "timbre_bands" },
    { "config.json", "\"norm_eps\": 0.001", "\"norm_eps\": 0", "norm_eps" },
    { "config.json", "\"norm_eps\"", "\"eps\"", "is missing" },
    { "config.json", "\"id2label\"", "\"labels\"", "labels" },
    { "preprocessor_config.json", "\"num_mel_bins\": 24", "\"num_mel_bins\": 12", "timbre_bands" },
    { "preprocessor_config.json", "\"num_mel_bins\": 24", "\"num_mel_bins\": 1000", "mel band" },
    { "preprocessor_config.json", "\"n_fft\": 256", "\"n_fft\": 255", "FFT" },
    { "preprocessor_config.json", "\"hop_length\": 100", "\"hop_length\": 0", "hop_length" },
    { "preprocessor_config.json", "\"hop_length\": 100", "\"hop_length\": 7", "frames a second" },
    { "preprocessor_config.json", "\"sampling_rate\"", "\"rate\"", "is missing" },
    { "preprocessor_config.json", "4000", "4001", "half the sample rate" },
    { "preprocessor_config.json", "\"slaney\"", "\"htk\"", "mel_scale" },
    { "preprocessor_config.json", "\"mel_norm\"", "\"norm\"", "mel_norm" },
    { "preprocessor_config.json", "\"log_factor\": 10000", "\"log_factor\": -1", "log_factor" },
  };
  g_autofree char *folder = copy_fixture ();
  for (guint i = 0; i < G_N_ELEMENTS (edits); i++)
    refuse_edit (folder, edits[i][0], edits[i][1], edits[i][2], edits[i][3]);
  segue_file_remove_folder (folder, NULL);
}

/* The fixture's weights, with one tensor changed. */
static void
write_weights (const char *folder, const char *changed, float value, gboolean is_shape)
{
  g_autofree char *from = fixture_folder ("musicnn");
  g_autoptr (SegueSafetensors) file = segue_safetensors_open_folder (from, NULL);
  g_autoptr (SegueSafetensorsWriter) writer = segue_safetensors_writer_new ();
  g_autofree char *path = g_build_filename (folder, "model.safetensors", NULL);
  g_autoptr (GError) error = NULL;
  gsize n;
  const SegueTensorInfo *all = segue_safetensors_list (file, &n);
  for (gsize i = 0; i < n; i++) {
    gboolean is_it = g_str_equal (all[i].name, changed);
    float *values = g_new (float, all[i].n_elements);
    segue_safetensors_read_f32 (file, all[i].name, all[i].n_dims, all[i].shape, values, NULL);
    if (is_it && !is_shape)
      values[all[i].n_elements - 1] = value;
    segue_safetensors_writer_take_f32 (writer, all[i].name, is_it && is_shape ? 1 : all[i].n_dims,
                                       is_it && is_shape ? &all[i].n_elements : all[i].shape,
                                       values);
  }
  segue_safetensors_writer_write (writer, path, &error);
  g_assert_no_error (error);
}

static void
test_weight_refusals (void)
{
  g_autofree char *folder = copy_fixture ();
  g_autofree char *path = g_build_filename (folder, "model.safetensors", NULL);
  g_autofree char *data = NULL;
  gsize n;
  const float wrong[] = { NAN, INFINITY, -INFINITY };
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    write_weights (folder, "timbre.1.conv.weight", wrong[i], FALSE);
    assert_refused (folder, SEGUE_ERROR_DATA, "timbre.1.conv.weight");
  }
  write_weights (folder, "middle.2.norm.running_var", -1.0f, FALSE);
  assert_refused (folder, SEGUE_ERROR_DATA, "middle.2.norm.running_var");
  write_weights (folder, "tempo.0.conv.weight", 0.0f, TRUE);
  assert_refused (folder, SEGUE_ERROR_DATA, "tempo.0.conv.weight");

  write_weights (folder, "", 0.0f, FALSE);
  g_assert_true (g_file_get_contents (path, &data, &n, NULL));
  for (gsize length = 0; length < n; length += 1 + n / 23) {
    g_assert_true (g_file_set_contents (path, data, (gssize) length, NULL));
    assert_refused (folder, SEGUE_ERROR_DATA, "model.safetensors");
  }
  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *other = copy_fixture ();
    g_autofree char *missing = g_build_filename (other, files[i], NULL);
    g_assert_cmpint (g_unlink (missing), ==, 0);
    assert_refused (other, SEGUE_ERROR_NO_INPUT, files[i]);
    segue_file_remove_folder (other, NULL);
  }
  segue_file_remove_folder (folder, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (fixtures); i++) {
    g_autofree char *golden = g_strdup_printf ("/musicnn/golden/%s", fixtures[i]);
    g_autofree char *bits = g_strdup_printf ("/musicnn/same-bits/%s", fixtures[i]);
    g_test_add_data_func (golden, fixtures[i], test_golden);
    g_test_add_data_func (bits, fixtures[i], test_same_bits);
  }
  g_test_add_func ("/musicnn/length", test_length);
  g_test_add_func ("/musicnn/cancelled", test_cancelled);
  g_test_add_func ("/musicnn/precision", test_precision);
  g_test_add_func ("/musicnn/config-refusals", test_config_refusals);
  g_test_add_func ("/musicnn/weight-refusals", test_weight_refusals);
  return g_test_run ();
}
