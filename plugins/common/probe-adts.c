/* AAC in ADTS. */
#include "probe-private.h"

#define BLOCK_SAMPLES 1024

/* ProbeFrameFunc. */
static gboolean
read_frame (ProbeInput *input, guint64 offset, ProbeFrame *frame)
{
  static const guint32 rates[16] = { 96000, 88200, 64000, 48000, 44100, 32000, 24000,
                                     22050, 16000, 12000, 11025, 8000,  7350 };
  const guint8 *p = probe_peek (input, offset, 7);
  guint32 rate;

  if (!p || p[0] != 0xff || (p[1] & 0xf6) != 0xf0)
    return FALSE;
  rate = rates[p[2] >> 2 & 15];
  /* Profile, rate and channels. */
  frame->key = (guint32) p[2] << 8 | (p[3] & 0xc0);
  frame->length = (guint32) (p[3] & 3) << 11 | (guint32) p[4] << 3 | p[5] >> 5;
  frame->seconds = rate ? (double) (1 + (p[6] & 3)) * BLOCK_SAMPLES / rate : 0;
  return rate && frame->length >= 7;
}

gboolean
probe_adts (ProbeInput *input, guint64 start, guint64 end, gboolean is_exact, Probe *probe)
{
  return probe_chain (input, "ADTS", read_frame, start, end, is_exact, probe);
}
