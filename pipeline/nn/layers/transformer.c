#include <segue/nn/transformer.h>

#include <segue/nn/attention.h>
#include <segue/nn/dropout.h>
#include <segue/nn/elementwise.h>
#include <segue/nn/linear.h>
#include <segue/nn/norm.h>
#include <string.h>

typedef SegueNnTransformerCall Call;
typedef SegueNnTransformerBuffers Buffers;
typedef SegueNnTransformerWorkspace Workspace;

/* Uses of randomness, from a call's first number on. */
enum { RANDOM_PROBABILITIES, RANDOM_ATTENTION, RANDOM_ACTIVATION, RANDOM_FEED_FORWARD };

/* ---- Weights ---- */

/* q, k and v are separate tensors in files. */
static void
declare_projections (const SegueNnTransformer *t, SegueNnAffine *qkv, SegueNnWeights *weights,
                     guint part, double deviation, const SegueNnTransformerNames *names,
                     const char *prefix)
{
  const char *const of[] = { names->query, names->key, names->value };
  SegueNnTensor weight = SEGUE_INIT (SegueNnTensor, .rank = 2, .shape = { t->hidden, t->hidden },
                                     .init = SEGUE_NN_INIT_NORMAL, .b = deviation, .part = part,
                                     .flags = SEGUE_NN_WEIGHT_DECAY);
  SegueNnTensor bias = SEGUE_INIT (SegueNnTensor, .rank = 1, .shape = { t->hidden }, .part = part);
  for (guint i = 0; i < 3; i++) {
    g_autofree char *name = g_strconcat (prefix, of[i], ".weight", NULL);
    weight.name = name;
    segue_nn_weights_add (weights, i == 0 ? &qkv->weight : NULL, &weight);
    weight.flags |= SEGUE_NN_WEIGHT_ADJACENT;
  }
  for (guint i = 0; i < 3; i++) {
    g_autofree char *name = g_strconcat (prefix, of[i], ".bias", NULL);
    bias.name = name;
    segue_nn_weights_add (weights, i == 0 ? &qkv->bias : NULL, &bias);
    bias.flags |= SEGUE_NN_WEIGHT_ADJACENT;
  }
}

void
segue_nn_transformer_declare (const SegueNnTransformer *t, SegueNnTransformerLayer *layer,
                              SegueNnWeights *weights, guint part, double deviation,
                              const SegueNnTransformerNames *names, const char *prefix)
{
  g_autofree char *out = g_strconcat (prefix, names->out, NULL);
  g_autofree char *attention_norm = g_strconcat (prefix, names->attention_norm, NULL);
  g_autofree char *inner = g_strconcat (prefix, names->inner, NULL);
  g_autofree char *outer = g_strconcat (prefix, names->outer, NULL);
  g_autofree char *final_norm = g_strconcat (prefix, names->final_norm, NULL);
  declare_projections (t, &layer->qkv, weights, part, deviation, names, prefix);
  segue_nn_weights_add_linear (weights, &layer->out, part, 0, t->hidden, t->hidden, deviation, out);
  segue_nn_weights_add_norm (weights, &layer->attention_norm, part, t->hidden, attention_norm);
  segue_nn_weights_add_linear (weights, &layer->inner, part, 0, t->inner, t->hidden, deviation,
                               inner);
  segue_nn_weights_add_linear (weights, &layer->outer, part, 0, t->hidden, t->inner, deviation,
                               outer);
  segue_nn_weights_add_norm (weights, &layer->final_norm, part, t->hidden, final_norm);
  segue_nn_weights_keep (weights, &layer->qkv.weight, 3 * t->hidden, t->hidden,
                         SEGUE_NN_KEEP_OUTPUTS);
  segue_nn_weights_keep (weights, &layer->out.weight, t->hidden, t->hidden, SEGUE_NN_KEEP_OUTPUTS);
  segue_nn_weights_keep (weights, &layer->inner.weight, t->inner, t->hidden, SEGUE_NN_KEEP_OUTPUTS);
  segue_nn_weights_keep (weights, &layer->outer.weight, t->hidden, t->inner, SEGUE_NN_KEEP_OUTPUTS);
}

