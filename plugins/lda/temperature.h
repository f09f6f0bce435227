/* How far scores are to be trusted: softmax (scores / T). */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Features of segments are not normal, and segments of one song are alike, so the posterior of a discriminant
 * analysis is too confident. 4 is a good value for log-mel statistics of ten artists. */
#define LDA_TEMPERATURE_DEFAULT 4.0

/* The range of lda_fit_temperature (): never more confident than the model itself, also if all rows are right. */
#define LDA_TEMPERATURE_MIN 1.0
#define LDA_TEMPERATURE_MAX 1000.0

/* The T that makes the labels of rows that were not learnt from most likely (Guo et al., 2017): minimises
 * Σ_i −ln softmax (scores_i / T)[labels_i], a convex function of 1 / T, by bisection to 1e-9.
 *
 * scores [n, n_labels], finite; labels [n], negative: the row is skipped. LDA_TEMPERATURE_DEFAULT if no rows are left,
 * or if their scores don't depend on the label. */
double lda_fit_temperature (const double *scores, const gint32 *labels, gsize n, guint n_labels);

G_END_DECLS
