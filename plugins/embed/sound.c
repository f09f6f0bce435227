#include "sound.h"

#include <segue/error.h>
#include <soxr.h>

/* The samples of @audio with another number of channels. */
static GBytes *
mix (SegueItem *audio, guint channels, GError **error)
{
  gsize n_frames;
  const float *frames = segue_item_get_frames (audio, &n_frames);
  guint own = segue_item_get_channels (audio);
  if (own == channels)
    return g_bytes_ref (segue_item_get_bytes (audio));
  float *mixed = g_try_malloc_n (n_frames, channels * sizeof (float));
  if (!mixed && n_frames > 0) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE, "‘%s’: not enough memory to mix it",
                 segue_item_get_id (audio));
    return NULL;
  }
  for (gsize i = 0; i < n_frames; i++) {
    double sum = 0;
    for (guint c = 0; c < own; c++)
      sum += (double) frames[i * own + c];
    for (guint c = 0; c < channels; c++)
      mixed[i * channels + c] = (float) (sum / own);
  }
  return g_bytes_new_take (mixed, n_frames * channels * sizeof (float));
}

static GBytes *
resample (GBytes *input, guint channels, guint from, guint to, GError **error)
{
  gsize frame = channels * sizeof (float), n = g_bytes_get_size (input) / frame, done = 0;
  gsize wanted = (gsize) (((guint64) n * to + from / 2) / from);
  soxr_quality_spec_t quality = soxr_quality_spec (SOXR_HQ, 0);
  soxr_runtime_spec_t runtime = soxr_runtime_spec (1);
  float *output = g_try_malloc0_n (MAX (wanted, 1), frame);
  soxr_error_t problem = "not enough memory";
  if (output)
    problem = soxr_oneshot (from, to, channels, g_bytes_get_data (input, NULL), n, NULL, output,
                            wanted, &done, NULL, &quality, &runtime);
  if (problem) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE, "can't resample from %u to %u Hz: %s",
                 from, to, problem);
    g_free (output);
    return NULL;
  }
  return g_bytes_new_take (output, wanted * frame);
}

GBytes *
sound_convert (SegueItem *audio, guint rate, guint channels, GError **error)
{
  g_autoptr (GBytes) mixed = mix (audio, channels, error);
  guint own = segue_item_get_rate (audio);
  return !mixed || own == rate ? g_steal_pointer (&mixed)
                               : resample (mixed, channels, own, rate, error);
}
