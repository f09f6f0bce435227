/* WAVE, of RIFF, RIFX, RF64, BW64 and Sony's Wave64: the format, then the number of bytes of audio.
 *
 * A decoder gets a generated header before the audio. So placeholder lengths from writers into a pipe, chunks
 * without their pad byte and bytes after the audio are handled in one place. */
#include "probe-chunks.h"

#include <string.h>

/* Of a format chunk: the longest (of Microsoft's codecs) have 50 bytes. */
#define MAX_FORMAT 1024
#define EXTENSIBLE 0xfffe
/* Bytes after the audio that are not worth a message. */
#define MAX_BEHIND 4096

typedef enum {
  TAG_PCM = 1,
  TAG_FLOAT = 3,
  TAG_ALAW = 6,
  TAG_MULAW = 7,
  TAG_MP2 = 0x50,
  TAG_MP3 = 0x55
} Tag;

typedef struct {
  guint8 bytes[MAX_FORMAT]; /* the chunk, unchanged */
  guint length;             /* 0: not found */
  guint tag;                /* of the sub-format, where it is extensible */
  guint channels, rate, bits;
  guint block_align; /* for linear samples the required value, whatever the chunk has */
  gboolean is_wrong; /* the chunk has another value */
  gboolean is_big;   /* RIFX: numbers and samples are big-endian */
  guint32 n_samples; /* of the `fact` chunk; 0: it has none */
  guint64 ds64_size; /* RF64: of the data chunk */
} Format;

static gboolean
is_linear (const Format *format)
{
  return format->tag == TAG_PCM || format->tag == TAG_FLOAT || format->tag == TAG_ALAW ||
         format->tag == TAG_MULAW;
}

/* A frame has room for the bits of all of its samples; more is correct where there is padding. */
static void
check_block (Format *format)
{
  guint least = format->channels * ((format->bits + 7) / 8);

  if (!is_linear (format) || !least ||
      (format->block_align >= least && format->block_align % format->channels == 0))
    return;
  format->block_align = least;
  format->is_wrong = TRUE;
}

/* Swaps the bytes of the 16-bit and 32-bit fields. */
static void
turn_round (guint8 *bytes)
{
  static const guint sizes[] = { 2, 2, 4, 4, 2, 2 };

  for (guint i = 0; i < G_N_ELEMENTS (sizes); bytes += sizes[i++])
    for (guint k = 0; k < sizes[i] / 2; k++) {
      guint8 other = bytes[sizes[i] - 1 - k];

      bytes[sizes[i] - 1 - k] = bytes[k];
      bytes[k] = other;
    }
}

static void
read_format (ProbeInput *input, guint64 start, guint64 size, Format *format)
{
  guint length = (guint) MIN (size, MAX_FORMAT);
  const guint8 *p = length >= 16 ? probe_peek (input, start, length) : NULL;

  if (!p)
    return;
  memcpy (format->bytes, p, length);
  if (format->is_big)
    turn_round (format->bytes);
  p = format->bytes;
  format->length = length;
  format->tag = probe_le16 (p);
  format->channels = probe_le16 (p + 2);
  format->rate = probe_le32 (p + 4);
  format->block_align = probe_le16 (p + 12);
  format->bits = probe_le16 (p + 14);
  if (format->tag == EXTENSIBLE && length >= 40)
    format->tag = probe_le16 (p + 24);
  check_block (format);
}

static void
put_le (GByteArray *bytes, guint64 value, guint n)
{
  for (guint i = 0; i < n; i++) {
    guint8 byte = (guint8) (value >> 8 * i);

    g_byte_array_append (bytes, &byte, 1);
  }
}

/* Samples that are not whole bytes, or have fewer bits than their bytes, are in the upper bits: every decoder
 * reads them as plain samples of that many bytes. */
