/* The network: its weights, its workspace, forward and backward; see hubert.h for the formulas. */
#include "hubert.h"

#include <segue/nn/dropout.h>
#include <segue/nn/elementwise.h>
#include <segue/nn/linear.h>
#include <segue/nn/norm.h>
#include <segue/nn/random.h>
#include <string.h>

/* Numbers for SegueNnRandomKey.layer: one for each use of random numbers. */
enum {
  RANDOM_FEATURES = 1,  /* dropout after the feature projection */
  RANDOM_MASKS,         /* two, see segue/nn/spec-augment.h */
  RANDOM_EMBEDDING = 4, /* dropout before the first layer */
  /* Of layer l: these + 8 l. */
  RANDOM_LAYERDROP = 16,
  RANDOM_LAYER, /* four, see segue/nn/transformer.h */
};

/* ---- Weights ---- */

static void
declare_layer (HubertModel *model, guint index)
{
  static const SegueNnTransformerNames names = { .query = "attention.q_proj",
                                                 .key = "attention.k_proj",
                                                 .value = "attention.v_proj",
                                                 .out = "attention.out_proj",
                                                 .attention_norm = "layer_norm",
                                                 .inner = "feed_forward.intermediate_dense",
                                                 .outer = "feed_forward.output_dense",
                                                 .final_norm = "final_layer_norm" };
  g_autofree char *prefix = g_strdup_printf ("hubert.encoder.layers.%u.", index);
  segue_nn_transformer_declare (&model->transformer, &model->layers[index], model->base.weights,
                                HUBERT_PART_BASE, (double) model->initializer_range, &names,
                                prefix);
}

gboolean
hubert_declare (HubertModel *model, gboolean has_mask_embedding, GError **error)
{
  SegueNnWeights *weights = model->base.weights;
  gsize features = segue_nn_conv_encoder_get_channels (&model->encoder);
  gsize hidden = model->transformer.hidden;
  model->layers = g_new0 (SegueNnTransformerLayer, model->n_layers);
  model->masks.random = RANDOM_MASKS;
  model->head.n_labels = model->base.n_labels;

  segue_nn_conv_encoder_declare (&model->encoder, weights, HUBERT_PART_ENCODER,
                                 "hubert.feature_extractor.conv_layers.");
  if (has_mask_embedding)
    segue_nn_spec_augment_declare (&model->masks, weights, HUBERT_PART_BASE,
                                   "hubert.masked_spec_embed");
  if (model->has_feature_norm)
    segue_nn_weights_add_norm (weights, &model->feature_norm, HUBERT_PART_BASE, features,
                               "hubert.feature_projection.layer_norm");
  segue_nn_weights_add_linear (weights, &model->projection, HUBERT_PART_BASE, 0, hidden, features,
                               (double) model->initializer_range,
                               "hubert.feature_projection.projection");
  segue_nn_weights_keep (weights, &model->projection.weight, hidden, features,
                         SEGUE_NN_KEEP_OUTPUTS);
  segue_nn_positional_conv_declare (&model->positional, weights, HUBERT_PART_BASE,
                                    "hubert.encoder.pos_conv_embed.conv.");
  segue_nn_weights_add_norm (weights, &model->norm, HUBERT_PART_BASE, hidden,
                             "hubert.encoder.layer_norm");
  for (guint i = 0; i < model->n_layers; i++)
    declare_layer (model, i);
  segue_nn_head_declare (&model->head, weights, HUBERT_PART_HEAD,
                         (double) model->initializer_range);

  if (model->freeze != HUBERT_FREEZE_NONE)
    segue_nn_weights_freeze (weights, HUBERT_PART_ENCODER);
  if (model->freeze == HUBERT_FREEZE_BASE)
    segue_nn_weights_freeze (weights, HUBERT_PART_BASE);
  return segue_nn_weights_check_size (weights, "hidden_size, intermediate_size or conv_dim", error);
}

/* ---- Workspace ---- */

