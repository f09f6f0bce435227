#pragma once

#include <segue/nn/threads.h>

G_BEGIN_DECLS

/* Softmax and cross-entropy, as torch.nn.CrossEntropyLoss (weight=…, label_smoothing=ε), reduction
 * "mean":
 *
 *   loss = Σ_b [(1 − ε) · w[y_b] · −log p_b[y_b] + ε/C · Σ_c w[c] · −log p_b[c]] / Σ_b w[y_b]
 *
 * Rows whose label is SEGUE_NN_IGNORE are ignored in all sums. Batches are small, so this runs on
 * the calling thread, in double. */
#define SEGUE_NN_IGNORE (-100)

typedef struct {
  gsize batch;
  gsize classes;
  float label_smoothing;      /* ε, 0 <= ε <= 1 */
  const float *class_weights; /* [classes], or NULL for all 1 */
  double
    divisor; /* Σ_b w[y_b] of the whole step where this is only a part of it; 0: of this batch */
} SegueNnCrossEntropy;

/* Σ_b w[y_b]; the divisor of a whole step is the sum over its parts. */
SEGUE_API double segue_nn_cross_entropy_divisor (const SegueNnCrossEntropy *loss,
                                                 const gint32 *labels);

/* logits [batch, classes], labels [batch] in 0 … classes − 1 or SEGUE_NN_IGNORE → the loss, and
 * probabilities [batch, classes], which may be logits. A batch in which every row is ignored has
 * loss 0 (torch: NaN). */
SEGUE_API double segue_nn_cross_entropy_forward (const SegueNnCrossEntropy *loss,
                                                 const float *logits, const gint32 *labels,
                                                 float *probabilities);

/* dlogits [batch, classes] from the forward's probabilities; dlogits may be probabilities. */
SEGUE_API void segue_nn_cross_entropy_backward (const SegueNnCrossEntropy *loss,
                                                const float *probabilities, const gint32 *labels,
                                                float *dlogits);

G_END_DECLS
