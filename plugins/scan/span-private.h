/* The location of the recording in containers (internal to span*.c). */
#pragma once

#include "span.h"

/** span_read_at: reads all @length bytes at @offset, or returns FALSE. */
gboolean span_read_at (int fd, guint64 offset, void *buffer, gsize length);

/* FALSE: @fd contains nothing of this format at the start of @span, which stays unchanged. */
gboolean span_find_chunk (int fd, Span *span);
gboolean span_find_media (int fd, Span *span);
gboolean span_find_flac (int fd, Span *span);
gboolean span_find_ogg (int fd, Span *span);

/** span_read_packets: as span_read(), for a span of pages. */
gssize span_read_packets (SpanReader *self, guint8 *buffer, gsize most);
