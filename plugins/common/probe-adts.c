/* AAC in ADTS: a chain of frames, each with its length in its header; nothing says how many. */
#include "probe-private.h"

#define FRAME_SAMPLES 1024
/* How far into a file the first frame may be. */
#define SYNC_RANGE (128 * 1024)

typedef struct {
  guint32 key; /* profile, rate and channels */
  guint32 rate, length, blocks;
} Frame;

static gboolean
frame_at (ProbeInput *input, guint64 offset, Frame *frame)
{
  static const guint32 rates[16] = { 96000, 88200, 64000, 48000, 44100, 32000, 24000,
                                     22050, 16000, 12000, 11025, 8000,  7350 };
  const guint8 *p = probe_peek (input, offset, 7);

  if (!p || p[0] != 0xff || (p[1] & 0xf6) != 0xf0)
    return FALSE;
  frame->key = (guint32) p[2] << 8 | (p[3] & 0xc0);
  frame->rate = rates[p[2] >> 2 & 15];
  frame->length = (guint32) (p[3] & 3) << 11 | (guint32) p[4] << 3 | p[5] >> 5;
  frame->blocks = 1 + (p[6] & 3);
  return frame->rate && frame->length >= 7;
}

static gboolean
is_chain (ProbeInput *input, guint64 offset, guint64 end, Frame *frame)
{
  Frame next;

  return frame_at (input, offset, frame) && offset + frame->length < end &&
         frame_at (input, offset + frame->length, &next) && next.key == frame->key;
}

/* Elsewhere than at the start it takes four frames in a row: fewer are found in other sound. */
static gboolean
begins_at (ProbeInput *input, guint64 offset, guint64 start, guint64 end, Frame *first)
{
  guint64 at = offset;
  Frame frame;

  if (!is_chain (input, offset, end, first))
    return FALSE;
  for (guint i = 0; i < 3 && offset > start; i++) {
    if (!is_chain (input, at, end, &frame) || frame.key != first->key)
      return FALSE;
    at += frame.length;
  }
  return TRUE;
}

gboolean
probe_adts (ProbeInput *input, guint64 start, guint64 end, gboolean is_exact, Probe *probe)
{
  guint64 lost = 0, at = start, limit = MIN (end, start + (is_exact ? 1 : SYNC_RANGE));
  double seconds = 0;
  Frame first, frame;

  while (at < limit && !begins_at (input, at, start, end, &first))
    at++;
  if (at >= limit)
    return FALSE;
  probe_add_part (probe, at, end, NULL);
  probe->container = "ADTS";
  while (at < end && !input->failed && !g_cancellable_is_cancelled (input->cancellable)) {
    if (frame_at (input, at, &frame) && at + frame.length <= end &&
        (frame.key == first.key || is_chain (input, at, end, &frame))) {
      seconds += (double) frame.blocks * FRAME_SAMPLES / frame.rate;
      at += frame.length;
    } else {
      lost++;
      at++;
    }
  }
  probe->declared = seconds;
  if (lost)
    probe_note (probe, 1 - (double) lost / (double) (end - start),
                "%" G_GUINT64_FORMAT " bytes in it are no sound", lost);
  return TRUE;
}
