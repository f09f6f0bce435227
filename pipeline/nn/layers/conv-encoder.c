#include <segue/nn/conv-encoder.h>

#include <math.h>
#include <segue/nn/conv1d.h>
#include <segue/nn/elementwise.h>
#include <segue/nn/norm.h>

/* Of the norms: torch's default, not layer_norm_eps. */
#define NORM_EPS 1e-5f
/* As Wav2Vec2FeatureExtractor: (x − mean) / √(variance + 1e-7). */
#define STANDARDISE_EPS 1e-7f

typedef SegueNnConvEncoder Encoder;
typedef SegueNnConvEncoderBuffers Buffers;

/* ---- Sizes ---- */

gsize
segue_nn_conv_encoder_get_channels (const Encoder *encoder)
{
  return encoder->layers[encoder->n_layers - 1].channels;
}

gsize
segue_nn_conv_encoder_get_frames (const Encoder *encoder, gsize length)
{
  for (guint i = 0; i < encoder->n_layers; i++)
    length =
      segue_nn_conv1d_out_time (length, encoder->layers[i].kernel, encoder->layers[i].stride);
  return length;
}

gsize
segue_nn_conv_encoder_get_min_length (const Encoder *encoder)
{
  gsize length = 1;
  for (guint i = encoder->n_layers; i-- > 0;)
    if (!g_size_checked_mul (&length, length - 1, encoder->layers[i].stride) ||
        !g_size_checked_add (&length, length, encoder->layers[i].kernel))
      return G_MAXSIZE;
  return length;
}

/* ---- Weights ---- */

static gboolean
has_norm (const Encoder *encoder, guint i)
{
  return i == 0 || encoder->norm == SEGUE_NN_CONV_NORM_LAYER;
}

static gsize
in_channels (const Encoder *encoder, guint i)
{
  return i > 0 ? encoder->layers[i - 1].channels : 1;
}

static void
declare_layer (Encoder *encoder, SegueNnWeights *weights, guint part, const char *prefix, guint i)
{
  gsize in = in_channels (encoder, i), out = encoder->layers[i].channels;
  gsize kernel = encoder->layers[i].kernel;
  g_autofree char *weight_name = g_strdup_printf ("%s%u.conv.weight", prefix, i);
  g_autofree char *bias_name = g_strdup_printf ("%s%u.conv.bias", prefix, i);
  g_autofree char *norm_name = g_strdup_printf ("%s%u.layer_norm", prefix, i);
  /* kaiming_normal_: √2 / √fan_in */
  const SegueNnTensor weight = SEGUE_INIT (
    SegueNnTensor, .name = weight_name, .rank = 3, .shape = { out, in, kernel },
    .layout = SEGUE_NN_LAYOUT_CONV1D, .init = SEGUE_NN_INIT_NORMAL,
    .b = sqrt (2.0 / (double) (in * kernel)), .part = part, .flags = SEGUE_NN_WEIGHT_DECAY);
  const SegueNnTensor bias =
    SEGUE_INIT (SegueNnTensor, .name = bias_name, .rank = 1, .shape = { out }, .part = part);
  segue_nn_weights_add (weights, &encoder->convs[i].weight, &weight);
  if (i > 0) /* products with one input channel are too thin to gain */
    segue_nn_weights_keep (weights, &encoder->convs[i].weight, out, kernel * in,
                           SEGUE_NN_KEEP_OUTPUTS);
  if (encoder->has_bias)
    segue_nn_weights_add (weights, &encoder->convs[i].bias, &bias);
  if (has_norm (encoder, i))
    segue_nn_weights_add_norm (weights, &encoder->norms[i], part, out, norm_name);
}

void
segue_nn_conv_encoder_declare (Encoder *encoder, SegueNnWeights *weights, guint part,
                               const char *prefix)
{
  for (guint i = 0; i < encoder->n_layers; i++)
    declare_layer (encoder, weights, part, prefix, i);
}

/* ---- Buffers ---- */

static float *
take (SegueNnArena *arena, gsize n)
{
  return segue_nn_arena_floats (arena, n, 1, 1, 1);
}

