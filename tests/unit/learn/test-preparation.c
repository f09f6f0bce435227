/* Requests that a model's segue.json may contain, with the real decoder. */
#include "host/replay.h"
#include "params/params.h"
#include "registry/registry.h"

/* (transfer full): the parameters of the only stage, as JSON. */
static char *
read_decoder (const char *with)
{
  g_autofree char *path = g_build_filename (g_getenv ("SEGUE_PLUGIN_PATH"), "decode-sndfile",
                                            "segue-decode-sndfile.so", NULL);
  g_autofree char *text = g_strdup_printf ("[{\"use\": \"decode-sndfile\", \"with\": {%s}}]", with);
  g_autoptr (GError) error = NULL;
  SegueRegistry *registry = segue_registry_new ();
  g_assert_true (segue_registry_load_file (registry, path, &error));
  g_assert_no_error (error);
  SegueReplay *preparation =
    segue_replay_new (registry, text, "/", "segue.json", SEGUE_RELAX_NOTHING, &error);
  g_assert_no_error (error);
  const SegueGraphStage *stage = g_ptr_array_index (preparation->stages, 0);
  char *params = segue_params_describe (stage->type->params, stage->config);
  segue_replay_free (preparation);
  segue_registry_free (registry);
  return params;
}

static void
assert_has (const char *with, const char *value)
{
  g_autofree char *params = read_decoder (with);
  if (!strstr (params, value))
    g_error ("%s became %s", with, params);
}

/* A day of silence is a file of 16 MB, and 5 GB of samples. */
static void
test_cost (void)
{
  assert_has ("\"max_duration\": 86400", "\"max_duration\":10800");
  assert_has ("\"max_duration\": 10801", "\"max_duration\":10800");
  assert_has ("\"max_duration\": 10800", "\"max_duration\":10800");
  assert_has ("\"max_duration\": 60", "\"max_duration\":60");
  assert_has ("\"rate\": 16000", "\"max_duration\":1800");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/preparation/cost", test_cost);
  return g_test_run ();
}
