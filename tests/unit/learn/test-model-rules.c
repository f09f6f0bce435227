/* Model types that break rules: a callback that fails without an error or succeeds with one, incomplete tensors, a
 * workspace that is too large. Each is reported as a bug, or as a limit. */
#include "tiny-model.h"

#include <segue/file.h>
#include <stdio.h>
#include <string.h>

static const char *const labels[] = { "noise", "tone", NULL };

/* The tiny type under another name. */
static SegueModelType
other_type (void)
{
  SegueModelType type = *tiny_plugin ()->models[0];
  type.name = "other";
  return type;
}

static gpointer
create_mutely (const void *config, const SegueModelSpec *spec, GError **error)
{
  return NULL;
}

static gboolean
save_with_error (gpointer model, const char *folder, GError **error)
{
  g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_IO, "half of it");
  return TRUE;
}

static const char *saved_name; /* of the files that save_some () leaves out; or a config.json */

static gboolean
save_some (gpointer model, const char *folder, GError **error)
{
  if (!tiny_plugin ()->models[0]->save (model, folder, error))
    return FALSE;
  g_autofree char *path =
    g_build_filename (folder, *saved_name == '{' ? "config.json" : saved_name, NULL);
  return *saved_name == '{' ? segue_file_write (path, saved_name, -1, error) : remove (path) == 0;
}

static gboolean
forward_mutely (gpointer model, SegueModelPass *pass, GError **error)
{
  return FALSE;
}

static gboolean
forward_with_error (gpointer model, SegueModelPass *pass, GError **error)
{
  g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "half of it");
  return TRUE;
}

static gboolean
backward_mutely (gpointer model, SegueModelPass *pass, const float *d_logits, GError **error)
{
  return FALSE;
}

static void
assert_bug (GError **error, const char *words)
{
  g_assert_error (*error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL);
  if (!strstr ((*error)->message, words))
    g_error ("‘%s’ does not say ‘%s’", (*error)->message, words);
  g_clear_error (error);
}

static void
test_mistaken_passes (void)
{
  SegueModelType other = other_type ();
  const SegueModelSpec spec = SEGUE_INIT (SegueModelSpec, .labels = labels, .threads = 1);
  g_autoptr (GError) error = NULL;
  other.forward = forward_with_error;
  other.backward = backward_mutely;
  g_autoptr (SegueModel) model = segue_model_new (&other, NULL, &spec, &error);
  g_assert_no_error (error);
  SegueModelPass pass = SEGUE_INIT (SegueModelPass);
  g_assert_false (segue_model_forward (model, &pass, &error));
  assert_bug (&error, "'other' succeeded with an error set (half of it)");
  g_assert_false (segue_model_backward (model, &pass, NULL, &error));
  assert_bug (&error, "'other' failed without setting an error");
  pass.struct_size = G_STRUCT_OFFSET (SegueModelPass, logits);
  g_assert_false (segue_model_forward (model, &pass, &error));
  assert_bug (&error, "struct_size of a SegueModelPass");
  g_assert_false (segue_model_backward (model, &pass, NULL, &error));
  assert_bug (&error, "struct_size of a SegueModelPass");
}

static GArray *listed; /* the result of a wrong list_tensors () */

static GArray *
list_mistaken (gpointer model)
{
  return listed ? g_array_ref (listed) : NULL;
}

static void
test_mistaken_tensors (void)
{
  SegueModelType other = other_type ();
  const SegueModelSpec spec = SEGUE_INIT (SegueModelSpec, .labels = labels, .threads = 1);
  float value[6] = { 0 };
  const SegueModelTensor good = {
    .name = "w", .rank = 2, .shape = { 2, 3 }, .n_elements = 6, .value = value
  };
  SegueModelTensor nameless = good, valueless = good, deep = good, unequal = good, vast = good;
  nameless.name = NULL;
  valueless.value = NULL;
  deep.rank = SEGUE_MAX_RANK + 1;
  unequal.n_elements = 5;
  vast.shape[0] = vast.shape[1] = G_MAXSIZE / 2;
  const struct {
    SegueModelTensor tensor;
    const char *words;
  } cases[] = {
    { nameless, "tensor 0 of list_tensors () ('') has no name" },
    { valueless, "('w') has no value" },
    { deep, "more dimensions" },
    { unequal, "a number of elements that does not match its shape" },
    { vast, "that is too large for memory" },
  };
  g_autoptr (GError) error = NULL;
  other.list_tensors = list_mistaken;
  g_autoptr (SegueModel) model = segue_model_new (&other, NULL, &spec, &error);
  g_assert_no_error (error);
  g_assert_null (segue_model_list_tensors (model, &error));
  assert_bug (&error, "no array of SegueModelTensor");
  listed = g_array_new (FALSE, FALSE, sizeof (gpointer)); /* as if of pointers */
  g_assert_null (segue_model_list_tensors (model, &error));
  assert_bug (&error, "no array of SegueModelTensor");
  g_array_unref (listed);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    listed = g_array_new (FALSE, FALSE, sizeof (SegueModelTensor));
    g_array_append_val (listed, cases[i].tensor);
    g_assert_null (segue_model_list_tensors (model, &error));
    assert_bug (&error, cases[i].words);
    g_array_unref (listed);
  }
  listed = NULL;
}

