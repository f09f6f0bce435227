/* Payloads as memory that two processes share (internal).
 *
 * Whoever makes a payload writes it into memory without a name (memfd), seals it, and sends its
 * descriptor: samples cross without going through a pipe, and whoever gets many need not copy them.
 * The seals are what makes that safe: the memory can't shrink under a reader or change while it is
 * looked at. */
#pragma once

#include <glib.h>

/* Smaller payloads are copied, not mapped. */
#define SEGUE_SHARED_BYTES_COPIED_BELOW (1024 * 1024)

/** segue_shared_bytes_new: a descriptor of sealed memory that holds @size bytes at @data; the caller
 * closes it.  -1 with %SEGUE_ERROR_RESOURCE. */
int segue_shared_bytes_new (gconstpointer data, gsize size, GError **error);

/** segue_shared_bytes_map: (transfer full): the memory behind @fd (borrowed), which another process
 * sent, as exactly @size bytes.  %NULL: it is not sealed, of another size, or not all there; with errno
 * in @lacks where this process can't map it. */
GBytes *segue_shared_bytes_map (int fd, guint64 size, int *lacks);

/** segue_shared_bytes_map_part: (transfer full): @size bytes at @offset of sealed memory, which begin
 * with a page if they are to be mapped.  %NULL with errno in @lacks. */
GBytes *segue_shared_bytes_map_part (int fd, guint64 offset, gsize size, int *lacks);

/** segue_shared_bytes_open: a descriptor of new memory, empty and not sealed; -1 with errno. */
int segue_shared_bytes_open (void);
/** segue_shared_bytes_write: %FALSE with errno. */
gboolean segue_shared_bytes_write (int fd, gconstpointer payload, gsize size);
