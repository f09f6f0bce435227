/* RIFF and IFF: chunks of a name, a size and so many bytes, padded to an even number (internal). */
#pragma once

#include "probe-private.h"

#define PROBE_MAX_CHUNKS 4096

/** ProbeChunk: @start: of what it holds; @next: of the chunk behind it. */
typedef struct {
  char name[5];
  guint64 start, size, next;
} ProbeChunk;

/** probe_read_chunk: the chunk at @offset. Writers forget the byte that pads an odd one: then the next
 * stands a byte sooner. %FALSE where the file ends, or what is there is no chunk. */
gboolean probe_read_chunk (ProbeInput *input, guint64 offset, gboolean big_endian,
                           ProbeChunk *chunk);
/** probe_is_name: whether the four bytes at @p are printable, as those of a chunk's name. */
gboolean probe_is_name (const guint8 *p);
/** probe_is_chunk: whether one of those that recordings have begins at @offset. */
gboolean probe_is_chunk (ProbeInput *input, guint64 offset);
