/* The classifier:
 *
 *   p_l = mean over time of hidden state l           [B, H]
 *   m = Σ_l softmax (w)_l p_l, or p of the last one  [B, H]
 *   logits = classifier (projector (m))              [B, P] → [B, labels]
 *
 * The reference projects each frame and then takes the mean; both are linear, so this is the same
 * number at a five-hundredth of the work, and a frozen base model's prefix only has to keep p.
 */
#include "passes.h"

#include <segue/nn/linear.h>
#include <segue/nn/mean-pool.h>
#include <segue/nn/norm.h>
#include <segue/nn/weighted-sum.h>

const float *
hubert_last_forward (const HubertModel *model, HubertWorkspace *ws, const SegueModelPass *pass)
{
  const HubertArchitecture *a = &model->architecture;
  const SegueNnAffine *norm = &model->weights.norm;
  const float *x = hubert_hidden_state (model, ws, pass, (guint) a->layers);
  if (!a->stable)
    return x;
  segue_nn_layer_norm_forward (model->base.threads, ws->rows, a->hidden, a->eps, x, norm->weight.w,
                               norm->bias.w, ws->last, ws->last_mean, ws->last_rstd);
  return ws->last;
}

void
hubert_last_backward (const HubertModel *model, HubertWorkspace *ws, const SegueModelPass *pass)
{
  const HubertArchitecture *a = &model->architecture;
  const SegueNnAffine *norm = &model->weights.norm;
  if (!a->stable)
    return;
  const float *x = hubert_hidden_state (model, ws, pass, (guint) a->layers);
  segue_nn_layer_norm_backward (model->base.threads, ws->rows, a->hidden, x, norm->weight.w,
                                ws->last_mean, ws->last_rstd, ws->d_state, ws->d_state,
                                norm->weight.dw, norm->bias.dw);
}

void
hubert_pool_forward (const HubertModel *model, HubertWorkspace *ws, guint index, const float *state)
{
  gsize hidden = model->architecture.hidden;
  segue_nn_mean_pool_forward (model->base.threads, ws->batch, ws->frames, hidden, state,
                              ws->pooled + index * ws->batch * hidden);
}

/* [states, B, H] as one pointer per state. */
static void
state_pointers (const HubertWorkspace *ws, gsize hidden, float *block, float **states)
{
  for (gsize i = 0; i < ws->states; i++)
    states[i] = block + i * ws->batch * hidden;
}

static const float *
mix_states (const HubertModel *model, HubertWorkspace *ws)
{
  float *states[SEGUE_NN_WEIGHTED_SUM_MAX_LAYERS];
  gsize hidden = model->architecture.hidden;
  if (!model->architecture.weighted_sum)
    return ws->pooled;
  state_pointers (ws, hidden, ws->pooled, states);
  segue_nn_weighted_sum_forward (model->base.threads, ws->states, ws->batch * hidden,
                                 (const float *const *) states, model->weights.layer_weights.w,
                                 ws->mixed);
  return ws->mixed;
}

void
hubert_head_forward (const HubertModel *model, HubertWorkspace *ws, float *logits)
{
  const HubertArchitecture *a = &model->architecture;
  const HubertWeights *w = &model->weights;
  const float *mixed = mix_states (model, ws);
  /* Row by row, so that an item's result doesn't depend on its place in the batch. */
  segue_nn_linear_forward_batch (model->base.threads, ws->batch, 1, a->hidden, a->projector, mixed,
                                 &w->projector, ws->projector);
  segue_nn_linear_forward_batch (model->base.threads, ws->batch, 1, a->projector,
                                 model->base.n_labels, ws->projector, &w->classifier, logits);
}

void
hubert_head_backward (const HubertModel *model, HubertWorkspace *ws, const float *d_logits)
{
  const HubertArchitecture *a = &model->architecture;
  const HubertWeights *w = &model->weights;
  gboolean weighted = a->weighted_sum;
  const float *mixed = weighted ? ws->mixed : ws->pooled;
  float *d_mixed = weighted ? ws->d_mixed : ws->d_pooled;
  segue_nn_linear_backward (model->base.threads, ws->batch, a->projector, model->base.n_labels,
                            ws->projector, &w->classifier, d_logits, ws->d_projector);
  segue_nn_linear_backward (model->base.threads, ws->batch, a->hidden, a->projector, mixed,
                            &w->projector, ws->d_projector, d_mixed);
  if (!weighted)
    return;
  float *states[SEGUE_NN_WEIGHTED_SUM_MAX_LAYERS], *d_states[SEGUE_NN_WEIGHTED_SUM_MAX_LAYERS];
  state_pointers (ws, a->hidden, ws->pooled, states);
  state_pointers (ws, a->hidden, ws->d_pooled, d_states);
  segue_nn_weighted_sum_backward (model->base.threads, ws->states, ws->batch * a->hidden,
                                  (const float *const *) states, w->layer_weights.w, d_mixed,
                                  d_states, w->layer_weights.dw);
}
