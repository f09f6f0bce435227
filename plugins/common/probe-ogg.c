/* Ogg: pages with a number, a checksum and the time position at which they end.
 *
 * A decoder uses whatever pages it finds and reports no errors. A complete stream has no missing page numbers,
 * correct checksums, and ends with the end of a packet: at a page marked as the last, or, since writers that were
 * stopped mark none, where the file or the link of a chain ends. */
#include "probe-private.h"

#include <string.h>

#define HEADER      27
#define ID3V1_BYTES 128
/* Zeros at the end of a file. */
#define MAX_PADDING (64 * 1024)
#define MAX_STREAMS 4096 /* of all links: a day of web radio has hundreds */

typedef enum { CODEC_OTHER, CODEC_VORBIS, CODEC_OPUS, CODEC_FLAC, CODEC_SPEEX } Codec;

typedef struct {
  guint32 serial;
  guint link; /* of a chain */
  Codec codec;
  guint32 rate;       /* of the granule positions */
  guint32 per_packet; /* maximum number of samples in a packet */
  guint32 skip;       /* samples at the start that are not played (Opus) */
  guint32 next_page;
  gboolean ended;
  gboolean is_open; /* its last page ends within a packet, or has no position */
  gint64 first;     /* granule position at which the stream starts; -1: not known yet */
  gint64 last;      /* -1: none yet */
  guint64 pages;
  guint64 missing;
} Stream;

typedef struct {
  ProbeInput *input;
  Probe *probe;
  GArray *streams; /* Stream, in all links of a chain */
  guint link;
  gboolean is_under_way; /* this link has pages after those that begin streams */
  guint64 damaged;       /* bytes outside of pages, or of pages with a wrong checksum */
  guint64 wasted;        /* bytes whose checksum was computed in vain */
  guint64 start, end;
  gboolean ends_within; /* the last bytes are not a complete page */
  gboolean has_too_many;
} Ogg;

/* CRC-32 with polynomial 0x04c11db7, not reflected, from zero, as in the format's framing specification. @rows:
 * [k][b]: the value of byte b after k more bytes. */
typedef struct {
  guint32 rows[8][256];
} CrcTable;

static void
make_table (CrcTable *table)
{
  guint32 (*rows)[256] = table->rows;

  for (guint32 i = 0; i < 256; i++) {
    guint32 value = i << 24;

    for (guint bit = 0; bit < 8; bit++)
      value = value << 1 ^ (value & 0x80000000u ? 0x04c11db7u : 0);
    rows[0][i] = value;
  }
  for (guint k = 1; k < 8; k++)
    for (guint32 i = 0; i < 256; i++)
      rows[k][i] = rows[k - 1][i] << 8 ^ rows[0][rows[k - 1][i] >> 24];
}

/* Every page of a song is processed here, so eight bytes at a time. */
static guint32
add_to_checksum (const CrcTable *table, guint32 sum, const guint8 *p, gsize n)
{
  const guint32 (*t)[256] = table->rows;

  for (; n >= 8; p += 8, n -= 8) {
    guint32 a = sum ^ probe_be32 (p), b = probe_be32 (p + 4);

    sum = t[7][a >> 24] ^ t[6][a >> 16 & 255] ^ t[5][a >> 8 & 255] ^ t[4][a & 255] ^ t[3][b >> 24] ^
          t[2][b >> 16 & 255] ^ t[1][b >> 8 & 255] ^ t[0][b & 255];
  }
  for (; n > 0; p++, n--)
    sum = sum << 8 ^ t[0][(sum >> 24) ^ *p];
  return sum;
}

/* The page's own checksum field counts as zeros. FALSE also where the page is incomplete. */
static gboolean
checksum_is_right (ProbeInput *input, const CrcTable *table, guint64 offset, guint32 length)
{
  const guint8 *p = probe_peek (input, offset, HEADER);
  guint8 header[HEADER];
  guint32 stated, sum;

  if (!p)
    return FALSE;
  stated = probe_le32 (p + 22);
  memcpy (header, p, HEADER);
  memset (header + 22, 0, 4);
  sum = add_to_checksum (table, 0, header, HEADER);
  for (guint32 at = HEADER, n; at < length; at += n) {
    n = MIN (length - at, 16384);
    p = probe_peek (input, offset + at, n);
    if (!p)
      return FALSE;
    sum = add_to_checksum (table, sum, p, n);
  }
  return sum == stated;
}

