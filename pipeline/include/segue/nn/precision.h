#pragma once

#include <segue/nn/types.h>

G_BEGIN_DECLS

/* The number format of matrix products. Everything else is float32 whatever the precision: values
 * in memory, sums inside a product, gradients, master weights, all other operations. */
typedef enum {
  SEGUE_NN_FLOAT32,
  SEGUE_NN_BFLOAT16, /* both factors rounded to eight bits of mantissa */
  SEGUE_NN_INT8,     /* a scale for each row of either factor, and for every 512 terms of the sum;
                        inference only */
} SegueNnPrecision;

#define SEGUE_NN_N_PRECISIONS 3

/* "float32", "bfloat16", "int8". */
SEGUE_API const char *segue_nn_precision_get_name (SegueNnPrecision precision);

/* The upper half of a float32: sign, eight bits of exponent, seven of mantissa. */
typedef guint16 SegueNnBfloat16;

G_END_DECLS
