/* MPEG-1/2/2.5 audio, layers I to III: a chain of frames, each with its length in its header.
 *
 * The Xing, Info or VBRI header in the first frame, where an encoder wrote one, contains the number of frames that
 * follow; its LAME extension the number of padding samples at either end. Without one only gaps in the chain can
 * be detected: a file cut at a frame's end then looks whole. Data after the last frame (tags, pictures) is not
 * damage.
 *
 * Decoders get only the frames, without padding before and attachments after them; where the first frame counts
 * wrongly, not all decoders know its header (VBRI), or a header that a variable bit rate needs is missing, a
 * generated frame comes before them. */
#include "probe-private.h"

#include <segue/file.h>
#include <string.h>

/* The maximum offset of the first frame: after a picture in a tag that states a wrong length. */
#define SYNC_RANGE (16 * 1024 * 1024)
/* Zeros after the last frame that count as padding, in bytes and relative to the audio; more mean an unfinished
 * download. */
#define MAX_PADDING       (64 * 1024)
#define MAX_PADDING_SHARE 4
/* Allowed error of the header's frame count. */
#define MISCOUNT 2
/* Bytes of a free-format frame: 640 kbit/s at the lowest rate, with a margin. */
#define MAX_FREE_LENGTH 8192
#define ID3V1_BYTES     128
/* Of a Xing header with the number of frames and bytes; of the frame that contains one, at most. */
#define XING_BYTES 16u
#define MAX_HEADER 4096u
/* Maximum number of positions tried for such a frame: noise has few that look like one. */
#define MAX_MEASURED 64

typedef struct {
  ProbeInput *input;
  guint32 free_length; /* of frames whose header lacks it, without padding; 0: not known */
  guint n_measured;
} Mpeg;

typedef struct {
  guint32 key;     /* the header's bits that all frames of a file share */
  guint32 rate;    /* Hz */
  guint32 samples; /* per frame */
  guint32 length;  /* bytes, with the header */
  guint32 side;    /* offset of a Xing header in the frame */
  guint layer;
  guint bit_rate_index;
} Frame;