/* ---- Workspace ---- */

static SegueNnAttention
attention_of (const SegueNnTransformer *t, const Workspace *ws)
{
  return (SegueNnAttention){ .batch = ws->batch,
                             .time = ws->frames,
                             .heads = t->heads,
                             .dim = t->hidden / t->heads,
                             .stride = 3 * t->hidden,
                             .dropout = ws->train ? t->attention_dropout : 0.0f };
}

/* Buffers that layers share in inference; in training each layer has its own. */
static void
lay_inside (const SegueNnTransformer *t, SegueNnArena *arena, const Workspace *ws, Buffers *b)
{
  b->qkv = segue_nn_arena_floats (arena, ws->rows, 3, t->hidden, 1);
  b->context = segue_nn_arena_floats (arena, ws->rows, t->hidden, 1, 1);
  b->inner = segue_nn_arena_floats (arena, ws->rows, t->inner, 1, 1);
  b->mean1 = segue_nn_arena_floats (arena, ws->rows, 1, 1, 1);
  b->rstd1 = segue_nn_arena_floats (arena, ws->rows, 1, 1, 1);
  b->mean2 = segue_nn_arena_floats (arena, ws->rows, 1, 1, 1);
  b->rstd2 = segue_nn_arena_floats (arena, ws->rows, 1, 1, 1);
}

static void
lay_layer (const SegueNnTransformer *t, SegueNnArena *arena, const Workspace *ws, Buffers *b)
{
  b->sum1 = segue_nn_arena_floats (arena, ws->rows, t->hidden, 1, 1);
  b->norm1 = segue_nn_arena_floats (arena, ws->rows, t->hidden, 1, 1);
  b->sum2 = segue_nn_arena_floats (arena, ws->rows, t->hidden, 1, 1);
  b->norm2 = segue_nn_arena_floats (arena, ws->rows, t->hidden, 1, 1);
  if (ws->train)
    lay_inside (t, arena, ws, b);
}

void
segue_nn_transformer_lay (const SegueNnTransformer *t, SegueNnThreads *threads, SegueNnArena *arena,
                          guint n_layers, gsize batch, gsize frames, gboolean train,
                          gsize more_scratch, Workspace *ws)
{
  Buffers unused = { NULL };
  SegueNnArena one = { NULL };
  *ws = (Workspace){ .batch = batch, .frames = frames, .rows = batch * frames, .train = train };
  /* Inference alternates: a layer reads the output of the previous one from the other. */
  ws->n_buffers = train ? n_layers : 2;
  lay_layer (t, &one, ws, &unused);
  ws->stride = one.used;
  arena->overflow |= one.overflow;
  ws->buffers = segue_nn_arena_floats (arena, ws->n_buffers, ws->stride / sizeof (float), 1, 1);
  if (!train)
    lay_inside (t, arena, ws, &ws->shared);

  SegueNnAttention attention = attention_of (t, ws);
  ws->n_scratch = MAX (segue_nn_attention_forward_scratch (threads, &attention), more_scratch);
  if (train)
    ws->n_scratch = MAX (ws->n_scratch, segue_nn_attention_backward_scratch (threads, &attention));
  ws->active = segue_nn_arena_floats (arena, train ? ws->rows : 0, t->inner, 1, 1);
  ws->branch = segue_nn_arena_floats (arena, ws->rows, t->hidden, 1, 1);
  ws->scratch = segue_nn_arena_floats (arena, ws->n_scratch, 1, 1, 1);
  if (!train)
    return;
  ws->d_sum = segue_nn_arena_floats (arena, ws->rows, t->hidden, 1, 1);
  ws->d_branch = segue_nn_arena_floats (arena, ws->rows, t->hidden, 1, 1);
  ws->d_qkv = segue_nn_arena_floats (arena, ws->rows, 3, t->hidden, 1);
  ws->d_inner = segue_nn_arena_floats (arena, ws->rows, t->inner, 1, 1);
  ws->keys = segue_nn_arena_floats (arena, t->hidden, 1, 1, 1);
}

