/* Tests of decode-sndfile: the guarantees of every decoder. */
#include "testing.h"

const SeguePlugin *segue_plugin_query (void);

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  test_add_decoder (segue_plugin_query (), "decode-sndfile");
  return g_test_run ();
}