typedef struct {
  gboolean is_there;
  guint
    xing; /* offset in its frame of the number of frames in a Xing or Info header; 0: it has none */
  guint64 frames, bytes; /* 0: not known */
  guint32 padding;       /* samples at both ends that decoders drop */
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

/* @free_length: where the bit rate is “free”, and the header contains no length. */
static gboolean
parse_header (const guint8 *p, guint32 free_length, Frame *frame)
{
  static const guint32 rates[3] = { 44100, 48000, 32000 };
  guint version = (p[1] >> 3) & 3; /* 3: MPEG-1, 2: MPEG-2, 0: MPEG-2.5 */
  guint layer = 4 - ((p[1] >> 1) & 3);
  guint index = p[2] >> 4, padding = (p[2] >> 1) & 1, rate_index = (p[2] >> 2) & 3;
  gboolean first = version == 3, is_mono = p[3] >> 6 == 3, is_free = index == 0;
  guint32 bit_rate, slot;

  if (p[0] != 0xff || (p[1] & 0xe0) != 0xe0 || version == 1 || layer == 4 || rate_index == 3 ||
      index == 15)
    return FALSE;
  bit_rate = bit_rates[first][layer - 1][index] * 1000u;
  slot = layer == 1 ? 4 : 1;
  frame->key = (guint32) is_free << 16 | (guint32) (p[1] & 0xfe) << 8 | (p[2] & 0x0c);
  frame->rate = rates[rate_index] >> (first ? 0 : version == 2 ? 1 : 2);
  frame->layer = layer;
  frame->bit_rate_index = index;
  frame->samples = layer == 1 ? 384 : layer == 3 && !first ? 576 : 1152;
  if (is_free)
    frame->length = free_length ? free_length + padding * slot : 0;
  else if (layer == 1)
    frame->length = (12 * bit_rate / frame->rate + padding) * slot;
  else
    frame->length = frame->samples / 8 * bit_rate / frame->rate + padding;
  frame->side = 4 + (first ? (is_mono ? 17 : 32) : (is_mono ? 9 : 17));
  return frame->length > 4;
}

static gboolean
frame_at (Mpeg *mpeg, guint64 offset, Frame *frame)
{
  const guint8 *p = probe_peek (mpeg->input, offset, 4);

  return p && parse_header (p, mpeg->free_length, frame);
}

/* A single header occurs by chance in noise: another frame has to follow the frame. */
static gboolean
is_chain (Mpeg *mpeg, guint64 offset, guint64 end, Frame *frame)
{
  Frame next;

  if (!frame_at (mpeg, offset, frame))
    return FALSE;
  if (offset + frame->length + 4 > end)
    return offset + frame->length == end;
  return frame_at (mpeg, offset + frame->length, &next) && next.key == frame->key;
}

/* Of free format: the distance between three similar headers. */
static void
measure_frames (Mpeg *mpeg, guint64 offset, guint64 end)
{
  const guint8 *p = probe_peek (mpeg->input, offset, 4);
  Frame frame, next;

  if (!p || p[0] != 0xff || p[1] < 0xe0 || p[2] >> 4 != 0 || mpeg->free_length ||
      mpeg->n_measured++ >= MAX_MEASURED)
    return;
  for (guint32 length = 24; length < MAX_FREE_LENGTH; length++) {
    mpeg->free_length = length;
    if (!frame_at (mpeg, offset, &frame))
      break;
    if (is_chain (mpeg, offset, end, &frame) &&
        is_chain (mpeg, offset + frame.length, end, &next) && next.key == frame.key)
      return;
  }
  mpeg->free_length = 0;
}

static void
read_tag (Mpeg *mpeg, guint64 offset, const Frame *frame, Tag *tag)
{
  const guint8 *p = probe_peek (mpeg->input, offset, 36 + 18);
  gsize at = 8;

  if (p && memcmp (p + 36, "VBRI", 4) == 0) {
    *tag = (Tag){ .is_there = TRUE,
                  .frames = probe_be32 (p + 36 + 14),
                  .bytes = probe_be32 (p + 36 + 10) };
    return;
  }
  p = probe_peek (mpeg->input, offset, frame->side + 156);
  if (!p || (memcmp (p + frame->side, "Xing", 4) != 0 && memcmp (p + frame->side, "Info", 4) != 0))
    return;
  p += frame->side;
  tag->is_there = TRUE;
  if (!(p[7] & 1))
    return;
  tag->xing = frame->side + 8;
  tag->frames = probe_be32 (p + at);
  tag->bytes = p[7] & 2 ? probe_be32 (p + at + 4) : 0;
  at += 4 + (p[7] & 2 ? 4 : 0) + (p[7] & 4 ? 100 : 0) + (p[7] & 8 ? 4 : 0);
  /* The LAME extension: nine bytes of name, then delay and padding (12 bits each) at 21. */
  if (g_ascii_isalnum (p[at]))
    tag->padding = ((guint32) p[at + 21] << 4 | p[at + 22] >> 4) +
                   ((guint32) (p[at + 22] & 0x0f) << 8 | p[at + 23]);
}

typedef struct {
  guint64 frames;
  double seconds;
  guint64 lost;         /* bytes between frames that belong to no frame */
  guint64 tail;         /* after the last frame */
  gboolean is_variable; /* the bit rate, after the first frame */
} Walk;

/* The offset after ID3v1 and ID3v2 tags in the middle, as in concatenated files; 0 where there is none. Three
 * letters occur by chance in noise: frames have to follow. */
static guint64
after_tags (Mpeg *mpeg, guint64 offset, guint64 end)
{
  const guint8 *p = probe_peek (mpeg->input, offset, 3);
  guint64 v1 = p && memcmp (p, "TAG", 3) == 0 ? ID3V1_BYTES : 0;
  guint64 after = probe_skip_id3 (mpeg->input, offset + v1);
  Frame frame;

  return after > offset && after < end && is_chain (mpeg, after, end, &frame) ? after : 0;
}

/* The next frame or tag after @offset, where there is neither. */
static guint64
resync (Mpeg *mpeg, guint64 offset, guint64 end)
{
  Frame frame;

  do {
    offset++;
  } while (offset < end && probe_peek (mpeg->input, offset, 1) && !after_tags (mpeg, offset, end) &&
           !is_chain (mpeg, offset, end, &frame));
  return offset;
}

static Walk
walk_frames (Mpeg *mpeg, guint64 offset, guint64 end)
{
  Walk walk = { .tail = offset };
  Frame frame;
  guint32 key = 0;
  guint second_index = 0;
  guint64 lost = 0; /* since the last frame */

  while (offset + 4 <= end && !mpeg->input->failed &&
         !g_cancellable_is_cancelled (mpeg->input->cancellable)) {
    gboolean is_frame = frame_at (mpeg, offset, &frame) && offset + frame.length <= end;

    /* Concatenated files may differ in format, but not for a single frame. */
    if (is_frame && (frame.key == key || is_chain (mpeg, offset, end, &frame))) {
      key = frame.key;
      walk.frames++;
      second_index = walk.frames <= 2 ? frame.bit_rate_index : second_index;
      walk.is_variable = walk.is_variable || frame.bit_rate_index != second_index;
      walk.seconds += (double) frame.samples / frame.rate;
      walk.lost += lost;
      lost = 0;
      walk.tail = offset += frame.length;
    } else {
      guint64 after = after_tags (mpeg, offset, end),
              next = after ? after : resync (mpeg, offset, end);

      lost += after ? 0 : next - offset;
      offset = next;
    }
  }
  return walk;
}

/* Data that taggers put after the audio without a mark at its end; pictures, archives and text as well. */
static gboolean
is_attachment (ProbeInput *input, guint64 offset, guint64 end)
{
  static const char *const magics[] = { "ID3",  "TAG",  "APETAGEX", "LYRICSBEGIN", "3DI",
                                        "RIFF", "LIST", "id3 ",     "18273645",    "<" };
  gsize n = (gsize) MIN (end - offset, SEGUE_RECOGNISE_LENGTH);
  const guint8 *start = probe_peek (input, offset, n);

  if (start && segue_file_recognise (start, n))
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (magics); i++) {
    const guint8 *p = probe_peek (input, offset, strlen (magics[i]));

    if (p && memcmp (p, magics[i], strlen (magics[i])) == 0)
      return TRUE;
  }
  return FALSE;
}

