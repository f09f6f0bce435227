#include "workspace.h"

#include "architecture.h"

#include <segue/nn/arena.h>

/* a · b · n floats. */
static float *
take (SegueNnArena *arena, gsize a, gsize b, gsize n)
{
  return segue_nn_arena_floats (arena, a, b, n, 1);
}

static gboolean
has_norm (const HubertArchitecture *a, guint conv)
{
  return conv == 0 || a->conv_norm == HUBERT_NORM_LAYER;
}

static void
lay_encoder (SegueNnArena *c, const HubertArchitecture *a, HubertWorkspace *ws)
{
  gsize largest[2] = { 0, 0 }, activated = 0, normed = 0, statistics = 0;
  for (guint i = 0; i < a->n_convs; i++) {
    gsize size = ws->conv_frames[i] * a->convs[i].channels;
    largest[i % 2] = MAX (largest[i % 2], size);
    if (i + 1 < a->n_convs)
      activated = MAX (activated, size);
    if (has_norm (a, i)) {
      normed = MAX (normed, size);
      statistics = MAX (statistics, MAX (ws->conv_frames[i], a->convs[i].channels));
    }
    ws->convs[i] = ws->train_encoder ? take (c, ws->batch, 1, size) : NULL;
  }
  ws->samples = take (c, 1, 1, ws->length);
  ws->conv_mean = take (c, 1, 1, statistics);
  ws->conv_rstd = take (c, 1, 1, statistics);
  ws->even = take (c, 1, 1, largest[0]);
  ws->odd = take (c, 1, 1, largest[1]);
  if (ws->train_encoder) {
    ws->activated = take (c, 1, 1, activated);
    ws->normed = take (c, 1, 1, normed);
  }
  ws->features = take (c, ws->rows, 1, a->convs[a->n_convs - 1].channels);
}

static void
lay_embedding (SegueNnArena *c, const HubertArchitecture *a, HubertWorkspace *ws)
{
  gsize features = a->convs[a->n_convs - 1].channels;
  ws->feature_normed = take (c, a->feature_norm ? ws->rows : 0, 1, features);
  ws->feature_mean = take (c, 1, 1, ws->rows);
  ws->feature_rstd = take (c, 1, 1, ws->rows);
  ws->projected = take (c, ws->rows, 1, a->hidden);
  ws->time_mask = segue_nn_arena_bytes (c, ws->train_base ? ws->rows : 0);
  ws->channel_mask = segue_nn_arena_bytes (c, ws->train_base ? ws->batch * a->hidden : 0);
  ws->positional = take (c, ws->rows, 1, a->hidden);
  ws->embedded = take (c, ws->rows, 1, a->hidden);
  ws->embedded_mean = take (c, 1, 1, ws->rows);
  ws->embedded_rstd = take (c, 1, 1, ws->rows);
  ws->first = take (c, ws->rows, 1, a->hidden);
}

/* What inference may share between layers; in training each layer has its own. */
static void
lay_inside (SegueNnArena *c, const HubertArchitecture *a, const HubertWorkspace *ws,
            HubertLayerBuffers *b)
{
  b->qkv = take (c, ws->rows, 3, a->hidden);
  b->context = take (c, ws->rows, 1, a->hidden);
  b->inner = take (c, ws->rows, 1, a->inner);
  b->mean1 = take (c, 1, 1, ws->rows);
  b->rstd1 = take (c, 1, 1, ws->rows);
  b->mean2 = take (c, 1, 1, ws->rows);
  b->rstd2 = take (c, 1, 1, ws->rows);
}

static void
lay_layer (SegueNnArena *c, const HubertArchitecture *a, const HubertWorkspace *ws,
           HubertLayerBuffers *b)
{
  b->sum1 = take (c, ws->rows, 1, a->hidden);
  b->norm1 = take (c, ws->rows, 1, a->hidden);
  b->sum2 = take (c, ws->rows, 1, a->hidden);
  b->norm2 = take (c, ws->rows, 1, a->hidden);
  if (ws->train_base)
    lay_inside (c, a, ws, b);
}

HubertLayerBuffers
hubert_workspace_layer (const HubertWorkspace *ws, const HubertModel *model, guint layer)
{
  HubertLayerBuffers buffers = ws->shared;
  guint8 *base = (guint8 *) ws->layers + (layer % ws->n_layers) * ws->layer_stride;
  SegueNnArena c = { base };
  lay_layer (&c, &model->architecture, ws, &buffers);
  return buffers;
}

SegueNnAttention
hubert_workspace_attention (const HubertWorkspace *ws, const HubertModel *model)
{
  const HubertArchitecture *a = &model->architecture;
  return (SegueNnAttention){
    .batch = ws->batch,
    .time = ws->frames,
    .heads = a->heads,
    .dim = a->hidden / a->heads,
    .stride = 3 * a->hidden,
    .dropout = ws->train_base ? model->training.attention_dropout : 0.0f,
  };
}

