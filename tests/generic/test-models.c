/* Every model type of every plugin that was built: what is computed from weights follows their values. */
#include <glib/gstdio.h>
#include <segue/host/segue.h>
#include <stdlib.h>
#include <string.h>

static SegueRegistry *registry;
static const char *const labels[] = { "a", "b", "c", NULL };

static SegueModelSpec
spec_of (SegueModelPrecision precision)
{
  return (SegueModelSpec) SEGUE_INIT (SegueModelSpec, .labels = labels, .seed = 1, .threads = 2,
                                      .precision = precision);
}

/* Logits of one second of a sawtooth, or of as much as the model needs. */
static void
infer (SegueModel *model, float logits[3])
{
  g_autoptr (GError) error = NULL;
  const SegueModelType *type = segue_model_get_type (model);
  SegueModelInfo info = SEGUE_INIT (SegueModelInfo);
  segue_model_describe (model, &info);
  g_assert_cmpuint (info.n_labels, ==, 3);
  gsize length = MAX (info.min_length, info.rate);
  g_autofree float *samples = g_new (float, length);
  for (gsize i = 0; i < length; i++)
    samples[i] = (float) (i % 73) / 73 - 0.5f;
  gsize bytes = type->plan (segue_model_get_impl (model), 1, length, SEGUE_MODEL_INFER, FALSE);
  SegueModelPass pass = SEGUE_INIT (
    SegueModelPass, .mode = SEGUE_MODEL_INFER, .batch = 1, .length = length, .input = samples,
    .workspace = segue_model_new_workspace (model, bytes, &error), .logits = logits);
  g_assert_no_error (error);
  segue_model_forward (model, &pass, &error);
  g_assert_no_error (error);
  free (pass.workspace);
}

/* As an optimiser does: writes the values of trained tensors, and says so. */
static void
change (SegueModel *model)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GArray) tensors = segue_model_list_tensors (model, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *t = &g_array_index (tensors, SegueModelTensor, i);
    for (gsize j = 0; t->gradient && j < t->n_elements; j++)
      t->value[j] = 1.125f * t->value[j] + 1e-3f * (float) (j % 5);
  }
  segue_model_changed (model);
}

static void
remove_folder (const char *folder)
{
  const char *name;
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  while ((name = g_dir_read_name (dir))) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    g_unlink (path);
  }
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

/* A model whose values were changed is the model that a folder with these values gives, bit for bit. */
static void
check_changes (const SegueModelType *type, SegueModelPrecision precision)
{
  g_autoptr (GError) error = NULL;
  const SegueModelSpec spec = spec_of (precision);
  g_autofree char *folder = g_dir_make_tmp ("segue-models-XXXXXX", NULL);
  g_autoptr (SegueModel) model = segue_model_new (type, NULL, &spec, &error);
  g_assert_no_error (error);
  float before[3], after[3], loaded[3];
  infer (model, before);
  for (guint round = 0; round < 2; round++) {
    change (model);
    infer (model, after);
    g_assert_cmpint (memcmp (before, after, sizeof before), !=, 0);
    memcpy (before, after, sizeof before);
  }
  segue_model_save (model, folder, NULL, &error);
  g_assert_no_error (error);
  g_autoptr (SegueModel) again = segue_model_load (registry, folder, type, NULL, &spec, &error);
  g_assert_no_error (error);
  infer (again, loaded);
  g_assert_cmpmem (after, sizeof after, loaded, sizeof loaded);
  remove_folder (folder);
}

static void
test_changes (gconstpointer data)
{
  check_changes (data, SEGUE_MODEL_FLOAT32);
  check_changes (data, SEGUE_MODEL_AUTO);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  registry = segue_registry_new ();
  segue_registry_load_search_path (registry);
  g_autoptr (GPtrArray) models = segue_registry_list_models (registry);
  for (guint i = 0; i < models->len; i++) {
    const SegueModelType *type = g_ptr_array_index (models, i);
    g_autofree char *path = g_strdup_printf ("/generic/models/%s/changes", type->name);
    g_test_add_data_func (path, type, test_changes);
  }
  int status = g_test_run ();
  segue_registry_free (registry);
  return status;
}
