/* Transformer layers.
 *
 *   norms after (BERT):                        norms before (do_stable_layer_norm):
 *     s1 = x + drop (attention (x))              n1 = attention_norm (x)
 *     n1 = attention_norm (s1)                   s1 = x + drop (attention (n1))
 *     s2 = n1 + drop (feed_forward (n1))         n2 = final_norm (s1)
 *     n2 = final_norm (s2), the next state       s2 = s1 + drop (feed_forward (n2)), the next state
 *
 * feed_forward (x) = outer (drop (activation (inner (x)))).  All of s1, n1, s2, n2 are [B, T, H].
 */
#include "passes.h"

#include <segue/nn/activation.h>
#include <segue/nn/dropout.h>
#include <segue/nn/elementwise.h>
#include <segue/nn/linear.h>
#include <segue/nn/norm.h>
#include <string.h>

static SegueNnRandomKey
key_of (const SegueModelPass *pass, guint32 use, guint layer)
{
  return (SegueNnRandomKey){ .seed = pass->seed,
                             .step = pass->step,
                             .layer = hubert_random_of_layer (use, layer) };
}

/* y = x + dropout (branch), all [B, T, H]. */
static void
add_branch (const HubertModel *model, const HubertWorkspace *ws, const SegueModelPass *pass,
            guint32 use, guint layer, const float *x, float *y)
{
  SegueNnRandomKey key = key_of (pass, use, layer);
  segue_nn_dropout_add (model->base.pool, &key, pass->items,
                        ws->train_base ? model->training.hidden_dropout : 0.0f, ws->batch,
                        ws->frames * model->architecture.hidden, ws->branch, x, y);
}

/* d_branch = dropout's backward of dy. */
static void
branch_gradient (const HubertModel *model, HubertWorkspace *ws, const SegueModelPass *pass,
                 guint32 use, guint layer, const float *dy)
{
  SegueNnRandomKey key = key_of (pass, use, layer);
  segue_nn_dropout (model->base.pool, &key, pass->items, model->training.hidden_dropout, ws->batch,
                    ws->frames * model->architecture.hidden, dy, ws->d_branch);
}

static void
norm_forward (const HubertModel *model, const HubertWorkspace *ws, const SegueNnAffine *norm,
              const float *x, float *y, float *mean, float *rstd)
{
  segue_nn_layer_norm_forward (model->base.pool, ws->rows, model->architecture.hidden,
                               model->architecture.eps, x, norm->weight.w, norm->bias.w, y, mean,
                               rstd);
}

/* dx may be dy. */
static void
norm_backward (const HubertModel *model, const HubertWorkspace *ws, const SegueNnAffine *norm,
               const float *x, const float *mean, const float *rstd, const float *dy, float *dx)
{
  segue_nn_layer_norm_backward (model->base.pool, ws->rows, model->architecture.hidden, x,
                                norm->weight.w, mean, rstd, dy, dx, norm->weight.dw, norm->bias.dw);
}

/* x [B, T, H] → branch. */
static void
attention_forward (const HubertModel *model, HubertWorkspace *ws, const SegueModelPass *pass,
                   guint layer, const HubertLayerBuffers *b, const float *x)
{
  const HubertLayer *w = &model->weights.layers[layer];
  gsize hidden = model->architecture.hidden;
  SegueNnAttention attention = hubert_workspace_attention (ws, model);
  SegueNnRandomKey key = key_of (pass, HUBERT_RANDOM_PROBABILITIES, layer);
  segue_nn_linear_forward_batch (model->base.pool, ws->batch, ws->frames, hidden, 3 * hidden, x,
                                 w->qkv.weight.w, w->qkv.bias.w, b->qkv);
  segue_nn_attention_forward (model->base.pool, &attention, &key, pass->items, b->qkv,
                              b->qkv + hidden, b->qkv + 2 * hidden, b->context, ws->scratch);
  segue_nn_linear_forward_batch (model->base.pool, ws->batch, ws->frames, hidden, hidden,
                                 b->context, w->out.weight.w, w->out.bias.w, ws->branch);
}

/* dbias [3H] += column sums of d_qkv, but for the keys' third.  A bias of the keys adds one number to a
 * whole row of scores, which softmax does not see: its gradient is 0, and the sum is rounding noise,
 * which AdamW would blow up to full steps. */
static void
qkv_bias_backward (const HubertModel *model, HubertWorkspace *ws, float *dbias)
{
  gsize hidden = model->architecture.hidden;
  float *keys = ws->d_mixed; /* [H] at least; the head is done with it */
  memcpy (keys, dbias + hidden, hidden * sizeof *keys);
  segue_nn_bias_backward (model->base.pool, ws->rows, 3 * hidden, ws->d_qkv, dbias);
  memcpy (dbias + hidden, keys, hidden * sizeof *keys);
}

