/* Initial values. */
#include "hubert.h"

#include <segue/error.h>
#include <segue/nn/elementwise.h>
#include <segue/nn/random.h>
#include <segue/nn/weight-norm.h>

gboolean
hubert_no_memory (GError **error)
{
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
               "not enough memory for the model's weights; close other programs and run again");
  return FALSE;
}

/* g = ‖v‖, which is what weight normalisation writes as `norm` while it makes w. */
static gboolean
init_positional_norm (HubertWeights *weights, const HubertArchitecture *a, gsize n, float *g,
                      SegueNnPool *pool, GError **error)
{
  gsize groups = a->positional_groups;
  gsize inner = (a->hidden / groups) * (a->hidden / groups);
  g_autofree float *w = g_try_new (float, groups *n *inner);
  g_autofree float *ones = g_try_new (float, n);
  if (w == NULL || ones == NULL)
    return hubert_no_memory (error);
  segue_nn_fill (pool, n, 1.0f, ones);
  segue_nn_weight_norm_forward (pool, groups, n, inner, weights->positional_v.w, ones, w, g);
  return TRUE;
}

gboolean
hubert_weights_init (HubertWeights *weights, const HubertArchitecture *architecture, guint index,
                     guint64 seed, SegueNnPool *pool, GError **error)
{
  const HubertTensor *tensor = &g_array_index (weights->tensors, HubertTensor, index);
  const SegueNnRandomKey key = { .seed = seed, .item = g_str_hash (tensor->name) };
  float *values = hubert_tensor_values (weights, tensor);
  gsize n = tensor->n_elements;
  switch (tensor->init) {
  case HUBERT_INIT_CONSTANT:
    segue_nn_fill (pool, n, tensor->amount, values);
    break;
  case HUBERT_INIT_NORMAL:
    segue_nn_random_fill_normal (pool, &key, 0.0f, tensor->amount, n, values);
    break;
  case HUBERT_INIT_UNIFORM:
    segue_nn_random_fill_uniform (pool, &key, -tensor->amount, tensor->amount, n, values);
    break;
  case HUBERT_INIT_UNIT:
    segue_nn_random_fill_uniform (pool, &key, 0.0f, 1.0f, n, values);
    break;
  case HUBERT_INIT_POSITIONAL_NORM:
    return init_positional_norm (weights, architecture, n, values, pool, error);
  default:
    g_assert_not_reached ();
  }
  return TRUE;
}
