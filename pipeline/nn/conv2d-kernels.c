#include "conv2d-kernels.h"

#include "nn-private.h"

#define PIXELS NN_CONV2D_PIXELS
#define BLOCK  NN_CONV2D_BLOCK

/* One pair of kernels for vectors of LANES floats, COUNT of them per pass, with registers for PIXELS · COUNT
 * sums. `target_clones` is not sufficient: the shape of the block must change with the vectors. */
#define DEFINE_KERNELS(name, TARGET, LANES, COUNT)                                                 \
  typedef float name##_vector __attribute__ ((vector_size (4 * (LANES)), aligned (4), may_alias)); \
                                                                                                   \
  TARGET static void name##_forward (gsize columns, gsize rows, gsize run, gsize row,              \
                                     const float *const x[PIXELS], const float *w, float *y,       \
                                     gsize y_pixel)                                                \
  {                                                                                                \
    for (gsize first = 0; first < columns; first += (LANES) * (COUNT)) {                           \
      name##_vector sum[PIXELS][COUNT] = { 0 };                                                    \
      const float *weights = w + first;                                                            \
      for (gsize r = 0; r < rows; r++) {                                                           \
        const float *p0 = x[0] + r * row, *p1 = x[1] + r * row, *p2 = x[2] + r * row,              \
                    *p3 = x[3] + r * row, *p4 = x[4] + r * row, *p5 = x[5] + r * row,              \
                    *p6 = x[6] + r * row, *p7 = x[7] + r * row;                                    \
        for (gsize i = 0; i < run; i++, weights += BLOCK) {                                        \
          for (guint v = 0; v < (COUNT); v++) {                                                    \
            name##_vector wv = *(const name##_vector *) (weights + v * (LANES));                   \
            sum[0][v] += p0[i] * wv;                                                               \
            sum[1][v] += p1[i] * wv;                                                               \
            sum[2][v] += p2[i] * wv;                                                               \
            sum[3][v] += p3[i] * wv;                                                               \
            sum[4][v] += p4[i] * wv;                                                               \
            sum[5][v] += p5[i] * wv;                                                               \
            sum[6][v] += p6[i] * wv;                                                               \
            sum[7][v] += p7[i] * wv;                                                               \
          }                                                                                        \
        }                                                                                          \
      }                                                                                            \
      for (guint j = 0; j < PIXELS; j++)                                                           \
        for (guint v = 0; v < (COUNT); v++)                                                        \
          *(name##_vector *) (y + j * y_pixel + first + v * (LANES)) = sum[j][v];                  \
    }                                                                                              \
  }                                                                                                \
                                                                                                   \
  TARGET static void name##_gradient (gsize columns, gsize height, gsize width, gsize x_row,       \
                                      gsize x_pixel, const float *const x[PIXELS],                 \
                                      const float *dy, gsize dy_pixel, float *dw)                  \
  {                                                                                                \
    for (gsize first = 0; first < columns; first += (LANES) * (COUNT)) {                           \
      name##_vector sum[PIXELS][COUNT];                                                            \
      for (guint j = 0; j < PIXELS; j++)                                                           \
        for (guint v = 0; v < (COUNT); v++)                                                        \
          sum[j][v] = *(const name##_vector *) (dw + j * BLOCK + first + v * (LANES));             \
      const float *d = dy + first;                                                                 \
      for (gsize h = 0; h < height; h++) {                                                         \
        const float *p0 = x[0] + h * x_row, *p1 = x[1] + h * x_row, *p2 = x[2] + h * x_row,        \
                    *p3 = x[3] + h * x_row, *p4 = x[4] + h * x_row, *p5 = x[5] + h * x_row,        \
                    *p6 = x[6] + h * x_row, *p7 = x[7] + h * x_row;                                \
        for (gsize i = 0; i < width * x_pixel; i += x_pixel, d += dy_pixel) {                      \
          for (guint v = 0; v < (COUNT); v++) {                                                    \
            name##_vector dv = *(const name##_vector *) (d + v * (LANES));                         \
            sum[0][v] += p0[i] * dv;                                                               \
            sum[1][v] += p1[i] * dv;                                                               \
            sum[2][v] += p2[i] * dv;                                                               \
            sum[3][v] += p3[i] * dv;                                                               \
            sum[4][v] += p4[i] * dv;                                                               \
            sum[5][v] += p5[i] * dv;                                                               \
            sum[6][v] += p6[i] * dv;                                                               \
            sum[7][v] += p7[i] * dv;                                                               \
          }                                                                                        \
        }                                                                                          \
      }                                                                                            \
      for (guint j = 0; j < PIXELS; j++)                                                           \
        for (guint v = 0; v < (COUNT); v++)                                                        \
          *(name##_vector *) (dw + j * BLOCK + first + v * (LANES)) = sum[j][v];                   \
    }                                                                                              \
  }                                                                                                \
                                                                                                   \
  static const NnConv2dKernels name##_kernels = { name##_forward, name##_gradient };

#define ANY_TARGET
DEFINE_KERNELS (any, ANY_TARGET, 4, 1)

#ifdef SEGUE_NN_HAVE_TARGET_CLONES
#define TARGET_V3 __attribute__ ((target ("arch=x86-64-v3")))
#define TARGET_V4 __attribute__ ((target ("arch=x86-64-v4")))
DEFINE_KERNELS (v3, TARGET_V3, 8, 1)
DEFINE_KERNELS (v4, TARGET_V4, 16, 2)
DEFINE_KERNELS (v4_half, TARGET_V4, 16, 1)
#endif

const NnConv2dKernels *
nn_conv2d_kernels (gsize columns)
{
#ifdef SEGUE_NN_HAVE_TARGET_CLONES
  __builtin_cpu_init ();
  if (__builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512vl") &&
      __builtin_cpu_supports ("avx512bw") && __builtin_cpu_supports ("avx512dq") &&
      __builtin_cpu_supports ("avx512cd"))
    return columns > NN_CONV2D_HALF ? &v4_kernels : &v4_half_kernels;
  if (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma"))
    return &v3_kernels;
#endif
  return &any_kernels;
}
