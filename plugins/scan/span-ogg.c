/* Ogg: a tagger rewrites the audio packets unchanged, in pages with other numbers and checksums, or even of other
 * sizes. So packets are compared, not pages. */
#include "span-private.h"

#include <string.h>

#define HEADER      27
#define MAX_PAGE    (HEADER + 255 + 255 * 255)
#define MAX_COMMENT 4096 /* pages: a picture may be large */
/* Identifies a file, together with its last position. */
#define TAIL_BYTES 1024u
#define TAIL_RANGE ((gsize) 2 * MAX_PAGE)

/* @page: HEADER + 255 bytes; its total size, or 0: no page at @at. */
static gsize
read_page (int fd, guint64 at, guint64 end, guint8 *page)
{
  gsize size;

  if (at + HEADER > end || !span_read_at (fd, at, page, HEADER) || memcmp (page, "OggS", 5) != 0 ||
      at + HEADER + page[26] > end || !span_read_at (fd, at + HEADER, page + HEADER, page[26]))
    return 0;
  size = HEADER + (gsize) page[26];
  for (guint i = 0; i < page[26]; i++)
    size += page[HEADER + i];
  return at + size <= end ? size : 0;
}

/* Packets of the stream before those of audio; 0: unknown codec. */
static guint
count_headers (const guint8 *packet)
{
  if (memcmp (packet, "\1vorbis", 7) == 0)
    return 3;
  if (memcmp (packet, "OpusHead", 8) == 0 || memcmp (packet, "Speex   ", 8) == 0)
    return 2;
  if (memcmp (packet, "\177FLAC", 5) == 0 && (packet[7] || packet[8]))
    return 1 + ((guint) packet[7] << 8 | packet[8]);
  return 0;
}

/* The offset of the first page of audio; 0: more than one stream, or not known. */
static guint64
find_sound (int fd, guint64 start, guint64 end)
{
  guint8 page[HEADER + 255], packet[16];
  guint64 at = start;
  guint wanted = 0, found = 0;

  for (guint i = 0; i < MAX_COMMENT; i++) {
    gsize size = read_page (fd, at, end, page);

    if (!size || (i > 0 && page[5] & 2))
      return 0;
    if (i == 0 && size >= HEADER + page[26] + sizeof packet &&
        span_read_at (fd, at + HEADER + page[26], packet, sizeof packet))
      wanted = count_headers (packet);
    for (guint k = 0; k < page[26]; k++)
      found += page[HEADER + k] < 255;
    at += size;
    if (!wanted || found > wanted)
      return 0;
    if (found == wanted)
      return at;
  }
  return 0;
}

/* The last position, and the content of the last packets. FALSE: the file does not end with a complete page. */
static gboolean
digest_tail (int fd, const Span *span, guint64 from, GChecksum *checksum)
{
  g_autoptr (GByteArray) payload = g_byte_array_new ();
  g_autofree guint8 *page = g_malloc (MAX_PAGE);
  guint64 end = span->start + span->length;
  guint8 position[8] = { 0 };

  for (guint64 at = from; at < end;) {
    gsize size = read_page (fd, at, end, page), head = size ? HEADER + (gsize) page[26] : 0;

    if (!size || !span_read_at (fd, at + head, page + head, size - head))
      return FALSE;
    memcpy (position, page + 6, sizeof position);
    g_byte_array_append (payload, page + head, (guint) (size - head));
    if (payload->len > TAIL_BYTES)
      g_byte_array_remove_range (payload, 0, payload->len - TAIL_BYTES);
    at += size;
  }
  g_checksum_update (checksum, position, sizeof position);
  g_checksum_update (checksum, payload->data, payload->len);
  return payload->len > 0;
}

/* A page from which pages continue up to the end. */
static guint64
find_tail (int fd, const Span *span)
{
  g_autofree guint8 *bytes = g_malloc (TAIL_RANGE);
  guint64 end = span->start + span->length, from, at;
  guint8 page[HEADER + 255];
  gsize n = TAIL_RANGE;

  if (span->length <= n)
    return span->start;
  from = end - n;
  if (!span_read_at (fd, from, bytes, n))
    return end;
  for (gsize i = 0; i + HEADER < n / 2; i++) {
    if (memcmp (bytes + i, "OggS", 5) != 0)
      continue;
    at = from + i;
    at += read_page (fd, at, end, page);
    if (at > from + i && (at == end || read_page (fd, at, end, page)))
      return from + i;
  }
  return end;
}

gboolean
span_find_ogg (int fd, Span *span)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_MD5);
  guint64 end = span->start + span->length, sound = find_sound (fd, span->start, end);
  gsize size = sizeof span->digest;
  Span packets = { .start = sound, .length = end - sound };

  if (!sound || sound >= end || !digest_tail (fd, &packets, find_tail (fd, &packets), checksum))
    return FALSE;
  packets.is_paged = TRUE;
  g_checksum_get_digest (checksum, packets.digest, &size);
  *span = packets;
  return TRUE;
}

gssize
span_read_packets (SpanReader *self, guint8 *buffer, gsize most)
{
  guint8 page[HEADER + 255];
  gsize n = 0;

  while (n < most) {
    gsize some = MIN (most - n, self->left);

    if (some > 0 && !span_read_at (self->fd, self->at, buffer + n, some))
      return -1;
    n += some;
    self->at += some;
    self->left -= some;
    if (n == most || self->at >= self->end)
      break;
    gsize size = read_page (self->fd, self->at, self->end, page);

    if (!size)
      return -1;
    self->at += HEADER + page[26];
    self->left = size - HEADER - page[26];
  }
  return (gssize) n;
}
