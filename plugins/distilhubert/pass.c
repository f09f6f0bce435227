/* A whole pass: samples (or a frozen prefix) → logits, and back. */
#include "passes.h"

#include "architecture.h"
#include <segue/nn/elementwise.h>
#include <segue/nn/mean-pool.h>
#include <string.h>

/* Features [B, T, C] → workspace->pooled. */
static void
base_forward (const HubertModel *model, HubertWorkspace *ws, const SegueModelPass *pass,
              const float *features)
{
  const HubertArchitecture *a = &model->architecture;
  hubert_embedding_forward (model, ws, pass, features);
  for (guint layer = 0; layer < a->layers; layer++) {
    /* Now, as in inference a state is overwritten two layers later. */
    if (a->weighted_sum)
      hubert_pool_forward (model, ws, layer, hubert_hidden_state (model, ws, pass, layer));
    if (!hubert_layer_is_skipped (model, ws, pass, layer))
      hubert_layer_forward (model, ws, pass, layer);
  }
  /* A mixture has the last layer's own output, a single state the normed one, as in the reference. */
  if (a->weighted_sum)
    hubert_pool_forward (model, ws, (guint) a->layers,
                         hubert_hidden_state (model, ws, pass, (guint) a->layers));
  else
    hubert_pool_forward (model, ws, 0, hubert_last_forward (model, ws, pass));
}

/* Between [B, states, H], the layout of a prefix, and [states, B, H], the layout for the head. */
static void
swap_states (const HubertModel *model, const HubertWorkspace *ws, const float *from, float *to,
             gboolean from_items)
{
  gsize hidden = model->architecture.hidden;
  for (gsize b = 0; b < ws->batch; b++) {
    for (gsize s = 0; s < ws->states; s++) {
      gsize by_item = (b * ws->states + s) * hidden, by_state = (s * ws->batch + b) * hidden;
      memcpy (to + (from_items ? by_state : by_item), from + (from_items ? by_item : by_state),
              hidden * sizeof *to);
    }
  }
}

void
hubert_pass_forward (const HubertModel *model, HubertWorkspace *ws, const SegueModelPass *pass)
{
  const float *features = ws->start == HUBERT_START_FEATURES ? pass->input : ws->features;
  if (ws->start == HUBERT_START_SAMPLES)
    hubert_encoder_forward (model, ws, pass->input);
  if (ws->start == HUBERT_START_POOLED)
    swap_states (model, ws, pass->input, ws->pooled, TRUE);
  else
    base_forward (model, ws, pass, features);
  hubert_head_forward (model, ws, pass->logits);
}

/* d_state += the gradient that hidden state `index` gets through its mean. */
static void
add_pool_gradient (const HubertModel *model, HubertWorkspace *ws, guint index, gboolean first)
{
  gsize hidden = model->architecture.hidden;
  const float *d_pooled = ws->d_pooled + index * ws->batch * hidden;
  float *to = first ? ws->d_state : ws->stack.d_branch;
  segue_nn_mean_pool_backward (model->base.threads, ws->batch, ws->frames, hidden, d_pooled, to);
  if (!first)
    segue_nn_add (model->base.threads, ws->rows * hidden, ws->d_state, to, ws->d_state);
}

void
hubert_pass_backward (const HubertModel *model, HubertWorkspace *ws, const SegueModelPass *pass,
                      const float *d_logits)
{
  const HubertArchitecture *a = &model->architecture;
  const float *features = ws->start == HUBERT_START_FEATURES ? pass->input : ws->features;
  hubert_head_backward (model, ws, d_logits);
  if (!ws->train_base)
    return;
  add_pool_gradient (model, ws, (guint) ws->states - 1, TRUE);
  if (!a->weighted_sum)
    hubert_last_backward (model, ws, pass);
  for (guint layer = (guint) a->layers; layer-- > 0;) {
    if (!hubert_layer_is_skipped (model, ws, pass, layer))
      hubert_layer_backward (model, ws, pass, layer);
    if (a->weighted_sum)
      add_pool_gradient (model, ws, layer, FALSE);
  }
  hubert_embedding_backward (model, ws, pass, features);
  if (ws->train_encoder)
    hubert_encoder_backward (model, ws, pass->input);
}

gsize
hubert_prefix_size (const HubertModel *model, gsize length)
{
  const HubertArchitecture *a = &model->architecture;
  if (model->freeze == HUBERT_FREEZE_BASE)
    return a->hidden * (a->weighted_sum ? a->layers + 1 : 1);
  if (model->freeze == HUBERT_FREEZE_FEATURE_ENCODER)
    return hubert_architecture_frames (a, length) * a->convs[a->n_convs - 1].channels;
  return 0;
}

void
hubert_prefix (const HubertModel *model, HubertWorkspace *ws, const float *samples, float *output)
{
  const SegueModelPass pass = { .struct_size = sizeof (SegueModelPass), .mode = SEGUE_MODEL_INFER };
  gsize size = hubert_prefix_size (model, ws->length);
  hubert_encoder_forward (model, ws, samples);
  if (model->freeze == HUBERT_FREEZE_BASE) {
    base_forward (model, ws, &pass, ws->features);
    swap_states (model, ws, ws->pooled, output, FALSE);
  } else {
    memcpy (output, ws->features, ws->batch * size * sizeof *output);
  }
}
