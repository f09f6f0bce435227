/* The convolutional feature encoder of wav2vec 2.0 (Baevski et al. 2020), HuBERT and their relatives.
 *
 *   a_i = activation (norm_i (conv_i (a_{i−1}))),   a_{−1} = the samples [B, length]
 *
 * The last a_i are the features [B, T, C].  norm_i is over time for each channel in layer 0 alone (group), or over
 * channels in every layer (layer). No padding anywhere, so T_i = ⌊(T_{i−1} − kernel) / stride⌋ + 1.
 *
 * Items are processed one at a time: the activations are an order of magnitude larger than all others of such a model
 * (130 MB for 10 s of DistilHuBERT), and one item's need does not depend on the number of items. A training pass keeps
 * each convolution's output, before norm and activation; these are recomputed in the backward, which costs little and
 * halves the memory.
 */
#pragma once

#include <segue/nn/activation.h>
#include <segue/nn/arena.h>
#include <segue/nn/config.h>
#include <segue/nn/weights.h>

G_BEGIN_DECLS

#define SEGUE_NN_CONV_ENCODER_MAX_LAYERS 16

typedef enum { SEGUE_NN_CONV_NORM_GROUP, SEGUE_NN_CONV_NORM_LAYER } SegueNnConvNorm;

/** SegueNnConvEncoder: the caller sets all but the weights, or reads it with segue_nn_conv_encoder_read().
 * @has_bias: whether convolutions have one
 * @standardise: each item's samples are brought to mean 0 and variance 1 first, as Wav2Vec2FeatureExtractor does */
typedef struct {
  guint n_layers;
  struct {
    gsize channels, kernel, stride;
  } layers[SEGUE_NN_CONV_ENCODER_MAX_LAYERS];
  gboolean has_bias;
  SegueNnConvNorm norm;
  SegueNnActivation activation;
  gboolean standardise;
  SegueNnAffine convs[SEGUE_NN_CONV_ENCODER_MAX_LAYERS];
  SegueNnAffine norms[SEGUE_NN_CONV_ENCODER_MAX_LAYERS];
} SegueNnConvEncoder;

/** segue_nn_conv_encoder_read: conv_dim, conv_kernel, conv_stride, conv_bias, feat_extract_norm and
 * feat_extract_activation of an untrusted config.json, with Wav2Vec2Config's defaults.
 * @where: the file, for messages */
SEGUE_API gboolean segue_nn_conv_encoder_read (SegueNnConvEncoder *encoder, const json_t *config,
                                               const char *where, GError **error);

/** segue_nn_conv_encoder_get_channels: C. */
SEGUE_API gsize segue_nn_conv_encoder_get_channels (const SegueNnConvEncoder *encoder);
/** segue_nn_conv_encoder_get_frames: T; 0 where there are too few samples. */
SEGUE_API gsize segue_nn_conv_encoder_get_frames (const SegueNnConvEncoder *encoder, gsize length);
/** segue_nn_conv_encoder_get_min_length: the minimum number of samples for one frame; %G_MAXSIZE where that
 * overflows. */
SEGUE_API gsize segue_nn_conv_encoder_get_min_length (const SegueNnConvEncoder *encoder);

/** segue_nn_conv_encoder_declare: weights by He et al. 2015.
 * @prefix: "hubert.feature_extractor.conv_layers." */
SEGUE_API void segue_nn_conv_encoder_declare (SegueNnConvEncoder *encoder, SegueNnWeights *weights,
                                              guint part, const char *prefix);

/** SegueNnConvEncoderBuffers: of one pass. */
typedef struct {
  gsize batch, length;
  gsize frames[SEGUE_NN_CONV_ENCODER_MAX_LAYERS];     /* T_i */
  gboolean train;                                     /* keep what the backward needs */
  float *samples;                                     /* [length]: one item, standardised */
  float *convolved[SEGUE_NN_CONV_ENCODER_MAX_LAYERS]; /* [B, T_i, C_i], in training */
  float *mean, *rstd;                                 /* one item, of the largest layer */
  float *even, *odd;         /* one item: activations of even and odd layers, or their gradients */
  float *activated, *normed; /* one item: recomputed for the backward */
  float *features;           /* [B, T, C] */
} SegueNnConvEncoderBuffers;

/** segue_nn_conv_encoder_lay: @length must give at least one frame. */
SEGUE_API void segue_nn_conv_encoder_lay (const SegueNnConvEncoder *encoder, SegueNnArena *arena,
                                          gsize batch, gsize length, gboolean train,
                                          SegueNnConvEncoderBuffers *buffers);
/** segue_nn_conv_encoder_forward: @samples [B, length] → features. */
SEGUE_API void segue_nn_conv_encoder_forward (const SegueNnConvEncoder *encoder,
                                              SegueNnThreads *threads,
                                              const SegueNnConvEncoderBuffers *buffers,
                                              const float *samples);
/** segue_nn_conv_encoder_backward: of weights only.
 * @samples: those of the forward
 * @d: [B, T, C]: the gradient of the features; overwritten */
SEGUE_API void segue_nn_conv_encoder_backward (const SegueNnConvEncoder *encoder,
                                               SegueNnThreads *threads,
                                               const SegueNnConvEncoderBuffers *buffers,
                                               const float *samples, float *d);

G_END_DECLS
