/* The time-critical conversions of products, with instructions that compilers don't generate. */
#include "convert-avx512.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>

#define LANES ((gsize) 16)

/* Rows are far apart: without a prefetch, each would begin with a wait for memory. */
#define AHEAD        2 /* rows */
#define FETCH(x, ld) _mm_prefetch ((const char *) ((x) + AHEAD * (ld)), _MM_HINT_T0)

/* The first n of 16 lanes. */
#define FIRST(n) ((__mmask16) ((1u << (n)) - 1))

gboolean
nn_has_avx512_bf16 (void)
{
  return __builtin_cpu_supports ("avx512bf16") && __builtin_cpu_supports ("avx512bw") &&
         __builtin_cpu_supports ("avx512vl");
}

gboolean
nn_has_avx512 (void)
{
  return __builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512bw") &&
         __builtin_cpu_supports ("avx512dq") && __builtin_cpu_supports ("avx512vl");
}

__attribute__ ((target ("avx512f,avx512bw,avx512vl,avx512bf16"))) void
nn_to_bfloat16_avx512 (gsize rows, gsize columns, const float *from, gsize ld, SegueNnBfloat16 *to)
{
  for (gsize i = 0; i < rows; i++) {
    const float *x = from + i * ld;
    SegueNnBfloat16 *y = to + i * columns;
    gsize j = 0;
    for (; j + 2 * LANES <= columns; j += 2 * LANES) {
      __m512bh both =
        _mm512_cvtne2ps_pbh (_mm512_loadu_ps (x + j + LANES), _mm512_loadu_ps (x + j));
      _mm512_storeu_si512 (y + j, (__m512i) both);
    }
    for (; j < columns; j += LANES) {
      __mmask16 rest = FIRST (MIN (LANES, columns - j));
      __m256bh part = _mm512_cvtneps_pbh (_mm512_maskz_loadu_ps (rest, x + j));
      _mm256_mask_storeu_epi16 (y + j, rest, (__m256i) part);
    }
  }
}

/* The range of finite numbers, and 0. */
__attribute__ ((target ("avx512f,avx512bw,avx512dq,avx512vl"))) static inline void
find_range (gsize n, const float *x, gsize ld, float *least, float *most)
{
  const __m512 largest = _mm512_set1_ps (G_MAXFLOAT);
  __m512 low = _mm512_setzero_ps (), high = _mm512_setzero_ps ();
  for (gsize j = 0; j < n; j += LANES) {
    FETCH (x + j, ld);
    __m512 values = _mm512_maskz_loadu_ps (FIRST (MIN (LANES, n - j)), x + j);
    __mmask16 finite = _mm512_cmp_ps_mask (_mm512_abs_ps (values), largest, _CMP_LE_OQ);
    low = _mm512_mask_min_ps (low, finite, low, values);
    high = _mm512_mask_max_ps (high, finite, high, values);
  }
  *least = _mm512_reduce_min_ps (low);
  *most = _mm512_reduce_max_ps (high);
}

__attribute__ ((target ("avx512f,avx512bw,avx512dq,avx512vl"))) void
nn_to_uint8_rows_avx512 (gsize rows, gsize columns, const float *from, gsize ld, guint8 *to,
                         float *scales, gint32 *zeros)
{
  const __m512 none = _mm512_setzero_ps (), all = _mm512_set1_ps (255.0f);
  const __m512 half = _mm512_set1_ps (0.5f);
  for (gsize i = 0; i < rows; i++) {
    const float *x = from + i * ld;
    guint8 *q = to + i * columns;
    float least, most;
    find_range (columns, x, ld, &least, &most);
    const NnQuantisation of = nn_quantisation (least, most);
    const __m512 inverse = _mm512_set1_ps (1.0f / of.scale);
    const __m512 zero = _mm512_set1_ps ((float) of.zero);
    for (gsize j = 0; j < columns; j += LANES) {
      __mmask16 there = FIRST (MIN (LANES, columns - j));
      __m512 values = _mm512_maskz_loadu_ps (there, x + j);
      values = _mm512_fmadd_ps (values, inverse, zero);
      values = _mm512_min_ps (_mm512_max_ps (values, none), all); /* NaN becomes 0 */
      __m512i whole = _mm512_cvttps_epi32 (_mm512_add_ps (values, half));
      _mm_mask_storeu_epi8 (q + j, there, _mm512_cvtepi32_epi8 (whole));
    }
    scales[i] = of.scale;
    zeros[i] = of.zero;
  }
}

#else

gboolean
nn_has_avx512_bf16 (void)
{
  return FALSE;
}

gboolean
nn_has_avx512 (void)
{
  return FALSE;
}

void
nn_to_bfloat16_avx512 (gsize rows, gsize columns, const float *from, gsize ld, SegueNnBfloat16 *to)
{
  g_assert_not_reached ();
}

void
nn_to_uint8_rows_avx512 (gsize rows, gsize columns, const float *from, gsize ld, guint8 *to,
                         float *scales, gint32 *zeros)
{
  g_assert_not_reached ();
}

#endif
