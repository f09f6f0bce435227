/* Reading a hostile file piece by piece (internal to the probes). */
#pragma once

#include "probe.h"

#define PROBE_WINDOW (64 * 1024)
/* What stays in the window before the place that is read, for a look ahead and back. */
#define PROBE_BEHIND (8 * 1024)
#define PROBE_PEEK   (PROBE_WINDOW - PROBE_BEHIND)

typedef struct {
  int fd;
  guint64 size; /* of the file when it was opened */
  GCancellable *cancellable;
  guint64 window_start;
  gsize window_length;
  int failed; /* errno, once reading failed */
  guint8 window[PROBE_WINDOW];
} ProbeInput;

/** probe_peek: (transfer none) (nullable): @n ≤ PROBE_PEEK bytes at @offset, valid until the next
 * call; %NULL where the file ends before, or reading failed. */
const guint8 *probe_peek (ProbeInput *input, guint64 offset, gsize n);

static inline guint32
probe_be32 (const guint8 *p)
{
  return (guint32) p[0] << 24 | (guint32) p[1] << 16 | (guint32) p[2] << 8 | p[3];
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

/** probe_skip_id3: the offset after any ID3v2 tags that stand at @offset. */
guint64 probe_skip_id3 (ProbeInput *input, guint64 offset);
/** probe_note: lowers @intact and sets the damage, unless worse is already known. */
void probe_note (Probe *probe, double intact, const char *format, ...) G_GNUC_PRINTF (3, 4);
/** probe_add_part: another one after those that are there. */
void probe_add_part (Probe *probe, guint64 start);

/* Each takes a file that starts (after ID3v2 tags, at @start) with its magic. */
void probe_riff (ProbeInput *input, Probe *probe);
void probe_aiff (ProbeInput *input, Probe *probe);
void probe_asf (ProbeInput *input, Probe *probe);
void probe_ogg (ProbeInput *input, Probe *probe);
/** probe_mpeg: %FALSE where @start does not begin MPEG audio frames. */
gboolean probe_mpeg (ProbeInput *input, guint64 start, Probe *probe);
