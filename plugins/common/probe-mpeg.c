/* MPEG-1/2/2.5 audio, layers I to III: a chain of frames, each with its length in its header.
 *
 * The Xing, Info or VBRI header in the first frame, where an encoder wrote one, tells how many
 * frames follow; the LAME extension of it how many samples at either end are padding. Without one
 * only gaps in the chain can be seen: a file cut at a frame's end then looks whole.  What stands behind
 * the last frame (tags, pictures) is no damage. */
#include "probe-private.h"

#include <string.h>

/* How far into a file the first frame may be. */
#define SYNC_RANGE (128 * 1024)
/* Zeros behind the last frame that are padding, in bytes and against the sound; more are a download that
 * was never finished. */
#define MAX_PADDING       (64 * 1024)
#define MAX_PADDING_SHARE 4

typedef struct {
  guint32 key;     /* the header's bits that all frames of a file share */
  guint32 rate;    /* Hz */
  guint32 samples; /* per frame */
  guint32 length;  /* bytes, with the header */
  guint32 side;    /* offset of a Xing header in the frame */
} Frame;

typedef struct {
  guint64 frames;  /* 0: not told */
  guint32 padding; /* samples at both ends that decoders drop */
} Tag;

/* kbit/s by [MPEG-1?][layer - 1][index] */
static const guint16 bit_rates[2][3][16] = {
  { { 0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256, 0 },
    { 0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0 },
    { 0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0 } },
  { { 0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448, 0 },
    { 0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 0 },
    { 0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0 } },
};

static gboolean
parse_header (const guint8 *p, Frame *frame)
{
  static const guint32 rates[3] = { 44100, 48000, 32000 };
  guint version = (p[1] >> 3) & 3; /* 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5 */
  guint layer = 4 - ((p[1] >> 1) & 3);
  guint index = p[2] >> 4, padding = (p[2] >> 1) & 1, rate_index = (p[2] >> 2) & 3;
  gboolean first = version == 3, is_mono = p[3] >> 6 == 3;
  guint32 bit_rate;

  if (p[0] != 0xff || (p[1] & 0xe0) != 0xe0 || version == 1 || layer == 4 || rate_index == 3)
    return FALSE;
  bit_rate = bit_rates[first][layer - 1][index] * 1000u;
  if (!bit_rate) /* free format: the length is not in the header */
    return FALSE;
  frame->key = (guint32) (p[1] & 0xfe) << 8 | (p[2] & 0x0c);
  frame->rate = rates[rate_index] >> (first ? 0 : version == 2 ? 1 : 2);
  frame->samples = layer == 1 ? 384 : layer == 3 && !first ? 576 : 1152;
  if (layer == 1)
    frame->length = (12 * bit_rate / frame->rate + padding) * 4;
  else
    frame->length = frame->samples / 8 * bit_rate / frame->rate + padding;
  frame->side = 4 + (first ? (is_mono ? 17 : 32) : (is_mono ? 9 : 17));
  return frame->length > 4;
}

static gboolean
frame_at (ProbeInput *input, guint64 offset, Frame *frame)
{
  const guint8 *p = probe_peek (input, offset, 4);

  return p && parse_header (p, frame);
}

/* A header alone is found in any noise: what follows the frame has to be a frame too. */
static gboolean
is_chain (ProbeInput *input, guint64 offset, guint64 end, Frame *frame)
{
  Frame next;

  if (!frame_at (input, offset, frame))
    return FALSE;
  if (offset + frame->length + 4 > end)
    return offset + frame->length == end;
  return frame_at (input, offset + frame->length, &next) && next.key == frame->key;
}

static void
read_tag (ProbeInput *input, guint64 offset, const Frame *frame, Tag *tag)
{
  const guint8 *p = probe_peek (input, offset, frame->side + 156);
  const guint8 *vbri = probe_peek (input, offset, 36 + 18);
  gsize at = 8;

  if (vbri && memcmp (vbri + 36, "VBRI", 4) == 0) {
    tag->frames = probe_be32 (vbri + 36 + 14);
    return;
  }
  /* The window may have moved. */
  p = probe_peek (input, offset, frame->side + 156);
  if (!p || (memcmp (p + frame->side, "Xing", 4) != 0 && memcmp (p + frame->side, "Info", 4) != 0))
    return;
  p += frame->side;
  if (!(p[7] & 1))
    return;
  tag->frames = probe_be32 (p + at);
  at += 4 + (p[7] & 2 ? 4 : 0) + (p[7] & 4 ? 100 : 0) + (p[7] & 8 ? 4 : 0);
  /* The LAME extension: nine bytes of name, then delay and padding (12 bits each) at 21. */
  if (g_ascii_isalnum (p[at]))
    tag->padding = ((guint32) p[at + 21] << 4 | p[at + 22] >> 4) +
                   ((guint32) (p[at + 22] & 0x0f) << 8 | p[at + 23]);
}

typedef struct {
  guint64 frames;
  double seconds;
  guint64 lost; /* bytes between frames that belong to none */
  guint64 tail; /* behind the last frame */
} Walk;

/* The offset after an ID3v2 tag in the middle, as in files that were put one after the other; 0 where
 * there is none.  Three letters are found in any noise: frames have to follow. */