/* d_branch → d_sum, the gradient of x. */
static void
attention_backward (const HubertModel *model, HubertWorkspace *ws, const SegueModelPass *pass,
                    guint layer, const HubertLayerBuffers *b, const float *x)
{
  const HubertLayer *w = &model->weights.layers[layer];
  gsize hidden = model->architecture.hidden;
  SegueNnAttention attention = hubert_workspace_attention (ws, model);
  SegueNnRandomKey key = key_of (pass, HUBERT_RANDOM_PROBABILITIES, layer);
  float *d_context = ws->d_sum;
  segue_nn_linear_backward (model->base.pool, ws->rows, hidden, hidden, b->context, w->out.weight.w,
                            ws->d_branch, d_context, w->out.weight.dw, w->out.bias.dw);
  segue_nn_attention_backward (model->base.pool, &attention, &key, pass->items, b->qkv,
                               b->qkv + hidden, b->qkv + 2 * hidden, d_context, ws->d_qkv,
                               ws->d_qkv + hidden, ws->d_qkv + 2 * hidden, ws->scratch);
  segue_nn_linear_backward (model->base.pool, ws->rows, hidden, 3 * hidden, x, w->qkv.weight.w,
                            ws->d_qkv, ws->d_sum, w->qkv.weight.dw, NULL);
  qkv_bias_backward (model, ws, w->qkv.bias.dw);
}

/* inner [B, T, I] → active; in inference they are one. */
static float *
activate (const HubertModel *model, HubertWorkspace *ws, const SegueModelPass *pass, guint layer,
          const HubertLayerBuffers *b)
{
  const HubertArchitecture *a = &model->architecture;
  float p = model->training.activation_dropout;
  float *active = ws->train_base ? ws->active : b->inner;
  segue_nn_activation_forward (model->base.pool, a->activation, ws->rows * a->inner, b->inner,
                               active);
  if (ws->train_base && p > 0) {
    SegueNnRandomKey key = key_of (pass, HUBERT_RANDOM_ACTIVATION, layer);
    segue_nn_dropout (model->base.pool, &key, pass->items, p, ws->batch, ws->frames * a->inner,
                      active, active);
  }
  return active;
}

/* x [B, T, H] → branch. */
static void
feed_forward (const HubertModel *model, HubertWorkspace *ws, const SegueModelPass *pass,
              guint layer, const HubertLayerBuffers *b, const float *x)
{
  const HubertLayer *w = &model->weights.layers[layer];
  const HubertArchitecture *a = &model->architecture;
  segue_nn_linear_forward_batch (model->base.pool, ws->batch, ws->frames, a->hidden, a->inner, x,
                                 w->inner.weight.w, w->inner.bias.w, b->inner);
  const float *active = activate (model, ws, pass, layer, b);
  segue_nn_linear_forward_batch (model->base.pool, ws->batch, ws->frames, a->inner, a->hidden,
                                 active, w->outer.weight.w, w->outer.bias.w, ws->branch);
}

/* d_branch → d_sum, the gradient of x. */
static void
feed_forward_backward (const HubertModel *model, HubertWorkspace *ws, const SegueModelPass *pass,
                       guint layer, const HubertLayerBuffers *b, const float *x)
{
  const HubertLayer *w = &model->weights.layers[layer];
  const HubertArchitecture *a = &model->architecture;
  float p = model->training.activation_dropout;
  const float *active = activate (model, ws, pass, layer, b);
  segue_nn_linear_backward (model->base.pool, ws->rows, a->inner, a->hidden, active,
                            w->outer.weight.w, ws->d_branch, ws->d_inner, w->outer.weight.dw,
                            w->outer.bias.dw);
  if (p > 0) {
    SegueNnRandomKey key = key_of (pass, HUBERT_RANDOM_ACTIVATION, layer);
    segue_nn_dropout (model->base.pool, &key, pass->items, p, ws->batch, ws->frames * a->inner,
                      ws->d_inner, ws->d_inner);
  }
  segue_nn_activation_backward (model->base.pool, a->activation, ws->rows * a->inner, b->inner,
                                ws->d_inner, ws->d_inner);
  segue_nn_linear_backward (model->base.pool, ws->rows, a->hidden, a->inner, x, w->inner.weight.w,
                            ws->d_inner, ws->d_sum, w->inner.weight.dw, w->inner.bias.dw);
}

gboolean
hubert_layer_is_skipped (const HubertModel *model, const HubertWorkspace *ws,
                         const SegueModelPass *pass, guint layer)
{
  if (!ws->train_base || model->training.layerdrop <= 0)
    return FALSE;
  /* Of the step, not of an item: a step's parts leave out the same layers. */
  SegueNnRandomKey key = key_of (pass, HUBERT_RANDOM_LAYERDROP, layer);
  return segue_nn_random_uniform (&key, 0) < model->training.layerdrop;
}

