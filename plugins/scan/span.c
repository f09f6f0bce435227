#include "span-private.h"

#include <string.h>
#include <unistd.h>

/* ID3v1 and the footer of APEv2 before it. */
#define ID3V1_BYTES 128
#define APE_BYTES   32

gboolean
span_read_at (int fd, guint64 offset, void *buffer, gsize length)
{
  return pread (fd, buffer, length, (off_t) offset) == (gssize) length;
}

static guint32
little_32 (const guint8 *bytes)
{
  return (guint32) bytes[0] | (guint32) bytes[1] << 8 | (guint32) bytes[2] << 16 |
         (guint32) bytes[3] << 24;
}

/* Several of them may follow one another. */
static void
skip_id3v2 (int fd, Span *span)
{
  guint8 head[10];

  while (span->length > sizeof head && span_read_at (fd, span->start, head, sizeof head) &&
         memcmp (head, "ID3", 3) == 0 && ((head[6] | head[7] | head[8] | head[9]) & 0x80) == 0) {
    guint64 size =
      (guint64) head[6] << 21 | (guint64) head[7] << 14 | (guint64) head[8] << 7 | head[9];
    guint64 all = size + sizeof head + (head[5] & 0x10 ? 10 : 0);

    if (all >= span->length)
      return;
    span->start += all;
    span->length -= all;
  }
}

static void
skip_tail (int fd, Span *span)
{
  guint8 tail[ID3V1_BYTES];

  if (span->length > ID3V1_BYTES &&
      span_read_at (fd, span->start + span->length - ID3V1_BYTES, tail, ID3V1_BYTES) &&
      memcmp (tail, "TAG", 3) == 0)
    span->length -= ID3V1_BYTES;
  if (span->length > APE_BYTES &&
      span_read_at (fd, span->start + span->length - APE_BYTES, tail, APE_BYTES) &&
      memcmp (tail, "APETAGEX", 8) == 0) {
    /* Its size includes the footer; a header of the same size may precede it. */
    guint64 size = (guint64) little_32 (tail + 12) + (little_32 (tail + 20) >> 31 ? APE_BYTES : 0);

    if (size < span->length)
      span->length -= size;
  }
}

gboolean
span_find (int fd, guint64 size, Span *span)
{
  *span = (Span){ .length = size };
  skip_id3v2 (fd, span);
  skip_tail (fd, span);
  if (!span_find_flac (fd, span) && !span_find_ogg (fd, span) && !span_find_chunk (fd, span))
    span_find_media (fd, span);
  return span->length > 0;
}

SpanReader
span_read_from (int fd, const Span *span, guint64 offset)
{
  return (SpanReader){ .fd = fd,
                       .is_paged = span->is_paged,
                       .at = span->start + offset,
                       .end = span->start + span->length };
}

gssize
span_read (SpanReader *reader, guint8 *buffer, gsize most)
{
  gsize n = (gsize) MIN (reader->end - reader->at, (guint64) most);

  if (reader->is_paged)
    return span_read_packets (reader, buffer, most);
  if (!span_read_at (reader->fd, reader->at, buffer, n))
    return -1;
  reader->at += n;
  return (gssize) n;
}
