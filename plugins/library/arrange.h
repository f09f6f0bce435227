/* Songs as points in the plane: similar songs are near each other. */
#pragma once

#include <segue/context.h>
#include <segue/nn/threads.h>

/* Of more songs, so many are arranged, and each other one is put between those that it is most similar to. */
#define ARRANGE_MAX 8000

/**
 * arrange_songs:
 * @x: [@n, @size], a row per song, of length 1 (or 0), columns in the order of their variance
 * @y: (out): [@n, 2], from −1 to 1 at most, centred
 *
 * The same points for the same @x and @seed, with any number of threads. Reports the progress to @context.
 * %SEGUE_ERROR_RESOURCE, %SEGUE_ERROR_CANCELLED.
 */
gboolean arrange_songs (SegueNnThreads *threads, gsize n, gsize size, const float *x, guint64 seed,
                        SegueContext *context, double *y, GError **error);