/* Whether there is no audio data after the last frame. */
static gboolean
ends_well (Mpeg *mpeg, guint64 tail, guint64 end, guint64 sound)
{
  guint64 most = MIN (MAX_PADDING, sound / MAX_PADDING_SHARE);
  const guint8 *p;

  for (guint64 i = 0; tail < end && i < most && (p = probe_peek (mpeg->input, tail, 1)) && !*p; i++)
    tail++;
  return tail >= end || is_attachment (mpeg->input, tail, end);
}

/* Whether the first frame's counts are right. Concatenated files have the tag of the first; a tag whose bytes are
 * all present counts frames wrongly, or those of another version of the file. */
static gboolean
compare_frames (Probe *probe, const Tag *tag, const Frame *frame, const Walk *found, guint64 sound)
{
  guint64 there = found->frames - 1; /* the frame that contains the tag is not counted */
  guint64 samples = tag->frames * frame->samples;

  probe->declared = found->seconds - (double) frame->samples / frame->rate;
  if (there > tag->frames + MISCOUNT)
    return FALSE;
  if (there + MISCOUNT < tag->frames && tag->bytes && tag->bytes <= sound + frame->length) {
    probe->remark = g_strdup_printf (
      "has a header that states %" G_GUINT64_FORMAT " frames, but contains %" G_GUINT64_FORMAT
      ", with all the bytes that the header states: treated as complete",
      tag->frames, there);
    return FALSE;
  }
  probe->declared = (double) (samples - MIN (samples, tag->padding)) / frame->rate;
  if (there + MISCOUNT < tag->frames) /* some encoders count a frame too many */
    probe_note (probe, (double) there / (double) tag->frames,
                "its header states %" G_GUINT64_FORMAT " frames, but only %" G_GUINT64_FORMAT
                " are present",
                tag->frames, there);
  return TRUE;
}

/* A frame without audio, like @first except for its bit rate, which gives it room for a header; returns its
 * bytes. */
static guint
make_silent_frame (Mpeg *mpeg, const guint8 *first, guint needed, guint8 *bytes, Frame *frame)
{
  for (guint index = 1; index < 15; index++) {
    memset (bytes, 0, MAX_HEADER);
    memcpy (bytes, first, 4);
    bytes[1] |= 1;                                        /* without a checksum */
    bytes[2] = (guint8) (index << 4 | (first[2] & 0x0c)); /* and padding */
    if (parse_header (bytes, 0, frame) && frame->length >= frame->side + needed)
      return MIN (frame->length, MAX_HEADER);
  }
  return 0;
}

/* (nullable): a first frame that counts the @n_frames that follow it, with the delay and padding of the file's
 * own. @offset: of the file's own, or of the first frame. */
