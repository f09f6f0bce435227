/* Payloads in memory shared by two processes (internal).
 *
 * The sender writes a payload into unnamed memory (a memfd), seals it, and sends its descriptor:
 * samples do not go through a pipe, and the receiver need not copy large ones. The seals make that
 * safe: the memory can't shrink or change while it is read. */
#pragma once

#include <glib.h>

/* Smaller payloads are copied, not mapped. */
#define SEGUE_SHARED_BYTES_COPIED_BELOW (1024 * 1024)

/** segue_shared_bytes_new: a descriptor of sealed memory with a copy of @size bytes at @data; the
 * caller closes it.  -1 with %SEGUE_ERROR_RESOURCE. */
int segue_shared_bytes_new (gconstpointer data, gsize size, GError **error);

/** segue_shared_bytes_map: (transfer full): the memory behind @fd (borrowed), which another process
 * sent, as exactly @size bytes. %NULL: it is not sealed, of another size, or has missing pages;
 * with errno in @lacks if this process can't map it. */
GBytes *segue_shared_bytes_map (int fd, guint64 size, int *lacks);

/** segue_shared_bytes_map_part: (transfer full): @size bytes at @offset of sealed memory; to be
 * mapped, they have to begin at a page. %NULL with errno in @lacks. */
GBytes *segue_shared_bytes_map_part (int fd, guint64 offset, gsize size, int *lacks);

/** segue_shared_bytes_open: a descriptor of new memory, empty and not sealed; -1 with errno. */
int segue_shared_bytes_open (void);
/** segue_shared_bytes_write: %FALSE with errno. */
gboolean segue_shared_bytes_write (int fd, gconstpointer payload, gsize size);
