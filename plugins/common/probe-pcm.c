/* AIFF, AU and CAF: mostly uncompressed audio; the header contains its size in bytes. */
#include "probe-chunks.h"

#include <string.h>

#define MAX_COMMON 512
/* Bytes after the last sample in an audio chunk. */
#define MAX_PADDING 4096

/* AIFF */

typedef struct {
  guint8 bytes[MAX_COMMON]; /* the COMM chunk, unchanged */
  guint length;             /* 0: not found */
  guint frame_bytes;        /* 0: compressed */
  guint64 n_frames;
  double rate;
} Common;

/* 80 bits: sign, 15 bits of exponent, 64 of mantissa without a hidden one. */
static double
read_extended (const guint8 *p)
{
  gint exponent = (gint) (probe_be16 (p) & 0x7fff) - 16383 - 63;

  return ldexp ((double) probe_be64 (p + 2), exponent);
}

static void
read_common (ProbeInput *input, const ProbeChunk *chunk, gboolean is_aifc, Common *common)
{
  /* The bytes of a sample are its bits, rounded up to bytes. */
  static const char linear[][5] = {
    "NONE", "twos", "sowt", "raw ", "in24", "in32", "42ni", "23ni",
    "fl32", "FL32", "fl64", "FL64", "alaw", "ALAW", "ulaw", "ULAW"
  };
  static const guint8 widths[] = { 0, 0, 0, 0, 3, 4, 3, 4, 4, 4, 8, 8, 1, 1, 1, 1 };
  guint length = (guint) MIN (chunk->size, MAX_COMMON);
  const guint8 *p = length >= (is_aifc ? 22 : 18) ? probe_peek (input, chunk->start, length) : NULL;
  const char *name;

  if (!p)
    return;
  memcpy (common->bytes, p, length);
  common->length = length;
  common->n_frames = probe_be32 (p + 2);
  common->rate = read_extended (p + 8);
  name = is_aifc ? (const char *) p + 18 : "NONE";
  for (guint i = 0; i < G_N_ELEMENTS (linear); i++)
    if (memcmp (name, linear[i], 4) == 0)
      common->frame_bytes = probe_be16 (p) * (widths[i] ? widths[i] : (probe_be16 (p + 6) + 7) / 8);
}

static void
put_be32 (GByteArray *bytes, guint64 value)
{
  const guint8 p[] = { (guint8) (value >> 24), (guint8) (value >> 16), (guint8) (value >> 8),
                       (guint8) value };

  g_byte_array_append (bytes, p, sizeof p);
}

static GBytes *
make_aiff_header (const Common *common, gboolean is_aifc, guint64 size)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint padded = common->length + (common->length & 1);
  guint64 total = 4 + (is_aifc ? 12 : 0) + 8 + padded + 16 + size;

  g_byte_array_append (bytes, (const guint8 *) "FORM", 4);
  put_be32 (bytes, total);
  g_byte_array_append (bytes, (const guint8 *) (is_aifc ? "AIFC" : "AIFF"), 4);
  if (is_aifc)
    g_byte_array_append (bytes, (const guint8 *) "FVER\0\0\0\4\xa2\x80\x51\x40", 12);
  g_byte_array_append (bytes, (const guint8 *) "COMM", 4);
  put_be32 (bytes, common->length);
  g_byte_array_append (bytes, common->bytes, 2);
  put_be32 (bytes, size / common->frame_bytes);
  g_byte_array_append (bytes, common->bytes + 6, common->length - 6);
  if (padded > common->length)
    g_byte_array_append (bytes, (const guint8 *) "", 1);
  g_byte_array_append (bytes, (const guint8 *) "SSND", 4);
  put_be32 (bytes, 8 + size);
  g_byte_array_append (bytes, (const guint8 *) "\0\0\0\0\0\0\0", 8);
  return g_byte_array_free_to_bytes (g_steal_pointer (&bytes));
}

static void
read_sound (ProbeInput *input, Probe *probe, const Common *common, gboolean is_aifc,
            const ProbeChunk *sound)
{
  const guint8 *p = probe_peek (input, sound->start, 8);
  guint64 start = sound->start + 8, size, end, there;

  if (!p)
    return;
  start += MIN (probe_be32 (p), input->size); /* for alignment */
  there = input->size - MIN (start, input->size);
  size = sound->size > 8 ? sound->size - (start - sound->start) : there;
  if (size > there && probe_is_made_up (sound->size))
    size = there;
  else if (sound->size > 8 && sound->size < start - sound->start)
    size = 0;
  probe_compare (probe, start, input->size, size);
  if (!common->frame_bytes || !(common->rate >= 1))
    return;
  if (common->n_frames && common->n_frames < size / common->frame_bytes) {
    guint64 counted = common->n_frames * common->frame_bytes;

    /* The remainder may pad a block; more is audio that a header does not count. */
    if (size - counted <= MAX_PADDING)
      size = counted;
    else
      probe->remark = g_strdup_printf ("has a header that states %" G_GUINT64_FORMAT
                                       " samples, but contains %" G_GUINT64_FORMAT ": all are used",
                                       common->n_frames, size / common->frame_bytes);
  }
  probe->declared = (double) (size / common->frame_bytes) / common->rate;
  end = start + MIN (size, there);
  end -= (end - start) % common->frame_bytes;
  if (end - start < 0xffff0000)
    probe_add_part (probe, start, end, make_aiff_header (common, is_aifc, end - start));
}

