/* The location of the recording in a file, without tags and without the chunks and pages around it. */
#pragma once

#include <glib.h>

/**
 * Span:
 * @start, @length: bytes of the file
 * @is_whole: @digest alone determines whether two recordings are the same
 * @is_paged: Ogg, whose packets are compared; @digest is of the last ones and of the position at the end
 * @digest: of the decoded samples, from the FLAC header, or as described for @is_paged; 0 otherwise
 */
typedef struct {
  guint64 start;
  guint64 length;
  gboolean is_whole;
  gboolean is_paged;
  guint8 digest[16];
} Span;

/** SpanReader: made by span_read_from(). */
typedef struct {
  int fd;
  gboolean is_paged;
  guint64 at, end;
  guint64 left; /* of the page that is being read */
} SpanReader;

/** span_find: %FALSE where the file can't be read, or is empty. @fd: a regular file of @size bytes. */
gboolean span_find (int fd, guint64 size, Span *span);

/** span_read_from: a reader from @offset of @span on (0 for a span of pages); the caller keeps @fd. */
SpanReader span_read_from (int fd, const Span *span, guint64 offset);
/** span_read: the next bytes of the recording, fewer than @most only at its end; −1 where it can't be read. */
gssize span_read (SpanReader *reader, guint8 *buffer, gsize most);
