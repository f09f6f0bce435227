#pragma once

#include <segue/nn/threads.h>

G_BEGIN_DECLS

/* Copies of a weight in the precision of products, so that products with it, or with a part of it, do not
 * convert it each time. Owned by the table of weights (segue_nn_weights_keep ()). */
typedef struct _SegueNnKept SegueNnKept;

/* A weight as ops take it. A product uses the kept copies only while they are those of the current values
 * and of the precision of its threads; otherwise it converts `w`. */
typedef struct {
  float *w;
  float *dw;               /* its gradient, which a backward adds to; NULL: not trained */
  const SegueNnKept *kept; /* NULL: none */
} SegueNnWeight;

/* Of a layer that multiplies and adds. bias.w may be NULL. */
typedef struct {
  SegueNnWeight weight;
  SegueNnWeight bias;
} SegueNnAffine;

/* The products that a matrix is kept for. */
typedef enum {
  SEGUE_NN_KEEP_OUTPUTS = 1 << 0, /* x wᵀ, with one row per output: linear and conv1d, forward; the
                                     only use of int8 */
  SEGUE_NN_KEEP_ANY = 1 << 1,     /* all others; bfloat16 also under int8 */
} SegueNnKeep;

G_END_DECLS