SegueNnGroupedConv1d
hubert_workspace_positional (const HubertWorkspace *ws, const HubertModel *model)
{
  const HubertArchitecture *a = &model->architecture;
  return (SegueNnGroupedConv1d){
    .batch = ws->batch,
    .time = ws->frames,
    .in = a->hidden,
    .out = a->hidden,
    .kernel = a->positional_kernel,
    .groups = a->positional_groups,
  };
}

static gsize
scratch_floats (const HubertWorkspace *ws, const HubertModel *model)
{
  SegueNnAttention attention = hubert_workspace_attention (ws, model);
  SegueNnGroupedConv1d positional = hubert_workspace_positional (ws, model);
  gsize n = MAX (segue_nn_attention_forward_scratch (model->base.pool, &attention),
                 segue_nn_grouped_conv1d_scratch (model->base.pool, &positional));
  if (ws->train_base)
    n = MAX (n, segue_nn_attention_backward_scratch (model->base.pool, &attention));
  return n;
}

static void
lay_transformer (SegueNnArena *c, const HubertModel *model, HubertWorkspace *ws)
{
  const HubertArchitecture *a = &model->architecture;
  /* Inference alternates: a layer reads what the one before left in the other. */
  ws->n_layers = ws->train_base ? (guint) a->layers : 2;
  HubertLayerBuffers unused = { NULL };
  SegueNnArena one = { NULL };
  lay_layer (&one, a, ws, &unused);
  ws->layer_stride = one.used;
  c->overflow |= one.overflow;
  ws->layers = take (c, ws->n_layers, ws->layer_stride / sizeof (float), 1);
  if (!ws->train_base)
    lay_inside (c, a, ws, &ws->shared);

  ws->last = take (c, a->stable ? ws->rows : 0, 1, a->hidden);
  ws->last_mean = take (c, 1, 1, ws->rows);
  ws->last_rstd = take (c, 1, 1, ws->rows);
  ws->active = take (c, ws->train_base ? ws->rows : 0, 1, a->inner);
  ws->branch = take (c, ws->rows, 1, a->hidden);
  ws->scratch = take (c, 1, 1, scratch_floats (ws, model));
}

static void
lay_head (SegueNnArena *c, const HubertArchitecture *a, HubertWorkspace *ws)
{
  ws->pooled = take (c, ws->states, ws->batch, a->hidden);
  ws->mixed = take (c, 1, ws->batch, a->hidden);
  ws->projector = take (c, 1, ws->batch, a->projector);
  if (!ws->train)
    return;
  ws->d_pooled = take (c, ws->states, ws->batch, a->hidden);
  ws->d_mixed = take (c, 1, ws->batch, a->hidden);
  ws->d_projector = take (c, 1, ws->batch, a->projector);
}

static void
lay_backward (SegueNnArena *c, const HubertArchitecture *a, HubertWorkspace *ws)
{
  gsize group = a->hidden / a->positional_groups;
  ws->d_state = take (c, ws->rows, 1, a->hidden);
  ws->d_sum = take (c, ws->rows, 1, a->hidden);
  ws->d_branch = take (c, ws->rows, 1, a->hidden);
  ws->d_qkv = take (c, ws->rows, 3, a->hidden);
  ws->d_inner = take (c, ws->rows, 1, a->inner);
  ws->d_features = take (c, ws->rows, 1, a->convs[a->n_convs - 1].channels);
  ws->d_positional = take (c, a->hidden, group, a->positional_kernel);
}

gsize
hubert_workspace_lay (const HubertModel *model, gsize batch, gsize length, gboolean train,
                      gboolean from_prefix, gpointer base, HubertWorkspace *ws)
{
  const HubertArchitecture *a = &model->architecture;
  SegueNnArena c = { base };
  gboolean frozen_base = model->freeze == HUBERT_FREEZE_BASE;
  *ws = (HubertWorkspace){
    .batch = batch,
    .length = length,
    .states = a->weighted_sum ? a->layers + 1 : 1,
    .start = !from_prefix  ? HUBERT_START_SAMPLES
             : frozen_base ? HUBERT_START_POOLED
                           : HUBERT_START_FEATURES,
    .train = train,
    .train_base = train && !frozen_base,
    .train_encoder = train && model->freeze == HUBERT_FREEZE_NONE,
  };
  for (guint i = 0; i < a->n_convs; i++)
    ws->conv_frames[i] = length = hubert_conv_time (&a->convs[i], length);
  ws->frames = length;
  /* Far past any memory, and small enough that no product below overflows before it is checked. */
  if (batch == 0 || ws->frames == 0 || ws->length > G_MAXSIZE >> 24 || batch > G_MAXINT32 ||
      !g_size_checked_mul (&ws->rows, batch, ws->frames))
    return G_MAXSIZE;

  if (ws->start == HUBERT_START_SAMPLES)
    lay_encoder (&c, a, ws);
  if (ws->start != HUBERT_START_POOLED) {
    lay_embedding (&c, a, ws);
    lay_transformer (&c, model, ws);
  }
  lay_head (&c, a, ws);
  if (ws->train_base)
    lay_backward (&c, a, ws);
  return segue_nn_arena_get_size (&c);
}
