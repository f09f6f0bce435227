/* FLAC: STREAMINFO is the first block by the format's own rule, and may leave the length open.  Then the
 * last frame says where it begins. */
#include "probe-private.h"

#include <string.h>

/* Where the last frame is looked for: the longest that encoders write has some 100 kB. */
#define LAST_RANGE (256 * 1024)
#define MIN_FRAME  6

/* Polynomial 0x07, as frame headers have it. */
static guint8
crc8 (const guint8 *p, gsize n)
{
  guint8 sum = 0;

  for (gsize i = 0; i < n; i++) {
    sum ^= p[i];
    for (guint bit = 0; bit < 8; bit++)
      sum = (guint8) (sum << 1 ^ (sum & 0x80 ? 0x07 : 0));
  }
  return sum;
}

/* A number as UTF-8 has characters, up to seven bytes; its length, 0: none. */
static guint
read_number (const guint8 *p, guint64 *number)
{
  guint n = 0;

  while (n < 8 && p[0] & 0x80 >> n)
    n++;
  if (n == 1 || n == 8)
    return 0;
  *number = n == 0 ? p[0] : p[0] & (0x7fu >> n);
  for (guint i = 1; i < n; i++) {
    if ((p[i] & 0xc0) != 0x80)
      return 0;
    *number = *number << 6 | (p[i] & 0x3f);
  }
  return MAX (n, 1);
}

/* Samples of a block by its four bits; those of a number that follows at @p. */
static guint32
block_size (guint bits, const guint8 *p)
{
  if (bits == 1)
    return 192;
  if (bits < 6)
    return 576u << (bits - 2);
  if (bits == 6)
    return p[0] + 1u;
  return bits == 7 ? probe_be16 (p) + 1 : 256u << (bits - 8);
}

/* Whether a frame's header stands at @p (16 bytes); @end: the sample behind it. */
static gboolean
read_frame (const guint8 *p, guint32 fixed_size, guint64 *end)
{
  guint size_bits = p[2] >> 4, rate_bits = p[2] & 15, length;
  guint64 number;
  guint32 samples;

  if (p[0] != 0xff || (p[1] & 0xfe) != 0xf8 || !size_bits || rate_bits == 15 || (p[3] & 1) ||
      (length = read_number (p + 4, &number)) == 0)
    return FALSE;
  length += 4;
  samples = block_size (size_bits, p + length);
  length += size_bits == 6 ? 1 : size_bits == 7 ? 2 : 0;
  length += rate_bits == 12 ? 1 : rate_bits > 12 ? 2 : 0;
  if (length > 15 || crc8 (p, length) != p[length])
    return FALSE;
  *end = (p[1] & 1 ? number : number * fixed_size) + samples;
  return TRUE;
}

/* Samples of the whole stream by the header of its last frame; 0: none can be found. */
static guint64
find_length (ProbeInput *input, guint64 start, guint64 end, guint32 fixed_size)
{
  guint64 from = MAX (start, end - MIN (end, LAST_RANGE)), length = 0, sample;

  for (guint64 at = from; at + MIN_FRAME < end; at++) {
    const guint8 *p = probe_peek (input, at, (gsize) MIN (16, end - at));

    if (!p)
      break;
    if (p[0] == 0xff && at + 16 <= end && read_frame (p, fixed_size, &sample) &&
        sample <= (guint64) 1 << 36)
      length = sample;
  }
  return length;
}

void
probe_flac (ProbeInput *input, guint64 start, guint64 end, Probe *probe)
{
  const guint8 *p = probe_peek (input, start, 42);
  guint32 rate, fixed_size;
  guint64 samples;

  probe->container = "FLAC";
  probe_add_part (probe, start, end, NULL);
  if (!p || (p[4] & 0x7f) != 0)
    return;
  /* 20 bits of rate, 3 of channels, 5 of depth, 36 of length, from byte 18 on. */
  fixed_size = probe_be16 (p + 8);
  rate = (guint32) p[18] << 12 | (guint32) p[19] << 4 | p[20] >> 4;
  samples = (guint64) (p[21] & 0x0f) << 32 | probe_be32 (p + 22);
  if (!samples)
    samples = find_length (input, start + 42, end, fixed_size);
  if (rate && samples)
    probe->declared = (double) samples / rate;
}