static void
lay_base (const HubertModel *model, SegueNnArena *arena, HubertWorkspace *ws)
{
  gsize features = segue_nn_conv_encoder_get_channels (&model->encoder);
  gsize hidden = model->transformer.hidden, rows = ws->rows;
  ws->feature_normed =
    segue_nn_arena_floats (arena, model->has_feature_norm ? rows : 0, features, 1, 1);
  ws->feature_mean = segue_nn_arena_floats (arena, rows, 1, 1, 1);
  ws->feature_rstd = segue_nn_arena_floats (arena, rows, 1, 1, 1);
  ws->projected = segue_nn_arena_floats (arena, rows, hidden, 1, 1);
  if (ws->train_base)
    segue_nn_spec_augment_lay (&model->masks, arena, ws->batch, ws->frames, &ws->masks);
  segue_nn_positional_conv_lay (&model->positional, arena, ws->batch, ws->frames, ws->train_base,
                                &ws->positional);
  ws->embedded = segue_nn_arena_floats (arena, rows, hidden, 1, 1);
  ws->embedded_mean = segue_nn_arena_floats (arena, rows, 1, 1, 1);
  ws->embedded_rstd = segue_nn_arena_floats (arena, rows, 1, 1, 1);
  ws->first = segue_nn_arena_floats (arena, rows, hidden, 1, 1);
  segue_nn_transformer_lay (&model->transformer, model->base.threads, arena, model->n_layers,
                            ws->batch, ws->frames, ws->train_base,
                            segue_nn_positional_conv_scratch (
                              &model->positional, model->base.threads, ws->batch, ws->frames),
                            &ws->stack);
  ws->last = segue_nn_arena_floats (arena, model->transformer.norm_first ? rows : 0, hidden, 1, 1);
  ws->last_mean = segue_nn_arena_floats (arena, rows, 1, 1, 1);
  ws->last_rstd = segue_nn_arena_floats (arena, rows, 1, 1, 1);
  if (!ws->train_base)
    return;
  ws->d_state = segue_nn_arena_floats (arena, rows, hidden, 1, 1);
  ws->d_features = segue_nn_arena_floats (arena, rows, features, 1, 1);
  /* The transformer needs these only while a layer runs. */
  ws->positional.d_branch = ws->stack.d_branch;
  ws->positional.d_input = ws->stack.d_sum;
}

/* FALSE where the sizes are impossible: far beyond any memory; below, no product overflows before it is checked. */
static gboolean
set_sizes (const HubertModel *model, HubertWorkspace *ws, gsize batch, gsize length)
{
  ws->batch = batch;
  ws->length = length;
  ws->frames = segue_nn_conv_encoder_get_frames (&model->encoder, length);
  return batch > 0 && ws->frames > 0 && length <= G_MAXSIZE >> 24 && batch <= G_MAXINT32 &&
         g_size_checked_mul (&ws->rows, batch, ws->frames);
}

gsize
hubert_lay (const HubertModel *model, gsize batch, gsize length, gboolean train, gpointer base,
            HubertWorkspace *ws)
{
  SegueNnArena arena = { base };
  *ws = (HubertWorkspace){
    .train = train,
    .train_base = train && model->freeze != HUBERT_FREEZE_BASE,
    .train_encoder = train && model->freeze == HUBERT_FREEZE_NONE,
  };
  if (!set_sizes (model, ws, batch, length))
    return G_MAXSIZE;
  segue_nn_conv_encoder_lay (&model->encoder, &arena, batch, length, ws->train_encoder,
                             &ws->encoder);
  lay_base (model, &arena, ws);
  segue_nn_head_lay (&model->head, &arena, batch, train, &ws->head);
  return segue_nn_arena_get_size (&arena);
}

/* ---- From features to the first state ---- */

/* x [B, T, H] in place; its own backward. */
static void
apply_dropout (const HubertModel *model, const HubertWorkspace *ws, const SegueModelPass *pass,
               guint32 use, float p, float *x)
{
  if (!ws->train_base || p <= 0)
    return;
  const SegueNnRandomKey key = { .seed = pass->seed, .step = pass->step, .layer = use };
  segue_nn_dropout (model->base.threads, &key, pass->items, p, ws->batch,
                    ws->frames * model->transformer.hidden, x, x);
}

