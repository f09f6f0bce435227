/* A model's folder: saved, opened, and refused where it was forged. */
#include "test-tiny.h"

#include <glib/gstdio.h>
#include <segue/error.h>
#include <segue/nn/safetensors.h>
#include <string.h>

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
save_trained (Tiny *f, const MelCnnConfig *config, const char *folder)
{
  g_autoptr (GError) error = NULL;
  tiny_init (f, config, 2, SEGUE_MODEL_TRAIN);
  tiny_train (f, 5);
  tiny_type ()->save (f->model, folder, &error);
  g_assert_no_error (error);
}

static void
test_folder (void)
{
  MelCnnConfig config = tiny_config (), other = tiny_config ();
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = new_folder ();
  const SegueModelSpec spec = SEGUE_INIT (SegueModelSpec, .rate = TINY_RATE, .threads = 1);
  float expected[TINY_BATCH * 3];
  SegueModelInfo info = SEGUE_INIT (SegueModelInfo);
  Tiny f;

  save_trained (&f, &config, folder);
  f.pass.mode = SEGUE_MODEL_INFER;
  tiny_forward (&f);
  memcpy (expected, f.logits, sizeof expected);
  tiny_type ()->free (f.model);

  other.front.bands = 99; /* the folder's architecture wins */
  other.front.standardise = 1;
  f.model = tiny_type ()->load (folder, &other, &spec, &error);
  g_assert_no_error (error);
  tiny_type ()->describe (f.model, &info);
  g_assert_true (g_strv_equal (info.labels, tiny_labels));
  g_assert_cmpuint (info.rate, ==, TINY_RATE);
  g_assert_true (info.coupled);
  tiny_forward (&f);
  g_assert_cmpmem (f.logits, sizeof f.logits, expected, sizeof expected);
  tiny_clear (&f);
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
  const SegueModelSpec spec = { sizeof (SegueModelSpec), others, TINY_LENGTH, TINY_RATE, 5, 1 };
  SegueModelInfo info = SEGUE_INIT (SegueModelInfo);
  Tiny f;

  save_trained (&f, &config, folder);
  MelCnn *model = tiny_type ()->load (folder, &config, &spec, &error);
  g_assert_no_error (error);
  tiny_type ()->describe (model, &info);
  g_assert_cmpuint (info.n_labels, ==, 2);
  g_assert_cmpmem (model->blocks[1].conv.w, 4 * 6 * 9 * sizeof (float), f.model->blocks[1].conv.w,
                   4 * 6 * 9 * sizeof (float));
  g_assert_cmpfloat (fabsf (model->head.weight.w[0]), >, 0.0f);
  tiny_type ()->free (model);
  tiny_clear (&f);
  remove_folder (folder);
  g_array_unref (config.channels);
}

/* The same labels in another order keep their rows of the head: predictions stay the same, by label. */
static void
test_reordered_labels (void)
{
  MelCnnConfig config = tiny_config ();
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = new_folder ();
  const char *const reordered[] = { "tone", "noise", "Ægir", NULL };
  const guint rows[] = { 2, 0, 1 };
  const SegueModelSpec spec = { sizeof (SegueModelSpec), reordered, TINY_LENGTH, TINY_RATE, 5, 2 };
  float expected[TINY_BATCH * 3];
  Tiny f;

  save_trained (&f, &config, folder);
  f.pass.mode = SEGUE_MODEL_INFER;
  tiny_forward (&f);
  memcpy (expected, f.logits, sizeof expected);
  tiny_type ()->free (f.model);
  f.model = tiny_type ()->load (folder, &config, &spec, &error);
  g_assert_no_error (error);
  tiny_forward (&f);
  for (guint i = 0; i < TINY_BATCH; i++)
    for (guint k = 0; k < 3; k++)
      g_assert_cmpfloat (f.logits[i * 3 + k], ==, expected[i * 3 + rows[k]]);
  tiny_clear (&f);
  remove_folder (folder);
  g_array_unref (config.channels);
}

static void
assert_refused (const char *folder, const MelCnnConfig *config, guint rate, int code)
{
  g_autoptr (GError) error = NULL;
  const SegueModelSpec spec = SEGUE_INIT (SegueModelSpec, .rate = rate, .threads = 1);
  gpointer model = tiny_type ()->load (folder, config, &spec, &error);
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
    { "\"hop_length\": 64", "\"hop_length\": 7" }, /* more than 1,000 frames a second */
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
  Tiny f;
  save_trained (&f, &config, folder);
  for (guint i = 0; i < G_N_ELEMENTS (edits); i++)
    refuse_edit (folder, &config, edits[i][0], edits[i][1]);
  assert_refused (folder, &config, 44100, SEGUE_ERROR_PIPELINE);
  tiny_clear (&f);
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
  Tiny f;

  save_trained (&f, &config, folder);
  g_file_get_contents (path, &bytes, &length, NULL);
  g_file_set_contents (path, bytes, (gssize) length - 4, NULL);
  assert_refused (folder, &config, 0, SEGUE_ERROR_DATA);
  g_file_set_contents (path, "", 0, NULL);
  assert_refused (folder, &config, 0, SEGUE_ERROR_DATA);

  /* Values that no training produces. */
  float *variance = f.model->blocks[0].variance.w;
  const float wrong[] = { -1.0f, NAN, INFINITY };
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    float kept = variance[1];
    variance[1] = wrong[i];
    tiny_type ()->save (f.model, folder, &error);
    g_assert_no_error (error);
    assert_refused (folder, &config, 0, SEGUE_ERROR_DATA);
    variance[1] = kept;
  }

  /* A file that lacks a tensor. */
  g_autoptr (SegueSafetensorsWriter) writer = segue_safetensors_writer_new ();
  segue_safetensors_writer_add_f32 (writer, "head.bias", 1, &(gsize){ 3 }, f.model->head.bias.w);
  segue_safetensors_writer_write (writer, path, &error);
  g_assert_no_error (error);
  assert_refused (folder, &config, 0, SEGUE_ERROR_DATA);
  g_unlink (path);
  assert_refused (folder, &config, 0, SEGUE_ERROR_NO_INPUT);
  tiny_clear (&f);
  remove_folder (folder);
  g_array_unref (config.channels);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mel-cnn/folder", test_folder);
  g_test_add_func ("/mel-cnn/other-labels", test_other_labels);
  g_test_add_func ("/mel-cnn/reordered-labels", test_reordered_labels);
  g_test_add_func ("/mel-cnn/hostile-config", test_hostile_config);
  g_test_add_func ("/mel-cnn/hostile-weights", test_hostile_weights);
  return g_test_run ();
}
