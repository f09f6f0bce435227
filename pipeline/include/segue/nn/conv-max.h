#pragma once

#include <segue/nn/threads.h>

G_BEGIN_DECLS

/* Convolution, ReLU, batch norm, and the maximum over all positions on another axis than time: what finds a
 * pattern wherever it is on the frequency axis (Pons et al. 2018).
 *
 *   y[b, t, o] = max_p ( scale[o] · max (0, bias[o] + Σ_k w[o, k] · x[b, t·frame + p·step + k]) + shift[o] )
 *
 * with p < positions, k < kernel. A window of x is `kernel` consecutive floats; windows may overlap. Norm and ReLU
 * are monotonic, so only the largest sum is needed, or the smallest where scale < 0: sums stay in registers, and only
 * their maxima are written. The sums are float32 in every precision.
 *
 * Weights are stored PACKED, in the order in which the kernels read them: negated where scale < 0, so that the largest
 * is wanted everywhere; and with `repeat` copies, each shifted by a frame, so that one window computes `repeat` frames,
 * which fills vectors if there are few outputs and a frame is short compared with a window. If windows slide by a part
 * of themselves from one position to the next, the fast FIR algorithm needs nine multiplications instead of sixteen. */
typedef struct {
  gsize batch;
  gsize time;      /* frames of y */
  gsize frame;     /* floats of x from one frame to the next */
  gsize positions; /* >= 1 */
  gsize step;      /* floats of x from one position to the next */
  gsize kernel;    /* floats of a window */
  gsize out;
  gsize repeat;      /* >= 1 */
  gsize x_item;      /* floats of x from one item to the next */
  gsize y_frame;     /* floats of y from one frame to the next, >= out */
  gsize y_item;      /* floats of y from one item to the next */
  const float *bias; /* [out] */
  const float *scale;
  const float *shift;
} SegueNnConvMax;

/* Floats of the packed weights. */
SEGUE_API gsize segue_nn_conv_max_packed_size (const SegueNnConvMax *conv);

/* packed from w [out, kernel]; again after the weights, or the sign of a scale, have changed. */
SEGUE_API void segue_nn_conv_max_pack (const SegueNnConvMax *conv, const float *w, float *packed);

/* Floats of x that are read of each item; those after the last frame's windows must be finite, and do not change
 * the result. */
SEGUE_API gsize segue_nn_conv_max_length (const SegueNnConvMax *conv);

/* Floats of scratch memory. */
SEGUE_API gsize segue_nn_conv_max_scratch (SegueNnThreads *threads, const SegueNnConvMax *conv);

SEGUE_API void segue_nn_conv_max_forward (SegueNnThreads *threads, const SegueNnConvMax *conv,
                                          const float *x, const float *packed, float *y,
                                          float *scratch);

G_END_DECLS
