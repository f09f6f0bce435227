/* Tests of mean-mlp, with the test of model types that segue installs for plugin authors. */
#include <segue/testing.h>

const SeguePlugin *segue_plugin_query (void);

static void
test_contract (void)
{
  segue_test_model (segue_plugin_query (), "mean-mlp", "{ hidden: 8 }");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mean-mlp/contract", test_contract);
  return g_test_run ();
}
