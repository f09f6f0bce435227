/* The harness, as used by plugin authors. */
#include "fake.h"

#include <locale.h>
#include <segue/testing.h>
#include <stdio.h>
#include <string.h>

static void
test_map (void)
{
  g_autoptr (SegueHarness) harness =
    segue_harness_new (fake_plugin (), "fake-segment", "{ length: 8, hop: 4, count: 2 }");
  g_autoptr (SegueItem) tone = segue_test_tone ("tone", 440, 0.01, 1600);
  g_autoptr (SegueItem) brief = segue_test_tone ("brief", 440, 0.005, 1600);
  g_autoptr (GError) error = NULL;
  segue_harness_push (harness, tone);
  for (guint i = 0; i < 2; i++) {
    g_autoptr (SegueItem) item = segue_harness_pull (harness);
    g_autofree char *id = g_strdup_printf ("tone#%04u", i);
    gsize n;
    g_assert_cmpstr (segue_item_get_id (item), ==, id);
    g_assert_cmpstr (segue_item_get_song (item), ==, "tone");
    g_assert_true (segue_item_get_frames (item, &n) - segue_item_get_frames (tone, &n) == 4 * i);
    g_assert_cmpfloat (segue_item_get_double (item, SEGUE_META_START, -1), ==, 0.04 * i);
  }
  g_assert_null (segue_harness_pull (harness));
  /* A song that fails has no results, not even those emitted before. */
  g_assert_false (segue_harness_try_push (harness, brief, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_null (segue_harness_pull (harness));
}

/* The same rule as in a run. */
static void
test_impossible_item (void)
{
  g_autofree char *folder = g_dir_make_tmp ("segue-harness-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "wide.song", NULL);
  g_autoptr (GError) error = NULL;
  g_assert_true (g_file_set_contents (path, "WIDE", -1, NULL));
  g_autoptr (SegueHarness) harness = segue_harness_new (fake_plugin (), "fake-decode", "{}");
  g_autoptr (SegueItem) file = segue_item_new_file ("wide.song", path);
  g_assert_false (segue_harness_try_push (harness, file, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL);
  g_assert_nonnull (strstr (error->message, "more than 65535"));
  g_assert_null (segue_harness_pull (harness));
  remove (path);
  remove (folder);
}

/* The mistakes that a run refuses, and more. */
static void
test_mistakes (void)
{
  for (const FakeMistake *mistake = fake_mistakes; mistake->deed; mistake++) {
    g_autofree char *config = g_strdup_printf ("{ deed: %s }", mistake->deed);
    g_autoptr (SegueHarness) harness = segue_harness_new (fake_plugin (), "fake-wrong", config);
    g_autoptr (SegueItem) tone = segue_test_tone ("a/1.song", 440, 0.9, 100);
    g_autoptr (GError) error = NULL;
    gboolean ok = segue_harness_try_push (harness, tone, &error);
    g_test_message ("%s: %s", mistake->deed, error ? error->message : "fine");
    g_assert_false (ok);
    g_assert_error (error, SEGUE_ERROR, (int) mistake->code);
    g_assert_nonnull (strstr (error->message, "stage 'fake-wrong' (type 'fake-wrong'"));
    g_assert_nonnull (strstr (error->message, mistake->says));
    g_assert_null (segue_harness_pull (harness));
  }
  static const char *const fine[] = { "{ deed: right }", "{ deed: counted }", "{ deed: slice }" };
  for (guint i = 0; i < G_N_ELEMENTS (fine); i++) {
    g_autoptr (SegueHarness) harness = segue_harness_new (fake_plugin (), "fake-wrong", fine[i]);
    g_autoptr (SegueItem) tone = segue_test_tone ("a/1.song", 440, 0.9, 100);
    segue_harness_push (harness, tone);
    segue_harness_push (harness, tone);
    /* Repeated work for a comparison is not counted. */
    g_assert_cmpint (segue_harness_get_count (harness, "items that are too loud"), ==,
                     i == 1 ? 2 : 0);
  }
}

static void
assert_refused (const char *stage, const char *deed, SegueItem *item, const char *words)
{
  g_autofree char *config = g_strdup_printf ("{ deed: %s }", deed);
  g_autoptr (SegueHarness) harness = segue_harness_new (fake_plugin (), stage, config);
  g_autoptr (GError) error = NULL;
  gboolean ok = segue_harness_try_push (harness, item, &error);
  g_test_message ("%s: %s", deed, error ? error->message : "fine");
  g_assert_true (ok == !words);
  g_assert_true (!words || strstr (error->message, words));
}

/* As in a pipeline, a stage has to accept the format of the item, and to keep what it declares. */
static void
test_formats (void)
{
  static const float zeros[10] = { 0 };
  g_autoptr (SegueItem) tone = segue_test_tone ("tone", 440, 0.9, 100);
  g_autoptr (GBytes) bytes = g_bytes_new_static (zeros, sizeof zeros);
  g_autoptr (SegueItem) stereo = segue_item_new_audio (NULL, "stereo", bytes, 100, 2);
  assert_refused ("fake-promise", "right", tone, NULL);
  assert_refused ("fake-promise", "shape", tone,
                  "but declared float32 tensors of shape [4, varies]");
  assert_refused ("fake-promise", "dtype", tone, "as int32 tensors");
  assert_refused ("fake-promise-audio", "right", tone, NULL);
  assert_refused ("fake-promise-audio", "longer", tone, "items of 6 samples, but declared");
  assert_refused ("fake-promise-audio", "right", stereo,
                  "its input 'audio' takes one channel, and stage 'test' gives 2 channels");
}

static void
test_live (void)
{
  g_autoptr (SegueItem) tone = segue_test_tone ("tone", 440, 0.9, 100);
  assert_refused ("fake-wrong-live", "nothing", tone, "emitted nothing for ‘tone’");
  assert_refused ("fake-wrong-live", "counted", tone, "a LIVE stage emits one item for each");
  assert_refused ("fake-wrong-live", "twice", tone, "a second item for ‘tone’");
  assert_refused ("fake-wrong-live", "letter", tone, "a LIVE stage keeps id and kind");
}

/* A failure is one of the line of the test, not of the harness. */
static void
test_place (void)
{
  if (g_test_subprocess ()) {
    g_autoptr (SegueHarness) harness =
      segue_harness_new (fake_plugin (), "fake-wrong", "{ deed: nan }");
    g_autoptr (SegueItem) tone = segue_test_tone ("tone", 440, 0.9, 100);
    segue_harness_push (harness, tone);
    return;
  }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*test-harness.c:*:test_place: *NaN or an infinite value*");
}

static void
test_mistakes_at_the_end (void)
{
  static const char *const types[] = { "fake-wrong-collect", "fake-wrong-serial" };
  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    g_autoptr (SegueHarness) harness =
      segue_harness_new (fake_plugin (), types[i], "{ deed: nothing }");
    g_autoptr (SegueItem) tone = segue_test_tone ("tone", 440, 0.9, 100);
    g_autoptr (GError) error = NULL;
    segue_harness_set_input (harness, "audio", &tone, 1);
    g_assert_false (segue_harness_run (harness, &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL);
    g_assert_nonnull (strstr (error->message, "finished without an output"));
  }
  g_autoptr (SegueHarness) harness =
    segue_harness_new (fake_plugin (), "fake-wrong-serial", "{ deed: twice }");
  g_autoptr (SegueItem) tone = segue_test_tone ("tone", 440, 0.9, 100);
  g_autoptr (GError) error = NULL;
  g_assert_false (segue_harness_try_push (harness, tone, &error));
  g_assert_nonnull (strstr (error->message, "emitted ‘tone’ twice"));
}

static void
test_configuration (void)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (segue_harness_try_new (fake_plugin (), "fake-segment", "{ length: 0 }", &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
  g_clear_error (&error);
  g_assert_null (segue_harness_try_new (fake_plugin (), "fake-segment", "{ lenght: 5 }", &error));
  g_assert_nonnull (strstr (error->message, "length"));
}

/* Messages with quotes are readable in a test that calls no setlocale (). */
static void
test_character_set (void)
{
  setlocale (LC_CTYPE, "C");
  g_assert_false (g_get_charset (NULL));
  g_autoptr (SegueHarness) harness = segue_harness_new (fake_plugin (), "fake-segment", "{}");
  g_assert_true (g_get_charset (NULL));
}

/* Mistakes in a test have messages, too. */
static void
test_usage (void)
{
  g_autoptr (SegueItem) tone = segue_test_tone ("tone", 440, 0.01, 1600);
  g_autoptr (GError) error = NULL;
  g_assert_null (segue_harness_try_new (fake_plugin (), "fake-segmnt", "{}", &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE);
  g_assert_nonnull (strstr (error->message, "no stage type 'fake-segmnt'; available: "));
  g_assert_nonnull (strstr (error->message, "'fake-segment'"));
  g_clear_error (&error);

  g_autoptr (SegueHarness) map = segue_harness_new (fake_plugin (), "fake-decode", "{}");
  g_assert_false (segue_harness_try_push (map, tone, &error));
  g_assert_nonnull (strstr (error->message, "'fake-decode' takes items of kind file, not audio"));
  g_clear_error (&error);
  g_assert_false (segue_harness_run (map, &error));
  g_assert_nonnull (strstr (error->message, "call segue_harness_push ()"));
  g_clear_error (&error);

  g_autoptr (SegueHarness) collect = segue_harness_new (fake_plugin (), "fake-split", "{}");
  g_assert_false (segue_harness_try_push (collect, tone, &error));
  g_assert_nonnull (
    strstr (error->message, "call segue_harness_set_input () and segue_harness_run ()"));
}

static float
pull_sample (SegueHarness *harness)
{
  gsize n;
  g_autoptr (SegueItem) item = segue_harness_pull (harness);
  return segue_item_get_frames (item, &n)[0];
}

static void
test_seed_and_epoch (void)
{
  g_autoptr (SegueHarness) harness = segue_harness_new (fake_plugin (), "fake-live", "{}");
  g_autoptr (SegueItem) tone = segue_test_tone ("tone", 440, 0.01, 1600);
  segue_harness_push (harness, tone);
  segue_harness_push (harness, tone);
  float first = pull_sample (harness);
  g_assert_cmpfloat (pull_sample (harness), ==, first);
  segue_harness_set_epoch (harness, 1);
  segue_harness_push (harness, tone);
  g_assert_cmpfloat (pull_sample (harness), !=, first);
  segue_harness_set_epoch (harness, 0);
  segue_harness_push (harness, tone);
  g_assert_cmpfloat (pull_sample (harness), ==, first);
  segue_harness_set_seed (harness, 43);
  segue_harness_push (harness, tone);
  g_assert_cmpfloat (pull_sample (harness), !=, first);
}

static void
test_source (void)
{
  g_autofree char *root = g_dir_make_tmp ("segue-harness-XXXXXX", NULL);
  g_autofree char *config = g_strdup_printf ("{ root: \"%s\" }", root);
  g_autofree char *song = g_build_filename (root, "a.song", NULL);
  g_autofree char *text = g_build_filename (root, "a.txt", NULL);
  g_assert_true (g_file_set_contents (song, "x", 1, NULL));
  g_assert_true (g_file_set_contents (text, "x", 1, NULL));
  g_autoptr (SegueHarness) harness = segue_harness_new (fake_plugin (), "fake-scan", config);
  g_assert_true (segue_harness_run (harness, NULL));
  g_autoptr (SegueItem) item = segue_harness_pull (harness);
  g_assert_cmpstr (segue_item_get_path (item), ==, song);
  g_assert_null (segue_harness_pull (harness));
  g_assert_cmpint (segue_harness_get_count (harness, "ignored files"), ==, 1);
  g_assert_cmpint (segue_harness_get_count (harness, "no such"), ==, 0);
  remove (song);
  remove (text);
  remove (root);
}

static void
test_collect (void)
{
  g_autoptr (SegueHarness) harness = segue_harness_new (fake_plugin (), "fake-split", "{}");
  g_autoptr (SegueItem) b = segue_test_tone ("b", 440, 0.01, 1600);
  g_autoptr (SegueItem) a = segue_test_tone ("a", 440, 0.01, 1600);
  SegueItem *items[] = { b, a };
  segue_harness_set_input (harness, "audio", items, 2);
  g_assert_true (segue_harness_run (harness, NULL));
  SegueDataset *output = segue_harness_get_dataset (harness);
  g_assert_cmpuint (segue_dataset_get_length (output), ==, 2);
  SegueItem *first = segue_dataset_get_entry (output, 0);
  g_assert_cmpstr (segue_item_get_id (first), ==, "a");
  g_assert_cmpstr (segue_item_get_string (first, SEGUE_META_SET), ==, "train");
  g_assert_false (segue_item_has_payload (first));
  g_autoptr (SegueReader) reader = segue_reader_new (output, 0);
  g_autoptr (SegueItem) read = segue_reader_get (reader, 0, NULL, NULL);
  g_assert_true (segue_item_get_bytes (read) == segue_item_get_bytes (a));
}

static void
test_serial (void)
{
  g_autoptr (SegueHarness) harness = segue_harness_new (fake_plugin (), "fake-predict", "{}");
  g_autoptr (SegueItem) a = segue_test_tone ("a", 440, 0.01, 1600);
  g_autoptr (SegueItem) b = segue_test_tone ("b", 440, 0.01, 1600);
  SegueItem *items[] = { b, a };
  segue_harness_set_input (harness, "audio", items, 2);
  g_assert_true (segue_harness_run (harness, NULL));
  g_autoptr (SegueItem) first = segue_harness_pull (harness);
  g_assert_cmpstr (segue_item_get_id (first), ==, "a");
  g_autoptr (SegueItem) second = segue_harness_pull (harness);
  g_assert_cmpstr (segue_item_get_id (second), ==, "b");

  /* By hand: a result as soon as the next song begins. */
  g_autoptr (SegueHarness) other = segue_harness_new (fake_plugin (), "fake-predict", "{}");
  segue_harness_push (other, a);
  g_assert_null (segue_harness_pull (other));
  segue_harness_push (other, b);
  g_autoptr (SegueItem) early = segue_harness_pull (other);
  g_assert_cmpstr (segue_item_get_id (early), ==, "a");
  g_assert_true (segue_harness_run (other, NULL));
  g_autoptr (SegueItem) late = segue_harness_pull (other);
  g_assert_cmpstr (segue_item_get_id (late), ==, "b");
}

static void
test_cancel (void)
{
  g_autoptr (SegueHarness) harness = segue_harness_new (fake_plugin (), "fake-segment", "{}");
  g_autoptr (SegueItem) tone = segue_test_tone ("tone", 440, 1, 1600);
  g_autoptr (GError) error = NULL;
  g_cancellable_cancel (segue_harness_get_cancellable (harness));
  g_assert_false (segue_harness_try_push (harness, tone, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED);
}

static void
test_wav (void)
{
  g_autofree char *folder = g_dir_make_tmp ("segue-harness-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "tone.wav", NULL);
  g_autoptr (SegueItem) tone = segue_test_tone ("tone", 440, 0.5, 8000);
  segue_test_write_wav (path, tone);
  g_autofree char *data = NULL;
  gsize size, n;
  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  g_assert_cmpuint (size, ==, 58 + 4000 * 4);
  g_assert_cmpmem (data, 4, "RIFF", 4);
  g_assert_cmpmem (data + 58, 4000 * 4, segue_item_get_frames (tone, &n), n * 4);
  remove (path);
  remove (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/harness/map", test_map);
  g_test_add_func ("/harness/character-set", test_character_set);
  g_test_add_func ("/harness/impossible-item", test_impossible_item);
  g_test_add_func ("/harness/mistakes", test_mistakes);
  g_test_add_func ("/harness/formats", test_formats);
  g_test_add_func ("/harness/live", test_live);
  g_test_add_func ("/harness/place", test_place);
  g_test_add_func ("/harness/mistakes-at-the-end", test_mistakes_at_the_end);
  g_test_add_func ("/harness/configuration", test_configuration);
  g_test_add_func ("/harness/usage", test_usage);
  g_test_add_func ("/harness/seed-and-epoch", test_seed_and_epoch);
  g_test_add_func ("/harness/source", test_source);
  g_test_add_func ("/harness/collect", test_collect);
  g_test_add_func ("/harness/serial", test_serial);
  g_test_add_func ("/harness/cancel", test_cancel);
  g_test_add_func ("/harness/wav", test_wav);
  return g_test_run ();
}
