/* Containers of chunks: the one with the audio is the recording, the others describe it. */
#include "span-private.h"

#include <string.h>

#define MAX_CHUNKS 1024

typedef struct {
  guint magic_at;
  const char *magic; /* four bytes */
  guint64 first;     /* offset of the first chunk */
  guint name_bytes, size_bytes;
  gboolean is_big;      /* most significant byte first */
  gboolean counts_head; /* in the size of a chunk */
  guint alignment;      /* of chunks */
  const char *sound;    /* its name, or the start of it */
  guint64 skip;         /* before the audio in its chunk */
} Format;

static const Format formats[] = {
  { 0, "RIFF", 12, 4, 4, FALSE, FALSE, 2, "data", 0 },
  { 0, "RF64", 12, 4, 4, FALSE, FALSE, 2, "data", 0 },
  { 0, "BW64", 12, 4, 4, FALSE, FALSE, 2, "data", 0 },
  { 0, "riff", 40, 16, 8, FALSE, TRUE, 8, "data", 0 },
  { 0, "FORM", 12, 4, 4, TRUE, FALSE, 2, "SSND", 8 },
  { 0, "caff", 8, 4, 8, TRUE, FALSE, 1, "data", 4 },
  { 0, "DSD ", 28, 4, 8, FALSE, TRUE, 1, "data", 0 },
  { 0, "FRM8", 16, 4, 8, TRUE, FALSE, 2, "DSD ", 0 },
  /* ASF: after the identity of the file, which taggers regenerate, and the number of packets. */
  { 0, "\x30\x26\xb2\x75", 30, 16, 8, FALSE, TRUE, 1, "\x36\x26\xb2\x75", 26 },
};

static guint64
read_size (const guint8 *p, guint n, gboolean is_big)
{
  guint64 value = 0;

  for (guint i = 0; i < n; i++)
    value = value << 8 | p[is_big ? i : n - 1 - i];
  return value;
}

static void
find_sound (int fd, const Format *format, Span *span)
{
  guint head = format->name_bytes + format->size_bytes;
  guint64 at = format->first;
  guint8 bytes[24];

  for (guint i = 0; i < MAX_CHUNKS && at + head <= span->length &&
                    span_read_at (fd, span->start + at, bytes, head);
       i++) {
    guint64 size = read_size (bytes + format->name_bytes, format->size_bytes, format->is_big);
    guint64 there = span->length - at - head;

    /* ASF's header is not a separate chunk: its content is read. */
    if (format->counts_head)
      size = size >= head ? size - head : 0;
    size = MIN (size, there);
    if (memcmp (bytes, format->sound, 4) == 0) {
      if (size > format->skip) {
        span->start += at + head + format->skip;
        span->length = size - format->skip;
      }
      return;
    }
    at += head + size;
    at += (format->alignment - at % format->alignment) % format->alignment;
  }
}

gboolean
span_find_chunk (int fd, Span *span)
{
  guint8 bytes[16];

  if (span->length < sizeof bytes || !span_read_at (fd, span->start, bytes, sizeof bytes))
    return FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    if (memcmp (bytes + formats[i].magic_at, formats[i].magic, 4) == 0) {
      find_sound (fd, &formats[i], span);
      return TRUE;
    }
  return FALSE;
}

/* MP4: from the first box of media data to the end of the last. */
gboolean
span_find_media (int fd, Span *span)
{
  guint64 at = 0, begin = 0, end = 0;
  guint8 head[16];

  if (span->length < sizeof head || !span_read_at (fd, span->start, head, sizeof head) ||
      memcmp (head + 4, "ftyp", 4) != 0)
    return FALSE;
  for (guint i = 0; i < MAX_CHUNKS && at + sizeof head <= span->length &&
                    span_read_at (fd, span->start + at, head, sizeof head);
       i++) {
    guint64 size = read_size (head, 4, TRUE), there = span->length - at, before = 8;

    if (size == 1) {
      size = read_size (head + 8, 8, TRUE);
      before = 16;
    }
    size = size == 0 ? there : MIN (size, there);
    if (size < before)
      break;
    if (memcmp (head + 4, "mdat", 4) == 0) {
      begin = end ? begin : at + before;
      end = at + size;
    }
    at += size;
  }
  if (end > begin) {
    span->start += begin;
    span->length = end - begin;
  }
  return TRUE;
}

/* FLAC: STREAMINFO comes first, and has the MD5 of the samples where the encoder computed it; else the data after
 * the metadata blocks is compared. */
gboolean
span_find_flac (int fd, Span *span)
{
  static const guint8 unknown[16] = { 0 };
  guint8 head[42];
  guint64 at = 4;

  if (!span_read_at (fd, span->start, head, sizeof head) || memcmp (head, "fLaC", 4) != 0)
    return FALSE;
  if ((head[4] & 0x7f) == 0 && memcmp (head + 26, unknown, sizeof unknown) != 0) {
    span->is_whole = TRUE;
    memcpy (span->digest, head + 26, sizeof span->digest);
    return TRUE;
  }
  do {
    if (!span_read_at (fd, span->start + at, head, 4))
      return TRUE;
    at += 4 + read_size (head + 1, 3, TRUE);
  } while (!(head[0] & 0x80) && at + 4 < span->length);
  if (at < span->length) {
    span->start += at;
    span->length -= at;
  }
  return TRUE;
}