static Stream
identify (const guint8 *packet, gsize length, guint32 serial)
{
  Stream stream = { .serial = serial, .first = -1, .last = -1 };

  if (length >= 30 && memcmp (packet, "\001vorbis", 7) == 0) {
    stream.codec = CODEC_VORBIS;
    stream.rate = probe_le32 (packet + 12);
    stream.per_packet = 8192;
  } else if (length >= 19 && memcmp (packet, "OpusHead", 8) == 0) {
    stream.codec = CODEC_OPUS;
    stream.rate = 48000;
    stream.per_packet = 5760;
    stream.skip = (guint32) packet[10] | (guint32) packet[11] << 8;
  } else if (length >= 51 && memcmp (packet, "\177FLAC", 5) == 0) {
    stream.codec = CODEC_FLAC;
    stream.rate =
      (guint32) packet[27] << 12 | (guint32) packet[28] << 4 | (guint32) packet[29] >> 4;
    stream.per_packet = 65535;
  } else if (length >= 68 && memcmp (packet, "Speex   ", 8) == 0) {
    stream.codec = CODEC_SPEEX;
    stream.rate = probe_le32 (packet + 36);
    stream.per_packet = 640 * 32;
  }
  if (!stream.rate)
    stream.codec = CODEC_OTHER;
  return stream;
}

/* The link of a chain that is open now, or NULL. */
static Stream *
find_stream (Ogg *ogg, guint32 serial)
{
  for (guint i = ogg->streams->len; i-- > 0;) {
    Stream *stream = &g_array_index (ogg->streams, Stream, i);

    if (stream->serial == serial)
      return stream;
  }
  return NULL;
}

static void
read_position (Stream *stream, gint64 granule, guint packets)
{
  if (granule < 0)
    return;
  if (stream->first < 0 && granule > 0) {
    /* A recording cut from a broadcast may start at any position. */
    gint64 most = (gint64) packets * stream->per_packet;

    stream->first = granule > most ? granule : 0;
  }
  stream->last = MAX (stream->last, granule);
}

/* All streams of a link begin before any continues. */
static void
note_link (Ogg *ogg, gboolean begins, guint64 offset)
{
  if (begins && ogg->is_under_way && ogg->streams->len < MAX_STREAMS) {
    probe_add_part (ogg->probe, offset, ogg->end, NULL);
    ogg->link++;
  }
  ogg->is_under_way = !begins;
}

/* @page: HEADER + n_segments bytes; @packet: the data that follows, as far as it could be read. */
static void
read_page (Ogg *ogg, const guint8 *page, const guint8 *packet, gsize packet_length)
{
  guint8 flags = page[5];
  guint32 serial = probe_le32 (page + 14), number = probe_le32 (page + 18);
  Stream *stream;
  guint packets = 0;

  if (flags & 2) {
    Stream fresh = identify (packet, packet_length, serial);

    ogg->has_too_many = ogg->has_too_many || ogg->streams->len >= MAX_STREAMS;
    if (ogg->has_too_many)
      return;
    fresh.link = ogg->link;
    fresh.next_page = number;
    g_array_append_val (ogg->streams, fresh);
  }
  stream = find_stream (ogg, serial);
  if (!stream || stream->ended)
    return;
  for (guint i = 0; i < page[26]; i++)
    packets += page[HEADER + i] < 255;
  if (number > stream->next_page)
    stream->missing += number - stream->next_page;
  stream->next_page = number + 1;
  stream->pages++;
  stream->ended = (flags & 4) != 0;
  stream->is_open =
    page[26] == 0 || page[HEADER + page[26] - 1] == 255 || probe_le64 (page + 6) == G_MAXUINT64;
  read_position (stream, (gint64) probe_le64 (page + 6), packets);
}

