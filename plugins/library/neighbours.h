/* The nearest of a set of vectors, by exact search. */
#pragma once

#include <segue/nn/threads.h>

/**
 * neighbours_find:
 * @x: [@n, @size], the rows that neighbours are sought for, of length 1
 * @base: [@n_base, @size], the rows among which they are sought
 * @self: @base is @x: a row is not its own neighbour
 * @k: at most @n_base, or @n_base − 1 with @self
 * @indices: (out): [@n, @k], the most similar first; of equal ones the first
 * @similarities: (out): [@n, @k], cosines
 *
 * The same result with any number of threads. %SEGUE_ERROR_RESOURCE, %SEGUE_ERROR_CANCELLED.
 */
gboolean neighbours_find (SegueNnThreads *threads, gsize n, const float *x, gsize n_base,
                          const float *base, gboolean self, gsize size, gsize k, guint32 *indices,
                          float *similarities, GCancellable *cancellable, GError **error);
