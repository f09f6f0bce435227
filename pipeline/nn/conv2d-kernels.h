#pragma once

#include <glib.h>

/* The two inner loops of a convolution. Both keep a block of NN_CONV2D_PIXELS × `columns` sums in
 * registers, load a row of the block's second operand once and broadcast the elements of the first
 * against it, so that windows are never gathered into a matrix. `columns` is NN_CONV2D_BLOCK or half of it;
 * operands have rows of NN_CONV2D_BLOCK in both cases. */
#define NN_CONV2D_PIXELS 8
#define NN_CONV2D_BLOCK  32
#define NN_CONV2D_HALF   16

typedef struct {
  /* y[p·y_pixel + c] = Σ_r Σ_i x[p][r·row + i] · w[r·run + i, c], p < 8, c < columns, r < rows, i < run: the
   * windows of eight pixels, each of which is `rows` runs of `run` floats that are `row` apart. */
  void (*forward) (gsize columns, gsize rows, gsize run, gsize row,
                   const float *const x[NN_CONV2D_PIXELS], const float *w, float *y, gsize y_pixel);

  /* dw [8, 32] += Σ_h Σ_w x[j][h·x_row + w·x_pixel] · dy[(h·width + w)·dy_pixel + c], c < columns: eight
   * columns of the windows of height × width pixels. */
  void (*gradient) (gsize columns, gsize height, gsize width, gsize x_row, gsize x_pixel,
                    const float *const x[NN_CONV2D_PIXELS], const float *dy, gsize dy_pixel,
                    float *dw);
} NnConv2dKernels;

/* The version for this processor and this number of columns. */
const NnConv2dKernels *nn_conv2d_kernels (gsize columns);
