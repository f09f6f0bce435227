/* From the predictions of segments to that of their song: for stages and hosts that predict songs. */
#pragma once

#include <glib.h>
#include <segue/version.h>

G_BEGIN_DECLS

/**
 * SegueAggregation: how the probabilities p of n segments become those of the song. All add up to 1.
 * @SEGUE_AGGREGATE_MEAN_PROBABILITY: Σ p / n: the sum rule (Kittler et al., “On combining classifiers”,
 *   1998); one segment that is certain and wrong does little harm
 * @SEGUE_AGGREGATE_MEAN_LOGIT: softmax (Σ ln p / n), the normalised geometric mean: the product rule of
 *   the same paper, or logarithmic opinion pool (Genest and Zidek, 1986). Correct if the errors of segments
 *   are independent; a segment that rules out a label has a large weight
 * @SEGUE_AGGREGATE_VOTE: the fraction of segments for which the label is the most probable; ties are resolved
 *   by the larger mean probability
 * @SEGUE_AGGREGATE_CONFIDENCE_WEIGHTED: Σ w p / Σ w, w = 1 − H(p) / ln (number of labels), with the entropy
 *   H(p): uninformative segments (silence, applause) have weight 0. Entropy rather than the largest
 *   probability, since it also distinguishes two probable labels from many
 */
typedef enum {
  SEGUE_AGGREGATE_MEAN_PROBABILITY,
  SEGUE_AGGREGATE_MEAN_LOGIT,
  SEGUE_AGGREGATE_VOTE,
  SEGUE_AGGREGATE_CONFIDENCE_WEIGHTED,
  SEGUE_N_AGGREGATIONS
} SegueAggregation;

/** SEGUE_AGGREGATION_CHOICES: their names, then %NULL: for a parameter's choices. */
#define SEGUE_AGGREGATION_CHOICES                                                                  \
  SEGUE_NAMES ("mean-probability", "mean-logit", "vote", "confidence-weighted")
/** segue_aggregation_names: %SEGUE_AGGREGATION_CHOICES. */
SEGUE_API
const char *const *segue_aggregation_names (void);

/** segue_argmax_f32, segue_argmax_f64: the index of the first of the largest of @n values, at least 1. Any thread. */
SEGUE_API
guint segue_argmax_f32 (const float *values, guint n);
SEGUE_API
guint segue_argmax_f64 (const double *values, guint n);

/**
 * segue_song_aggregate:
 * @segments: [n_segments, n_labels], each row adds up to 1; at least one
 * @probabilities: (out) [n_labels]
 *
 * Returns the index of the predicted label: the first of the most probable ones. Any thread.
 */
SEGUE_API
guint segue_song_aggregate (SegueAggregation aggregation, const float *segments, guint n_segments,
                            guint n_labels, float *probabilities);

G_END_DECLS
