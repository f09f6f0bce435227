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

#define ARGMAX(name, Type)                                                                         \
  guint name (const Type *values, guint n)                                                         \
  {                                                                                                \
    guint best = 0;                                                                                \
    for (guint i = 1; i < n; i++)                                                                  \
      if (values[i] > values[best])                                                                \
        best = i;                                                                                  \
    return best;                                                                                   \
  }

ARGMAX (segue_argmax_f32, float)
ARGMAX (segue_argmax_f64, double)

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
add_segment (SegueAggregation aggregation, const float *row, guint n_labels, double *sums)
{
  switch (aggregation) {
  case SEGUE_AGGREGATE_MEAN_LOGIT:
    add_logarithms (row, n_labels, sums);
    break;
  case SEGUE_AGGREGATE_VOTE:
    sums[segue_argmax_f32 (row, n_labels)] += 1;
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
  double top = sums[segue_argmax_f64 (sums, n_labels)];
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
  double most = votes[segue_argmax_f64 (votes, n_labels)];
  for (guint c = 0; c < n_labels; c++)
    if (votes[c] < most)
      means[c] = -1;
  return segue_argmax_f64 (means, n_labels);
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
                                             : segue_argmax_f64 (sums, n_labels);
}
