/* Where the recording lies in containers (internal to span*.c). */
#pragma once

#include "span.h"

/** span_read_at: all of @length bytes at @offset, or FALSE. */
gboolean span_read_at (int fd, guint64 offset, void *buffer, gsize length);

/* FALSE: @fd holds nothing of the kind at the start of @span, which stays as it is. */
gboolean span_find_chunk (int fd, Span *span);
gboolean span_find_media (int fd, Span *span);
gboolean span_find_flac (int fd, Span *span);
gboolean span_find_ogg (int fd, Span *span);

/** span_read_packets: as span_read(), of a span of pages. */
gssize span_read_packets (SpanReader *self, guint8 *buffer, gsize most);