static guint64
after_id3 (ProbeInput *input, guint64 offset, guint64 end)
{
  guint64 after = probe_skip_id3 (input, offset);
  Frame frame;

  return after > offset && after < end && is_chain (input, after, end, &frame) ? after : 0;
}

/* The next frame or tag after @offset, where neither is. */
static guint64
resync (ProbeInput *input, guint64 offset, guint64 end)
{
  Frame frame;

  do {
    offset++;
  } while (offset < end && probe_peek (input, offset, 1) && !after_id3 (input, offset, end) &&
           !is_chain (input, offset, end, &frame));
  return offset;
}

static Walk
walk_frames (ProbeInput *input, guint64 offset, guint64 end)
{
  Walk walk = { .tail = offset };
  Frame frame;
  guint32 key = 0;
  guint64 lost = 0; /* since the last frame */

  while (offset + 4 <= end && !input->failed && !g_cancellable_is_cancelled (input->cancellable)) {
    gboolean is_frame = frame_at (input, offset, &frame) && offset + frame.length <= end;

    /* Files put one after the other may change their format, but not for a single frame. */
    if (is_frame && (frame.key == key || is_chain (input, offset, end, &frame))) {
      key = frame.key;
      walk.frames++;
      walk.seconds += (double) frame.samples / frame.rate;
      walk.lost += lost;
      lost = 0;
      walk.tail = offset += frame.length;
    } else {
      guint64 after = after_id3 (input, offset, end),
              next = after ? after : resync (input, offset, end);

      lost += after ? 0 : next - offset;
      offset = next;
    }
  }
  return walk;
}

static gboolean
is_zero (ProbeInput *input, guint64 offset, guint64 end)
{
  const guint8 *p;

  for (; offset < end && (p = probe_peek (input, offset, 1)); offset++)
    if (*p)
      return FALSE;
  return TRUE;
}

/* What taggers put behind the sound, and do not mark at its end. */
static gboolean
is_attachment (ProbeInput *input, guint64 offset)
{
  static const char *const magics[] = { "ID3",  "TAG",          "APETAGEX", "LYRICSBEGIN",
                                        "3DI",  "\xff\xd8\xff", "\x89PNG",  "GIF8",
                                        "RIFF", "LIST",         "id3 ",     "<" };

  for (guint i = 0; i < G_N_ELEMENTS (magics); i++) {
    const guint8 *p = probe_peek (input, offset, strlen (magics[i]));

    if (p && memcmp (p, magics[i], strlen (magics[i])) == 0)
      return TRUE;
  }
  return FALSE;
}

/* Bytes behind the last frame that should have been sound. */
static guint64
judge_tail (ProbeInput *input, guint64 tail, guint64 end, guint64 sound, Probe *probe)
{
  guint64 most = MIN (MAX_PADDING, sound / MAX_PADDING_SHARE);
  Frame frame;

  if (tail >= end || is_attachment (input, tail))
    return 0;
  if (is_zero (input, tail, end))
    return end - tail > most ? end - tail : 0;
  if (frame_at (input, tail, &frame) && !probe->remark)
    probe->remark = g_strdup ("ends within a frame: it may have been cut short");
  return end - tail;
}

static void
compare_frames (Probe *probe, const Tag *tag, const Frame *frame, const Walk *found)
{
  guint64 there = found->frames - 1; /* the frame that holds the tag is not one of them */
  guint64 samples = tag->frames * frame->samples;

  /* Files put one after the other have the tag of the first. */
  if (there > tag->frames + 2)
    probe->declared = found->seconds;
  else
    probe->declared = (double) (samples - MIN (samples, tag->padding)) / frame->rate;
  if (there + 2 < tag->frames) /* some encoders count a frame too many */
    probe_note (probe, (double) there / (double) tag->frames,
                "its header promises %" G_GUINT64_FORMAT " frames, but only %" G_GUINT64_FORMAT
                " are there",
                tag->frames, there);
}

/* Two frames may be found in other sound; so elsewhere than at the start it takes three. */
static gboolean
begins_at (ProbeInput *input, guint64 offset, guint64 start, guint64 end, Frame *frame)
{
  Frame next;

  return is_chain (input, offset, end, frame) &&
         (offset == start || offset + frame->length == end ||
          is_chain (input, offset + frame->length, end, &next));
}

gboolean
probe_mpeg (ProbeInput *input, guint64 start, guint64 end, Probe *probe)
{
  guint64 first = start, limit = MIN (end, start + SYNC_RANGE);
  Frame frame;
  Tag tag = { 0 };
  Walk found;

  while (first < limit && !begins_at (input, first, start, end, &frame))
    first++;
  if (first >= limit)
    return FALSE;
  probe->container = "MPEG audio";
  read_tag (input, first, &frame, &tag);
  found = walk_frames (input, first, end);
  if (tag.frames && found.frames) {
    compare_frames (probe, &tag, &frame, &found);
  } else {
    probe->declared = found.seconds;
    found.lost += judge_tail (input, found.tail, end, found.tail - first, probe);
  }
  if (found.lost)
    probe_note (probe, 1 - (double) found.lost / (double) (end - first),
                "%" G_GUINT64_FORMAT " bytes in it are no sound", found.lost);
  return TRUE;
}
