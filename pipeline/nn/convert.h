/* Conversion of float32 matrices to fewer bits. */
#pragma once

#include "nn-private.h"

#include <segue/nn/types.h>

/* to [rows, columns], dense, from rows ld apart; rounds to nearest, ties to even; subnormal numbers
 * become 0. */
void nn_to_bfloat16 (gsize rows, gsize columns, const float *from, gsize ld, SegueNnBfloat16 *to);

/* Each row with its own scale and zero, so that 0 is exact: x ≈ scales [row] * (q − zeros [row]).
 * Numbers that are not finite become the ends of the range. to is dense, from has rows ld apart. */
void nn_to_uint8_rows (gsize rows, gsize columns, const float *from, gsize ld, guint8 *to,
                       float *scales, gint32 *zeros);

/* Each row with its own scale, symmetric about 0: x ≈ scales [row] * q, −127 ≤ q ≤ 127; and the sum of
 * its q. */
void nn_to_int8_rows (gsize rows, gsize columns, const float *from, gsize ld, gint8 *to,
                      float *scales, gint32 *sums);
