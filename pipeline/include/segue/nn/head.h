/* The classifier over frames that wav2vec2, hubert and their relatives have, and simpler ones:
 *
 *   p_s = mean over time of hidden state s                   [B, H]
 *   m = Σ_s softmax (mix)_s p_s, or p of the only state      [B, H]
 *   logits = classifier (activation (projector (m)))         [B, P] → [B, labels]
 *
 * The reference projects each frame and then takes the mean; both are linear, so this is the same number at a
 * five-hundredth of the work, and the output of a frozen model only has to keep p.
 */
#pragma once

#include <segue/nn/activation.h>
#include <segue/nn/arena.h>
#include <segue/nn/weights.h>

G_BEGIN_DECLS

/** SegueNnHead: the caller sets all but the weights.
 * @n_states: hidden states that are mixed; 1: there is no @mix
 * @activation: of the projector's output */
typedef struct {
  gsize hidden;
  gsize n_states;
  gsize projected; /* P */
  gsize n_labels;
  SegueNnActivation activation;
  SegueNnWeight mix; /* [n_states] */
  SegueNnAffine projector;
  SegueNnAffine classifier;
} SegueNnHead;

/** segue_nn_head_declare: "layer_weights", "projector" and "classifier": weights N (0, @deviation²). A model with
 * other names declares them itself. */
SEGUE_API void segue_nn_head_declare (SegueNnHead *head, SegueNnWeights *weights, guint part,
                                      double deviation);

/** SegueNnHeadBuffers: of one pass. */
typedef struct {
  gsize batch;
  float *pooled;    /* [n_states, B, H] */
  float *mixed;     /* [B, H], for several states */
  float *projected; /* [B, P] */
  float *active;    /* [B, P]: after the activation */
  float *d_active;  /* [B, P] */
  float *d_mixed;   /* [B, H] */
  float *d_pooled;  /* [n_states, B, H] */
} SegueNnHeadBuffers;

SEGUE_API void segue_nn_head_lay (const SegueNnHead *head, SegueNnArena *arena, gsize batch,
                                  gboolean train, SegueNnHeadBuffers *buffers);
/** segue_nn_head_pool: the mean over time of hidden state @state, @x [B, frames, H], to its place in pooled. */
SEGUE_API void segue_nn_head_pool (const SegueNnHead *head, SegueNnThreads *threads,
                                   const SegueNnHeadBuffers *buffers, gsize state, gsize frames,
                                   const float *x);
/** segue_nn_head_pool_backward: @d [B, frames, H] = the gradient of @state through its mean. */
SEGUE_API void segue_nn_head_pool_backward (const SegueNnHead *head, SegueNnThreads *threads,
                                            const SegueNnHeadBuffers *buffers, gsize state,
                                            gsize frames, float *d);
/** segue_nn_head_forward: pooled → @logits [B, labels].  An item's result does not depend on the others. */
SEGUE_API void segue_nn_head_forward (const SegueNnHead *head, SegueNnThreads *threads,
                                      const SegueNnHeadBuffers *buffers, float *logits);
/** segue_nn_head_backward: @d_logits [B, labels] → d_pooled. */
SEGUE_API void segue_nn_head_backward (const SegueNnHead *head, SegueNnThreads *threads,
                                       const SegueNnHeadBuffers *buffers, const float *d_logits);

G_END_DECLS
