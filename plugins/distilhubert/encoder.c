/* The convolutional feature encoder, one item at a time.
 *
 *   a_i = activation (norm_i (conv_i (a_{i−1}))),   a_{−1} = the samples
 *
 * with norm_i over time for each channel (group) in layer 0, over channels (layer) in every layer, or
 * none.  No padding anywhere, so T_i = ⌊(T_{i−1} − k) / s⌋ + 1.
 */
#include "passes.h"

#include <segue/nn/activation.h>
#include <segue/nn/conv1d.h>
#include <segue/nn/elementwise.h>
#include <segue/nn/norm.h>

/* As Wav2Vec2FeatureExtractor: (x − mean) / √(variance + 1e-7). */
#define NORMALISE_EPS 1e-7f

static gboolean
has_norm (const HubertModel *model, guint i)
{
  return i == 0 || model->architecture.conv_norm == HUBERT_NORM_LAYER;
}

static gsize
conv_size (const HubertModel *model, const HubertWorkspace *ws, guint i)
{
  return ws->conv_frames[i] * model->architecture.convs[i].channels;
}

static SegueNnConv1d
conv_of (const HubertModel *model, const HubertWorkspace *ws, guint i)
{
  const HubertConv *conv = &model->architecture.convs[i];
  return (SegueNnConv1d){
    .batch = 1,
    .time = i > 0 ? ws->conv_frames[i - 1] : ws->length,
    .in = i > 0 ? conv[-1].channels : 1,
    .out = conv->channels,
    .kernel = conv->kernel,
    .stride = conv->stride,
  };
}

/* n [T_i, C_i] = norm_i (z), or `activation` of that; n may be z where there will be no backward. */
static void
norm_forward (const HubertModel *model, HubertWorkspace *ws, guint i, SegueNnActivation activation,
              const float *z, float *n)
{
  const SegueNnAffine *norm = &model->weights.conv_norms[i];
  gsize time = ws->conv_frames[i], channels = model->architecture.convs[i].channels;
  if (model->architecture.conv_norm == HUBERT_NORM_GROUP)
    segue_nn_group_norm_forward (model->base.threads, 1, time, channels, channels,
                                 HUBERT_CONV_NORM_EPS, activation, z, norm->weight.w, norm->bias.w,
                                 n, ws->conv_mean, ws->conv_rstd);
  else
    segue_nn_layer_norm_forward (model->base.threads, time, channels, HUBERT_CONV_NORM_EPS, z,
                                 norm->weight.w, norm->bias.w, n, ws->conv_mean, ws->conv_rstd);
  if (model->architecture.conv_norm == HUBERT_NORM_LAYER &&
      activation != SEGUE_NN_ACTIVATION_LINEAR)
    segue_nn_activation_forward (model->base.threads, activation, time * channels, n, n);
}

/* d [T_i, C_i] in place, with the mean and rstd that norm_forward () last left. */
static void
norm_backward (const HubertModel *model, HubertWorkspace *ws, guint i, const float *z, float *d)
{
  const SegueNnAffine *norm = &model->weights.conv_norms[i];
  gsize time = ws->conv_frames[i], channels = model->architecture.convs[i].channels;
  if (model->architecture.conv_norm == HUBERT_NORM_GROUP)
    segue_nn_group_norm_backward (model->base.threads, 1, time, channels, channels, z,
                                  norm->weight.w, ws->conv_mean, ws->conv_rstd, d, d,
                                  norm->weight.dw, norm->bias.dw);
  else
    segue_nn_layer_norm_backward (model->base.threads, time, channels, z, norm->weight.w,
                                  ws->conv_mean, ws->conv_rstd, d, d, norm->weight.dw,
                                  norm->bias.dw);
}

static const float *
prepare_samples (const HubertModel *model, HubertWorkspace *ws, const float *samples)
{
  if (!model->preprocessor.normalise)
    return samples;
  segue_nn_standardise (model->base.threads, 1, ws->length, NORMALISE_EPS, samples, ws->samples);
  return ws->samples;
}

static void
forward_item (const HubertModel *model, HubertWorkspace *ws, gsize item, const float *samples)
{
  const HubertArchitecture *a = &model->architecture;
  const float *x = prepare_samples (model, ws, samples);
  for (guint i = 0; i < a->n_convs; i++) {
    const SegueNnAffine *weights = &model->weights.convs[i];
    SegueNnConv1d conv = conv_of (model, ws, i);
    gsize size = conv_size (model, ws, i);
    float *y = i % 2 ? ws->odd : ws->even;
    if (i + 1 == a->n_convs)
      y = ws->features + item * size;
    float *z = ws->train_encoder ? ws->convs[i] + item * size : y;
    /* Directly, where the activation's input is not needed. */
    if (z == y && !has_norm (model, i))
      conv.activation = a->conv_activation;
    segue_nn_conv1d_forward (model->base.threads, &conv, x, weights, z);
    if (has_norm (model, i))
      norm_forward (model, ws, i, a->conv_activation, z, y);
    else if (z != y)
      segue_nn_activation_forward (model->base.threads, a->conv_activation, size, z, y);
    x = y;
  }
}

void
hubert_encoder_forward (const HubertModel *model, HubertWorkspace *ws, const float *samples)
{
  for (gsize item = 0; item < ws->batch; item++)
    forward_item (model, ws, item, samples + item * ws->length);
}

/* The input of activation i, recomputed where a norm computed it. */
static const float *
before_activation (const HubertModel *model, HubertWorkspace *ws, gsize item, guint i)
{
  const float *z = ws->convs[i] + item * conv_size (model, ws, i);
  if (!has_norm (model, i))
    return z;
  norm_forward (model, ws, i, SEGUE_NN_ACTIVATION_LINEAR, z, ws->normed);
  return ws->normed;
}

static void
backward_item (const HubertModel *model, HubertWorkspace *ws, gsize item, const float *samples)
{
  const HubertArchitecture *a = &model->architecture;
  guint last = a->n_convs - 1;
  float *d = ws->d_features + item * conv_size (model, ws, last);
  const float *n = before_activation (model, ws, item, last);
  for (guint i = a->n_convs; i-- > 0;) {
    const SegueNnAffine *weights = &model->weights.convs[i];
    SegueNnConv1d conv = conv_of (model, ws, i);
    gsize size = conv_size (model, ws, i);
    segue_nn_activation_backward (model->base.threads, a->conv_activation, size, n, d, d);
    if (has_norm (model, i))
      norm_backward (model, ws, i, ws->convs[i] + item * size, d);
    if (i == 0) {
      const float *x = prepare_samples (model, ws, samples);
      /* A norm over time removes a channel's bias: its gradient is 0, and a sum would be only rounding noise,
       * which AdamW would scale up to full steps. */
      SegueNnAffine first = *weights;
      if (a->conv_norm == HUBERT_NORM_GROUP)
        first.bias.dw = NULL;
      segue_nn_conv1d_backward (model->base.threads, &conv, x, &first, d, NULL);
      return;
    }
    float *d_input = (i - 1) % 2 ? ws->odd : ws->even;
    n = before_activation (model, ws, item, i - 1);
    segue_nn_activation_forward (model->base.threads, a->conv_activation,
                                 conv_size (model, ws, i - 1), n, ws->activated);
    segue_nn_conv1d_backward (model->base.threads, &conv, ws->activated, weights, d, d_input);
    d = d_input;
  }
}

void
hubert_encoder_backward (const HubertModel *model, HubertWorkspace *ws, const float *samples)
{
  for (gsize item = 0; item < ws->batch; item++)
    backward_item (model, ws, item, samples + item * ws->length);
}
