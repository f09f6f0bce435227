#pragma once

#include <glib.h>
#include <segue/version.h>

G_BEGIN_DECLS

/* Conventions of all headers of segue/nn/:
 *
 * - Plain functions over float32 buffers that the caller owns. Nothing is allocated inside a
 *   forward or a backward; an op that needs scratch has a `segue_nn_X_scratch ()` which returns the
 *   number of floats.
 * - Channels last: a sequence is [batch, time, channels]. Shapes are given slowest dimension
 *   first.
 * - `_backward` functions ADD to the gradients of parameters (dw, db, dgamma, …) and WRITE the
 *   gradients of inputs (dx, …), unless a comment states otherwise. A gradient that isn't needed
 *   is NULL.
 * - Every op takes the threads that run it. Any number of threads gives bit-identical results:
 *   tiles depend on shapes only, and sums are accumulated in the order of tiles.
 * - Buffers must not overlap unless a comment states that they may be the same.
 * - A wrong shape is a bug of the caller and aborts (g_assert); only functions that read files or
 *   create resources can fail, and then set a GError. */

/* The upper half of a float32: sign, eight bits of exponent, seven of mantissa. */
typedef guint16 SegueNnBfloat16;

G_END_DECLS
