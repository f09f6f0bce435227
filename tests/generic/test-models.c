/* Every model type of every plugin that was built: what segue/model.h and segue/encoder.h require. */
#include <segue/host/segue.h>
#include <segue/testing.h>

static SegueRegistry *registry;

static void
test_model (gconstpointer data)
{
  const SegueModelType *type = data;
  g_autoptr (GError) error = NULL;
  gboolean ok = segue_test_try_model (registry, type->name, "{}", &error);
  if (!type->recipe && g_error_matches (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE)) {
    g_autofree char *why = g_strdup_printf ("an encoder of weights: %s", error->message);
    g_test_skip (why);
    return;
  }
  g_assert_no_error (error);
  g_assert_true (ok);
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
    g_autofree char *path = g_strdup_printf ("/generic/%s/model", type->name);
    g_test_add_data_func (path, type, test_model);
  }
  int status = g_test_run ();
  segue_registry_free (registry);
  return status;
}
