/* The parts of a pass, each forward next to its backward, in the order of the computation.
 *
 * Backward parts write the gradient of their input and add to those of weights.  `pass` carries
 * seed, step and items for the random counters; it is not used in inference.
 */
#pragma once

#include "workspace.h"

/* Numbers for SegueNnRandomKey.layer: one for each use of random numbers. */
enum {
  HUBERT_RANDOM_FEATURES = 1, /* dropout after the feature projection */
  HUBERT_RANDOM_TIME_MASK,
  HUBERT_RANDOM_CHANNEL_MASK,
  HUBERT_RANDOM_EMBEDDING, /* dropout before the first layer */
  /* Of layer l: these + 8 l. */
  HUBERT_RANDOM_LAYERDROP = 16,
  HUBERT_RANDOM_LAYER, /* four, see segue/nn/transformer.h */
};

static inline guint32
hubert_random_of_layer (guint32 use, guint layer)
{
  return use + 8 * layer;
}

/* Samples [B, length] → workspace->features. */
void hubert_encoder_forward (const HubertModel *model, HubertWorkspace *workspace,
                             const float *samples);
/* From workspace->d_features; the samples of the forward. */
void hubert_encoder_backward (const HubertModel *model, HubertWorkspace *workspace,
                              const float *samples);

/* Features [B, T, C] → hidden state 0, workspace->first. */
void hubert_embedding_forward (const HubertModel *model, HubertWorkspace *workspace,
                               const SegueModelPass *pass, const float *features);
/* From workspace->d_state; writes d_features where the encoder is trained. */
void hubert_embedding_backward (const HubertModel *model, HubertWorkspace *workspace,
                                const SegueModelPass *pass, const float *features);

/* Draws the masks of SpecAugment and applies them to x [B, T, H]. */
void hubert_mask_forward (const HubertModel *model, HubertWorkspace *workspace,
                          const SegueModelPass *pass, float *x);
/* dx [B, T, H] in place. */
void hubert_mask_backward (const HubertModel *model, HubertWorkspace *workspace, float *dx);

/* Whether layerdrop leaves this layer out of this step, for the whole batch. */
gboolean hubert_layer_is_skipped (const HubertModel *model, const HubertWorkspace *workspace,
                                  const SegueModelPass *pass, guint layer);
/* Hidden state `state` [B, T, H]: the input of that layer; `layers`: the last one's output. */
const float *hubert_hidden_state (const HubertModel *model, const HubertWorkspace *workspace,
                                  const SegueModelPass *pass, guint state);
/* One layer, from its hidden state to the next. */
void hubert_layer_forward (const HubertModel *model, HubertWorkspace *workspace,
                           const SegueModelPass *pass, guint layer);
/* workspace->d_state: the gradient of the next state on entry, of this one's on return. */
void hubert_layer_backward (const HubertModel *model, HubertWorkspace *workspace,
                            const SegueModelPass *pass, guint layer);

/* The final norm of do_stable_layer_norm, where there is one that the head sees: state → last. */
const float *hubert_last_forward (const HubertModel *model, HubertWorkspace *workspace,
                                  const SegueModelPass *pass);
/* workspace->d_state in place. */
void hubert_last_backward (const HubertModel *model, HubertWorkspace *workspace,
                           const SegueModelPass *pass);

/* Mean over time of one hidden state [B, T, H] into workspace->pooled. */
void hubert_pool_forward (const HubertModel *model, HubertWorkspace *workspace, guint index,
                          const float *state);
/* workspace->pooled → logits [B, labels]. */
void hubert_head_forward (const HubertModel *model, HubertWorkspace *workspace, float *logits);
/* d_logits → workspace->d_pooled. */
void hubert_head_backward (const HubertModel *model, HubertWorkspace *workspace,
                           const float *d_logits);

/* ---- pass.c: all of it ---- */

void hubert_pass_forward (const HubertModel *model, HubertWorkspace *workspace,
                          const SegueModelPass *pass);
void hubert_pass_backward (const HubertModel *model, HubertWorkspace *workspace,
                           const SegueModelPass *pass, const float *d_logits);
/* Floats per item after the frozen prefix; 0: nothing is frozen. */
gsize hubert_prefix_size (const HubertModel *model, gsize length);
/* samples [B, length] → output [B, prefix size]. */
void hubert_prefix (const HubertModel *model, HubertWorkspace *workspace, const float *samples,
                    float *output);
