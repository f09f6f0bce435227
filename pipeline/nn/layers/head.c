#include <segue/nn/head.h>

#include <segue/nn/linear.h>
#include <segue/nn/mean-pool.h>
#include <segue/nn/weighted-sum.h>

typedef SegueNnHead Head;
typedef SegueNnHeadBuffers Buffers;

static gboolean
is_mixed (const Head *head)
{
  return head->n_states > 1;
}

void
segue_nn_head_declare (Head *head, SegueNnWeights *weights, guint part, double deviation)
{
  const SegueNnTensor mix =
    SEGUE_INIT (SegueNnTensor, .name = "layer_weights", .rank = 1, .shape = { head->n_states },
                .a = 1.0 / (double) head->n_states, .part = part,
                .flags = SEGUE_NN_WEIGHT_DECAY | SEGUE_NN_WEIGHT_OPTIONAL);
  if (is_mixed (head))
    segue_nn_weights_add (weights, &head->mix, &mix);
  segue_nn_weights_add_linear (weights, &head->projector, part, SEGUE_NN_WEIGHT_HEAD,
                               head->projected, head->hidden, deviation, "projector");
  segue_nn_weights_add_linear (weights, &head->classifier, part, SEGUE_NN_WEIGHT_LABELS,
                               head->n_labels, head->projected, deviation, "classifier");
}

/* Without an activation, a buffer and its gradient are used for both. */
void
segue_nn_head_lay (const Head *head, SegueNnArena *arena, gsize batch, gboolean train, Buffers *b)
{
  gboolean is_active = head->activation != SEGUE_NN_ACTIVATION_LINEAR;
  *b = (Buffers){ .batch = batch };
  b->pooled = segue_nn_arena_floats (arena, head->n_states, batch, head->hidden, 1);
  b->mixed = is_mixed (head) ? segue_nn_arena_floats (arena, batch, head->hidden, 1, 1) : b->pooled;
  b->projected = segue_nn_arena_floats (arena, batch, head->projected, 1, 1);
  b->active =
    is_active ? segue_nn_arena_floats (arena, batch, head->projected, 1, 1) : b->projected;
  if (!train)
    return;
  b->d_active = segue_nn_arena_floats (arena, batch, head->projected, 1, 1);
  b->d_pooled = segue_nn_arena_floats (arena, head->n_states, batch, head->hidden, 1);
  b->d_mixed =
    is_mixed (head) ? segue_nn_arena_floats (arena, batch, head->hidden, 1, 1) : b->d_pooled;
}

void
segue_nn_head_pool (const Head *head, SegueNnThreads *threads, const Buffers *b, gsize state,
                    gsize frames, const float *x)
{
  segue_nn_mean_pool_forward (threads, b->batch, frames, head->hidden, x,
                              b->pooled + state * b->batch * head->hidden);
}

void
segue_nn_head_pool_backward (const Head *head, SegueNnThreads *threads, const Buffers *b,
                             gsize state, gsize frames, float *d)
{
  segue_nn_mean_pool_backward (threads, b->batch, frames, head->hidden,
                               b->d_pooled + state * b->batch * head->hidden, d);
}

/* [n_states, B, H] as one pointer per state. */
static void
state_pointers (const Head *head, const Buffers *b, float *block, float **states)
{
  g_assert (head->n_states <= SEGUE_NN_WEIGHTED_SUM_MAX_LAYERS);
  for (gsize i = 0; i < head->n_states; i++)
    states[i] = block + i * b->batch * head->hidden;
}

static void
mix_forward (const Head *head, SegueNnThreads *threads, const Buffers *b)
{
  float *states[SEGUE_NN_WEIGHTED_SUM_MAX_LAYERS];
  state_pointers (head, b, b->pooled, states);
  segue_nn_weighted_sum_forward (threads, head->n_states, b->batch * head->hidden,
                                 (const float *const *) states, head->mix.w, b->mixed);
}

static void
mix_backward (const Head *head, SegueNnThreads *threads, const Buffers *b)
{
  float *states[SEGUE_NN_WEIGHTED_SUM_MAX_LAYERS], *d_states[SEGUE_NN_WEIGHTED_SUM_MAX_LAYERS];
  state_pointers (head, b, b->pooled, states);
  state_pointers (head, b, b->d_pooled, d_states);
  segue_nn_weighted_sum_backward (threads, head->n_states, b->batch * head->hidden,
                                  (const float *const *) states, head->mix.w, b->d_mixed, d_states,
                                  head->mix.dw);
}

/* Row by row, so that an item's result doesn't depend on its place in the batch. */
void
segue_nn_head_forward (const Head *head, SegueNnThreads *threads, const Buffers *b, float *logits)
{
  if (is_mixed (head))
    mix_forward (head, threads, b);
  segue_nn_linear_forward_batch (threads, b->batch, 1, head->hidden, head->projected, b->mixed,
                                 &head->projector, b->projected);
  if (b->active != b->projected)
    segue_nn_activation_forward (threads, head->activation, b->batch * head->projected,
                                 b->projected, b->active);
  segue_nn_linear_forward_batch (threads, b->batch, 1, head->projected, head->n_labels, b->active,
                                 &head->classifier, logits);
}

void
segue_nn_head_backward (const Head *head, SegueNnThreads *threads, const Buffers *b,
                        const float *d_logits)
{
  segue_nn_linear_backward (threads, b->batch, head->projected, head->n_labels, b->active,
                            &head->classifier, d_logits, b->d_active);
  if (b->active != b->projected)
    segue_nn_activation_backward (threads, head->activation, b->batch * head->projected,
                                  b->projected, b->d_active, b->d_active);
  segue_nn_linear_backward (threads, b->batch, head->hidden, head->projected, b->mixed,
                            &head->projector, b->d_active, b->d_mixed);
  if (is_mixed (head))
    mix_backward (head, threads, b);
}
