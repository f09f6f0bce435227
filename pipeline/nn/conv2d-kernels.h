#pragma once

#include <glib.h>

/* The two inner loops of a convolution. Both keep a block of NN_CONV2D_PIXELS × NN_CONV2D_BLOCK sums in
 * registers, load a row of the block's other operand once and broadcast the elements of the first
 * against it, so that no matrix of gathered windows is ever made. */
#define NN_CONV2D_PIXELS 8
#define NN_CONV2D_BLOCK  32

typedef struct {
  /* y[p·y_pixel + 0 … 31] = Σ_r Σ_i x[p][r·row + i] · w[r·run + i, 32], p < 8, r < rows, i < run: the windows
   * of eight pixels, each of which is `rows` runs of `run` floats that are `row` apart. */
  void (*forward) (gsize rows, gsize run, gsize row, const float *const x[NN_CONV2D_PIXELS],
                   const float *w, float *y, gsize y_pixel);

  /* dw [8, 32] += Σ_h Σ_w x[j][h·x_row + w·x_pixel] · dy[(h·width + w)·dy_pixel + 0 … 31]: eight
   * columns of the windows of height × width pixels. */
  void (*gradient) (gsize height, gsize width, gsize x_row, gsize x_pixel,
                    const float *const x[NN_CONV2D_PIXELS], const float *dy, gsize dy_pixel,
                    float *dw);
} NnConv2dKernels;

/* The version for this processor. */
const NnConv2dKernels *nn_conv2d_kernels (void);