static void
put_format (GByteArray *bytes, const Format *format)
{
  guint width = format->channels ? format->block_align / format->channels * 8 : 0;
  gboolean is_odd = format->tag == TAG_PCM && width != format->bits && width >= 8 && width <= 32 &&
                    width / 8 * format->channels == format->block_align;

  g_byte_array_append (bytes, (const guint8 *) "fmt ", 4);
  if (is_odd || format->is_wrong) {
    put_le (bytes, 16, 4);
    put_le (bytes, format->tag, 2);
    put_le (bytes, format->channels, 2);
    put_le (bytes, format->rate, 4);
    put_le (bytes, (guint64) format->rate * format->block_align, 4);
    put_le (bytes, format->block_align, 2);
    put_le (bytes, width, 2);
    return;
  }
  put_le (bytes, format->length, 4);
  g_byte_array_append (bytes, format->bytes, format->length);
  if (format->length & 1)
    put_le (bytes, 0, 1);
}

static GBytes *
make_header (const Format *format, guint64 size)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint64 total;

  g_byte_array_append (bytes, (const guint8 *) "RIFF\0\0\0\0WAVE", 12);
  put_format (bytes, format);
  if (format->n_samples) {
    g_byte_array_append (bytes, (const guint8 *) "fact", 4);
    put_le (bytes, 4, 4);
    put_le (bytes, format->n_samples, 4);
  }
  g_byte_array_append (bytes, (const guint8 *) "data", 4);
  put_le (bytes, size, 4);
  total = bytes->len - 8 + size;
  for (guint i = 0; i < 4; i++)
    bytes->data[4 + i] = (guint8) (total >> 8 * i);
  return g_byte_array_free_to_bytes (g_steal_pointer (&bytes));
}

/* The data after @start may be the audio, or, where there is none, the next chunk. */
static guint64
actual_size (ProbeInput *input, const Format *format, guint64 start, guint64 size)
{
  guint64 there = input->size - MIN (start, input->size);

  if (format->ds64_size && size == 0xffffffff)
    return format->ds64_size > there && format->ds64_size >= G_MAXINT64 / 2 ? there
                                                                            : format->ds64_size;
  if (size == 0 && !probe_is_chunk (input, start))
    return there;
  return size > there && probe_is_made_up (size) ? there : size;
}

/* Whether the file from @at to its end consists of chunks, and of data that may follow chunks. */
static gboolean
is_explained (ProbeInput *input, const Format *format, guint64 at)
{
  guint64 end = probe_end_of_sound (input, at);
  ProbeChunk chunk = { .next = at + (at & 1) };

  for (guint i = 0; i < PROBE_MAX_CHUNKS && chunk.next + 8 <= end; i++)
    if (!probe_read_chunk (input, chunk.next, format->is_big, &chunk) ||
        g_str_equal (chunk.name, "data") || g_str_equal (chunk.name, "RIFF"))
      return FALSE;
  return TRUE;
}

/* Where a header was written before the audio, or files were concatenated, bytes that it does not count may be
 * audio, or anything. */
static void
look_behind (ProbeInput *input, Probe *probe, const Format *format, guint64 end)
{
  guint64 there = probe_end_of_sound (input, end) - end;

  if (!probe->remark && there > MAX_BEHIND && !is_explained (input, format, end) &&
      !probe_is_zero (input, end, end + there))
    probe->remark = g_strdup_printf ("has %" G_GUINT64_FORMAT
                                     " bytes after the audio that its header states, which are not "
                                     "used: if the song is longer, export it again",
                                     there);
}

/* An AU header for big-endian samples, which no decoder supports fully in WAVE; %NULL: one-byte samples, or a type
 * that AU does not have. */
static GBytes *
make_big_header (const Format *format, guint64 size)
{
  guint width = format->block_align / format->channels;
  guint encoding = format->tag == TAG_PCM && width >= 2 && width <= 4       ? width + 1
                   : format->tag == TAG_FLOAT && (width == 4 || width == 8) ? 5 + width / 4
                                                                            : 0;

  return encoding ? probe_make_au_header (encoding, format->rate, format->channels, size) : NULL;
}