static void
project (const HubertModel *model, HubertWorkspace *ws)
{
  const float *features = ws->encoder.features;
  gsize channels = segue_nn_conv_encoder_get_channels (&model->encoder);
  if (model->has_feature_norm) {
    segue_nn_layer_norm_forward (model->base.threads, ws->rows, channels, model->transformer.eps,
                                 features, model->feature_norm.weight.w, model->feature_norm.bias.w,
                                 ws->feature_normed, ws->feature_mean, ws->feature_rstd);
    features = ws->feature_normed;
  }
  segue_nn_linear_forward_batch (model->base.threads, ws->batch, ws->frames, channels,
                                 model->transformer.hidden, features, &model->projection,
                                 ws->projected);
}

/* d [B, T, H] → d_features, where that is wanted. */
static void
project_backward (const HubertModel *model, HubertWorkspace *ws, const float *d)
{
  const float *features = ws->encoder.features;
  gsize channels = segue_nn_conv_encoder_get_channels (&model->encoder);
  const float *x = model->has_feature_norm ? ws->feature_normed : features;
  gboolean is_wanted = model->has_feature_norm || ws->train_encoder;
  segue_nn_linear_backward (model->base.threads, ws->rows, channels, model->transformer.hidden, x,
                            &model->projection, d, is_wanted ? ws->d_features : NULL);
  if (model->has_feature_norm)
    segue_nn_layer_norm_backward (model->base.threads, ws->rows, channels, features,
                                  model->feature_norm.weight.w, ws->feature_mean, ws->feature_rstd,
                                  ws->d_features, ws->train_encoder ? ws->d_features : NULL,
                                  model->feature_norm.weight.dw, model->feature_norm.bias.dw);
}

static void
embed (const HubertModel *model, HubertWorkspace *ws, const SegueModelPass *pass)
{
  const SegueNnTransformer *t = &model->transformer;
  project (model, ws);
  apply_dropout (model, ws, pass, RANDOM_FEATURES, model->feature_dropout, ws->projected);
  if (ws->train_base)
    segue_nn_spec_augment_forward (&model->masks, pass, &ws->masks, ws->projected);
  segue_nn_positional_conv_forward (&model->positional, model->base.threads, &ws->positional,
                                    ws->projected, ws->embedded, ws->stack.scratch);
  if (t->norm_first)
    segue_nn_copy (model->base.threads, ws->rows * t->hidden, ws->embedded, ws->first);
  else
    segue_nn_layer_norm_forward (model->base.threads, ws->rows, t->hidden, t->eps, ws->embedded,
                                 model->norm.weight.w, model->norm.bias.w, ws->first,
                                 ws->embedded_mean, ws->embedded_rstd);
  apply_dropout (model, ws, pass, RANDOM_EMBEDDING, t->hidden_dropout, ws->first);
}

static void
embed_backward (const HubertModel *model, HubertWorkspace *ws, const SegueModelPass *pass)
{
  const SegueNnTransformer *t = &model->transformer;
  float *d = ws->d_state;
  apply_dropout (model, ws, pass, RANDOM_EMBEDDING, t->hidden_dropout, d);
  if (!t->norm_first)
    segue_nn_layer_norm_backward (model->base.threads, ws->rows, t->hidden, ws->embedded,
                                  model->norm.weight.w, ws->embedded_mean, ws->embedded_rstd, d, d,
                                  model->norm.weight.dw, model->norm.bias.dw);
  segue_nn_positional_conv_backward (&model->positional, model->base.threads, &ws->positional,
                                     ws->projected, d, ws->stack.scratch);
  segue_nn_spec_augment_backward (&model->masks, &ws->masks, d);
  apply_dropout (model, ws, pass, RANDOM_FEATURES, model->feature_dropout, d);
  project_backward (model, ws, d);
}

