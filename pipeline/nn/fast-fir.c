#include "fast-fir.h"

#include "nn-private.h"

#include <string.h>

NnFastFir
nn_fast_fir (gsize step, gsize window, gsize positions)
{
  NnFastFir fir = { .step = step,
                    .window = window,
                    .signal = window + positions - 1,
                    .groups = nn_tiles (positions, 4),
                    .taps = nn_tiles (window, 4) };
  fir.length = fir.groups + fir.taps - 1;
  return fir;
}

/* The longer of the two, padded with zeros, and its three halves. */
gsize
nn_fast_fir_scratch (const NnFastFir *fir)
{
  return ((4 * fir->length + 3) + 3 * (2 * fir->length + 1)) * fir->step;
}

/* parts [3, n · step] of w [2 · n · step]. */
static void
halve_window (gsize n, gsize step, const float *w, float *parts)
{
  for (gsize i = 0; i < n; i++)
    for (gsize s = 0; s < step; s++) {
      float even = w[2 * i * step + s], odd = w[(2 * i + 1) * step + s];
      parts[i * step + s] = even + odd;
      parts[(n + i) * step + s] = even;
      parts[(2 * n + i) * step + s] = odd;
    }
}

/* parts [3, n · step] of x [(2 · n + 1) · step]. */
NN_VECTORISED static void
halve_signal (gsize n, gsize step, const float *x, float *parts)
{
  for (gsize i = 0; i < n; i++) {
    const float *even = x + 2 * i * step, *odd = even + step, *next = odd + step;
    float *a = parts + i * step, *b = a + n * step, *c = b + n * step;
    for (gsize s = 0; s < step; s++) {
      a[s] = odd[s];
      b[s] = even[s] - odd[s];
      c[s] = next[s] - odd[s];
    }
  }
}

void
nn_fast_fir_split_window (const NnFastFir *fir, const float *w, float *parts, float *scratch)
{
  gsize n = fir->taps, step = fir->step, all = fir->window * step;
  float *halves = scratch + 4 * n * step;
  memcpy (scratch, w, all * sizeof *w);
  memset (scratch + all, 0, (4 * n * step - all) * sizeof *scratch);
  halve_window (2 * n, step, scratch, halves);
  for (gsize i = 0; i < 3; i++)
    halve_window (n, step, halves + i * 2 * n * step, parts + i * 3 * n * step);
}

void
nn_fast_fir_split_signal (const NnFastFir *fir, const float *x, float *parts, float *scratch)
{
  gsize n = fir->length, step = fir->step, padded = (4 * n + 3) * step;
  gsize all = MIN (fir->signal * step, padded);
  float *halves = scratch + padded;
  memcpy (scratch, x, all * sizeof *x);
  memset (scratch + all, 0, (padded - all) * sizeof *scratch);
  halve_signal (2 * n + 1, step, scratch, halves);
  for (gsize i = 0; i < 3; i++)
    halve_signal (n, step, halves + i * (2 * n + 1) * step, parts + i * 3 * n * step);
}