static void
read_data (ProbeInput *input, Probe *probe, const Format *format, guint64 start, guint64 size)
{
  GBytes *header;
  guint64 end;

  probe_compare (probe, start, input->size, size);
  end = start + MIN (size, input->size - MIN (start, input->size));
  if (format->tag == TAG_MP3 || format->tag == TAG_MP2) {
    if (!probe_mpeg (input, start, end, FALSE, probe))
      probe_add_part (probe, start, end, NULL);
    return;
  }
  if (is_linear (format) && format->block_align && format->rate) {
    probe->declared = (double) (size / format->block_align) / format->rate;
    look_behind (input, probe, format, end);
    end -= (end - start) % format->block_align;
    if (format->is_big && format->channels && (header = make_big_header (format, end - start))) {
      probe_add_part (probe, start, end, header);
      return;
    }
  }
  /* The length has to fit into four bytes. */
  if (end - start < 0xffff0000)
    probe_add_part (probe, start, end, make_header (format, end - start));
}

/* After the audio was found, or is known to be missing. */
static void
conclude (ProbeInput *input, Probe *probe, const Format *format, guint64 start, guint64 size)
{
  if (!start)
    probe_refuse (probe, "is damaged: it has no audio chunk");
  else if (!format->length)
    probe_refuse (probe, "is damaged: it does not state its audio format");
  else
    read_data (input, probe, format, start, actual_size (input, format, start, size));
}

static void
probe_wave (ProbeInput *input, guint64 start, gboolean is_big, Probe *probe)
{
  Format format = { .is_big = is_big };
  ProbeChunk chunk = { .next = start + 12 }, data = { .start = 0 };
  const guint8 *p;

  probe->container = "WAVE";
  for (guint i = 0; i < PROBE_MAX_CHUNKS && !(data.start && format.length) &&
                    probe_read_chunk (input, chunk.next, is_big, &chunk);
       i++) {
    if (g_str_equal (chunk.name, "data") && !data.start)
      data = chunk;
    else if (g_str_equal (chunk.name, "fmt "))
      read_format (input, chunk.start, chunk.size, &format);
    else if (g_str_equal (chunk.name, "fact") && (p = probe_peek (input, chunk.start, 4)))
      format.n_samples = is_big ? probe_be32 (p) : probe_le32 (p);
    else if (g_str_equal (chunk.name, "ds64") && (p = probe_peek (input, chunk.start, 24)))
      format.ds64_size = probe_le64 (p + 8);
  }
  conclude (input, probe, &format, data.start, data.size);
}

void
probe_riff (ProbeInput *input, guint64 start, Probe *probe)
{
  const guint8 *p = probe_peek (input, start, 12);

  if (p && memcmp (p + 8, "WAVE", 4) == 0)
    probe_wave (input, start, p[3] == 'X', probe);
  else
    probe->trusts_decoder = p != NULL; /* AVI and the like */
}

/* Names of 16 bytes, of which the first four identify the chunk; sizes of eight bytes, including the 24 before the
 * data; padded to eight. */
void
probe_w64 (ProbeInput *input, guint64 start, Probe *probe)
{
  Format format = { 0 };
  guint64 at = start + 40;
  const guint8 *p;

  probe->container = "Wave64";
  for (guint i = 0; i < PROBE_MAX_CHUNKS && (p = probe_peek (input, at, 24)); i++) {
    guint64 size = probe_le64 (p + 16), there = input->size - at;

    if (memcmp (p, "data", 4) == 0) {
      if (size < 24 || (size > there && size - 24 >= G_MAXINT64 / 2))
        size = there; /* written into a pipe */
      conclude (input, probe, &format, at + 24, size - 24);
      return;
    }
    if (size < 24 || size > there)
      break;
    if (memcmp (p, "fmt ", 4) == 0)
      read_format (input, at + 24, size - 24, &format);
    at += (size + 7) & ~(guint64) 7;
  }
  conclude (input, probe, &format, 0, 0);
}