/* ---- From state to state ---- */

gboolean
hubert_is_skipped (const HubertModel *model, const HubertWorkspace *ws, const SegueModelPass *pass,
                   guint layer)
{
  if (!ws->train_base || model->layerdrop <= 0)
    return FALSE;
  /* Per step, not per item: all parts of a step skip the same layers. */
  const SegueNnRandomKey key = { .seed = pass->seed,
                                 .step = pass->step,
                                 .layer = RANDOM_LAYERDROP + 8 * layer };
  return segue_nn_random_uniform (&key, 0) < model->layerdrop;
}

const float *
hubert_get_state (const HubertModel *model, const HubertWorkspace *ws, const SegueModelPass *pass,
                  guint state)
{
  while (state > 0 && hubert_is_skipped (model, ws, pass, state - 1))
    state--;
  return state == 0 ? ws->first
                    : segue_nn_transformer_get_output (&model->transformer, &ws->stack, state - 1);
}

static SegueNnTransformerCall
call_of (const HubertModel *model, HubertWorkspace *ws, const SegueModelPass *pass, guint layer)
{
  return (SegueNnTransformerCall){ .transformer = &model->transformer,
                                   .layer = &model->layers[layer],
                                   .threads = model->base.threads,
                                   .workspace = &ws->stack,
                                   .pass = pass,
                                   .index = layer,
                                   .random = RANDOM_LAYER + 8 * layer };
}

const float *
hubert_last_forward (const HubertModel *model, HubertWorkspace *ws, const SegueModelPass *pass)
{
  const SegueNnTransformer *t = &model->transformer;
  const float *x = hubert_get_state (model, ws, pass, model->n_layers);
  if (!t->norm_first)
    return x;
  segue_nn_layer_norm_forward (model->base.threads, ws->rows, t->hidden, t->eps, x,
                               model->norm.weight.w, model->norm.bias.w, ws->last, ws->last_mean,
                               ws->last_rstd);
  return ws->last;
}

/* d_state in place. */
static void
last_backward (const HubertModel *model, HubertWorkspace *ws, const SegueModelPass *pass)
{
  const SegueNnTransformer *t = &model->transformer;
  if (t->norm_first)
    segue_nn_layer_norm_backward (model->base.threads, ws->rows, t->hidden,
                                  hubert_get_state (model, ws, pass, model->n_layers),
                                  model->norm.weight.w, ws->last_mean, ws->last_rstd, ws->d_state,
                                  ws->d_state, model->norm.weight.dw, model->norm.bias.dw);
}

/* ---- The whole pass ---- */

static void
pool (const HubertModel *model, HubertWorkspace *ws, gsize state, const float *x)
{
  segue_nn_head_pool (&model->head, model->base.threads, &ws->head, state, ws->frames, x);
}

/* Features [B, T, C] → the head's input. A mixture has the last layer's own output, a single state the normed one,
 * as in the reference. */
static void
base_forward (const HubertModel *model, HubertWorkspace *ws, const SegueModelPass *pass)
{
  gboolean is_mixed = model->head.n_states > 1;
  embed (model, ws, pass);
  for (guint layer = 0; layer < model->n_layers; layer++) {
    const SegueNnTransformerCall call = call_of (model, ws, pass, layer);
    const float *x = hubert_get_state (model, ws, pass, layer);
    /* Now, as in inference a state is overwritten two layers later. */
    if (is_mixed)
      pool (model, ws, layer, x);
    if (!hubert_is_skipped (model, ws, pass, layer))
      segue_nn_transformer_forward (&call, x);
  }
  if (is_mixed)
    pool (model, ws, model->n_layers, hubert_get_state (model, ws, pass, model->n_layers));
  else
    pool (model, ws, 0, hubert_last_forward (model, ws, pass));
}

