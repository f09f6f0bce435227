/* Matrices of float32 in fewer bits. */
#pragma once

#include "nn-private.h"

#include <segue/nn/precision.h>

/* to [rows, columns], dense, from rows ld apart; to the nearest, ties to even. */
void nn_to_bfloat16 (gsize rows, gsize columns, const float *from, gsize ld, SegueNnBfloat16 *to);

/* x ≈ scale * (q − zero), with one scale for all of it, so that 0 is exact. Numbers that are not
 * finite become the ends of the range. */
typedef struct {
  float scale;
  guint8 zero;
} NnQuantisation;

/* to [rows, columns], dense, from rows ld apart. */
NnQuantisation nn_to_uint8 (gsize rows, gsize columns, const float *from, gsize ld, guint8 *to);

/* Each row with a scale of its own, about 0: x ≈ scales [row] * q, −127 ≤ q ≤ 127. */
void nn_to_int8_rows (gsize rows, gsize columns, const float *from, gint8 *to, float *scales);
