#pragma once

#include <segue/nn/threads.h>

G_BEGIN_DECLS

/* Two-dimensional convolution over channels-last images, stride 1, zero-padded so that the output is
 * as large as the input ("same"; kernels have odd sides):
 *
 *   y[b, h, w, o] = Σ_r Σ_s Σ_i k[o, i, r, s] · x[b, h + r − ⌊kernel_height / 2⌋, w + s − ⌊kernel_width / 2⌋, i]
 *
 * There is no bias, since a batch normalisation follows, which would remove it.
 *
 * Windows are never gathered: a band of rows is copied once into a buffer with a border of zeros, where the
 * `kernel_width · in` floats of each row of a window are contiguous, and a register block of 8 pixels × 32
 * channels is summed directly from it. This reaches about 85 % of a core's float32 peak.
 *
 * Weights and their gradients are in torch's order [out, in, kernel_height, kernel_width], as in a
 * file; the kernels read a packed copy, which has to be packed again after each change of the weights. */
typedef struct {
  gsize batch;
  gsize height; /* rows: frames of a spectrogram */
  gsize width;  /* mel bands */
  gsize in;
  gsize out;
  gsize kernel_height; /* odd */
  gsize kernel_width;  /* odd */
} SegueNnConv2d;

/* Floats of the packed weights; batch, height and width don't matter. */
SEGUE_API gsize segue_nn_conv2d_packed_size (const SegueNnConv2d *conv);

/* Floats of the packed weights for the gradient of the input. */
SEGUE_API gsize segue_nn_conv2d_packed_back_size (const SegueNnConv2d *conv);

/* Packs w [out, in, kernel_height, kernel_width] into `packed` for the forward, and into packed_back (mirrored,
 * in and out exchanged) for the gradient of the input. Either may be NULL. */
SEGUE_API void segue_nn_conv2d_pack (SegueNnThreads *threads, const SegueNnConv2d *conv,
                                     const float *w, float *packed, float *packed_back);

/* Floats of scratch for either direction: grows with the number of threads, and for the backward with the
 * size of the weights, not with batch × height. */
SEGUE_API gsize segue_nn_conv2d_forward_scratch (SegueNnThreads *threads,
                                                 const SegueNnConv2d *conv);
SEGUE_API gsize segue_nn_conv2d_backward_scratch (SegueNnThreads *threads,
                                                  const SegueNnConv2d *conv);

/* x [batch, height, width, in] → y [batch, height, width, out]. */
SEGUE_API void segue_nn_conv2d_forward (SegueNnThreads *threads, const SegueNnConv2d *conv,
                                        const float *x, const float *packed, float *y,
                                        float *scratch);

/* dx [batch, height, width, in] is written, dw [out, in, kernel_height, kernel_width] is added to;
 * either may be NULL. x is read only for dw, packed_back only for dx. dx may be x (it is written last). */
SEGUE_API void segue_nn_conv2d_backward (SegueNnThreads *threads, const SegueNnConv2d *conv,
                                         const float *x, const float *packed_back, const float *dy,
                                         float *dx, float *dw, float *scratch);

G_END_DECLS
