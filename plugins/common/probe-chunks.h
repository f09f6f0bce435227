/* RIFF and IFF: chunks of a name, a size and that many bytes, padded to an even number
 * (internal). */
#pragma once

#include "probe-private.h"

#define PROBE_MAX_CHUNKS 4096

/** ProbeChunk: @start: offset of its content; @next: offset of the next chunk. */
typedef struct {
  char name[5];
  guint64 start, size, next;
} ProbeChunk;

/** probe_read_chunk: the chunk at @offset. Some writers omit the padding byte of an odd chunk: the next one then
 * begins a byte earlier. %FALSE where the file ends, or there is no chunk at @offset. */
gboolean probe_read_chunk (ProbeInput *input, guint64 offset, gboolean big_endian,
                           ProbeChunk *chunk);
/** probe_is_name: whether the four bytes at @p are printable, as in a chunk's name. */
gboolean probe_is_name (const guint8 *p);
/** probe_is_chunk: whether a chunk that occurs in recordings begins at @offset. */
gboolean probe_is_chunk (ProbeInput *input, guint64 offset);
