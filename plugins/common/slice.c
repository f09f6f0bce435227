#include "slice.h"

gboolean
slice_emit (SegueItem *song, const char *suffix, gsize start, gsize n_frames, SegueContext *context,
            GError **error)
{
  guint rate = segue_item_get_rate (song), channels = segue_item_get_channels (song);
  gsize frame_bytes = channels * sizeof (float);
  g_autoptr (GBytes) bytes = g_bytes_new_from_bytes (segue_item_get_bytes (song),
                                                     start * frame_bytes, n_frames * frame_bytes);
  SegueItem *slice = segue_item_new_audio (song, suffix, bytes, rate, channels);
  double offset = segue_item_get_double (song, SEGUE_META_START, 0);

  segue_item_set_double (slice, SEGUE_META_START, offset + (double) start / rate);
  segue_item_set_double (slice, SEGUE_META_DURATION, (double) n_frames / rate);
  return segue_context_emit (context, slice, error);
}
