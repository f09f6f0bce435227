/* Predictions of several models for one song → one: for stages and hosts that combine models.
 *
 * Each model, a member, cuts songs into segments in its own way. The segments of the first member are those of the
 * combination: every segment of another member counts at the one whose middle is nearest to its own.
 */
#pragma once

#include <glib.h>
#include <segue/version.h>

G_BEGIN_DECLS

/**
 * SegueCombinationRule: how the probabilities p of members, with weights w that add up to 1, become one.
 * @SEGUE_COMBINE_MEAN: Σ w p: the sum rule, or linear opinion pool: a member that is certain and wrong can be outvoted
 * @SEGUE_COMBINE_GEOMETRIC: Π p^w, normalised: the product rule, or logarithmic opinion pool (Genest and Zidek,
 *   “Combining probability distributions”, 1986): a member that rules out a label has a large weight
 */
typedef enum {
  SEGUE_COMBINE_MEAN,
  SEGUE_COMBINE_GEOMETRIC,
  SEGUE_N_COMBINATION_RULES
} SegueCombinationRule;

/** SEGUE_COMBINATION_CHOICES: their names, then %NULL: for a parameter's choices. */
#define SEGUE_COMBINATION_CHOICES SEGUE_NAMES ("mean", "geometric")
/** segue_combination_names: %SEGUE_COMBINATION_CHOICES. */
SEGUE_API
const char *const *segue_combination_names (void);

/** SEGUE_MAX_MEMBERS: of a combination. */
#define SEGUE_MAX_MEMBERS 64

/** SegueCombination: @weights: (borrowed): [n_members], 0 … 1, that add up to 1; a single member has weight 1. */
typedef struct {
  SegueCombinationRule rule;
  guint n_members;
  const double *weights;
} SegueCombination;

/** SegueSpan: where a segment is in its song, in s. */
typedef struct {
  double start;
  double duration;
} SegueSpan;

/**
 * segue_combination_align: the probabilities of a member at the segments of the first one: the mean over its segments
 * that are nearest to that segment; where there are none, those of its own segment that is nearest. A member that cuts
 * songs as the first one does keeps its probabilities. Any thread.
 * @at: [n_at]: segments of the first member; at least one
 * @spans, @rows: [n], [n, n_labels]: those of the member; at least one
 * @aligned: (out) [n_at, n_labels]
 */
SEGUE_API
void segue_combination_align (const SegueSpan *at, guint n_at, const SegueSpan *spans, guint n,
                              const float *rows, guint n_labels, float *aligned);

/** segue_combination_mix: @n_rows probability distributions, each of those of all members in its place. Any thread.
 * @rows: [n_members]: each [n_rows, n_labels], aligned
 * @mixed: (out) [n_rows, n_labels] */
SEGUE_API
void segue_combination_mix (const SegueCombination *combination, const float *const *rows,
                            gsize n_rows, guint n_labels, float *mixed);

G_END_DECLS
