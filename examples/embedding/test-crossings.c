/* Tests of crossings, with the test of model types that segue installs for plugin authors. */
#include <math.h>
#include <segue/encoder.h>
#include <segue/testing.h>

const SeguePlugin *segue_plugin_query (void);

static void
test_contract (void)
{
  segue_test_model (segue_plugin_query (), "crossings", "{ hop: 0.05 }");
}

/* A tone of 440 Hz crosses zero 880 times a second. */
static void
test_tone (void)
{
  const SegueModelSpec spec = SEGUE_INIT (SegueModelSpec, .threads = 1, .headless = TRUE);
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueItem) tone = segue_test_tone ("tone", 440, 1, 16000);
  SegueModel *model = segue_model_new (segue_plugin_query ()->models[0], NULL, &spec, &error);
  g_assert_no_error (error);
  gsize n;
  const float *samples = segue_item_get_frames (tone, &n);
  float frames[10][2];
  const SegueEncoderPass pass =
    SEGUE_INIT (SegueEncoderPass, .batch = 1, .length = n, .input = samples, .output = frames[0]);
  g_assert_cmpuint (segue_encoder_count_frames (model, n), ==, 10);
  g_assert_true (segue_encoder_encode (model, &pass, &error));
  for (guint t = 0; t < 10; t++)
    g_assert_cmpfloat_with_epsilon (expm1 ((double) frames[t][0]), 880, 20);
  segue_model_free (model);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/crossings/contract", test_contract);
  g_test_add_func ("/crossings/tone", test_tone);
  return g_test_run ();
}
