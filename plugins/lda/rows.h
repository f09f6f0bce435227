/* Rows of an analysis: checked, grouped by label, standardised. */
#pragma once

#include "discriminant.h"

G_BEGIN_DECLS

typedef struct {
  const LdaData *data;
  gsize *order;         /* [n]: rows of label 0 first, … */
  gsize *first;         /* [K + 1]: where a label begins in order */
  double *mean, *scale; /* [C], of all rows */
  double *centres;      /* [K, C]: the means of labels, standardised */
} LdaRows;

/* Errors: those about data of lda_fit (). */
LdaRows *lda_rows_new (const LdaData *data, GError **error);
void lda_rows_free (LdaRows *rows);

gsize lda_rows_count (const LdaRows *rows, guint label);

/* out [C]: row i of `label`, standardised, less the label's mean. */
void lda_rows_read (const LdaRows *rows, guint label, gsize i, double *out);

/* The deviation of a column for division: 1 for a column whose variance is that of rounding, as scikit-learn decides. */
double lda_rows_deviation (double variance, double mean, gsize n);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (LdaRows, lda_rows_free)

G_END_DECLS
