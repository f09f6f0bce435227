/* A small convolutional network over log-mel frames.
 *
 *   samples [B, length] → frames [B, T, M]                    the front: segue/nn/mel-front.h
 *   blocks of convolution, norm, ReLU, pooling → [B, T', M', C]    segue/nn/conv-block2d.h
 *   mean over bands [B, T', C], mean and maximum over time [B, 2C], dropout, linear → logits
 */
#pragma once

#include <segue/encoder.h>
#include <segue/nn/conv-block2d.h>
#include <segue/nn/mel-front.h>

#define MEL_CNN_MAX_BLOCKS   8
#define MEL_CNN_MAX_CHANNELS 1024

/* The parameters; those of the architecture apply to new models only. */
typedef struct {
  SegueNnMelParams front; /* first: see SEGUE_NN_MEL_PARAMS */
  GArray *channels;       /* gint64 */
  int pool;
  double dropout;
} MelCnnConfig;

typedef struct {
  SegueNnMelModel mel;
  guint n_blocks;
  SegueNnConvBlock2d blocks[MEL_CNN_MAX_BLOCKS];
  SegueNnAffine head; /* [labels, 2C], [labels] */
  float dropout;      /* before the head, in training */
} MelCnn;

/* Names of random numbers (SegueNnRandomKey.layer). */
enum { MEL_CNN_RANDOM_INIT, MEL_CNN_RANDOM_AUGMENT, MEL_CNN_RANDOM_DROPOUT };

/* ---- network.c: passes of a SegueModelType ---- */

/* Channels of the last block. */
gsize mel_cnn_get_channels (const MelCnn *model);
gsize mel_cnn_plan (gpointer model, guint batch, gsize length, SegueModelMode mode);
gboolean mel_cnn_forward (gpointer model, SegueModelPass *pass, GError **error);
gboolean mel_cnn_backward (gpointer model, SegueModelPass *pass, const float *d_logits,
                           GError **error);
/* SegueEncoder.encode: the numbers [2C] that the classifier gets. */
gboolean mel_cnn_encode (gpointer model, const SegueEncoderPass *pass, GError **error);
