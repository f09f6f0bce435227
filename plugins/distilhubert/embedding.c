/* From features to the first hidden state:
 *
 *   h = mask (dropout (projection (norm (f))))         [B, T, C] → [B, T, H]
 *   e = h + activation (positional (h))
 *   first = dropout (norm (e)), or dropout (e) where norms are at other places (do_stable_layer_norm)
 *
 * The first norm exists under feat_proj_layer_norm.  The positional convolution's weight is normalised: W[·, ·, k]
 * = g[k] v[·, ·, k] / ‖v[·, ·, k]‖ (Salimans & Kingma 2016).
 */
#include "passes.h"

#include <segue/nn/activation.h>
#include <segue/nn/dropout.h>
#include <segue/nn/elementwise.h>
#include <segue/nn/linear.h>
#include <segue/nn/norm.h>
#include <segue/nn/weight-norm.h>

static gsize
n_features (const HubertModel *model)
{
  return model->architecture.convs[model->architecture.n_convs - 1].channels;
}

/* x [B, T, H] in place; its own backward. */
static void
apply_dropout (const HubertModel *model, const HubertWorkspace *ws, const SegueModelPass *pass,
               guint32 use, float p, float *x)
{
  if (!ws->train_base || p <= 0)
    return;
  const SegueNnRandomKey key = { .seed = pass->seed, .step = pass->step, .layer = use };
  segue_nn_dropout (model->base.threads, &key, pass->items, p, ws->batch,
                    ws->frames * model->architecture.hidden, x, x);
}

static void
project (const HubertModel *model, HubertWorkspace *ws, const float *features)
{
  const HubertArchitecture *a = &model->architecture;
  const HubertWeights *w = &model->weights;
  if (a->feature_norm) {
    segue_nn_layer_norm_forward (model->base.threads, ws->rows, n_features (model), a->eps,
                                 features, w->feature_norm.weight.w, w->feature_norm.bias.w,
                                 ws->feature_normed, ws->feature_mean, ws->feature_rstd);
    features = ws->feature_normed;
  }
  segue_nn_linear_forward_batch (model->base.threads, ws->batch, ws->frames, n_features (model),
                                 a->hidden, features, &w->projection, ws->projected);
}

void
hubert_embedding_forward (const HubertModel *model, HubertWorkspace *ws, const SegueModelPass *pass,
                          const float *features)
{
  const HubertArchitecture *a = &model->architecture;
  const HubertWeights *w = &model->weights;
  SegueNnGroupedConv1d positional = hubert_workspace_positional (ws, model);
  gsize n = ws->rows * a->hidden;

  project (model, ws, features);
  apply_dropout (model, ws, pass, HUBERT_RANDOM_FEATURES, model->training.feature_dropout,
                 ws->projected);
  if (ws->train_base)
    hubert_mask_forward (model, ws, pass, ws->projected);

  segue_nn_grouped_conv1d_forward (model->base.threads, &positional, ws->projected, &w->positional,
                                   ws->positional, ws->stack.scratch);
  segue_nn_activation_forward (model->base.threads, a->conv_activation, n, ws->positional,
                               ws->embedded);
  segue_nn_add (model->base.threads, n, ws->projected, ws->embedded, ws->embedded);
  if (a->stable)
    segue_nn_copy (model->base.threads, n, ws->embedded, ws->first);
  else
    segue_nn_layer_norm_forward (model->base.threads, ws->rows, a->hidden, a->eps, ws->embedded,
                                 w->norm.weight.w, w->norm.bias.w, ws->first, ws->embedded_mean,
                                 ws->embedded_rstd);
  apply_dropout (model, ws, pass, HUBERT_RANDOM_EMBEDDING, model->training.hidden_dropout,
                 ws->first);
}

/* d [B, T, H]: from the gradient of e to that of h, in place; d_positional's share goes to g and v. */
static void
positional_backward (const HubertModel *model, HubertWorkspace *ws, float *d)
{
  const HubertArchitecture *a = &model->architecture;
  const HubertWeights *w = &model->weights;
  SegueNnGroupedConv1d positional = hubert_workspace_positional (ws, model);
  gsize n = ws->rows * a->hidden, group = a->hidden / a->positional_groups;
  SegueNnAffine conv = w->positional;
  conv.weight.dw = ws->d_positional;

  segue_nn_fill (model->base.threads, a->hidden * group * a->positional_kernel, 0.0f,
                 ws->d_positional);
  segue_nn_activation_backward (model->base.threads, a->conv_activation, n, ws->positional, d,
                                ws->stack.d_branch);
  segue_nn_grouped_conv1d_backward (model->base.threads, &positional, ws->projected, &conv,
                                    ws->stack.d_branch, ws->stack.d_sum, ws->stack.scratch);
  segue_nn_weight_norm_backward (model->base.threads, a->positional_groups, a->positional_kernel,
                                 group * group, w->positional_v.w, w->positional_g.w,
                                 model->weights.positional_norm, ws->d_positional,
                                 w->positional_v.dw, w->positional_g.dw);
  segue_nn_add (model->base.threads, n, d, ws->stack.d_sum, d);
}

static void
project_backward (const HubertModel *model, HubertWorkspace *ws, const float *features,
                  const float *d)
{
  const HubertArchitecture *a = &model->architecture;
  const HubertWeights *w = &model->weights;
  const float *x = a->feature_norm ? ws->feature_normed : features;
  gboolean wanted = a->feature_norm || ws->train_encoder;
  segue_nn_linear_backward (model->base.threads, ws->rows, n_features (model), a->hidden, x,
                            &w->projection, d, wanted ? ws->d_features : NULL);
  if (a->feature_norm)
    segue_nn_layer_norm_backward (model->base.threads, ws->rows, n_features (model), features,
                                  w->feature_norm.weight.w, ws->feature_mean, ws->feature_rstd,
                                  ws->d_features, ws->train_encoder ? ws->d_features : NULL,
                                  w->feature_norm.weight.dw, w->feature_norm.bias.dw);
}

void
hubert_embedding_backward (const HubertModel *model, HubertWorkspace *ws,
                           const SegueModelPass *pass, const float *features)
{
  const HubertArchitecture *a = &model->architecture;
  const HubertWeights *w = &model->weights;
  float *d = ws->d_state;
  apply_dropout (model, ws, pass, HUBERT_RANDOM_EMBEDDING, model->training.hidden_dropout, d);
  if (!a->stable)
    segue_nn_layer_norm_backward (model->base.threads, ws->rows, a->hidden, ws->embedded,
                                  w->norm.weight.w, ws->embedded_mean, ws->embedded_rstd, d, d,
                                  w->norm.weight.dw, w->norm.bias.dw);
  positional_backward (model, ws, d);
  hubert_mask_backward (model, ws, d);
  apply_dropout (model, ws, pass, HUBERT_RANDOM_FEATURES, model->training.feature_dropout, d);
  project_backward (model, ws, features, d);
}
