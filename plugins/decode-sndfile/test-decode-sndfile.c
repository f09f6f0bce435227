/* Tests of decode-sndfile: the guarantees of every decoder. */
#include "testing-decoder.h"

const SeguePlugin *segue_plugin_query (void);

int
main (int argc, char **argv)
{
  const TestDecoder decoder = { .plugin = segue_plugin_query (),
                                .stage = "decode-sndfile",
                                .fingerprint = { "libsndfile", "soxr" } };

  g_test_init (&argc, &argv, NULL);
  test_add_decoder (&decoder);
  return g_test_run ();
}
