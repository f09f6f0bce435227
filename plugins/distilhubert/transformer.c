/* The transformer's layers, and which of them a step skips (layerdrop). */
#include "passes.h"

#include <segue/nn/random.h>

SegueNnTransformer
hubert_model_get_transformer (const HubertModel *model)
{
  const HubertArchitecture *a = &model->architecture;
  return (SegueNnTransformer){ .hidden = a->hidden,
                               .heads = a->heads,
                               .inner = a->inner,
                               .activation = a->activation,
                               .norm_first = a->stable,
                               .eps = a->eps,
                               .hidden_dropout = model->training.hidden_dropout,
                               .attention_dropout = model->training.attention_dropout,
                               .activation_dropout = model->training.activation_dropout };
}

gboolean
hubert_layer_is_skipped (const HubertModel *model, const HubertWorkspace *ws,
                         const SegueModelPass *pass, guint layer)
{
  if (!ws->train_base || model->training.layerdrop <= 0)
    return FALSE;
  /* Per step, not per item: all parts of a step skip the same layers. */
  const SegueNnRandomKey key = { .seed = pass->seed,
                                 .step = pass->step,
                                 .layer = hubert_random_of_layer (HUBERT_RANDOM_LAYERDROP, layer) };
  return segue_nn_random_uniform (&key, 0) < model->training.layerdrop;
}

const float *
hubert_hidden_state (const HubertModel *model, const HubertWorkspace *ws,
                     const SegueModelPass *pass, guint state)
{
  const SegueNnTransformer transformer = hubert_model_get_transformer (model);
  while (state > 0 && hubert_layer_is_skipped (model, ws, pass, state - 1))
    state--;
  return state == 0 ? ws->first
                    : segue_nn_transformer_get_output (&transformer, &ws->stack, state - 1);
}

static SegueNnTransformerCall
call_of (const HubertModel *model, const SegueNnTransformer *transformer, HubertWorkspace *ws,
         const SegueModelPass *pass, guint layer)
{
  return (SegueNnTransformerCall){
    .transformer = transformer,
    .layer = &model->weights.layers[layer],
    .threads = model->base.threads,
    .workspace = &ws->stack,
    .pass = pass,
    .index = layer,
    .random = hubert_random_of_layer (HUBERT_RANDOM_LAYER, layer),
  };
}

void
hubert_layer_forward (const HubertModel *model, HubertWorkspace *ws, const SegueModelPass *pass,
                      guint layer)
{
  const SegueNnTransformer transformer = hubert_model_get_transformer (model);
  const SegueNnTransformerCall call = call_of (model, &transformer, ws, pass, layer);
  segue_nn_transformer_forward (&call, hubert_hidden_state (model, ws, pass, layer));
}

void
hubert_layer_backward (const HubertModel *model, HubertWorkspace *ws, const SegueModelPass *pass,
                       guint layer)
{
  const SegueNnTransformer transformer = hubert_model_get_transformer (model);
  const SegueNnTransformerCall call = call_of (model, &transformer, ws, pass, layer);
  segue_nn_transformer_backward (&call, hubert_hidden_state (model, ws, pass, layer), ws->d_state);
}