void
probe_aiff (ProbeInput *input, guint64 start, Probe *probe)
{
  const guint8 *p = probe_peek (input, start, 12);
  gboolean is_aifc = p && p[11] == 'C';
  ProbeChunk chunk = { .next = start + 12 }, sound = { .start = 0 };
  Common common = { 0 };

  probe->container = "AIFF";
  for (guint i = 0; i < PROBE_MAX_CHUNKS && !(sound.start && common.length) &&
                    probe_read_chunk (input, chunk.next, TRUE, &chunk);
       i++) {
    if (g_str_equal (chunk.name, "SSND") && !sound.start)
      sound = chunk;
    else if (g_str_equal (chunk.name, "COMM"))
      read_common (input, &chunk, is_aifc, &common);
  }
  if (sound.start && common.length)
    read_sound (input, probe, &common, is_aifc, &sound);
  else
    probe_refuse (probe, "is damaged: it has no %s",
                  sound.start ? "chunk that describes its audio" : "audio chunk");
}

/* AU: offset, size, encoding, rate and channels. Nothing follows the audio, so all of it is used, whatever the
 * size is. */

GBytes *
probe_make_au_header (guint encoding, guint rate, guint channels, guint64 size)
{
  const guint32 fields[] = { 24, (guint32) size, encoding, rate, channels };
  guint8 bytes[24] = ".snd";

  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    probe_put_be32 (bytes + 4 + 4 * i, fields[i]);
  return size < 0xffff0000 ? g_bytes_new (bytes, sizeof bytes) : NULL;
}

void
probe_au (ProbeInput *input, guint64 start, Probe *probe)
{
  static const guint8 widths[] = {
    [1] = 1, [2] = 1, [3] = 2, [4] = 3, [5] = 4, [6] = 4, [7] = 8, [27] = 1
  };
  const guint8 *p = probe_peek (input, start, 24);
  guint64 sound, size, there, frame;
  guint32 encoding, rate, channels;

  probe->container = "AU";
  if (!p)
    return;
  sound = start + probe_be32 (p + 4);
  size = probe_be32 (p + 8);
  encoding = probe_be32 (p + 12);
  rate = probe_be32 (p + 16);
  channels = probe_be32 (p + 20);
  if (sound >= input->size) {
    probe_refuse (probe, "is damaged: its audio would begin after the end of the file");
    return;
  }
  there = probe_end_of_sound (input, sound) - sound;
  frame = (encoding < sizeof widths ? widths[encoding] : 0) * (guint64) channels;
  if (size == 0 || (size > there && probe_is_made_up (size)))
    size = there;
  if (frame && size + MAX_PADDING < there)
    probe->remark =
      g_strdup_printf ("has a header that states %" G_GUINT64_FORMAT
                       " bytes of audio, but contains %" G_GUINT64_FORMAT ": all are used",
                       size, there);
  if (frame)
    size = MAX (size, there);
  probe_compare (probe, sound, sound + there, size);
  if (!frame || !rate)
    return;
  probe->declared = (double) (size / frame) / rate;
  there -= there % frame;
  probe_add_part (probe, sound, sound + there,
                  probe_make_au_header (encoding, rate, channels, there));
}

/* CAF: chunks with sizes of eight bytes; that of the audio may be −1: up to the end. */

typedef struct {
  double rate;
  guint32 packet_bytes, packet_frames; /* 0: they differ */
  double seconds;
} Caf;

static void
read_caf_chunk (ProbeInput *input, Probe *probe, const char *name, guint64 start, guint64 size,
                Caf *caf)
{
  const guint8 *p = probe_peek (input, start, 24);

  if (p && g_str_equal (name, "desc")) {
    guint64 bits = probe_be64 (p);

    memcpy (&caf->rate, &bits, sizeof caf->rate);
    caf->packet_bytes = probe_be32 (p + 16);
    caf->packet_frames = probe_be32 (p + 20);
  } else if (p && g_str_equal (name, "pakt")) {
    caf->seconds = (double) MIN (probe_be64 (p + 8), G_MAXINT64) / caf->rate;
  } else if (g_str_equal (name, "data")) {
    if (caf->packet_bytes && caf->packet_frames && size > 4)
      caf->seconds = (double) ((size - 4) / caf->packet_bytes) * caf->packet_frames / caf->rate;
    probe_compare (probe, start, input->size, size);
  }
}

void
probe_caf (ProbeInput *input, guint64 start, Probe *probe)
{
  Caf caf = { .seconds = NAN };
  guint64 at = start + 8;
  const guint8 *p;

  probe->container = "CAF";
  for (guint i = 0; i < PROBE_MAX_CHUNKS && (p = probe_peek (input, at, 12)); i++) {
    guint64 size = probe_be64 (p + 4), there = input->size - at - 12;
    char name[5] = { (char) p[0], (char) p[1], (char) p[2], (char) p[3] };

    if (!probe_is_name (p)) {
      probe->remark = g_strdup_printf ("has %" G_GUINT64_FORMAT
                                       " bytes after the audio that its header states, which are "
                                       "not used: if the song is longer, export it again",
                                       input->size - at);
      break;
    }
    if (size > G_MAXINT64)
      size = there;
    read_caf_chunk (input, probe, name, at + 12, size, &caf);
    if (size > there)
      break;
    at += 12 + size;
  }
  if (caf.rate >= 1 && isfinite (caf.seconds) && caf.seconds > 0)
    probe->declared = caf.seconds;
}
