/* FLAC: STREAMINFO is the first block by the format's own rule, and states the length of the stream: not at all
 * where an encoder wrote into a pipe, and too little where one was stopped or the file was spliced. So the last
 * frames are read, which contain their position; where they give another length, decoders get a corrected
 * header. */
#include "probe-private.h"

#include <string.h>

/* The range searched for the last frames: the longest that encoders write have about 100 kB. */
#define LAST_RANGE (1024 * 1024)
#define MIN_FRAME  6
#define MAX_BLOCKS 4096
/* Concatenated files. */
#define MAX_LINKS 4096
/* "fLaC" and the block STREAMINFO. */
#define INFO_BYTES 42

typedef struct {
  guint64 begin, end; /* samples */
} Frame;

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

/* A number coded like a UTF-8 character, up to seven bytes; returns its length, 0: none. */
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

/* Samples of a block from its four-bit code, or from a number that follows at @p. */
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

/* Whether there is a frame header at @p (16 bytes); @fixed_size: samples of each frame, where frames are
 * numbered. */
static gboolean
read_frame (const guint8 *p, guint32 fixed_size, Frame *frame)
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
  frame->begin = p[1] & 1 ? number : number * (fixed_size ? fixed_size : samples);
  frame->end = frame->begin + samples;
  return frame->end <= (guint64) 1 << 36;
}

/* Samples of the whole stream from the headers of its last frames; 0: none found. A false header in other data
 * does not continue where the frame before it ended. */
static guint64
find_length (ProbeInput *input, guint64 start, guint64 end, guint32 fixed_size)
{
  guint64 from = MAX (start, end - MIN (end, LAST_RANGE)), length = 0, other = G_MAXUINT64;
  Frame frame;

  for (guint64 at = from; at + MIN_FRAME < end; at++) {
    const guint8 *p = probe_peek (input, at, (gsize) MIN (16, end - at));

    if (!p)
      break;
    if (p[0] != 0xff || at + 16 > end || !read_frame (p, fixed_size, &frame))
      continue;
    if (frame.begin == length || frame.begin == other)
      length = frame.end;
    else
      other = frame.end;
  }
  return length;
}

/* The offset after the blocks, where the first frame is, and its number of samples; 0: there is none. */
static guint64
find_frames (ProbeInput *input, guint64 start, guint64 end, guint32 *n_samples)
{
  const guint8 *p = probe_peek (input, start, INFO_BYTES);
  gboolean is_last = p && p[4] & 0x80;
  guint64 at = start + INFO_BYTES;
  Frame frame;

  for (guint i = 0; i < MAX_BLOCKS && !is_last && (p = probe_peek (input, at, 4)); i++) {
    is_last = (p[0] & 0x80) != 0;
    at += 4 + (probe_be32 (p) & 0xffffff);
  }
  if (at >= end || !(p = probe_peek (input, at, 16)) || !read_frame (p, 0, &frame))
    return 0;
  *n_samples = (guint32) (frame.end - frame.begin);
  return at;
}

/* Only STREAMINFO, with @n_samples, and without the digest, which may be of other samples. */
static GBytes *
make_header (const guint8 *info, guint64 n_samples)
{
  guint8 bytes[INFO_BYTES] = { 0 };

  memcpy (bytes, info, 26);
  bytes[4] |= 0x80;
  bytes[21] = (guint8) ((bytes[21] & 0xf0) | (n_samples >> 32 & 0x0f));
  probe_put_be32 (bytes + 22, (guint32) n_samples);
  return g_bytes_new (bytes, sizeof bytes);
}

/* The start of the next of several concatenated files, or @end. */
static guint64
find_next (ProbeInput *input, guint64 at, guint64 end)
{
  const gsize step = PROBE_PEEK - 8;

  for (; at + 8 <= end; at += step) {
    gsize n = (gsize) MIN (end - at, PROBE_PEEK), rest;
    const guint8 *window = probe_peek (input, at, n), *p = window;

    if (!window)
      break;
    for (rest = n; (p = memmem (p, rest, "fLaC", 4)); p += 4, rest = n - (gsize) (p - window))
      if (p + 8 <= window + n && (p[4] & 0x7f) == 0 && memcmp (p + 5, "\0\0\x22", 3) == 0)
        return at + (guint64) (p - window);
  }
  return end;
}

/* One file from @start to @end. */
static void
read_link (ProbeInput *input, guint64 start, guint64 end, const guint8 *info, Probe *probe)
{
  /* 20 bits of rate, 3 of channels, 5 of depth, 36 of length, from byte 18 on. */
  guint32 rate = (guint32) info[18] << 12 | (guint32) info[19] << 4 | info[20] >> 4;
  guint64 stated = (guint64) (info[21] & 0x0f) << 32 | probe_be32 (info + 22);
  guint32 fixed_size = probe_be16 (info + 8);
  guint64 frames = find_frames (input, start, end, &fixed_size);
  guint64 found = find_length (input, frames ? frames : start + INFO_BYTES, end, fixed_size);
  gboolean is_wrong = frames && stated && found > stated;

  if (rate && MAX (stated, found))
    probe->declared =
      (isnan (probe->declared) ? 0 : probe->declared) + (double) MAX (stated, found) / rate;
  if (is_wrong)
    probe_add_part (probe, frames, end, make_header (info, found));
  else
    probe_add_part (probe, start, end, NULL);
  if (is_wrong && !probe->remark)
    probe->remark = g_strdup_printf ("has a header that states %" G_GUINT64_FORMAT
                                     " samples, but contains %" G_GUINT64_FORMAT ": all are used",
                                     stated, found);
}

void
probe_flac (ProbeInput *input, guint64 start, guint64 end, Probe *probe)
{
  probe->container = "FLAC";
  while (start < end && probe->parts->len < MAX_LINKS) {
    const guint8 *p = probe_peek (input, start, INFO_BYTES);
    guint8 info[INFO_BYTES];
    guint64 next;

    if (!p || (p[4] & 0x7f) != 0) {
      probe_add_part (probe, start, end, NULL);
      return;
    }
    memcpy (info, p, sizeof info);
    next = find_next (input, start + 8, end);
    read_link (input, start, next, info, probe);
    start = next;
  }
}
