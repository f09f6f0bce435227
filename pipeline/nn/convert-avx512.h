#pragma once

#include "convert.h"

/* Whether this processor has the instructions for each of these. */
gboolean nn_has_avx512_bf16 (void);
gboolean nn_has_avx512 (void);

/* As in convert.h, bit-identical. */
void nn_to_bfloat16_avx512 (gsize rows, gsize columns, const float *from, gsize ld,
                            SegueNnBfloat16 *to);
void nn_to_uint8_rows_avx512 (gsize rows, gsize columns, const float *from, gsize ld, guint8 *to,
                              float *scales, gint32 *zeros);

/* The same for any processor. */
void nn_to_bfloat16_portable (gsize rows, gsize columns, const float *from, gsize ld,
                              SegueNnBfloat16 *to);
void nn_to_uint8_rows_portable (gsize rows, gsize columns, const float *from, gsize ld, guint8 *to,
                                float *scales, gint32 *zeros);

/* x ≈ scale * (q − zero) */
typedef struct {
  float scale;
  gint32 zero; /* 0 … 255 */
} NnQuantisation;

/* For numbers from least <= 0 to most >= 0. */
NnQuantisation nn_quantisation (float least, float most);