/* Elements of a newer header are longer. */
static void
test_longer_tensors (void)
{
  SegueModelType other = other_type ();
  const SegueModelSpec spec = SEGUE_INIT (SegueModelSpec, .labels = labels, .threads = 1);
  float values[2] = { 1, 2 };
  struct {
    SegueModelTensor tensor;
    double more;
  } longer[2] = { { { .name = "a", .n_elements = 1, .value = values }, 7 },
                  { { .name = "b", .n_elements = 1, .value = values + 1 }, 8 } };
  g_autoptr (GError) error = NULL;
  other.list_tensors = list_mistaken;
  listed = g_array_new (FALSE, FALSE, sizeof longer[0]);
  g_array_append_vals (listed, longer, 2);
  g_autoptr (SegueModel) model = segue_model_new (&other, NULL, &spec, &error);
  g_assert_no_error (error);
  g_autoptr (GArray) tensors = segue_model_list_tensors (model, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (tensors->len, ==, 2);
  g_assert_cmpstr (g_array_index (tensors, SegueModelTensor, 1).name, ==, "b");
  g_assert_true (g_array_index (tensors, SegueModelTensor, 1).value == values + 1);
  g_clear_pointer (&listed, g_array_unref);
}

static gsize
plan_vast (gpointer model, guint batch, gsize length, SegueModelMode mode)
{
  return (gsize) batch * length * 1024 * 1024;
}

/* One segment may take 2 GiB, which 2048 samples of this one need. */
static void
test_longest (void)
{
  SegueModelType other = other_type ();
  const SegueModelSpec spec = SEGUE_INIT (SegueModelSpec, .labels = labels, .threads = 1);
  g_autoptr (GError) error = NULL;
  other.plan = plan_vast;
  g_autoptr (SegueModel) model = segue_model_new (&other, NULL, &spec, &error);
  g_assert_true (segue_model_check_length (model, 2048, &error));
  g_assert_no_error (error);
  g_assert_false (segue_model_check_length (model, 2049, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
  g_assert_nonnull (strstr (error->message, "too long for this 'other' model"));
  g_clear_error (&error);
  g_assert_false (segue_model_check_length (model, 10, &error));
  g_assert_nonnull (strstr (error->message, "too short for 'other'"));
  g_clear_error (&error);

  float samples[2049] = { 0 }, probabilities[2];
  g_autoptr (GBytes) bytes = g_bytes_new (samples, sizeof samples);
  SegueModelInfo info = SEGUE_INIT (SegueModelInfo);
  segue_model_describe (model, &info);
  g_autoptr (SegueItem) item = segue_item_new_audio (NULL, "long", bytes, info.rate, 1);
  g_assert_false (segue_model_predict (model, &item, 1, probabilities, NULL, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, "too long for this 'other' model"));
}

/* A callback's return value and its error have to match. */
static void
test_mistakes (void)
{
  SegueModelType other = other_type ();
  const SegueModelSpec spec = SEGUE_INIT (SegueModelSpec, .labels = labels, .threads = 1);
  g_autoptr (GError) error = NULL;
  other.create = create_mutely;
  g_assert_null (segue_model_new (&other, NULL, &spec, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL);
  g_assert_nonnull (strstr (error->message, "'other' failed without setting an error"));
  g_clear_error (&error);

  other.create = tiny_plugin ()->models[0]->create;
  other.save = save_with_error;
  other.forward = forward_mutely;
  g_autoptr (SegueModel) model = segue_model_new (&other, NULL, &spec, &error);
  g_assert_no_error (error);
  g_autofree char *folder = g_dir_make_tmp ("segue-model-XXXXXX", &error);
  g_assert_no_error (error);
  g_assert_false (segue_model_save (model, folder, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL);
  g_assert_nonnull (strstr (error->message, "with an error set (half of it)"));
  segue_file_remove_folder (folder, NULL);
  g_clear_error (&error);
  g_autoptr (SegueItem) tone = tiny_tone ("tone", 1);
  float probabilities[2];
  g_assert_false (segue_model_predict (model, &tone, 1, probabilities, NULL, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL);
}

/* What save () has to write. */
static void
test_saved_files (void)
{
  static const char *const cases[][2] = {
    { "config.json", "'other': its save () wrote no config.json" },
    { "model.safetensors", "'other': its save () wrote no model.safetensors" },
    { "{}", "\"model_type\" '', which is none of its config_types ('segue-tiny')" },
    { "{\"model_type\": \"x\"}", "\"model_type\" 'x', which is none" },
    { "{", "a config.json that cannot be read" },
  };
  SegueModelType other = other_type ();
  const SegueModelSpec spec = SEGUE_INIT (SegueModelSpec, .labels = labels, .threads = 1);
  other.save = save_some;
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueModel) model = segue_model_new (&other, NULL, &spec, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *folder = g_dir_make_tmp ("segue-model-XXXXXX", NULL);
    g_autofree char *own = g_build_filename (folder, "segue.json", NULL);
    saved_name = cases[i][0];
    g_assert_false (segue_model_save (model, folder, NULL, &error));
    assert_bug (&error, cases[i][1]);
    g_assert_false (g_file_test (own, G_FILE_TEST_EXISTS));
    segue_file_remove_folder (folder, NULL);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/model-rules/create-save-forward", test_mistakes);
  g_test_add_func ("/model-rules/saved-files", test_saved_files);
  g_test_add_func ("/model-rules/passes", test_mistaken_passes);
  g_test_add_func ("/model-rules/tensors", test_mistaken_tensors);
  g_test_add_func ("/model-rules/longer-tensors", test_longer_tensors);
  g_test_add_func ("/model-rules/longest", test_longest);
  return g_test_run ();
}
