/* Tests of segment: positions of segments, and the handling of short and silent songs. */
#include <segue/testing.h>
#include <string.h>

#define RATE 1000

const SeguePlugin *segue_plugin_query (void);

/* Segments of a song of @seconds: their starts as text, "0 2.5 5". */
static char *
starts (const char *config, double seconds)
{
  g_autoptr (SegueHarness) harness = segue_harness_new (segue_plugin_query (), "segment", config);
  g_autoptr (SegueItem) song = segue_test_tone ("song", 50, seconds, RATE);
  GString *text = g_string_new (NULL);
  gsize n_all, n;
  const float *all = segue_item_get_frames (song, &n_all);
  SegueItem *segment;

  segue_harness_push (harness, song);
  while ((segment = segue_harness_pull (harness))) {
    double start = segue_item_get_double (segment, SEGUE_META_START, -1);
    const float *frames = segue_item_get_frames (segment, &n);

    g_assert_true (frames == all + (gsize) (start * RATE + 0.5)); /* a slice */
    g_assert_cmpuint (
      n, ==, (gsize) (segue_item_get_double (segment, SEGUE_META_DURATION, -1) * RATE + 0.5));
    g_assert_cmpuint ((gsize) (frames - all) + n, <=, n_all);
    g_string_append_printf (text, "%s%g", text->len ? " " : "", start);
    segue_item_unref (segment);
  }
  return g_string_free (text, FALSE);
}

static void
assert_starts (const char *config, double seconds, const char *expected)
{
  g_autofree char *got = starts (config, seconds);

  g_assert_cmpstr (got, ==, expected);
}

static void
assert_refused (const char *config, SegueItem *song, const char *why)
{
  g_autoptr (SegueHarness) harness = segue_harness_new (segue_plugin_query (), "segment", config);
  g_autoptr (GError) error = NULL;

  g_assert_false (segue_harness_try_push (harness, song, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, "‘song’"));
  g_assert_nonnull (strstr (error->message, why));
}

static void
test_equal_spacing (void)
{
  assert_starts ("{ length: 10, count: 4 }", 100, "0 30 60 90");
  assert_starts ("{ length: 10, count: 10 }", 100, "0 10 20 30 40 50 60 70 80 90");
  assert_starts ("{ length: 10, count: 1 }", 100, "45");
  assert_starts ("{ length: 10, count: 4 }", 11, "0 0.333 0.667 1");
}

static void
test_reference (void)
{
  g_autofree char *got = starts ("{}", 200);
  g_auto (GStrv) each = g_strsplit (got, " ", -1);

  g_assert_cmpuint (g_strv_length (each), ==, 20);
  g_assert_cmpstr (each[19], ==, "190");
}

static void
test_short_songs (void)
{
  g_autoptr (SegueItem) song = segue_test_tone ("song", 50, 25, RATE);

  assert_starts ("{ length: 10, count: 4 }", 25, "0 5 10 15");
  assert_starts ("{ length: 10, count: 4, when_short: fewer }", 25, "0 15");
  assert_starts ("{ length: 10, count: 4, when_short: fewer }", 15, "2.5");
  assert_starts ("{ length: 10, count: 4, when_short: skip }", 40, "0 10 20 30");
  assert_starts ("{ length: 10, count: 4 }", 10, "0"); /* not four equal segments */
  assert_starts ("{ length: 10, count: 4 }", 10.001, "0 0.001");
  assert_refused ("{ length: 10, count: 4, when_short: skip }", song, "needs 40 s");
  assert_refused ("{ length: 30 }", song, "needs 30 s, has 25.00 s");
}

/* Songs that `segue predict` accepts but training does not. */
static void
test_relaxed (void)
{
  g_autoptr (SegueItem) clip = segue_test_tone ("song", 440, 0.4, RATE);
  assert_starts ("{ length: 10, count: 4, shortest: 0.5 }", 3, "0");
  assert_starts ("{ length: 10, count: 4, shortest: 0.5 }", 0.5, "0");
  assert_starts ("{ length: 10, count: 4, shortest: 0.5 }", 11, "0 0.333 0.667 1");
  assert_refused ("{ length: 10, shortest: 0.5 }", clip, "needs 0.5 s, has 0.40 s");
  /* 80 s to cover, in steps of at most 30 s. */
  assert_starts ("{ length: 10, count: 2, max_gap: 30 }", 90, "0 26.667 53.333 80");
  assert_starts ("{ length: 10, count: 4, max_gap: 30 }", 100, "0 30 60 90");
  assert_starts ("{ length: 10, count: 4, max_gap: 30 }", 40, "0 10 20 30");
  assert_starts ("{ length: 10, count: 1, max_gap: 30 }", 10, "0");
}

