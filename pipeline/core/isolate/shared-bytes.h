/* Payloads as memory that two processes share (internal).
 *
 * Whoever makes a payload writes it into memory without a name (memfd), seals it, and sends its
 * descriptor: samples cross without going through a pipe, and whoever gets many need not copy them.
 * The seals are what makes that safe: the memory can't shrink under a reader or change while it is
 * looked at. */
#pragma once

#include <glib.h>

/** segue_shared_bytes_new: a descriptor of sealed memory that holds @size bytes at @data; the caller
 * closes it.  -1 with %SEGUE_ERROR_RESOURCE. */
int segue_shared_bytes_new (gconstpointer data, gsize size, GError **error);

/** segue_shared_bytes_map: (transfer full): the memory behind @fd (borrowed), which a stranger sent,
 * as exactly @size bytes.  %NULL: it is not sealed, of another size, or not all there; with errno
 * in @lacks where this process can't map it. */
GBytes *segue_shared_bytes_map (int fd, guint64 size, int *lacks);