/* The offset after data that is neither audio nor damage: a tag between links, zeros that pad the file. */
static guint64
skip_padding (Ogg *ogg, guint64 offset)
{
  const guint8 *p = probe_peek (ogg->input, offset, 3);
  guint64 after = probe_skip_id3 (ogg->input, offset);

  if (p && memcmp (p, "TAG", 3) == 0)
    after = offset + ID3V1_BYTES;
  if (p && *p == 0 && ogg->end - offset <= MAX_PADDING &&
      probe_is_zero (ogg->input, offset, ogg->end)) {
    g_array_index (ogg->probe->parts, ProbePart, ogg->probe->parts->len - 1).end = offset;
    after = ogg->end;
  }
  return MIN (after, ogg->end);
}

/* Skips one page, or one byte that does not begin a page. */
static guint64
step (Ogg *ogg, const CrcTable *table, guint64 offset)
{
  guint8 page[HEADER + 255];
  const guint8 *p = probe_peek (ogg->input, offset, HEADER);
  guint64 after = ogg->ends_within ? offset : skip_padding (ogg, offset);
  guint32 length;

  if (after > offset)
    return after;
  ogg->ends_within = TRUE;
  if (!p || memcmp (p, "OggS", 4) != 0 || p[4] != 0) {
    ogg->damaged++;
    return offset + 1;
  }
  length = HEADER + (guint32) p[26];
  p = probe_peek (ogg->input, offset, length);
  if (!p) {
    ogg->damaged++;
    return offset + 1;
  }
  memcpy (page, p, length);
  for (guint i = 0; i < page[26]; i++)
    length += page[HEADER + i];
  if (!checksum_is_right (ogg->input, table, offset, length)) {
    ogg->wasted += length;
    ogg->damaged++;
    return offset + 1;
  }
  ogg->ends_within = FALSE;
  note_link (ogg, (page[5] & 2) != 0, offset);
  p = probe_peek (ogg->input, offset + HEADER + page[26], MIN (length - HEADER - page[26], 128));
  read_page (ogg, page, p, p ? MIN (length - HEADER - page[26], 128) : 0);
  return offset + length;
}

static void
sum_up (Ogg *ogg, Probe *probe)
{
  double declared = 0;
  gint counted = -1; /* the last link with audio: of several tracks in it the first is decoded */

  for (guint i = 0; i < ogg->streams->len; i++) {
    const Stream *stream = &g_array_index (ogg->streams, Stream, i);
    gint64 samples = stream->last - MAX (stream->first, 0) - (gint64) stream->skip;

    if (stream->codec == CODEC_OTHER)
      continue;
    if (samples > 0 && (gint) stream->link > counted)
      declared += (double) samples / stream->rate;
    counted = (gint) stream->link;
    if (stream->missing)
      probe_note (probe, (double) stream->pages / (double) (stream->pages + stream->missing),
                  "%" G_GUINT64_FORMAT " of its pages are missing", stream->missing);
    if (!stream->ended && (stream->is_open || ogg->ends_within))
      probe_note (probe, 0, "it ends within a page: it is truncated");
    else if (!stream->ended && !probe->remark)
      probe->remark = g_strdup (
        "has no end mark on its last page; treated as complete, because that page is complete");
  }
  if (ogg->has_too_many)
    probe_note (probe, 0, "it contains more than %d recordings, one after the other", MAX_STREAMS);
  if (counted >= 0)
    probe->declared = declared;
  if (ogg->damaged)
    probe_note (probe, 1 - (double) ogg->damaged / (double) (ogg->end - ogg->start),
                "%" G_GUINT64_FORMAT " bytes in it are damaged", ogg->damaged);
}

void
probe_ogg (ProbeInput *input, guint64 start, guint64 end, Probe *probe)
{
  Ogg ogg = { .input = input, .probe = probe, .start = start, .end = end };
  CrcTable table;
  guint64 offset = start;

  probe->container = "Ogg";
  probe_add_part (probe, start, end, NULL);
  make_table (&table);
  ogg.streams = g_array_new (FALSE, TRUE, sizeof (Stream));
  /* Nested pages with false lengths could take unlimited time. */
  while (offset < end && ogg.wasted <= 2 * (end - start) + PROBE_WINDOW && !input->failed &&
         !g_cancellable_is_cancelled (input->cancellable))
    offset = step (&ogg, &table, offset);
  ogg.damaged += end - MIN (offset, end);
  sum_up (&ogg, probe);
  g_array_unref (ogg.streams);
}
