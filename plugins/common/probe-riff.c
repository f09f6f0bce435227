/* WAVE, of RIFF, RF64, BW64 and Sony's Wave64: the format, then how many bytes of sound there should be.
 *
 * A decoder gets a header of our own before the sound.  So lengths that a writer into a pipe made up,
 * chunks without their pad byte and bytes behind the sound are dealt with once. */
#include "probe-chunks.h"

#include <string.h>

/* Of a format chunk: the longest (of Microsoft's codecs) have 50 bytes. */
#define MAX_FORMAT 1024
#define EXTENSIBLE 0xfffe

typedef enum {
  TAG_PCM = 1,
  TAG_FLOAT = 3,
  TAG_ALAW = 6,
  TAG_MULAW = 7,
  TAG_MP2 = 0x50,
  TAG_MP3 = 0x55
} Tag;

typedef struct {
  guint8 bytes[MAX_FORMAT]; /* the chunk, as it is */
  guint length;             /* 0: not come across */
  guint tag;                /* of the sub-format, where it is extensible */
  guint channels, rate, block_align, bits;
  guint32 n_samples; /* of the `fact` chunk; 0: it has none */
  guint64 ds64_size; /* RF64: of the data chunk */
} Format;

static gboolean
is_linear (const Format *format)
{
  return format->tag == TAG_PCM || format->tag == TAG_FLOAT || format->tag == TAG_ALAW ||
         format->tag == TAG_MULAW;
}

static void
read_format (ProbeInput *input, guint64 start, guint64 size, Format *format)
{
  guint length = (guint) MIN (size, MAX_FORMAT);
  const guint8 *p = length >= 16 ? probe_peek (input, start, length) : NULL;

  if (!p)
    return;
  memcpy (format->bytes, p, length);
  format->length = length;
  format->tag = probe_le16 (p);
  format->channels = probe_le16 (p + 2);
  format->rate = probe_le32 (p + 4);
  format->block_align = probe_le16 (p + 12);
  format->bits = probe_le16 (p + 14);
  if (format->tag == EXTENSIBLE && length >= 40)
    format->tag = probe_le16 (p + 24);
}

static void
put_le (GByteArray *bytes, guint64 value, guint n)
{
  for (guint i = 0; i < n; i++) {
    guint8 byte = (guint8) (value >> 8 * i);

    g_byte_array_append (bytes, &byte, 1);
  }
}

/* Samples that are not whole bytes, or fewer bits than their bytes, stand at the upper end of these: as
 * plain samples of so many bytes every decoder reads them. */
static void
put_format (GByteArray *bytes, const Format *format)
{
  guint width = format->channels ? format->block_align / format->channels * 8 : 0;
  gboolean is_odd = format->tag == TAG_PCM && width != format->bits && width >= 8 && width <= 32 &&
                    width / 8 * format->channels == format->block_align;

  g_byte_array_append (bytes, (const guint8 *) "fmt ", 4);
  if (is_odd) {
    put_le (bytes, 16, 4);
    put_le (bytes, TAG_PCM, 2);
    g_byte_array_append (bytes, format->bytes + 2, 12);
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

/* What is behind @start may be the sound, or, where there is none, the next chunk. */
static guint64
actual_size (ProbeInput *input, const Format *format, guint64 start, guint64 size)
{
  guint64 there = input->size - MIN (start, input->size);

  if (format->ds64_size && size == 0xffffffff)
    return format->ds64_size;
  if (size == 0 && !probe_is_chunk (input, start))
    return there;
  return size > there && probe_is_made_up (size) ? there : size;
}

static void
read_data (ProbeInput *input, Probe *probe, const Format *format, guint64 start, guint64 size)
{
  guint64 end;

  probe_compare (probe, start, input->size, size);
  end = start + MIN (size, input->size - MIN (start, input->size));
  if (format->tag == TAG_MP3 || format->tag == TAG_MP2) {
    if (!probe_mpeg (input, start, end, probe))
      probe_add_part (probe, start, end, NULL);
    return;
  }
  if (is_linear (format) && format->block_align && format->rate) {
    probe->declared = (double) (size / format->block_align) / format->rate;
    end -= (end - start) % format->block_align;
  }
  /* Four bytes have to be enough for the length. */
  if (end - start < 0xffff0000)
    probe_add_part (probe, start, end, make_header (format, end - start));
}

/* Once the sound was found, or is known not to be there. */
static void
conclude (ProbeInput *input, Probe *probe, const Format *format, guint64 start, guint64 size)
{
  if (!start)
    probe_refuse (probe, "is damaged: no chunk of sound can be found in it");
  else if (!format->length)
    probe_refuse (probe, "is damaged: it does not say what format its sound is in");
  else
    read_data (input, probe, format, start, actual_size (input, format, start, size));
}

static void
probe_wave (ProbeInput *input, guint64 start, Probe *probe)
{
  Format format = { 0 };
  ProbeChunk chunk = { .next = start + 12 }, data = { .start = 0 };
  const guint8 *p;

  probe->container = "WAVE";
  for (guint i = 0; i < PROBE_MAX_CHUNKS && !(data.start && format.length) &&
                    probe_read_chunk (input, chunk.next, FALSE, &chunk);
       i++) {
    if (g_str_equal (chunk.name, "data") && !data.start)
      data = chunk;
    else if (g_str_equal (chunk.name, "fmt "))
      read_format (input, chunk.start, chunk.size, &format);
    else if (g_str_equal (chunk.name, "fact") && (p = probe_peek (input, chunk.start, 4)))
      format.n_samples = probe_le32 (p);
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
    probe_wave (input, start, probe);
  else
    probe->trusts_decoder = p != NULL; /* AVI and the like */
}

/* Names of 16 bytes, of which the first four say it; sizes of eight, with the 24 before the bytes
 * themselves; padded to eight. */
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
        size = there; /* into a pipe */
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