/* d_state += the gradient of state @state through its mean. */
static void
add_pool_gradient (const HubertModel *model, HubertWorkspace *ws, gsize state)
{
  segue_nn_head_pool_backward (&model->head, model->base.threads, &ws->head, state, ws->frames,
                               ws->stack.d_branch);
  segue_nn_add (model->base.threads, ws->rows * model->transformer.hidden, ws->d_state,
                ws->stack.d_branch, ws->d_state);
}

static void
base_backward (const HubertModel *model, HubertWorkspace *ws, const SegueModelPass *pass)
{
  gboolean is_mixed = model->head.n_states > 1;
  segue_nn_head_pool_backward (&model->head, model->base.threads, &ws->head,
                               model->head.n_states - 1, ws->frames, ws->d_state);
  if (!is_mixed)
    last_backward (model, ws, pass);
  for (guint layer = model->n_layers; layer-- > 0;) {
    const SegueNnTransformerCall call = call_of (model, ws, pass, layer);
    if (!hubert_is_skipped (model, ws, pass, layer))
      segue_nn_transformer_backward (&call, hubert_get_state (model, ws, pass, layer), ws->d_state);
    if (is_mixed)
      add_pool_gradient (model, ws, layer);
  }
  embed_backward (model, ws, pass);
}

void
hubert_forward (const HubertModel *model, HubertWorkspace *ws, const SegueModelPass *pass)
{
  segue_nn_conv_encoder_forward (&model->encoder, model->base.threads, &ws->encoder, pass->input);
  base_forward (model, ws, pass);
  segue_nn_head_forward (&model->head, model->base.threads, &ws->head, pass->logits);
}

void
hubert_backward (const HubertModel *model, HubertWorkspace *ws, const SegueModelPass *pass,
                 const float *d_logits)
{
  segue_nn_head_backward (&model->head, model->base.threads, &ws->head, d_logits);
  if (ws->train_base)
    base_backward (model, ws, pass);
  if (ws->train_encoder)
    segue_nn_conv_encoder_backward (&model->encoder, model->base.threads, &ws->encoder, pass->input,
                                    ws->d_features);
}

/* ---- As an encoder ---- */

guint
hubert_count_encoder_layers (const HubertModel *model)
{
  return model->n_layers + 2;
}

gsize
hubert_get_encoder_width (const HubertModel *model, guint layer)
{
  return layer <= model->n_layers ? model->transformer.hidden
                                  : segue_nn_conv_encoder_get_channels (&model->encoder);
}

gsize
hubert_lay_encoder (const HubertModel *model, gsize batch, gsize length, guint layer, gpointer base,
                    HubertWorkspace *ws)
{
  SegueNnArena arena = { base };
  *ws = (HubertWorkspace){ 0 };
  if (!set_sizes (model, ws, batch, length))
    return G_MAXSIZE;
  segue_nn_conv_encoder_lay (&model->encoder, &arena, batch, length, FALSE, &ws->encoder);
  if (layer <= model->n_layers)
    lay_base (model, &arena, ws);
  return segue_nn_arena_get_size (&arena);
}

static const float *
compute_state (const HubertModel *model, HubertWorkspace *ws, guint state)
{
  const SegueModelPass pass = SEGUE_INIT (SegueModelPass, .mode = SEGUE_MODEL_INFER);
  embed (model, ws, &pass);
  for (guint layer = 0; layer < state; layer++) {
    const SegueNnTransformerCall call = call_of (model, ws, &pass, layer);
    segue_nn_transformer_forward (&call, hubert_get_state (model, ws, &pass, layer));
  }
  return state == model->n_layers ? hubert_last_forward (model, ws, &pass)
                                  : hubert_get_state (model, ws, &pass, state);
}

void
hubert_encode (const HubertModel *model, HubertWorkspace *ws, guint layer, const float *samples,
               float *output)
{
  segue_nn_conv_encoder_forward (&model->encoder, model->base.threads, &ws->encoder, samples);
  segue_nn_copy (model->base.threads, ws->rows * hubert_get_encoder_width (model, layer),
                 layer <= model->n_layers ? compute_state (model, ws, layer) : ws->encoder.features,
                 output);
}
