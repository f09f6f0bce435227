/* AC-3, E-AC-3 and the core of DTS: ETSI TS 102 366, ETSI TS 102 114. */
#include "probe-private.h"

#define BLOCK_SAMPLES 256
#define AC3_BLOCKS    6
/* The bit stream versions (bsid) of AC-3; those above, up to 16, are E-AC-3. */
#define LAST_AC3    10
#define LAST_EAC3   16
#define DTS_SYNC    0x7ffe8001
#define DTS_SAMPLES 32

static const guint32 ac3_rates[4] = { 48000, 44100, 32000 };

/* In kbit/s, indexed by half of the code. */
static guint32
get_ac3_length (guint32 rate, guint8 code)
{
  static const guint32 bitrates[19] = { 32,  40,  48,  56,  64,  80,  96,  112, 128, 160,
                                        192, 224, 256, 320, 384, 448, 512, 576, 640 };
  guint32 bitrate = code / 2 < G_N_ELEMENTS (bitrates) ? bitrates[code / 2] : 0;
  guint32 words = bitrate * 1000 / 16 * AC3_BLOCKS * BLOCK_SAMPLES / rate;

  return 2 * (words + (rate == 44100 && bitrate ? code & 1u : 0));
}

static gboolean
read_ac3 (const guint8 *p, guint8 version, ProbeFrame *frame)
{
  guint32 rate = ac3_rates[p[4] >> 6];

  if (!rate)
    return FALSE;
  frame->key = (guint32) version << 8 | p[4] >> 6;
  frame->length = get_ac3_length (rate, p[4] & 0x3f);
  /* Versions above 8 have a half or a quarter of the rate. */
  frame->seconds = (double) AC3_BLOCKS * BLOCK_SAMPLES / (double) (rate >> (MAX (version, 8) - 8));
  return frame->length > 0;
}

static gboolean
read_eac3 (const guint8 *p, guint8 version, ProbeFrame *frame)
{
  static const guint8 blocks[4] = { 1, 2, 3, AC3_BLOCKS };
  gboolean is_half = p[4] >> 6 == 3;
  guint32 rate = is_half ? ac3_rates[p[4] >> 4 & 3] / 2 : ac3_rates[p[4] >> 6];
  guint8 n = is_half ? AC3_BLOCKS : blocks[p[4] >> 4 & 3];
  /* More channels, or another programme, for the same time as the first. */
  gboolean is_beside = p[2] >> 6 == 1 || (p[2] >> 3 & 7) > 0;

  if (!rate || p[2] >> 6 == 3)
    return FALSE;
  frame->key = (guint32) version << 8 | p[4] >> 6;
  frame->length = 2 * (((guint32) (p[2] & 7) << 8 | p[3]) + 1);
  frame->seconds = is_beside ? 0 : (double) n * BLOCK_SAMPLES / rate;
  return frame->length > 6;
}

/* ProbeFrameFunc. */
static gboolean
read_frame (ProbeInput *input, guint64 offset, ProbeFrame *frame)
{
  const guint8 *p = probe_peek (input, offset, 6);
  guint8 version;

  if (!p || p[0] != 0x0b || p[1] != 0x77)
    return FALSE;
  version = p[5] >> 3;
  if (version <= LAST_AC3)
    return read_ac3 (p, version, frame);
  return version <= LAST_EAC3 && read_eac3 (p, version, frame);
}

/* ProbeFrameFunc. */
static gboolean
read_dts (ProbeInput *input, guint64 offset, ProbeFrame *frame)
{
  static const guint32 rates[16] = { 0,     8000, 16000, 32000, 0,     0,     11025, 22050,
                                     44100, 0,    0,     12000, 24000, 48000, 0,     0 };
  const guint8 *p = probe_peek (input, offset, 10);
  guint32 rate, blocks;

  if (!p || probe_be32 (p) != DTS_SYNC)
    return FALSE;
  rate = rates[p[8] >> 2 & 15];
  blocks = ((guint32) (p[4] & 1) << 6 | p[5] >> 2) + 1;
  frame->key = rate;
  frame->length = ((guint32) (p[5] & 3) << 12 | (guint32) p[6] << 4 | p[7] >> 4) + 1;
  frame->seconds = rate ? (double) blocks * DTS_SAMPLES / rate : 0;
  return rate && frame->length >= 96;
}

gboolean
probe_ac3 (ProbeInput *input, guint64 start, guint64 end, gboolean is_exact, Probe *probe)
{
  return probe_chain (input, "AC-3", read_frame, start, end, is_exact, probe);
}

gboolean
probe_dts (ProbeInput *input, guint64 start, guint64 end, gboolean is_exact, Probe *probe)
{
  return probe_chain (input, "DTS", read_dts, start, end, is_exact, probe);
}