const float *
hubert_hidden_state (const HubertModel *model, const HubertWorkspace *ws,
                     const SegueModelPass *pass, guint state)
{
  while (state > 0 && hubert_layer_is_skipped (model, ws, pass, state - 1))
    state--;
  if (state == 0)
    return ws->first;
  HubertLayerBuffers b = hubert_workspace_layer (ws, model, state - 1);
  return model->architecture.stable ? b.sum2 : b.norm2;
}

void
hubert_layer_forward (const HubertModel *model, HubertWorkspace *ws, const SegueModelPass *pass,
                      guint layer)
{
  const HubertLayer *w = &model->weights.layers[layer];
  const HubertLayerBuffers b = hubert_workspace_layer (ws, model, layer);
  const float *x = hubert_hidden_state (model, ws, pass, layer);
  if (model->architecture.stable) {
    norm_forward (model, ws, &w->attention_norm, x, b.norm1, b.mean1, b.rstd1);
    attention_forward (model, ws, pass, layer, &b, b.norm1);
    add_branch (model, ws, pass, HUBERT_RANDOM_ATTENTION, layer, x, b.sum1);
    norm_forward (model, ws, &w->final_norm, b.sum1, b.norm2, b.mean2, b.rstd2);
    feed_forward (model, ws, pass, layer, &b, b.norm2);
    add_branch (model, ws, pass, HUBERT_RANDOM_FEED_FORWARD, layer, b.sum1, b.sum2);
  } else {
    attention_forward (model, ws, pass, layer, &b, x);
    add_branch (model, ws, pass, HUBERT_RANDOM_ATTENTION, layer, x, b.sum1);
    norm_forward (model, ws, &w->attention_norm, b.sum1, b.norm1, b.mean1, b.rstd1);
    feed_forward (model, ws, pass, layer, &b, b.norm1);
    add_branch (model, ws, pass, HUBERT_RANDOM_FEED_FORWARD, layer, b.norm1, b.sum2);
    norm_forward (model, ws, &w->final_norm, b.sum2, b.norm2, b.mean2, b.rstd2);
  }
}

static void
backward_norms_before (const HubertModel *model, HubertWorkspace *ws, const SegueModelPass *pass,
                       guint layer, const HubertLayerBuffers *b, const float *x)
{
  const HubertLayer *w = &model->weights.layers[layer];
  gsize n = ws->rows * model->architecture.hidden;
  float *d = ws->d_state;
  branch_gradient (model, ws, pass, HUBERT_RANDOM_FEED_FORWARD, layer, d);
  feed_forward_backward (model, ws, pass, layer, b, b->norm2);
  norm_backward (model, ws, &w->final_norm, b->sum1, b->mean2, b->rstd2, ws->d_sum, ws->d_sum);
  segue_nn_add (model->base.pool, n, d, ws->d_sum, d);
  branch_gradient (model, ws, pass, HUBERT_RANDOM_ATTENTION, layer, d);
  attention_backward (model, ws, pass, layer, b, b->norm1);
  norm_backward (model, ws, &w->attention_norm, x, b->mean1, b->rstd1, ws->d_sum, ws->d_sum);
  segue_nn_add (model->base.pool, n, d, ws->d_sum, d);
}

static void
backward_norms_after (const HubertModel *model, HubertWorkspace *ws, const SegueModelPass *pass,
                      guint layer, const HubertLayerBuffers *b, const float *x)
{
  const HubertLayer *w = &model->weights.layers[layer];
  gsize n = ws->rows * model->architecture.hidden;
  float *d = ws->d_state;
  norm_backward (model, ws, &w->final_norm, b->sum2, b->mean2, b->rstd2, d, d);
  branch_gradient (model, ws, pass, HUBERT_RANDOM_FEED_FORWARD, layer, d);
  feed_forward_backward (model, ws, pass, layer, b, b->norm1);
  segue_nn_add (model->base.pool, n, d, ws->d_sum, d);
  norm_backward (model, ws, &w->attention_norm, b->sum1, b->mean1, b->rstd1, d, d);
  branch_gradient (model, ws, pass, HUBERT_RANDOM_ATTENTION, layer, d);
  attention_backward (model, ws, pass, layer, b, x);
  segue_nn_add (model->base.pool, n, d, ws->d_sum, d);
}

void
hubert_layer_backward (const HubertModel *model, HubertWorkspace *ws, const SegueModelPass *pass,
                       guint layer)
{
  const HubertLayerBuffers b = hubert_workspace_layer (ws, model, layer);
  const float *x = hubert_hidden_state (model, ws, pass, layer);
  if (model->architecture.stable)
    backward_norms_before (model, ws, pass, layer, &b, x);
  else
    backward_norms_after (model, ws, pass, layer, &b, x);
}
