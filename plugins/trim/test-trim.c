/* Tests of trim: what remains, its position, and that nothing is copied. */
#include <segue/testing.h>
#include <string.h>

#define RATE 1000

const SeguePlugin *segue_plugin_query (void);

static SegueItem *
push (const char *config, SegueItem *song, GError **error)
{
  g_autoptr (SegueHarness) harness = segue_harness_new (segue_plugin_query (), "trim", config);

  return segue_harness_try_push (harness, song, error) ? segue_harness_pull (harness) : NULL;
}

static void
assert_span (const char *config, double seconds, double start, double duration)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueItem) song = segue_test_tone ("song", 50, seconds, RATE);
  g_autoptr (SegueItem) out = push (config, song, &error);
  gsize n, n_all;
  const float *all = segue_item_get_frames (song, &n_all), *frames;

  g_assert_no_error (error);
  frames = segue_item_get_frames (out, &n);
  g_assert_cmpstr (segue_item_get_id (out), ==, "song");
  g_assert_cmpfloat_with_epsilon (segue_item_get_double (out, SEGUE_META_START, -1), start, 1e-9);
  g_assert_cmpfloat_with_epsilon (segue_item_get_double (out, SEGUE_META_DURATION, -1), duration,
                                  1e-9);
  g_assert_cmpuint (n, ==, (gsize) (duration * RATE + 0.5));
  g_assert_true (frames == all + (gsize) (start * RATE + 0.5)); /* a slice */
}

static void
test_cuts (void)
{
  assert_span ("{}", 60, 10, 40);
  assert_span ("{ head: 1.5, tail: 0 }", 20, 1.5, 18.5);
  assert_span ("{ head: 0, tail: 2 }", 20, 0, 18);
  assert_span ("{ head: 0, tail: 0 }", 20, 0, 20);
  assert_span ("{}", 30, 10, 10); /* exactly `keep` is left */
}

static void
test_short_songs (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueItem) song = segue_test_tone ("song", 50, 20, RATE);

  assert_span ("{}", 20, 5, 10);
  assert_span ("{ head: 6, tail: 3, keep: 14 }", 20, 4, 14);
  assert_span ("{}", 8, 0, 8);
  assert_span ("{ keep: 0 }", 15, 0, 15);
  assert_span ("{ when_short: skip }", 20, 0, 20);
  g_assert_null (push ("{ when_short: fail }", song, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, "‘song’"));
}

/* Every length between `keep` and the sum of both cuts: odd numbers of frames to divide, uneven shares. */
static void
test_every_length (void)
{
  const char *const configs[] = { "{ head: 0.010, tail: 0.010, keep: 0.010 }",
                                  "{ head: 0.007, tail: 0.003, keep: 0.010 }",
                                  "{ head: 0, tail: 0.020, keep: 0.010 }",
                                  "{ head: 0.0125, tail: 0.0125, keep: 0.0095 }" };

  for (gsize c = 0; c < G_N_ELEMENTS (configs); c++)
    for (guint length = 10; length <= 40; length++) {
      g_autoptr (GError) error = NULL;
      g_autoptr (SegueItem) song = segue_test_tone ("song", 50, (double) length / RATE, RATE);
      g_autoptr (SegueItem) out = push (configs[c], song, &error);
      gsize n;

      g_assert_no_error (error);
      segue_item_get_frames (out, &n);
      g_assert_cmpuint (n, >=, 10);
      if (c < 3)
        g_assert_cmpuint (n, ==, MAX (10, (gint) length - (c == 1 ? 10 : 20)));
    }
}

static void
test_start_adds_up (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueItem) song = segue_test_tone ("song", 50, 60, RATE), out = NULL;

  segue_item_set_double (song, SEGUE_META_START, 7);
  out = push ("{ head: 3, tail: 3 }", song, &error);
  g_assert_cmpfloat (segue_item_get_double (out, SEGUE_META_START, -1), ==, 10);
}

/* Two channels: @quiet s of noise floor, @loud s of audio, @quiet s again. */
static SegueItem *
make_padded (double quiet, double loud, float floor)
{
  gsize n_quiet = (gsize) (quiet * RATE), n_loud = (gsize) (loud * RATE);
  gsize n = 2 * n_quiet + n_loud;
  float *frames = g_new (float, 2 * n);
  g_autoptr (GBytes) bytes = NULL;

  for (gsize i = 0; i < n; i++) {
    gboolean is_loud = i >= n_quiet && i < n_quiet + n_loud;

    frames[2 * i] = (i & 1 ? 1 : -1) * (is_loud ? 0.5f : floor);
    frames[2 * i + 1] = 0;
  }
  bytes = g_bytes_new_take (frames, 2 * n * sizeof (float));
  return segue_item_new_audio (NULL, "song", bytes, RATE, 2);
}

static void
test_silence (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueItem) song = make_padded (5, 20, 0.0005f), out = NULL, mute = NULL;

  out = push ("{ head: 1, tail: 2, silence_db: -50 }", song, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat (segue_item_get_double (out, SEGUE_META_START, -1), ==, 6);
  g_assert_cmpfloat (segue_item_get_double (out, SEGUE_META_DURATION, -1), ==, 17);
  g_assert_cmpuint (segue_item_get_channels (out), ==, 2);
  segue_item_unref (out);
  out = push ("{ head: 1, tail: 2, silence_db: -90 }", song, &error); /* quieter than the floor */
  g_assert_cmpfloat (segue_item_get_double (out, SEGUE_META_DURATION, -1), ==, 27);

  mute = make_padded (10, 0, 0);
  g_assert_null (push ("{ silence_db: -60 }", mute, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, "silent"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/trim/cuts", test_cuts);
  g_test_add_func ("/trim/short-songs", test_short_songs);
  g_test_add_func ("/trim/every-length", test_every_length);
  g_test_add_func ("/trim/start-adds-up", test_start_adds_up);
  g_test_add_func ("/trim/silence", test_silence);
  return g_test_run ();
}