static void
test_hop (void)
{
  assert_starts ("{ length: 10, hop: 5 }", 24.9, "0 5 10");
  assert_starts ("{ length: 10, hop: 20 }", 60, "0 20 40");
  assert_starts ("{ length: 10, hop: 5 }", 10, "0");
}

static void
test_ids_and_times (void)
{
  g_autoptr (SegueHarness) harness =
    segue_harness_new (segue_plugin_query (), "segment", "{ length: 1, count: 3 }");
  g_autoptr (SegueItem) song = segue_test_tone ("a/b/song", 50, 5, RATE), segment = NULL;

  segue_item_set_double (song, SEGUE_META_START, 10);
  segue_item_set_string (song, "artist", "Mika");
  segue_harness_push (harness, song);
  segment = segue_harness_pull (harness);
  g_assert_cmpstr (segue_item_get_id (segment), ==, "a/b/song#0000");
  segue_item_unref (segment);
  segment = segue_harness_pull (harness);
  g_assert_cmpstr (segue_item_get_id (segment), ==, "a/b/song#0001");
  g_assert_cmpstr (segue_item_get_song (segment), ==, "a/b/song");
  g_assert_cmpstr (segue_item_get_string (segment, "artist"), ==, "Mika");
  g_assert_cmpfloat (segue_item_get_double (segment, SEGUE_META_START, -1), ==, 12);
}

static void
test_silence (void)
{
  g_autoptr (SegueHarness) harness = segue_harness_new (segue_plugin_query (), "segment",
                                                        "{ length: 1, count: 4, min_rms_db: -60 }");
  float *frames = g_new0 (float, 4 * RATE);
  g_autoptr (GBytes) bytes = g_bytes_new_take (frames, 4 * RATE * sizeof (float));
  g_autoptr (GBytes) quiet = g_bytes_new_from_bytes (bytes, 0, 2 * RATE * sizeof (float));
  g_autoptr (SegueItem) song = segue_item_new_audio (NULL, "song", bytes, RATE, 1);
  g_autoptr (SegueItem) mute = segue_item_new_audio (NULL, "song", quiet, RATE, 1);
  g_autoptr (SegueItem) first = NULL, second = NULL;

  for (gsize i = 2 * RATE; i < 4 * RATE; i++)
    frames[i] = i & 1 ? 0.01f : -0.01f; /* -40 dB */
  segue_harness_push (harness, song);
  first = segue_harness_pull (harness);
  second = segue_harness_pull (harness);
  g_assert_cmpstr (segue_item_get_id (first), ==, "song#0002"); /* number: original position */
  g_assert_cmpstr (segue_item_get_id (second), ==, "song#0003");
  g_assert_null (segue_harness_pull (harness));
  g_assert_cmpint (segue_harness_get_count (harness, "silent segments"), ==, 2);
  assert_refused ("{ length: 1, min_rms_db: -60 }", mute, "silent");
}

static void
test_bad_hop (void)
{
  static const struct {
    const char *config, *says;
  } cases[] = {
    { "{ hop: 0.001 }", "hop must be 0 or at least 0.01 s, got 0.001" },
    { "{ max_gap: 0.001 }", "max_gap must be 0 or at least 0.01 s, got 0.001" },
    { "{ hop: 5, count: 10 }",
      "count and hop both determine how many segments a song gets; remove one" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (SegueHarness) harness =
      segue_harness_try_new (segue_plugin_query (), "segment", cases[i].config, &error);

    g_assert_null (harness);
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
    g_assert_nonnull (strstr (error->message, cases[i].says));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/segment/equal-spacing", test_equal_spacing);
  g_test_add_func ("/segment/reference", test_reference);
  g_test_add_func ("/segment/short-songs", test_short_songs);
  g_test_add_func ("/segment/relaxed", test_relaxed);
  g_test_add_func ("/segment/hop", test_hop);
  g_test_add_func ("/segment/ids-and-times", test_ids_and_times);
  g_test_add_func ("/segment/silence", test_silence);
  g_test_add_func ("/segment/bad-hop", test_bad_hop);
  return g_test_run ();
}
