/* What an analysis says of a row, from its weights in a model's folder. */
#pragma once

#include "discriminant.h"

#include <segue/nn/weights.h>

G_BEGIN_DECLS

/* folded [K, C + 1]: what standardisation, coefficients and temperature amount to for x, in double: sums of many terms that
 * nearly cancel. */
typedef struct {
  gsize size;     /* C */
  guint n_labels; /* K */
  SegueNnWeight mean, scale, coefficients, intercepts, temperature;
  double *folded;
} LdaScores;

/* Declares tensors with names that begin with `prefix`. rows: flags of those that have a row for each label. */
void lda_scores_declare (LdaScores *scores, SegueNnWeights *weights, const char *prefix, gsize size,
                         guint n_labels, SegueNnWeightFlags rows);
void lda_scores_clear (LdaScores *scores);

/* Whether scale and temperature are positive. */
gboolean lda_scores_are_valid (const LdaScores *scores);
void lda_scores_store (LdaScores *scores, const Lda *lda, double temperature);
/* After every change of the weights. */
void lda_scores_fold (LdaScores *scores);

/* x [C] → out [K] = (coefficients · (x − mean) / scale + intercepts) / temperature. */
void lda_scores_apply (const LdaScores *scores, const float *x, double *out);

/* Rows of matrix [n, C] for standardised x, as rows [n, C + 1] for x itself, divided by `divisor`. offsets: [n], or NULL.
 * folded: to be reused, or NULL. */
double *lda_fold_rows (const LdaScores *scores, const float *matrix, const float *offsets, gsize n,
                       double divisor, double *folded);
/* x [C] → out [n], in one order of summation: a batch never changes a result. */
void lda_apply_rows (const double *folded, gsize n, const float *x, gsize size, double *out);

/* The values of a tensor, rounded. */
void lda_store (SegueNnWeight *weight, const double *values, gsize n);

G_END_DECLS