/* Floats of one item. */
static gsize
layer_size (const Encoder *encoder, const Buffers *b, guint i)
{
  return b->frames[i] * encoder->layers[i].channels;
}

void
segue_nn_conv_encoder_lay (const Encoder *encoder, SegueNnArena *arena, gsize batch, gsize length,
                           gboolean train, Buffers *b)
{
  gsize largest[2] = { 0, 0 }, activated = 0, normed = 0, statistics = 0, time = length;
  guint last = encoder->n_layers - 1;
  *b = (Buffers){ .batch = batch, .length = length, .train = train };
  for (guint i = 0; i <= last; i++) {
    b->frames[i] = time =
      segue_nn_conv1d_out_time (time, encoder->layers[i].kernel, encoder->layers[i].stride);
    gsize size = layer_size (encoder, b, i);
    largest[i % 2] = MAX (largest[i % 2], size);
    if (i < last)
      activated = MAX (activated, size);
    if (has_norm (encoder, i)) {
      normed = MAX (normed, size);
      statistics = MAX (statistics, MAX (b->frames[i], encoder->layers[i].channels));
    }
    b->convolved[i] = train ? segue_nn_arena_floats (arena, batch, size, 1, 1) : NULL;
  }
  b->samples = take (arena, length);
  b->mean = take (arena, statistics);
  b->rstd = take (arena, statistics);
  b->even = take (arena, largest[0]);
  b->odd = take (arena, largest[1]);
  if (train) {
    b->activated = take (arena, activated);
    b->normed = take (arena, normed);
  }
  b->features = segue_nn_arena_floats (arena, batch, layer_size (encoder, b, last), 1, 1);
}

/* ---- Passes ---- */

static SegueNnConv1d
conv_of (const Encoder *encoder, const Buffers *b, guint i)
{
  return (SegueNnConv1d){ .batch = 1,
                          .time = i > 0 ? b->frames[i - 1] : b->length,
                          .in = in_channels (encoder, i),
                          .out = encoder->layers[i].channels,
                          .kernel = encoder->layers[i].kernel,
                          .stride = encoder->layers[i].stride };
}

/* n [T_i, C_i] = norm_i (z), or `activation` of that; n may be z where there will be no backward. */
static void
norm_forward (const Encoder *encoder, SegueNnThreads *threads, const Buffers *b, guint i,
              SegueNnActivation activation, const float *z, float *n)
{
  const SegueNnAffine *norm = &encoder->norms[i];
  gsize time = b->frames[i], channels = encoder->layers[i].channels;
  if (encoder->norm == SEGUE_NN_CONV_NORM_GROUP) {
    segue_nn_group_norm_forward (threads, 1, time, channels, channels, NORM_EPS, activation, z,
                                 norm->weight.w, norm->bias.w, n, b->mean, b->rstd);
    return;
  }
  segue_nn_layer_norm_forward (threads, time, channels, NORM_EPS, z, norm->weight.w, norm->bias.w,
                               n, b->mean, b->rstd);
  if (activation != SEGUE_NN_ACTIVATION_LINEAR)
    segue_nn_activation_forward (threads, activation, time * channels, n, n);
}

/* d [T_i, C_i] in place, with the mean and rstd that norm_forward () last left. */
static void
norm_backward (const Encoder *encoder, SegueNnThreads *threads, const Buffers *b, guint i,
               const float *z, float *d)
{
  const SegueNnAffine *norm = &encoder->norms[i];
  gsize time = b->frames[i], channels = encoder->layers[i].channels;
  if (encoder->norm == SEGUE_NN_CONV_NORM_GROUP)
    segue_nn_group_norm_backward (threads, 1, time, channels, channels, z, norm->weight.w, b->mean,
                                  b->rstd, d, d, norm->weight.dw, norm->bias.dw);
  else
    segue_nn_layer_norm_backward (threads, time, channels, z, norm->weight.w, b->mean, b->rstd, d,
                                  d, norm->weight.dw, norm->bias.dw);
}

