/* Tests of level, with the harness that segue installs for plugin authors. */
#include <math.h>
#include <segue/testing.h>

const SeguePlugin *segue_plugin_query (void);

static double
rms_db_of (SegueItem *item)
{
  gsize n;
  const float *x = segue_item_get_frames (item, &n);
  double energy = 0;
  for (gsize i = 0; i < n; i++)
    energy += (double) x[i] * (double) x[i];
  return 10 * log10 (energy / (double) n);
}

static void
test_reaches_the_level (void)
{
  g_autoptr (SegueHarness) harness =
    segue_harness_new (segue_plugin_query (), "level", "{ rms_db: -30 }");
  g_autoptr (SegueItem) tone = segue_test_tone ("tone", 440, 1, 16000);
  segue_harness_push (harness, tone);
  g_autoptr (SegueItem) out = segue_harness_pull (harness);
  g_assert_cmpfloat_with_epsilon (rms_db_of (out), -30, 0.01);
  g_assert_cmpstr (segue_item_get_id (out), ==, "tone");
}

static void
test_peak_wins (void)
{
  g_autoptr (SegueHarness) harness =
    segue_harness_new (segue_plugin_query (), "level", "{ rms_db: -10, peak_db: -10 }");
  g_autoptr (SegueItem) tone = segue_test_tone ("tone", 440, 1, 16000);
  segue_harness_push (harness, tone);
  g_autoptr (SegueItem) out = segue_harness_pull (harness);
  g_assert_cmpfloat_with_epsilon (rms_db_of (out), -10 - 3.01, 0.05); /* a sine's crest factor */
}

static void
test_impossible_level_is_refused (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueHarness) harness =
    segue_harness_try_new (segue_plugin_query (), "level", "{ rms_db: 0, peak_db: -6 }", &error);
  g_assert_null (harness);
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/level/reaches-the-level", test_reaches_the_level);
  g_test_add_func ("/level/peak-wins", test_peak_wins);
  g_test_add_func ("/level/impossible-level-is-refused", test_impossible_level_is_refused);
  return g_test_run ();
}