Buffers
segue_nn_transformer_get_buffers (const SegueNnTransformer *t, const Workspace *ws, guint layer)
{
  Buffers buffers = ws->shared;
  SegueNnArena arena = { (guint8 *) ws->buffers + (layer % ws->n_buffers) * ws->stride };
  lay_layer (t, &arena, ws, &buffers);
  return buffers;
}

const float *
segue_nn_transformer_get_output (const SegueNnTransformer *t, const Workspace *ws, guint layer)
{
  Buffers b = segue_nn_transformer_get_buffers (t, ws, layer);
  return t->norm_first ? b.sum2 : b.norm2;
}

/* ---- Passes ---- */

static SegueNnRandomKey
key_of (const Call *c, guint use)
{
  return (
    SegueNnRandomKey){ .seed = c->pass->seed, .step = c->pass->step, .layer = c->random + use };
}

/* y = x + dropout (branch), all [B, T, H]. */
static void
add_branch (const Call *c, guint use, const float *x, float *y)
{
  const SegueNnTransformer *t = c->transformer;
  const Workspace *ws = c->workspace;
  SegueNnRandomKey key = key_of (c, use);
  segue_nn_dropout_add (c->threads, &key, c->pass->items, ws->train ? t->hidden_dropout : 0.0f,
                        ws->batch, ws->frames * t->hidden, ws->branch, x, y);
}

/* d_branch = dropout's backward of dy. */
static void
branch_gradient (const Call *c, guint use, const float *dy)
{
  const SegueNnTransformer *t = c->transformer;
  const Workspace *ws = c->workspace;
  SegueNnRandomKey key = key_of (c, use);
  segue_nn_dropout (c->threads, &key, c->pass->items, t->hidden_dropout, ws->batch,
                    ws->frames * t->hidden, dy, ws->d_branch);
}

static void
norm_forward (const Call *c, const SegueNnAffine *norm, const float *x, float *y, float *mean,
              float *rstd)
{
  segue_nn_layer_norm_forward (c->threads, c->workspace->rows, c->transformer->hidden,
                               c->transformer->eps, x, norm->weight.w, norm->bias.w, y, mean, rstd);
}

/* dx may be dy. */
static void
norm_backward (const Call *c, const SegueNnAffine *norm, const float *x, const float *mean,
               const float *rstd, const float *dy, float *dx)
{
  segue_nn_layer_norm_backward (c->threads, c->workspace->rows, c->transformer->hidden, x,
                                norm->weight.w, mean, rstd, dy, dx, norm->weight.dw, norm->bias.dw);
}

/* x [B, T, H] → branch. */
static void
attention_forward (const Call *c, const Buffers *b, const float *x)
{
  const SegueNnTransformerLayer *w = c->layer;
  const Workspace *ws = c->workspace;
  gsize hidden = c->transformer->hidden;
  SegueNnAttention attention = attention_of (c->transformer, ws);
  SegueNnRandomKey key = key_of (c, RANDOM_PROBABILITIES);
  segue_nn_linear_forward_batch (c->threads, ws->batch, ws->frames, hidden, 3 * hidden, x, &w->qkv,
                                 b->qkv);
  segue_nn_attention_forward (c->threads, &attention, &key, c->pass->items, b->qkv, b->qkv + hidden,
                              b->qkv + 2 * hidden, b->context, ws->scratch);
  segue_nn_linear_forward_batch (c->threads, ws->batch, ws->frames, hidden, hidden, b->context,
                                 &w->out, ws->branch);
}

