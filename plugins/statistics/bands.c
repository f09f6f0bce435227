#include "bands.h"

#include <math.h>
#include <string.h>

static void
order (float *a, float *b)
{
  if (*a > *b) {
    float t = *a;
    *a = *b;
    *b = t;
  }
}

/* Moves the values of v [n] so that v[k] is what it would be if v were sorted, nothing before it is greater and
 * nothing after it is smaller (Hoare's selection, pivot: the median of three). Ends for any values. */
static void
select_rank (float *v, gsize n, gsize k)
{
  gsize low = 0, high = n - 1;
  while (low < high) {
    gsize middle = low + (high - low) / 2;
    order (&v[low], &v[middle]);
    order (&v[middle], &v[high]);
    order (&v[low], &v[middle]);
    float pivot = v[middle];
    gsize i = low, j = high;
    while (i <= j) {
      while (v[i] < pivot)
        i++;
      while (v[j] > pivot)
        j--;
      if (i > j)
        break;
      float t = v[i];
      v[i++] = v[j];
      v[j] = t;
      if (j == low)
        break;
      j--;
    }
    if (k <= j && j < high)
      high = j;
    else if (k >= i)
      low = i;
    else
      return;
  }
}

static void
quantiles (const float *v, gsize n, gsize stride, float *scratch, float *out)
{
  static const gsize tenths[] = { 1, 5, 9 };
  gsize from = 0;
  memcpy (scratch, v, n * sizeof *v);
  for (gsize i = 0; i < G_N_ELEMENTS (tenths); i++) {
    gsize k = (n - 1) * tenths[i] / 10;
    if (k >= from)
      select_rank (scratch + from, n - from, k - from);
    out[i * stride] = scratch[k];
    from = k + 1;
  }
}

void
bands_statistics (const float *levels, gsize bands, gsize n, float *scratch, float *out)
{
  for (gsize m = 0; m < bands; m++) {
    const float *v = levels + m * n;
    double sum = 0.0, squares = 0.0, steps = 0.0;
    for (gsize t = 0; t < n; t++)
      sum += (double) v[t];
    double mean = sum / (double) n;
    for (gsize t = 0; t < n; t++)
      squares += ((double) v[t] - mean) * ((double) v[t] - mean);
    for (gsize t = 1; t < n; t++)
      steps += fabs ((double) v[t] - (double) v[t - 1]);
    out[m] = (float) mean;
    out[bands + m] = (float) sqrt (squares / (double) n);
    out[2 * bands + m] = (float) (steps / (double) (n - 1));
    quantiles (v, n, bands, scratch, out + 3 * bands + m);
  }
}
