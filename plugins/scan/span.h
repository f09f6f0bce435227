/* Where in a file the recording lies: without the tags before and behind it. */
#pragma once

#include <glib.h>

/**
 * Span:
 * @is_whole: @digest alone says whether two recordings are the same
 * @digest: of the decoded samples, as FLAC has it; 0 elsewhere
 */
typedef struct {
  guint64 start;
  guint64 length;
  gboolean is_whole;
  guint8 digest[16];
} Span;

/** span_find: %FALSE: it can't be read, or is empty.  @fd: a regular file of @size bytes. */
gboolean span_find (int fd, guint64 size, Span *span);
