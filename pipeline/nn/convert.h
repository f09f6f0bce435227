/* Matrices of float32 in fewer bits. */
#pragma once

#include "nn-private.h"

#include <segue/nn/precision.h>

/* to [rows, columns], dense, from rows ld apart; to the nearest, ties to even; what is smaller than a
 * normal number becomes 0. */
void nn_to_bfloat16 (gsize rows, gsize columns, const float *from, gsize ld, SegueNnBfloat16 *to);

/* Each row with a scale and a zero of its own, so that 0 is exact: x ≈ scales [row] * (q − zeros [row]).
 * Numbers that are not finite become the ends of the range. to is dense, from has rows ld apart. */
void nn_to_uint8_rows (gsize rows, gsize columns, const float *from, gsize ld, guint8 *to,
                       float *scales, gint32 *zeros);

/* Each row with a scale of its own, about 0: x ≈ scales [row] * q, −127 ≤ q ≤ 127; and the sum of its
 * q. */
void nn_to_int8_rows (gsize rows, gsize columns, const float *from, gsize ld, gint8 *to,
                      float *scales, gint32 *sums);
