#include "temperature.h"

#include <math.h>

#define STEPS 100

/* The mean under softmax (s / T) of s [k], less s[label]: the derivative of one row's loss by 1 / T. */
static double
row_slope (const double *s, guint k, gint32 label, double inverse)
{
  double largest = s[0], total = 0.0, mean = 0.0;
  for (guint i = 1; i < k; i++)
    largest = MAX (largest, s[i]);
  for (guint i = 0; i < k; i++) {
    double weight = exp ((s[i] - largest) * inverse);
    total += weight;
    mean += weight * (s[i] - s[label]);
  }
  return mean / total;
}

/* Increases with `inverse`. */
static double
slope (const double *scores, const gint32 *labels, gsize n, guint n_labels, double inverse)
{
  double sum = 0.0;
  for (gsize i = 0; i < n; i++)
    if (labels[i] >= 0)
      sum += row_slope (scores + i * n_labels, n_labels, labels[i], inverse);
  return sum;
}

double
lda_fit_temperature (const double *scores, const gint32 *labels, gsize n, guint n_labels)
{
  double low = 1.0 / LDA_TEMPERATURE_MAX, high = 1.0 / LDA_TEMPERATURE_MIN;
  double at_low = slope (scores, labels, n, n_labels, low);
  double at_high = slope (scores, labels, n, n_labels, high);
  if (at_low == 0.0 && at_high == 0.0)
    return LDA_TEMPERATURE_DEFAULT;
  if (at_high <= 0.0)
    return LDA_TEMPERATURE_MIN;
  if (at_low >= 0.0)
    return LDA_TEMPERATURE_MAX;
  for (guint i = 0; i < STEPS && high / low - 1.0 > 1e-9; i++) {
    double middle = sqrt (low * high);
    if (slope (scores, labels, n, n_labels, middle) < 0.0)
      low = middle;
    else
      high = middle;
  }
  return 1.0 / sqrt (low * high);
}
