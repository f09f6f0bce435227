/* From segments' probabilities to a song's. */
#include <float.h>
#include <math.h>
#include <segue/host/predict.h>
#include <string.h>

static const char *const *const names = SEGUE_AGGREGATION_CHOICES;

const char *const *
segue_aggregation_names (void)
{
  return names;
}

/* The first of the largest. */
static guint
largest (const double *values, guint n)
{
  guint best = 0;
  for (guint c = 1; c < n; c++)
    if (values[c] > values[best])
      best = c;
  return best;
}

/* 1 − H(p) / ln n: 1 for a certain segment, 0 for one with equal probabilities. */
static double
confidence_of (const float *row, guint n_labels)
{
  double entropy = 0;
  for (guint c = 0; c < n_labels; c++)
    if (row[c] > 0)
      entropy -= (double) row[c] * log ((double) row[c]);
  return n_labels > 1 ? MAX (1 - entropy / log (n_labels), 0) : 1;
}

static void
add_weighted (const float *row, guint n_labels, double weight, double *sums)
{
  for (guint c = 0; c < n_labels; c++)
    sums[c] += weight * (double) row[c];
}

/* A probability too small for float32 must not exclude a label forever. */
static void
add_logarithms (const float *row, guint n_labels, double *sums)
{
  for (guint c = 0; c < n_labels; c++)
    sums[c] += log (MAX ((double) row[c], (double) FLT_MIN));
}

static void
add_vote (const float *row, guint n_labels, double *sums)
{
  guint best = 0;
  for (guint c = 1; c < n_labels; c++)
    if (row[c] > row[best])
      best = c;
  sums[best] += 1;
}

static void
add_segment (SegueAggregation aggregation, const float *row, guint n_labels, double *sums)
{
  switch (aggregation) {
  case SEGUE_AGGREGATE_MEAN_LOGIT:
    add_logarithms (row, n_labels, sums);
    break;
  case SEGUE_AGGREGATE_VOTE:
    add_vote (row, n_labels, sums);
    break;
  case SEGUE_AGGREGATE_CONFIDENCE_WEIGHTED:
    add_weighted (row, n_labels, confidence_of (row, n_labels), sums);
    break;
  case SEGUE_AGGREGATE_MEAN_PROBABILITY:
  case SEGUE_N_AGGREGATIONS:
  default:
    add_weighted (row, n_labels, 1, sums);
  }
}

/* @sums of logarithms → of probabilities, the largest of which is 1. */
static void
take_exponentials (double *sums, guint n_segments, guint n_labels)
{
  double top = sums[largest (sums, n_labels)];
  for (guint c = 0; c < n_labels; c++)
    sums[c] = exp ((sums[c] - top) / n_segments);
}

static double
add_up (const double *values, guint n)
{
  double sum = 0;
  for (guint c = 0; c < n; c++)
    sum += values[c];
  return sum;
}

static void
add_all (SegueAggregation aggregation, const float *segments, guint n_segments, guint n_labels,
         double *sums)
{
  memset (sums, 0, n_labels * sizeof *sums);
  for (guint s = 0; s < n_segments; s++)
    add_segment (aggregation, segments + (gsize) s * n_labels, n_labels, sums);
}

/* Of labels with equal votes, the more probable one. */
static guint
break_tie (const double *votes, const float *segments, guint n_segments, guint n_labels)
{
  g_autofree double *means = g_new (double, n_labels);
  add_all (SEGUE_AGGREGATE_MEAN_PROBABILITY, segments, n_segments, n_labels, means);
  double most = votes[largest (votes, n_labels)];
  for (guint c = 0; c < n_labels; c++)
    if (votes[c] < most)
      means[c] = -1;
  return largest (means, n_labels);
}

guint
segue_song_aggregate (SegueAggregation aggregation, const float *segments, guint n_segments,
                      guint n_labels, float *probabilities)
{
  g_return_val_if_fail (n_segments > 0 && n_labels > 0, 0);
  g_autofree double *sums = g_new (double, n_labels);
  add_all (aggregation, segments, n_segments, n_labels, sums);
  if (aggregation == SEGUE_AGGREGATE_MEAN_LOGIT)
    take_exponentials (sums, n_segments, n_labels);
  double total = add_up (sums, n_labels);
  /* All segments have confidence 0: all weigh the same. */
  if (!(total > 0)) {
    add_all (SEGUE_AGGREGATE_MEAN_PROBABILITY, segments, n_segments, n_labels, sums);
    total = add_up (sums, n_labels);
  }
  for (guint c = 0; c < n_labels; c++)
    probabilities[c] = (float) (sums[c] / total);
  return aggregation == SEGUE_AGGREGATE_VOTE ? break_tie (sums, segments, n_segments, n_labels)
                                             : largest (sums, n_labels);
}
