/* Confusion matrices, and the figures that follow from them. */
#include "tally.h"

#include <float.h>
#include <math.h>
#include <segue/aggregation.h>

/* Standard deviations to either side that contain 95 % of a normal distribution. */
#define NORMAL_95 1.959963984540054

EvaluateTally *
evaluate_tally_new (guint n_labels)
{
  g_autoptr (EvaluateTally) tally = g_new0 (EvaluateTally, 1);
  gsize n = (gsize) n_labels * n_labels;
  tally->n_labels = n_labels;
  tally->segments.confusion = g_try_new0 (guint64, n);
  tally->songs.confusion = g_try_new0 (guint64, n);
  tally->loss = g_try_new0 (double, n_labels);
  if (!tally->segments.confusion || !tally->songs.confusion || !tally->loss)
    return NULL;
  return g_steal_pointer (&tally);
}

void
evaluate_tally_free (EvaluateTally *tally)
{
  if (!tally)
    return;
  g_free (tally->segments.confusion);
  g_free (tally->songs.confusion);
  g_free (tally->loss);
  g_free (tally);
}

static void
count (EvaluateCounts *counts, guint n_labels, int truth, guint answer)
{
  if (truth == TALLY_NO_LABEL)
    counts->unlabelled++;
  else if (truth == TALLY_UNKNOWN)
    counts->unknown++;
  else
    counts->confusion[(gsize) truth * n_labels + answer]++;
}

void
evaluate_tally_add_segment (EvaluateTally *tally, int truth, const float *probabilities)
{
  guint answer = segue_argmax_f32 (probabilities, tally->n_labels);
  count (&tally->segments, tally->n_labels, truth, answer);
  /* A probability that float32 rounds to 0 must not make the whole set's loss infinite. */
  if (truth >= 0)
    tally->loss[truth] -= log (MAX ((double) probabilities[truth], (double) FLT_MIN));
}

void
evaluate_tally_add_song (EvaluateTally *tally, int truth, guint answer)
{
  count (&tally->songs, tally->n_labels, truth, answer);
}

guint64
evaluate_counts_row (const EvaluateCounts *counts, guint n_labels, guint label)
{
  guint64 sum = 0;
  for (guint c = 0; c < n_labels; c++)
    sum += counts->confusion[(gsize) label * n_labels + c];
  return sum;
}

guint64
evaluate_counts_column (const EvaluateCounts *counts, guint n_labels, guint label)
{
  guint64 sum = 0;
  for (guint c = 0; c < n_labels; c++)
    sum += counts->confusion[(gsize) c * n_labels + label];
  return sum;
}

guint64
evaluate_counts_total (const EvaluateCounts *counts, guint n_labels)
{
  guint64 sum = counts->unknown;
  for (guint c = 0; c < n_labels; c++)
    sum += evaluate_counts_row (counts, n_labels, c);
  return sum;
}

static guint64
count_right (const EvaluateCounts *counts, guint n_labels)
{
  guint64 right = 0;
  for (guint c = 0; c < n_labels; c++)
    right += counts->confusion[(gsize) c * n_labels + c];
  return right;
}

double
evaluate_counts_accuracy (const EvaluateCounts *counts, guint n_labels)
{
  guint64 total = evaluate_counts_total (counts, n_labels);
  return total > 0 ? (double) count_right (counts, n_labels) / (double) total : NAN;
}

void
evaluate_counts_interval (const EvaluateCounts *counts, guint n_labels, double *low, double *high)
{
  double n = (double) evaluate_counts_total (counts, n_labels);
  double p = evaluate_counts_accuracy (counts, n_labels);
  double z = NORMAL_95, z2 = z * z;
  double middle = (p + z2 / (2 * n)) / (1 + z2 / n);
  double half = z / (1 + z2 / n) * sqrt (p * (1 - p) / n + z2 / (4 * n * n));
  *low = n > 0 ? CLAMP (middle - half, 0, 1) : NAN;
  *high = n > 0 ? CLAMP (middle + half, 0, 1) : NAN;
}

double
evaluate_counts_majority (const EvaluateCounts *counts, guint n_labels)
{
  guint64 most = 0, total = evaluate_counts_total (counts, n_labels);
  for (guint c = 0; c < n_labels; c++)
    most = MAX (most, evaluate_counts_row (counts, n_labels, c));
  return total > 0 ? (double) most / (double) total : NAN;
}

double
evaluate_counts_f1 (const EvaluateCounts *counts, guint n_labels, guint label)
{
  guint64 right = counts->confusion[(gsize) label * n_labels + label];
  guint64 both = evaluate_counts_row (counts, n_labels, label) +
                 evaluate_counts_column (counts, n_labels, label);
  return both > 0 ? 2.0 * (double) right / (double) both : NAN;
}

double
evaluate_counts_macro_f1 (const EvaluateCounts *counts, guint n_labels)
{
  double sum = 0;
  guint n = 0;
  for (guint c = 0; c < n_labels; c++) {
    double f1 = evaluate_counts_f1 (counts, n_labels, c);
    if (isnan (f1))
      continue;
    sum += f1;
    n++;
  }
  return n > 0 ? sum / n : NAN;
}
