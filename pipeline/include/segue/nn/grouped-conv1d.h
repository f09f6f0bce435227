#pragma once

#include <segue/nn/weight.h>

G_BEGIN_DECLS

/* Grouped stride-1 convolution that keeps the length of the sequence, as the positional
 * convolution of wav2vec 2.0 and HuBERT: padding ⌊kernel / 2⌋ on both sides, and for an even
 * kernel the last frame dropped.
 *
 *   y[b, t, o] = bias[o] + Σ_j Σ_i w[o, j, i] · x[b, t + j − ⌊kernel/2⌋, g·I + i],   t < time
 *
 * with g = ⌊o / O⌋, I = in / groups, O = out / groups, and x = 0 outside of the sequence.
 *
 * Weights are stored packed as [groups, kernel, I, O] (torch: [out, I, kernel]). A group's windows
 * are gathered one cache-sized tile at a time and multiplied. */
typedef struct {
  gsize batch;
  gsize time;
  gsize in;  /* a multiple of groups */
  gsize out; /* a multiple of groups */
  gsize kernel;
  gsize groups;
} SegueNnGroupedConv1d;

/* w = torch_w [out, in / groups, kernel], packed; and the inverse, torch_w = (or, with `add`,
 * +=). */
SEGUE_API void segue_nn_grouped_conv1d_pack (SegueNnThreads *threads, gsize out, gsize in,
                                             gsize kernel, gsize groups, const float *torch_w,
                                             float *w);
SEGUE_API void segue_nn_grouped_conv1d_unpack (SegueNnThreads *threads, gsize out, gsize in,
                                               gsize kernel, gsize groups, gboolean add,
                                               const float *w, float *torch_w);

/* Floats of scratch for both forward and backward; grows with the number of threads, not with
 * batch. */
SEGUE_API gsize segue_nn_grouped_conv1d_scratch (SegueNnThreads *threads,
                                                 const SegueNnGroupedConv1d *conv);

/* x [batch, time, in], w packed, bias [out], y [batch, time, out]. */
SEGUE_API void segue_nn_grouped_conv1d_forward (SegueNnThreads *threads,
                                                const SegueNnGroupedConv1d *conv, const float *x,
                                                const SegueNnAffine *w, float *y, float *scratch);

/* dx [batch, time, in] is written, unless it is NULL; the gradients of w (packed) and bias are added to. */
SEGUE_API void segue_nn_grouped_conv1d_backward (SegueNnThreads *threads,
                                                 const SegueNnGroupedConv1d *conv, const float *x,
                                                 const SegueNnAffine *w, const float *dy, float *dx,
                                                 float *scratch);

G_END_DECLS
