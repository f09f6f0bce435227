/* Reading an untrusted file piece by piece (internal to the probes). */
#pragma once

#include "probe.h"

#define PROBE_WINDOW (64 * 1024)
/* Bytes kept in the window before the current position, for reads ahead and back. */
#define PROBE_BEHIND (8 * 1024)
#define PROBE_PEEK   (PROBE_WINDOW - PROBE_BEHIND)

typedef struct {
  int fd;
  guint64 size; /* of the file when it was opened */
  GCancellable *cancellable;
  guint64 window_start;
  gsize window_length;
  int failed; /* errno, after reading failed */
  guint8 window[PROBE_WINDOW];
} ProbeInput;

/** probe_peek: (transfer none) (nullable): @n ≤ PROBE_PEEK bytes at @offset, valid until the next
 * call; %NULL where the file ends earlier, or reading failed. */
const guint8 *probe_peek (ProbeInput *input, guint64 offset, gsize n);

static inline guint32
probe_be32 (const guint8 *p)
{
  return (guint32) p[0] << 24 | (guint32) p[1] << 16 | (guint32) p[2] << 8 | p[3];
}

static inline void
probe_put_be32 (guint8 *p, guint32 value)
{
  for (guint i = 0; i < 4; i++)
    p[i] = (guint8) (value >> (24 - 8 * i));
}

static inline guint32
probe_be16 (const guint8 *p)
{
  return (guint32) p[0] << 8 | p[1];
}

static inline guint64
probe_be64 (const guint8 *p)
{
  return (guint64) probe_be32 (p) << 32 | probe_be32 (p + 4);
}

static inline guint32
probe_le16 (const guint8 *p)
{
  return (guint32) p[1] << 8 | p[0];
}

static inline guint32
probe_le32 (const guint8 *p)
{
  return (guint32) p[3] << 24 | (guint32) p[2] << 16 | (guint32) p[1] << 8 | p[0];
}

static inline guint64
probe_le64 (const guint8 *p)
{
  return (guint64) probe_le32 (p + 4) << 32 | probe_le32 (p);
}

/** probe_skip_id3: the offset after any ID3v2 tags at @offset. */
guint64 probe_skip_id3 (ProbeInput *input, guint64 offset);
/** probe_skip_tags: likewise after ID3v2 and APE tags. */
guint64 probe_skip_tags (ProbeInput *input, guint64 offset);
/** probe_end_of_sound: where the tags at the end of the file begin; not before @start. */
guint64 probe_end_of_sound (ProbeInput *input, guint64 start);
/** probe_note: lowers @intact and sets the damage, unless worse is already known. */
void probe_note (Probe *probe, double intact, const char *format, ...) G_GNUC_PRINTF (3, 4);
/** probe_refuse: it is not a song, whatever `completeness` is. */
void probe_refuse (Probe *probe, const char *format, ...) G_GNUC_PRINTF (2, 3);
/** probe_compare: notes how much of @promised bytes of sound is missing between @start and @end. */
void probe_compare (Probe *probe, guint64 start, guint64 end, guint64 promised);
/** probe_is_made_up: whether @size, of 32 bits, is a placeholder that writers into a pipe use for an unknown
 * length: close to half or all of the range. */
gboolean probe_is_made_up (guint64 size);
/** probe_is_zero: whether all bytes from @offset to @end are zero. */
gboolean probe_is_zero (ProbeInput *input, guint64 offset, guint64 end);
/** probe_make_au_header: (transfer full) (nullable): a header for @size bytes of big-endian samples; %NULL: too
 * many bytes. */
GBytes *probe_make_au_header (guint encoding, guint rate, guint channels, guint64 size);
/** probe_add_part: appends a part; @header: (transfer full) (nullable). */
void probe_add_part (Probe *probe, guint64 start, guint64 end, GBytes *header);

/* Each takes a file that has its magic at @start. Where a function adds no part, the caller does. */
void probe_riff (ProbeInput *input, guint64 start, Probe *probe);
void probe_w64 (ProbeInput *input, guint64 start, Probe *probe);
void probe_aiff (ProbeInput *input, guint64 start, Probe *probe);
void probe_au (ProbeInput *input, guint64 start, Probe *probe);
void probe_caf (ProbeInput *input, guint64 start, Probe *probe);
void probe_asf (ProbeInput *input, guint64 start, Probe *probe);
void probe_flac (ProbeInput *input, guint64 start, guint64 end, Probe *probe);
void probe_mp4 (ProbeInput *input, guint64 start, Probe *probe);
void probe_matroska (ProbeInput *input, guint64 start, Probe *probe);
/** probe_ogg: adds a part for each link of a chain after the first. */
void probe_ogg (ProbeInput *input, guint64 start, guint64 end, Probe *probe);
/** probe_mpeg and the like: %FALSE where no frames of this kind begin at @start or, unless @is_exact, not far
 * from there. */
gboolean probe_mpeg (ProbeInput *input, guint64 start, guint64 end, gboolean is_exact,
                     Probe *probe);
gboolean probe_adts (ProbeInput *input, guint64 start, guint64 end, gboolean is_exact,
                     Probe *probe);
gboolean probe_ac3 (ProbeInput *input, guint64 start, guint64 end, gboolean is_exact, Probe *probe);
gboolean probe_dts (ProbeInput *input, guint64 start, guint64 end, gboolean is_exact, Probe *probe);

/** ProbeFrame: @key: equal in all frames of one stream. @length: bytes, header included */
typedef struct {
  guint32 key, length;
  double seconds;
} ProbeFrame;

/** ProbeFrameFunc: whether a frame begins at @offset; fills @frame. */
typedef gboolean (*ProbeFrameFunc) (ProbeInput *input, guint64 offset, ProbeFrame *frame);

/** probe_chain: likewise, for streams that consist only of such frames. */
gboolean probe_chain (ProbeInput *input, const char *container, ProbeFrameFunc read, guint64 start,
                      guint64 end, gboolean is_exact, Probe *probe);
