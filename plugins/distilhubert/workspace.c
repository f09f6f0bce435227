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

static void
lay_transformer (SegueNnArena *c, const HubertModel *model, HubertWorkspace *ws)
{
  const HubertArchitecture *a = &model->architecture;
  const SegueNnTransformer transformer = hubert_model_get_transformer (model);
  SegueNnGroupedConv1d positional = hubert_workspace_positional (ws, model);
  segue_nn_transformer_lay (
    &transformer, model->base.threads, c, (guint) a->layers, ws->batch, ws->frames, ws->train_base,
    segue_nn_grouped_conv1d_scratch (model->base.threads, &positional), &ws->stack);
  ws->last = take (c, a->stable ? ws->rows : 0, 1, a->hidden);
  ws->last_mean = take (c, 1, 1, ws->rows);
  ws->last_rstd = take (c, 1, 1, ws->rows);
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
  /* Far beyond any memory, and small enough that no product below overflows before it is
   * checked. */
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
