/* Two analyses, and one that chooses between them.
 *
 * An analysis of all segments and their augmented copies works for sound that was changed as they were; one of the segments
 * without copies is more accurate for sound like theirs, and useless for other. The gate, an analysis with the labels
 * "unchanged" and "changed", says for a segment how probable it is that it is unchanged:
 *
 *   p = (1 − g / 2) p_all + g / 2 p_unchanged
 *
 * At most half of the answer is that of the second analysis: sound that was changed in another way may pass the gate.
 */
#pragma once

#include "scores.h"

#include <segue/model.h>

G_BEGIN_DECLS

typedef struct {
  LdaScores unchanged, gate;
} LdaGate;

/* All parts have the size and the labels of `all`. */
void lda_gate_declare (LdaGate *gate, SegueNnWeights *weights, gsize size, guint n_labels);
void lda_gate_clear (LdaGate *gate);
gboolean lda_gate_is_valid (const LdaGate *gate);
void lda_gate_fold (LdaGate *gate);

/* The analyses of a gate; both owned. */
typedef struct {
  Lda *unchanged, *gate;
} LdaGateFit;

/* Errors: those of lda_fit (), and SEGUE_ERROR_DATA without copies. */
gboolean lda_gate_fit (SegueNnThreads *threads, const SegueModelFit *fit, const LdaData *all,
                       LdaGateFit *fitted, GError **error);
void lda_gate_fit_clear (LdaGateFit *fitted);
/* temperature: of the analysis of unchanged segments. */
void lda_gate_store (LdaGate *gate, const LdaGateFit *fitted, double temperature);

/* scores [K] of the analysis of all segments → logits [K]. room: [K] */
void lda_gate_mix (const LdaGate *gate, const float *x, const double *scores, double *room,
                   float *logits);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LdaGateFit, lda_gate_fit_clear)

G_END_DECLS
