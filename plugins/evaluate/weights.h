/* The weights of members, learnt from songs that no member was trained on. */
#pragma once

#include <segue/combination.h>

/**
 * EvaluateEvidence: what members say about songs whose labels are known.
 * @truths: [n_songs] index of the label
 * @probabilities: [n_songs, n_members, n_labels] of songs
 */
typedef struct {
  guint n_songs, n_members, n_labels;
  const guint *truths;
  const float *probabilities;
} EvaluateEvidence;

/** evaluate_weights_learn: the weights for which the mean over songs of −ln p (truth) is smallest, p by @rule. Both
 * rules' losses are convex in the weights, so there is one such minimum; it is approached from equal weights.
 * @weights: (out) [n_members]
 *
 * Returns that mean. */
double evaluate_weights_learn (SegueCombinationRule rule, const EvaluateEvidence *evidence,
                               double *weights);
