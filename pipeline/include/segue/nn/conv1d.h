#pragma once

#include <segue/nn/activation.h>
#include <segue/nn/weight.h>

G_BEGIN_DECLS

/* One-dimensional convolution over channels-last sequences, without padding:
 *
 *   y[b, t, o] = bias[o] + Σ_j Σ_i w[o, j, i] · x[b, t·stride + j, i],   t < out_time
 *
 * Weights are stored PACKED as [out, kernel, in] (torch: [out, in, kernel]): a window of x is then
 * one contiguous row of kernel·in floats, as is a row of w, and the convolution is a matrix
 * product whose left matrix has rows stride·in apart. Those rows overlap if kernel > stride,
 * which BLAS refuses, so the kernel is split into ⌈kernel / stride⌉ groups of up to `stride` taps
 * and their products are added. Nothing is copied. Optimisers and norms work directly on packed
 * weights. */
typedef struct {
  gsize batch;
  gsize time; /* of x; >= kernel */
  gsize in;
  gsize out;
  gsize kernel; /* >= 1 */
  gsize stride; /* >= 1 */
  SegueNnActivation
    activation; /* of y, while a tile of it is in the cache; linear for a backward */
} SegueNnConv1d;

/* ⌊(time − kernel) / stride⌋ + 1, or 0 if time < kernel. */
SEGUE_API gsize segue_nn_conv1d_out_time (gsize time, gsize kernel, gsize stride);

/* w = torch_w [out, in, kernel] packed as [out, kernel, in]; and the inverse, torch_w = (or, with
 * `add`, +=), which also converts a gradient of packed weights to the order of a file. */
SEGUE_API void segue_nn_conv1d_pack (SegueNnThreads *threads, gsize out, gsize in, gsize kernel,
                                     const float *torch_w, float *w);
SEGUE_API void segue_nn_conv1d_unpack (SegueNnThreads *threads, gsize out, gsize in, gsize kernel,
                                       gboolean add, const float *w, float *torch_w);

/* x [batch, time, in], w [out, kernel, in], bias [out], y [batch, out_time, out]. */
SEGUE_API void segue_nn_conv1d_forward (SegueNnThreads *threads, const SegueNnConv1d *conv,
                                        const float *x, const SegueNnAffine *w, float *y);

/* dx [batch, time, in] is written (0 in frames outside every window), unless it is NULL; the gradients of w
 * and bias are added to. x is read only for the gradient of w, w only for dx. */
SEGUE_API void segue_nn_conv1d_backward (SegueNnThreads *threads, const SegueNnConv1d *conv,
                                         const float *x, const SegueNnAffine *w, const float *dy,
                                         float *dx);

G_END_DECLS