/* dbias [3H] += column sums of d_qkv, except for the keys' third. A bias of the keys adds one number to a
 * whole row of scores, which does not change softmax: its gradient is 0, and the sum is rounding noise,
 * which AdamW would amplify to full steps. */
static void
qkv_bias_backward (const Call *c, float *dbias)
{
  const Workspace *ws = c->workspace;
  gsize hidden = c->transformer->hidden;
  memcpy (ws->keys, dbias + hidden, hidden * sizeof *dbias);
  segue_nn_bias_backward (c->threads, ws->rows, 3 * hidden, ws->d_qkv, dbias);
  memcpy (dbias + hidden, ws->keys, hidden * sizeof *dbias);
}

/* d_branch → d_sum, the gradient of x. */
static void
attention_backward (const Call *c, const Buffers *b, const float *x)
{
  const SegueNnTransformerLayer *w = c->layer;
  const Workspace *ws = c->workspace;
  gsize hidden = c->transformer->hidden;
  SegueNnAttention attention = attention_of (c->transformer, ws);
  SegueNnRandomKey key = key_of (c, RANDOM_PROBABILITIES);
  const SegueNnAffine without_bias = { .weight = w->qkv.weight };
  float *d_context = ws->d_sum;
  segue_nn_linear_backward (c->threads, ws->rows, hidden, hidden, b->context, &w->out, ws->d_branch,
                            d_context);
  segue_nn_attention_backward (c->threads, &attention, &key, c->pass->items, b->qkv,
                               b->qkv + hidden, b->qkv + 2 * hidden, d_context, ws->d_qkv,
                               ws->d_qkv + hidden, ws->d_qkv + 2 * hidden, ws->scratch);
  segue_nn_linear_backward (c->threads, ws->rows, hidden, 3 * hidden, x, &without_bias, ws->d_qkv,
                            ws->d_sum);
  qkv_bias_backward (c, w->qkv.bias.dw);
}

/* inner [B, T, I] → active; in inference they are the same buffer. */
static float *
activate (const Call *c, const Buffers *b)
{
  const SegueNnTransformer *t = c->transformer;
  const Workspace *ws = c->workspace;
  float *active = ws->train ? ws->active : b->inner;
  segue_nn_activation_forward (c->threads, t->activation, ws->rows * t->inner, b->inner, active);
  if (ws->train && t->activation_dropout > 0) {
    SegueNnRandomKey key = key_of (c, RANDOM_ACTIVATION);
    segue_nn_dropout (c->threads, &key, c->pass->items, t->activation_dropout, ws->batch,
                      ws->frames * t->inner, active, active);
  }
  return active;
}

/* x [B, T, H] → branch. */
static void
feed_forward (const Call *c, const Buffers *b, const float *x)
{
  const SegueNnTransformer *t = c->transformer;
  const SegueNnTransformerLayer *w = c->layer;
  const Workspace *ws = c->workspace;
  segue_nn_linear_forward_batch (c->threads, ws->batch, ws->frames, t->hidden, t->inner, x,
                                 &w->inner, b->inner);
  const float *active = activate (c, b);
  segue_nn_linear_forward_batch (c->threads, ws->batch, ws->frames, t->inner, t->hidden, active,
                                 &w->outer, ws->branch);
}

/* d_branch → d_sum, the gradient of x. */
static void
feed_forward_backward (const Call *c, const Buffers *b, const float *x)
{
  const SegueNnTransformer *t = c->transformer;
  const SegueNnTransformerLayer *w = c->layer;
  const Workspace *ws = c->workspace;
  const float *active = activate (c, b);
  segue_nn_linear_backward (c->threads, ws->rows, t->inner, t->hidden, active, &w->outer,
                            ws->d_branch, ws->d_inner);
  if (t->activation_dropout > 0) {
    SegueNnRandomKey key = key_of (c, RANDOM_ACTIVATION);
    segue_nn_dropout (c->threads, &key, c->pass->items, t->activation_dropout, ws->batch,
                      ws->frames * t->inner, ws->d_inner, ws->d_inner);
  }
  segue_nn_activation_backward (c->threads, t->activation, ws->rows * t->inner, b->inner,
                                ws->d_inner, ws->d_inner);
  segue_nn_linear_backward (c->threads, ws->rows, t->hidden, t->inner, x, &w->inner, ws->d_inner,
                            ws->d_sum);
}

