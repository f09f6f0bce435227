/* Which weights are stored in the form that products of the model's precision need. */
#include "hubert.h"

/* Weights with a gradient are also multiplied in the backward pass, transposed. */
static void
keep (const HubertModel *model, const SegueNnWeight *weight, gsize out, gsize in)
{
  SegueNnKeep both = SEGUE_NN_KEEP_OUTPUTS | SEGUE_NN_KEEP_ANY;
  if (weight->w != NULL)
    segue_nn_pool_keep (model->base.pool, weight->w, out, in,
                        weight->dw != NULL ? both : SEGUE_NN_KEEP_OUTPUTS);
}

void
hubert_model_keep_weights (const HubertModel *model)
{
  const HubertArchitecture *a = &model->architecture;
  const HubertWeights *w = &model->weights;
  gsize group = a->hidden / a->positional_groups;
  for (guint i = 1; i < a->n_convs; i++)
    keep (model, &w->convs[i].weight, a->convs[i].channels,
          a->convs[i].kernel * a->convs[i - 1].channels);
  keep (model, &w->projection.weight, a->hidden, a->convs[a->n_convs - 1].channels);
  segue_nn_pool_keep (model->base.pool, w->positional,
                      a->positional_groups * a->positional_kernel * group, group,
                      SEGUE_NN_KEEP_ANY);
  for (gsize l = 0; l < a->layers; l++) {
    keep (model, &w->layers[l].qkv.weight, 3 * a->hidden, a->hidden);
    keep (model, &w->layers[l].out.weight, a->hidden, a->hidden);
    keep (model, &w->layers[l].inner.weight, a->inner, a->hidden);
    keep (model, &w->layers[l].outer.weight, a->hidden, a->inner);
  }
}
