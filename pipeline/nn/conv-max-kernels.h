/* The inner loops of conv-max.c in float32: sums of a few rows stay in registers, and only their maxima over all
 * positions are written. */
#pragma once

#include <glib.h>

/* Outputs of a panel: weights are [panels, …, NN_CONV_MAX_PANEL], the last panel filled with zeros. */
#define NN_CONV_MAX_PANEL ((gsize) 16)
/* The most rows of a kernel, and the most panels. */
#define NN_CONV_MAX_ROWS   8
#define NN_CONV_MAX_PANELS 2

typedef struct {
  gsize positions, step;
  gsize columns; /* of a panel; of a part of it */
  gsize part;    /* floats of a part of x */
} NnConvMaxShape;

/* largest [rows, panels · NN_CONV_MAX_PANEL] = the maximum over all positions of Σ_k x[row][p · step + k] · w[panel][k],
 * for the kernel's number of rows and panels. */
typedef void (*NnConvMaxKernel) (const NnConvMaxShape *shape, const float *const *x, const float *w,
                                 float *largest);

typedef struct {
  guint rows, panels;
  NnConvMaxKernel run, run_one; /* w [panels, columns, 16]; `run_one` is for one panel */
  NnConvMaxKernel fast,
    fast_one; /* x [parts, part], w [panels, parts, columns, 16]: see fast-fir.h */
} NnConvMaxKernels;

/* Those for this processor. */
const NnConvMaxKernels *nn_conv_max_kernels (void);