void
segue_nn_transformer_forward (const SegueNnTransformerCall *c, const float *x)
{
  const SegueNnTransformerLayer *w = c->layer;
  const Buffers b = segue_nn_transformer_get_buffers (c->transformer, c->workspace, c->index);
  if (c->transformer->norm_first) {
    norm_forward (c, &w->attention_norm, x, b.norm1, b.mean1, b.rstd1);
    attention_forward (c, &b, b.norm1);
    add_branch (c, RANDOM_ATTENTION, x, b.sum1);
    norm_forward (c, &w->final_norm, b.sum1, b.norm2, b.mean2, b.rstd2);
    feed_forward (c, &b, b.norm2);
    add_branch (c, RANDOM_FEED_FORWARD, b.sum1, b.sum2);
  } else {
    attention_forward (c, &b, x);
    add_branch (c, RANDOM_ATTENTION, x, b.sum1);
    norm_forward (c, &w->attention_norm, b.sum1, b.norm1, b.mean1, b.rstd1);
    feed_forward (c, &b, b.norm1);
    add_branch (c, RANDOM_FEED_FORWARD, b.norm1, b.sum2);
    norm_forward (c, &w->final_norm, b.sum2, b.norm2, b.mean2, b.rstd2);
  }
}

static void
backward_norms_before (const Call *c, const Buffers *b, const float *x, float *d)
{
  const SegueNnTransformerLayer *w = c->layer;
  const Workspace *ws = c->workspace;
  gsize n = ws->rows * c->transformer->hidden;
  branch_gradient (c, RANDOM_FEED_FORWARD, d);
  feed_forward_backward (c, b, b->norm2);
  norm_backward (c, &w->final_norm, b->sum1, b->mean2, b->rstd2, ws->d_sum, ws->d_sum);
  segue_nn_add (c->threads, n, d, ws->d_sum, d);
  branch_gradient (c, RANDOM_ATTENTION, d);
  attention_backward (c, b, b->norm1);
  norm_backward (c, &w->attention_norm, x, b->mean1, b->rstd1, ws->d_sum, ws->d_sum);
  segue_nn_add (c->threads, n, d, ws->d_sum, d);
}

static void
backward_norms_after (const Call *c, const Buffers *b, const float *x, float *d)
{
  const SegueNnTransformerLayer *w = c->layer;
  const Workspace *ws = c->workspace;
  gsize n = ws->rows * c->transformer->hidden;
  norm_backward (c, &w->final_norm, b->sum2, b->mean2, b->rstd2, d, d);
  branch_gradient (c, RANDOM_FEED_FORWARD, d);
  feed_forward_backward (c, b, b->norm1);
  segue_nn_add (c->threads, n, d, ws->d_sum, d);
  norm_backward (c, &w->attention_norm, b->sum1, b->mean1, b->rstd1, d, d);
  branch_gradient (c, RANDOM_ATTENTION, d);
  attention_backward (c, b, x);
  segue_nn_add (c->threads, n, d, ws->d_sum, d);
}

void
segue_nn_transformer_backward (const SegueNnTransformerCall *c, const float *x, float *d)
{
  const Buffers b = segue_nn_transformer_get_buffers (c->transformer, c->workspace, c->index);
  if (c->transformer->norm_first)
    backward_norms_before (c, &b, x, d);
  else
    backward_norms_after (c, &b, x, d);
}
