#include "conv-max-kernels.h"

#include "fast-fir.h"
#include "nn-private.h"

#include <math.h>

#define PANEL NN_CONV_MAX_PANEL

/* Both kernels for vectors of LANES floats and PANELS panels, with registers for the sums of ROWS rows. `target_clones`
 * is not sufficient: the shape of the block must change with the vectors. */
#define DEFINE_KERNELS(name, TARGET, LANES, ROWS, PANELS)                                          \
  typedef float name##_vector __attribute__ ((vector_size (4 * (LANES)), aligned (4), may_alias)); \
  enum { name##_VECTORS = 16 / (LANES), name##_SUMS = (ROWS) * (PANELS) *16 };                     \
                                                                                                   \
  /* to = from (0 where it is NULL) + Σ_k x[row][k] · w[panel][k], in registers. */              \
  TARGET static inline __attribute__ ((always_inline)) void name##_add (                           \
    gsize columns, const float *const *x, gsize x_offset, const float *w, gsize w_panel,           \
    const float *from, float *to)                                                                  \
  {                                                                                                \
    name##_vector sum[ROWS][PANELS][name##_VECTORS] = { 0 };                                       \
    const float *rows[ROWS];                                                                       \
    for (guint r = 0; r < (ROWS); r++)                                                             \
      rows[r] = x[r] + x_offset;                                                                   \
    if (from)                                                                                      \
      for (guint r = 0; r < (ROWS); r++)                                                           \
        for (guint a = 0; a < (PANELS); a++)                                                       \
          for (guint v = 0; v < name##_VECTORS; v++)                                               \
            sum[r][a][v] =                                                                         \
              *(const name##_vector *) (from + (r * (PANELS) + a) * 16 + v * (LANES));             \
    for (gsize k = 0; k < columns; k++) {                                                          \
      name##_vector wv[PANELS][name##_VECTORS];                                                    \
      for (guint a = 0; a < (PANELS); a++)                                                         \
        for (guint v = 0; v < name##_VECTORS; v++)                                                 \
          wv[a][v] = *(const name##_vector *) (w + a * w_panel + k * 16 + v * (LANES));            \
      for (guint r = 0; r < (ROWS); r++)                                                           \
        for (guint a = 0; a < (PANELS); a++)                                                       \
          for (guint v = 0; v < name##_VECTORS; v++)                                               \
            sum[r][a][v] += rows[r][k] * wv[a][v];                                                 \
    }                                                                                              \
    for (guint r = 0; r < (ROWS); r++)                                                             \
      for (guint a = 0; a < (PANELS); a++)                                                         \
        for (guint v = 0; v < name##_VECTORS; v++)                                                 \
          *(name##_vector *) (to + (r * (PANELS) + a) * 16 + v * (LANES)) = sum[r][a][v];          \
  }                                                                                                \
                                                                                                   \
  TARGET static void name##_run (const NnConvMaxShape *s, const float *const *x, const float *w,   \
                                 float *largest)                                                   \
  {                                                                                                \
    for (guint i = 0; i < name##_SUMS; i++)                                                        \
      largest[i] = -INFINITY;                                                                      \
    for (gsize p = 0; p < s->positions; p++) {                                                     \
      float sums[name##_SUMS];                                                                     \
      name##_add (s->columns, x, p * s->step, w, s->columns * PANEL, NULL, sums);                  \
      for (guint i = 0; i < name##_SUMS; i++)                                                      \
        largest[i] = MAX (sums[i], largest[i]);                                                    \
    }                                                                                              \
  }                                                                                                \
                                                                                                   \
  TARGET static void name##_fast (const NnConvMaxShape *s, const float *const *x, const float *w,  \
                                  float *largest)                                                  \
  {                                                                                                \
    gsize part = s->columns * PANEL, panel = NN_FAST_FIR_PARTS * part;                             \
    for (guint i = 0; i < name##_SUMS; i++)                                                        \
      largest[i] = -INFINITY;                                                                      \
    for (gsize p = 0; p < s->positions; p += 4) {                                                  \
      float both[name##_SUMS], sums[3][2][name##_SUMS];                                            \
      gsize at = p / 4 * s->step;                                                                  \
      for (guint i = 0; i < 3; i++) {                                                              \
        name##_add (s->columns, x, 3 * i * s->part + at, w + 3 * i * part, panel, NULL, both);     \
        for (guint j = 0; j < 2; j++)                                                              \
          name##_add (s->columns, x, (3 * i + 1 + j) * s->part + at, w + (3 * i + 1 + j) * part,   \
                      panel, both, sums[i][j]);                                                    \
      }                                                                                            \
      for (gsize j = 0; j < MIN (s->positions - p, 4); j++)                                        \
        for (guint i = 0; i < name##_SUMS; i++) {                                                  \
          float sum = sums[0][j / 2][i] + sums[1 + j % 2][j / 2][i];                               \
          largest[i] = MAX (sum, largest[i]);                                                      \
        }                                                                                          \
    }                                                                                              \
  }

#define ANY_TARGET
DEFINE_KERNELS (any, ANY_TARGET, 4, 3, 1)
static const NnConvMaxKernels any_kernels = { 3, 1, any_run, any_run, any_fast, any_fast };

#ifdef SEGUE_NN_HAVE_TARGET_CLONES
#define TARGET_V3 __attribute__ ((target ("arch=x86-64-v3")))
#define TARGET_V4 __attribute__ ((target ("arch=x86-64-v4")))
DEFINE_KERNELS (v3, TARGET_V3, 8, 6, 1)
DEFINE_KERNELS (v4, TARGET_V4, 16, 8, 2)
DEFINE_KERNELS (v4_one, TARGET_V4, 16, 8, 1)
static const NnConvMaxKernels v3_kernels = { 6, 1, v3_run, v3_run, v3_fast, v3_fast };
static const NnConvMaxKernels v4_kernels = { 8, 2, v4_run, v4_one_run, v4_fast, v4_one_fast };
#endif

const NnConvMaxKernels *
nn_conv_max_kernels (void)
{
#ifdef SEGUE_NN_HAVE_TARGET_CLONES
  __builtin_cpu_init ();
  if (__builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512vl") &&
      __builtin_cpu_supports ("avx512bw") && __builtin_cpu_supports ("avx512dq") &&
      __builtin_cpu_supports ("avx512cd"))
    return &v4_kernels;
  if (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma"))
    return &v3_kernels;
#endif
  return &any_kernels;
}
