/* Linear discriminant analysis: labels as normal distributions with one covariance. */
#pragma once

#include <segue/nn/threads.h>

G_BEGIN_DECLS

/* Vectors with labels; all BORROWED. */
typedef struct {
  gsize n;                  /* rows */
  gsize width;              /* C, numbers per row, up to LDA_MAX_WIDTH */
  guint n_labels;           /* K */
  const float *rows;        /* [n, C] */
  const gint32 *labels;     /* [n], 0 … K − 1, in any order */
  const char *const *names; /* [K], for messages; or NULL */
} LdaData;

#define LDA_MAX_WIDTH 16384

/* A row x is standardised: z = (x − mean) / scale. Its score of label k is
 *
 *   s_k = w_k · z + b_k,   w_k = Σ⁻¹ μ_k,   b_k = ln π_k − μ_k · w_k / 2,
 *
 * with π_k = n_k / n, μ_k the mean of the label's z, and Σ = Σ_k π_k Σ_k; softmax (s) is the posterior. Each Σ_k is
 * shrunk as by Ledoit and Wolf (2004), over columns that are standardised within the label:
 *
 *   Σ_k = D ((1 − δ) R + δ (tr R / C) I) D,   D: the label's deviations, R: its correlations, δ: chosen from the rows
 *
 * This is scikit-learn's LinearDiscriminantAnalysis (solver="lsqr" or "eigen", shrinkage="auto") after StandardScaler,
 * in double. As there, a column that is constant (up to rounding) has the deviation 1.
 *
 * If Σ is singular up to rounding (labels with two rows are not shrunk), it becomes 0.9 Σ + 0.1 (tr Σ / C) I, and
 * `regularised` is set.
 *
 * In the coordinates a = axes · z, the covariance within labels is the identity: the Euclidean distance to `centres` is
 * Mahalanobis's, less what all labels have in common. There are at most min (K − 1, C) axes, the one that separates
 * labels best first; those whose variance between labels is below 1e-9 of the first one's are omitted. The element
 * of the largest magnitude is positive, before the change of coordinates to z. */
typedef struct {
  gsize width;
  guint n_labels;
  gsize n_axes;
  double *mean, *scale; /* [C] */
  double *coefficients; /* [K, C]: w */
  double *intercepts;   /* [K]: b */
  double *axes;         /* [n_axes, C] */
  double *centres;      /* [K, n_axes]: the means of labels, along the axes */
  double *shrinkage;    /* [K]: δ */
  gboolean regularised;
} Lda;

/* The result does not depend on the number of threads. Beside the result and the data, it needs at most 8 ·
 * (4 max (C, 256)² + 3 K C) bytes: 70 MB for 1,472 columns and 10 labels, 250 MB for 5,000 labels, where each matrix
 * [K, C] of the result has 59 MB.
 * Multiplies n · C² + Σ_k min (n_k, C) · n_k · C times.
 *
 * Errors: SEGUE_ERROR_DATA if there are fewer than two labels, a label without rows, a row that is not finite, no label
 * with two different rows, or labels that all have the same mean; SEGUE_ERROR_RESOURCE. After a cancel of the threads, the
 * result or the error is meaningless: segue_nn_threads_check () first. */
Lda *lda_fit (SegueNnThreads *threads, const LdaData *data, GError **error);
/* NULL is accepted. */
void lda_free (Lda *lda);

/* rows [n, C] → scores [n, K]; rows must be finite. */
void lda_score (SegueNnThreads *threads, const Lda *lda, const float *rows, gsize n,
                double *scores);
/* rows [n, C] → coordinates [n, n_axes]. */
void lda_project (SegueNnThreads *threads, const Lda *lda, const float *rows, gsize n,
                  double *coordinates);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Lda, lda_free)

G_END_DECLS
