#include <segue/nn/positional-conv.h>

#include <math.h>
#include <segue/nn/elementwise.h>
#include <segue/nn/weight-norm.h>

typedef SegueNnPositionalConv Layer;
typedef SegueNnPositionalConvBuffers Buffers;

static gsize
group_size (const Layer *layer)
{
  return layer->hidden / layer->groups;
}

static gsize
n_weights (const Layer *layer)
{
  return layer->hidden * group_size (layer) * layer->kernel;
}

/* w = g · v / ‖v‖ and norm = ‖v‖. */
static void
normalise (const Layer *layer, SegueNnThreads *threads, const float *g, float *norm)
{
  segue_nn_weight_norm_forward (threads, layer->groups, layer->kernel,
                                group_size (layer) * group_size (layer), layer->v.w, g,
                                layer->conv.weight.w, norm);
}

static void
derive (gpointer data, SegueNnThreads *threads)
{
  const Layer *layer = data;
  normalise (layer, threads, layer->g.w, layer->norm);
}

/* g = ‖v‖, so that the weight starts as v. */
static void
make_g (gpointer data, SegueNnThreads *threads, gsize n, float *g)
{
  const Layer *layer = data;
  segue_nn_fill (threads, n, 1.0f, layer->norm);
  normalise (layer, threads, layer->norm, g);
}

void
segue_nn_positional_conv_declare (Layer *layer, SegueNnWeights *weights, guint part,
                                  const char *prefix)
{
  gsize group = group_size (layer);
  double bound = 1 / sqrt ((double) (group * layer->kernel));
  g_autofree char *v_name = g_strconcat (prefix, "parametrizations.weight.original1", NULL);
  g_autofree char *g_name = g_strconcat (prefix, "parametrizations.weight.original0", NULL);
  g_autofree char *bias_name = g_strconcat (prefix, "bias", NULL);
  const SegueNnTensor v = SEGUE_INIT (
    SegueNnTensor, .name = v_name, .rank = 3, .shape = { layer->hidden, group, layer->kernel },
    .layout = SEGUE_NN_LAYOUT_GROUPED_CONV1D, .groups = layer->groups,
    .init = SEGUE_NN_INIT_UNIFORM, .a = -bound, .b = bound, .part = part,
    .flags = SEGUE_NN_WEIGHT_DECAY);
  const SegueNnTensor g =
    SEGUE_INIT (SegueNnTensor, .name = g_name, .rank = 3, .shape = { 1, 1, layer->kernel },
                .init = SEGUE_NN_INIT_MADE, .make = make_g, .layer = layer, .part = part,
                .flags = SEGUE_NN_WEIGHT_DECAY);
  const SegueNnTensor bias = SEGUE_INIT (SegueNnTensor, .name = bias_name, .rank = 1,
                                         .shape = { layer->hidden }, .part = part);
  segue_nn_weights_add (weights, &layer->v, &v);
  segue_nn_weights_add (weights, &layer->g, &g);
  segue_nn_weights_add (weights, &layer->conv.bias, &bias);
  segue_nn_weights_add_derived (weights, &layer->conv.weight.w, n_weights (layer));
  segue_nn_weights_add_derived (weights, &layer->norm, layer->kernel);
  segue_nn_weights_derive (weights, derive, layer);
  segue_nn_weights_keep (weights, &layer->conv.weight, layer->groups * layer->kernel * group, group,
                         SEGUE_NN_KEEP_ANY);
}

static SegueNnGroupedConv1d
conv_of (const Layer *layer, gsize batch, gsize frames)
{
  return (SegueNnGroupedConv1d){ .batch = batch,
                                 .time = frames,
                                 .in = layer->hidden,
                                 .out = layer->hidden,
                                 .kernel = layer->kernel,
                                 .groups = layer->groups };
}

gsize
segue_nn_positional_conv_scratch (const Layer *layer, SegueNnThreads *threads, gsize batch,
                                  gsize frames)
{
  const SegueNnGroupedConv1d conv = conv_of (layer, batch, frames);
  return segue_nn_grouped_conv1d_scratch (threads, &conv);
}

void
segue_nn_positional_conv_lay (const Layer *layer, SegueNnArena *arena, gsize batch, gsize frames,
                              gboolean train, Buffers *b)
{
  *b = (Buffers){ .batch = batch, .frames = frames };
  b->convolved = segue_nn_arena_floats (arena, batch, frames, layer->hidden, 1);
  if (train)
    b->d_weight = segue_nn_arena_floats (arena, n_weights (layer), 1, 1, 1);
}

void
segue_nn_positional_conv_forward (const Layer *layer, SegueNnThreads *threads, const Buffers *b,
                                  const float *x, float *y, float *scratch)
{
  const SegueNnGroupedConv1d conv = conv_of (layer, b->batch, b->frames);
  gsize n = b->batch * b->frames * layer->hidden;
  segue_nn_grouped_conv1d_forward (threads, &conv, x, &layer->conv, b->convolved, scratch);
  segue_nn_activation_forward (threads, layer->activation, n, b->convolved, y);
  segue_nn_add (threads, n, x, y, y);
}

void
segue_nn_positional_conv_backward (const Layer *layer, SegueNnThreads *threads, const Buffers *b,
                                   const float *x, float *d, float *scratch)
{
  const SegueNnGroupedConv1d conv = conv_of (layer, b->batch, b->frames);
  gsize n = b->batch * b->frames * layer->hidden, group = group_size (layer);
  SegueNnAffine weights = layer->conv;
  weights.weight.dw = b->d_weight;
  segue_nn_fill (threads, n_weights (layer), 0.0f, b->d_weight);
  segue_nn_activation_backward (threads, layer->activation, n, b->convolved, d, b->d_branch);
  segue_nn_grouped_conv1d_backward (threads, &conv, x, &weights, b->d_branch, b->d_input, scratch);
  segue_nn_weight_norm_backward (threads, layer->groups, layer->kernel, group * group, layer->v.w,
                                 layer->g.w, layer->norm, b->d_weight, layer->v.dw, layer->g.dw);
  segue_nn_add (threads, n, d, b->d_input, d);
}