static GBytes *
make_first_frame (Mpeg *mpeg, guint64 offset, const Tag *tag, guint64 n_frames, guint64 n_bytes)
{
  guint8 bytes[MAX_HEADER];
  const guint8 *p;
  Frame frame;
  guint length, counts;

  if (!frame_at (mpeg, offset, &frame))
    return NULL;
  length = frame.length;
  if (tag->xing && length <= MAX_HEADER && (p = probe_peek (mpeg->input, offset, length))) {
    memcpy (bytes, p, length);
    counts = tag->xing;
  } else {
    p = probe_peek (mpeg->input, offset, 4);
    if (!p || !(length = make_silent_frame (mpeg, p, XING_BYTES, bytes, &frame)))
      return NULL;
    memcpy (bytes + frame.side, "Xing\0\0\0\3", 8);
    counts = frame.side + 8;
  }
  probe_put_be32 (bytes + counts, (guint32) n_frames);
  if (bytes[counts - 1] & 2)
    probe_put_be32 (bytes + counts + 4, (guint32) (n_bytes + length));
  return g_bytes_new (bytes, length);
}

/* The part for decoders: the frames from @first to @last. */
static void
add_frames (Mpeg *mpeg, guint64 first, guint64 last, const Frame *frame, const Tag *tag,
            const Walk *found, gboolean is_told, Probe *probe)
{
  guint64 start = first + (tag->is_there ? frame->length : 0);
  guint64 n_frames = found->frames - (tag->is_there ? 1 : 0);
  gboolean is_needed = tag->is_there ? !is_told || !tag->xing : found->is_variable;
  GBytes *header = NULL;

  if (is_needed && frame->layer == 3 && n_frames > 0 && n_frames <= G_MAXUINT32 && start < last &&
      last - start < G_MAXINT32)
    header = make_first_frame (mpeg, first, tag, n_frames, last - start);
  probe_add_part (probe, header ? start : first, last, header);
}

/* Two frames may occur by chance in other audio data; so anywhere but at the start three are required. */
static gboolean
begins_at (Mpeg *mpeg, guint64 offset, guint64 start, guint64 end, Frame *frame)
{
  Frame next;

  measure_frames (mpeg, offset, end);
  return is_chain (mpeg, offset, end, frame) &&
         (offset == start || is_chain (mpeg, offset + frame->length, end, &next));
}

/* The first frame, or @end. Where there is none after a tag, the tag's length may be wrong: too small, so that a
 * picture continues, or too large, so that it covers audio. */
static guint64
find_first (Mpeg *mpeg, guint64 start, guint64 end, gboolean is_exact, Frame *frame)
{
  const guint8 *p = probe_peek (mpeg->input, 0, 3);
  guint64 at = p && memcmp (p, "ID3", 3) == 0 ? 0 : start, limit = MIN (end, at + SYNC_RANGE);

  if (start < end && begins_at (mpeg, start, start, end, frame))
    return start;
  while (!is_exact && at < limit && !begins_at (mpeg, at, start, end, frame))
    at++;
  return !is_exact && at < limit ? at : end;
}

gboolean
probe_mpeg (ProbeInput *input, guint64 start, guint64 end, gboolean is_exact, Probe *probe)
{
  Mpeg mpeg = { .input = input };
  guint64 first, sound, last = end;
  gboolean is_told = FALSE;
  Frame frame, rest;
  Tag tag = { 0 };
  Walk found;

  first = find_first (&mpeg, start, end, is_exact, &frame);
  if (first >= end)
    return FALSE;
  probe->container = "MPEG audio";
  read_tag (&mpeg, first, &frame, &tag);
  found = walk_frames (&mpeg, first, end);
  sound = found.tail - first;
  if (tag.frames && found.frames)
    is_told = compare_frames (probe, &tag, &frame, &found, sound);
  else
    probe->declared = found.seconds - (tag.is_there ? (double) frame.samples / frame.rate : 0);
  if (ends_well (&mpeg, found.tail, end, sound))
    last = found.tail;
  else if (!tag.frames)
    found.lost += end - found.tail;
  if (last == end && !tag.frames && !probe->remark && frame_at (&mpeg, found.tail, &rest))
    probe->remark = g_strdup ("ends within a frame: it may be truncated");
  if (found.lost)
    probe_note (probe, 1 - (double) found.lost / (double) (end - first),
                "%" G_GUINT64_FORMAT " bytes in it are not audio", found.lost);
  add_frames (&mpeg, first, last, &frame, &tag, &found, is_told, probe);
  return TRUE;
}
