/* The positional convolution of wav2vec 2.0, HuBERT and their relatives: positions relative to each other, from the
 * frames around.
 *
 *   y = x + activation (conv (x)),   x, y [B, T, H]
 *
 * with a grouped convolution that keeps the length, see grouped-conv1d.h, and a normalised weight:
 * W[·, ·, k] = g[k] v[·, ·, k] / ‖v[·, ·, k]‖ (Salimans & Kingma 2016).
 */
#pragma once

#include <segue/nn/activation.h>
#include <segue/nn/arena.h>
#include <segue/nn/grouped-conv1d.h>
#include <segue/nn/weights.h>

G_BEGIN_DECLS

/** SegueNnPositionalConv: the caller sets @hidden (H), @kernel, @groups and @activation.
 * @conv: its weight is derived from @g and @v */
typedef struct {
  gsize hidden, kernel, groups; /* groups divides hidden */
  SegueNnActivation activation;
  SegueNnWeight g; /* [kernel] */
  SegueNnWeight v; /* [groups, kernel, H / groups, H / groups] */
  SegueNnAffine conv;
  float *norm; /* [kernel]: ‖v‖, derived */
} SegueNnPositionalConv;

/** segue_nn_positional_conv_declare: initialised as torch does: v from U (±1 / √fan_in), and g = ‖v‖.
 * @prefix: "hubert.encoder.pos_conv_embed.conv." */
SEGUE_API void segue_nn_positional_conv_declare (SegueNnPositionalConv *layer,
                                                 SegueNnWeights *weights, guint part,
                                                 const char *prefix);

/** SegueNnPositionalConvBuffers: of one pass. The caller sets @d_branch and @d_input, [B, T, H], for a backward:
 * other operations may use them between calls. */
typedef struct {
  gsize batch, frames;
  float *convolved; /* [B, T, H]: before the activation */
  float *d_weight;  /* as conv.weight, in training */
  float *d_branch, *d_input;
} SegueNnPositionalConvBuffers;

/** segue_nn_positional_conv_scratch: floats, for either direction. */
SEGUE_API gsize segue_nn_positional_conv_scratch (const SegueNnPositionalConv *layer,
                                                  SegueNnThreads *threads, gsize batch,
                                                  gsize frames);
SEGUE_API void segue_nn_positional_conv_lay (const SegueNnPositionalConv *layer,
                                             SegueNnArena *arena, gsize batch, gsize frames,
                                             gboolean train, SegueNnPositionalConvBuffers *buffers);
/** segue_nn_positional_conv_forward: @y must not be @x. */
SEGUE_API void segue_nn_positional_conv_forward (const SegueNnPositionalConv *layer,
                                                 SegueNnThreads *threads,
                                                 const SegueNnPositionalConvBuffers *buffers,
                                                 const float *x, float *y, float *scratch);
/** segue_nn_positional_conv_backward: @d [B, T, H]: the gradient of y on entry, of @x on return. */
SEGUE_API void segue_nn_positional_conv_backward (const SegueNnPositionalConv *layer,
                                                  SegueNnThreads *threads,
                                                  const SegueNnPositionalConvBuffers *buffers,
                                                  const float *x, float *d, float *scratch);

G_END_DECLS
