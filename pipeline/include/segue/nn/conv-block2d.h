/* A block of a convolutional network over images: 3×3 convolution, batch normalisation, ReLU, 2×2 pooling.
 *
 *   x [batch, height, width, in] → y [batch, ⌊height / 2⌋, ⌊width / 2⌋, out]
 */
#pragma once

#include <segue/nn/arena.h>
#include <segue/nn/conv2d.h>
#include <segue/nn/pool2d.h>
#include <segue/nn/weights.h>

G_BEGIN_DECLS

/** SegueNnConvBlock2d: the caller sets @in, @out, @pool and @first.
 * @packed, @packed_back: derived from @conv; the first block of a network needs no gradient of its input, and has no
 *   @packed_back */
typedef struct {
  gsize in, out;
  SegueNnPool2dKind pool;
  gboolean first;
  SegueNnWeight conv; /* [out, in, 3, 3] */
  SegueNnAffine norm;
  SegueNnWeight mean, variance; /* running */
  float *packed, *packed_back;
} SegueNnConvBlock2d;

/** SegueNnConvBlock2dBuffers: of one pass. Without a backward, blocks may share @convolved.
 * @x: the block's input; the backward replaces it by its gradient
 * @statistics: mean, variance, scale, shift, rstd: [5, out] */
typedef struct {
  gsize batch, height, width;
  float *x;          /* [batch, height, width, in] */
  float *convolved;  /* [batch, height, width, out] */
  float *y;          /* [batch, ⌊height / 2⌋, ⌊width / 2⌋, out] */
  float *statistics; /* [5, out] */
} SegueNnConvBlock2dBuffers;

/** segue_nn_conv_block2d_declare: declares @name.conv.weight, @name.norm.*; weights by He et al. 2015, for ReLU
 * follows.
 * @item: identifies their random numbers */
SEGUE_API void segue_nn_conv_block2d_declare (SegueNnConvBlock2d *block, SegueNnWeights *weights,
                                              const char *name, guint64 item);
/** segue_nn_conv_block2d_scratch: floats. */
SEGUE_API gsize segue_nn_conv_block2d_scratch (const SegueNnConvBlock2d *block,
                                               SegueNnThreads *threads,
                                               const SegueNnConvBlock2dBuffers *buffers,
                                               gboolean train);
/** segue_nn_conv_block2d_forward: @train: normalises with the batch's statistics and updates the running ones. */
SEGUE_API void segue_nn_conv_block2d_forward (SegueNnConvBlock2d *block, SegueNnThreads *threads,
                                              const SegueNnConvBlock2dBuffers *buffers,
                                              gboolean train, float *scratch);
/** segue_nn_conv_block2d_backward: the buffer of y contains its gradient on entry; gradients replace the activations
 * that they belong to. */
SEGUE_API void segue_nn_conv_block2d_backward (SegueNnConvBlock2d *block, SegueNnThreads *threads,
                                               const SegueNnConvBlock2dBuffers *buffers,
                                               float *scratch);

G_END_DECLS
