/* Audio files through a decoder: whatever the bytes, a song within its limits or a reason. */
#include "scratch.h"
#include "standalone.h"

#include <math.h>
#include <segue/plugin.h>
#include <segue/testing.h>

#define MAX_SECONDS 2

static void
check_song (SegueItem *song)
{
  gsize n_frames;
  const float *frames = segue_item_get_frames (song, &n_frames);
  guint channels = segue_item_get_channels (song);
  g_assert_cmpuint (segue_item_get_rate (song), ==, 8000);
  g_assert_cmpuint (n_frames, >, 0);
  g_assert_cmpuint (n_frames, <=, MAX_SECONDS * 8000 + 8000);
  for (gsize i = 0; i < n_frames * channels; i++)
    g_assert_true (isfinite (frames[i]));
}

const SeguePlugin *segue_plugin_query (void);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static SegueHarness *harness;
  if (!harness)
    harness = segue_harness_new (segue_plugin_query (), segue_plugin_query ()->stages[0]->name,
                                 "{ rate: 8000, channels: keep, max_duration: 2, when_long: cut, "
                                 "completeness: 0, timeout: 5 }");
  g_autoptr (SegueItem) file = segue_item_new_file ("song", fuzz_path (data, size));
  g_autoptr (GError) error = NULL;
  if (!segue_harness_try_push (harness, file, &error)) {
    fuzz_check_error (error);
    g_assert_true (segue_error_is_about_item (error));
  }
  SegueItem *song;
  while ((song = segue_harness_pull (harness))) {
    check_song (song);
    segue_item_unref (song);
  }
  return 0;
}
