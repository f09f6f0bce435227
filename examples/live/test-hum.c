/* Tests of hum, with the harness that segue installs for plugin authors. */
#include <math.h>
#include <segue/testing.h>

#define RATE 16000

const SeguePlugin *segue_plugin_query (void);

static SegueItem *
push (const char *set, const char *config, guint64 seed, guint epoch)
{
  g_autoptr (SegueHarness) harness = segue_harness_new (segue_plugin_query (), "hum", config);
  g_autoptr (SegueItem) tone = segue_test_tone ("tone", 440, 1, RATE);
  segue_item_set_string (tone, SEGUE_META_SET, set);
  segue_harness_set_seed (harness, seed);
  segue_harness_set_epoch (harness, epoch);
  segue_harness_push (harness, tone);
  return segue_harness_pull (harness);
}

/* The level of what was added to the tone, dBFS: a sine of amplitude 1 is 0 dB. */
static double
hum_db (SegueItem *item)
{
  g_autoptr (SegueItem) tone = segue_test_tone ("tone", 440, 1, RATE);
  gsize n;
  const float *x = segue_item_get_frames (item, &n), *clean = segue_item_get_frames (tone, &n);
  double energy = 0;
  for (gsize i = 0; i < n; i++)
    energy += pow ((double) x[i] - (double) clean[i], 2);
  return 10 * log10 (MAX (2 * energy / (double) n, 1e-20));
}

static void
test_level (void)
{
  g_autoptr (SegueItem) out = push ("train", "{ level_db: -20, p: 1 }", 1, 0);
  g_assert_cmpfloat_with_epsilon (hum_db (out), -20, 0.01);
}

static void
test_epochs (void)
{
  const char *config = "{ level_db: [-40, -20], p: 1 }";
  g_autoptr (SegueItem) first = push ("train", config, 1, 0), again = push ("train", config, 1, 0);
  g_autoptr (SegueItem) epoch = push ("train", config, 1, 1), seed = push ("train", config, 2, 0);
  g_assert_true (g_bytes_equal (segue_item_get_bytes (first), segue_item_get_bytes (again)));
  g_assert_false (g_bytes_equal (segue_item_get_bytes (first), segue_item_get_bytes (epoch)));
  g_assert_false (g_bytes_equal (segue_item_get_bytes (first), segue_item_get_bytes (seed)));
}

static void
test_only_training_segments (void)
{
  g_autoptr (SegueItem) out = push ("validation", "{ level_db: 0, p: 1 }", 1, 0);
  g_assert_cmpfloat (hum_db (out), <, -150);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hum/level", test_level);
  g_test_add_func ("/hum/epochs", test_epochs);
  g_test_add_func ("/hum/only-training-segments", test_only_training_segments);
  return g_test_run ();
}
