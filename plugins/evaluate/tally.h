/* Predictions counted against the true labels, for one set. */
#pragma once

#include <glib.h>

/** TALLY_NO_LABEL, TALLY_UNKNOWN: there is no true label; the true label is one that the model does not have. */
#define TALLY_NO_LABEL (-1)
#define TALLY_UNKNOWN  (-2)

/**
 * EvaluateCounts: of segments, or of songs.
 * @confusion: [n_labels truth, n_labels answer]
 * @unknown: those whose true label the model does not have: always wrong
 * @unlabelled: those without a true label: not counted in figures
 */
typedef struct {
  guint64 *confusion;
  guint64 unknown;
  guint64 unlabelled;
} EvaluateCounts;

/** EvaluateTally: @loss: [n_labels]: sums of −ln p(truth) over segments, by truth. */
typedef struct {
  guint n_labels;
  EvaluateCounts segments;
  EvaluateCounts songs;
  double *loss;
} EvaluateTally;

/** evaluate_tally_new: (nullable): %NULL where there is no memory for a matrix of that many
 * labels. */
EvaluateTally *evaluate_tally_new (guint n_labels);
void evaluate_tally_free (EvaluateTally *tally);

/** evaluate_tally_add_segment: @probabilities [n_labels]; the prediction is the first of the largest. */
void evaluate_tally_add_segment (EvaluateTally *tally, int truth, const float *probabilities);
void evaluate_tally_add_song (EvaluateTally *tally, int truth, guint answer);

/* Figures. Shares are relative to what has a label; NaN where the denominator is 0. */

guint64 evaluate_counts_total (const EvaluateCounts *counts, guint n_labels);
double evaluate_counts_accuracy (const EvaluateCounts *counts, guint n_labels);
/** evaluate_counts_interval: Wilson's interval of 95 % confidence for the accuracy; NaN where nothing was counted.
 * For songs only: segments of one song are not independent, so their interval would be too narrow. */
void evaluate_counts_interval (const EvaluateCounts *counts, guint n_labels, double *low,
                               double *high);
/** evaluate_counts_majority: the accuracy of always predicting the most frequent label. */
double evaluate_counts_majority (const EvaluateCounts *counts, guint n_labels);
/** evaluate_counts_row: how many have the true label @label. */
guint64 evaluate_counts_row (const EvaluateCounts *counts, guint n_labels, guint label);
/** evaluate_counts_column: how many were predicted as @label. */
guint64 evaluate_counts_column (const EvaluateCounts *counts, guint n_labels, guint label);
/** evaluate_counts_f1: 2 · right / (row + column): the harmonic mean of precision and recall; NaN for a label that
 * is neither a true label nor a prediction. */
double evaluate_counts_f1 (const EvaluateCounts *counts, guint n_labels, guint label);
/** evaluate_counts_macro_f1: mean over the labels that have an F1. */
double evaluate_counts_macro_f1 (const EvaluateCounts *counts, guint n_labels);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (EvaluateTally, evaluate_tally_free)
