/* In what numbers the model multiplies. */
#include "hubert.h"

static const SegueNnPrecision of_model[] = {
  [SEGUE_MODEL_FLOAT32] = SEGUE_NN_FLOAT32,
  [SEGUE_MODEL_BFLOAT16] = SEGUE_NN_BFLOAT16,
  [SEGUE_MODEL_INT8] = SEGUE_NN_INT8,
};

static gboolean
has (const HubertModel *model, SegueNnPrecision precision)
{
  const SegueNnBackend *backend = segue_nn_pool_get_backend (model->pool);
  return backend->has != NULL && backend->has (precision);
}

gboolean
hubert_model_set_precision (HubertModel *model, SegueModelPrecision precision, GError **error)
{
  g_autoptr (GError) local = NULL;
  if (precision == SEGUE_MODEL_AUTO)
    precision = has (model, SEGUE_NN_BFLOAT16) ? SEGUE_MODEL_BFLOAT16 : SEGUE_MODEL_FLOAT32;
  model->precision = precision;
  if (segue_nn_pool_set_precision (model->pool, of_model[precision], &local))
    return TRUE;
  /* Of a pipeline's text, not of a file. */
  if (g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_DATA))
    local->code = SEGUE_ERROR_PIPELINE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

/* What has a gradient is multiplied on the way back as well, the other way round. */
static void
keep (const HubertModel *model, const HubertParam *weight, gsize out, gsize in)
{
  SegueNnKeep both = SEGUE_NN_KEEP_OUTPUTS | SEGUE_NN_KEEP_ANY;
  if (weight->w != NULL)
    segue_nn_pool_keep (model->pool, weight->w, out, in,
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
  segue_nn_pool_keep (model->pool, model->positional,
                      a->positional_groups * a->positional_kernel * group, group,
                      SEGUE_NN_KEEP_ANY);
  for (gsize l = 0; l < a->layers; l++) {
    keep (model, &w->layers[l].qkv.weight, 3 * a->hidden, a->hidden);
    keep (model, &w->layers[l].out.weight, a->hidden, a->hidden);
    keep (model, &w->layers[l].inner.weight, a->inner, a->hidden);
    keep (model, &w->layers[l].outer.weight, a->hidden, a->inner);
  }
}