static const float *
prepare_samples (const Encoder *encoder, SegueNnThreads *threads, const Buffers *b,
                 const float *samples)
{
  if (!encoder->standardise)
    return samples;
  segue_nn_standardise (threads, 1, b->length, STANDARDISE_EPS, samples, b->samples);
  return b->samples;
}

static void
forward_item (const Encoder *encoder, SegueNnThreads *threads, const Buffers *b, gsize item,
              const float *samples)
{
  const float *x = prepare_samples (encoder, threads, b, samples);
  for (guint i = 0; i < encoder->n_layers; i++) {
    SegueNnConv1d conv = conv_of (encoder, b, i);
    gsize size = layer_size (encoder, b, i);
    float *y = i + 1 == encoder->n_layers ? b->features + item * size : i % 2 ? b->odd : b->even;
    float *z = b->train ? b->convolved[i] + item * size : y;
    /* Directly, where the activation's input is not needed. */
    if (z == y && !has_norm (encoder, i))
      conv.activation = encoder->activation;
    segue_nn_conv1d_forward (threads, &conv, x, &encoder->convs[i], z);
    if (has_norm (encoder, i))
      norm_forward (encoder, threads, b, i, encoder->activation, z, y);
    else if (z != y)
      segue_nn_activation_forward (threads, encoder->activation, size, z, y);
    x = y;
  }
}

void
segue_nn_conv_encoder_forward (const Encoder *encoder, SegueNnThreads *threads, const Buffers *b,
                               const float *samples)
{
  for (gsize item = 0; item < b->batch; item++)
    forward_item (encoder, threads, b, item, samples + item * b->length);
}

/* The input of activation i, recomputed where a norm computed it. */
static const float *
before_activation (const Encoder *encoder, SegueNnThreads *threads, const Buffers *b, gsize item,
                   guint i)
{
  const float *z = b->convolved[i] + item * layer_size (encoder, b, i);
  if (!has_norm (encoder, i))
    return z;
  norm_forward (encoder, threads, b, i, SEGUE_NN_ACTIVATION_LINEAR, z, b->normed);
  return b->normed;
}

/* A norm over time removes a channel's bias: its gradient is 0, and a sum would be only rounding noise, which AdamW
 * would scale up to full steps. */
static SegueNnAffine
trained_conv (const Encoder *encoder, guint i)
{
  SegueNnAffine conv = encoder->convs[i];
  if (i == 0 && encoder->norm == SEGUE_NN_CONV_NORM_GROUP)
    conv.bias.dw = NULL;
  return conv;
}

static void
backward_item (const Encoder *encoder, SegueNnThreads *threads, const Buffers *b, gsize item,
               const float *samples, float *d)
{
  const float *n = before_activation (encoder, threads, b, item, encoder->n_layers - 1);
  for (guint i = encoder->n_layers; i-- > 0;) {
    SegueNnConv1d shape = conv_of (encoder, b, i);
    const SegueNnAffine conv = trained_conv (encoder, i);
    gsize size = layer_size (encoder, b, i);
    segue_nn_activation_backward (threads, encoder->activation, size, n, d, d);
    if (has_norm (encoder, i))
      norm_backward (encoder, threads, b, i, b->convolved[i] + item * size, d);
    if (i == 0) {
      const float *x = prepare_samples (encoder, threads, b, samples);
      segue_nn_conv1d_backward (threads, &shape, x, &conv, d, NULL);
      return;
    }
    float *d_input = (i - 1) % 2 ? b->odd : b->even;
    n = before_activation (encoder, threads, b, item, i - 1);
    segue_nn_activation_forward (threads, encoder->activation, layer_size (encoder, b, i - 1), n,
                                 b->activated);
    segue_nn_conv1d_backward (threads, &shape, b->activated, &conv, d, d_input);
    d = d_input;
  }
}

void
segue_nn_conv_encoder_backward (const Encoder *encoder, SegueNnThreads *threads, const Buffers *b,
                                const float *samples, float *d)
{
  gsize size = layer_size (encoder, b, encoder->n_layers - 1);
  for (gsize item = 0; item < b->batch; item++)
    backward_item (encoder, threads, b, item, samples + item * b->length, d + item * size);
}
