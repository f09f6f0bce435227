/* Exponentiated gradient descent (Kivinen and Warmuth, 1997), which stays among the weights that add up to 1. Each step is
 * as long as lowers the loss, so that no learning rate has to be chosen. */
#include "weights.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define MAX_STEPS 1000
/* A step that lowers the loss by less is the last. */
#define ENOUGH 1e-10

/* A probability that float32 rounds to 0 must not make the loss infinite. */
static double
floor_of (float probability)
{
  return MAX ((double) probability, (double) FLT_MIN);
}

static const float *
row_of (const EvaluateEvidence *evidence, guint song, guint member)
{
  return evidence->probabilities +
         ((gsize) song * evidence->n_members + member) * evidence->n_labels;
}

/* −ln Σ w p (truth); @gradient is added to. */
static double
add_mean (const EvaluateEvidence *evidence, guint song, const double *weights, double *gradient)
{
  guint truth = evidence->truths[song];
  double sum = 0;
  for (guint m = 0; m < evidence->n_members; m++)
    sum += weights[m] * floor_of (row_of (evidence, song, m)[truth]);
  for (guint m = 0; m < evidence->n_members; m++)
    gradient[m] -= floor_of (row_of (evidence, song, m)[truth]) / sum;
  return -log (sum);
}

/* −ln of Π p^w (truth), normalised; @gradient is added to. */
static double
add_geometric (const EvaluateEvidence *evidence, guint song, const double *weights,
               double *gradient, double *mixed)
{
  guint truth = evidence->truths[song], n = evidence->n_labels;
  double top = -G_MAXDOUBLE, total = 0;
  memset (mixed, 0, n * sizeof *mixed);
  for (guint m = 0; m < evidence->n_members; m++)
    for (guint c = 0; c < n; c++)
      mixed[c] += weights[m] * log (floor_of (row_of (evidence, song, m)[c]));
  double right = mixed[truth];
  for (guint c = 0; c < n; c++)
    top = MAX (top, mixed[c]);
  for (guint c = 0; c < n; c++)
    total += mixed[c] = exp (mixed[c] - top);
  for (guint m = 0; m < evidence->n_members; m++) {
    const float *row = row_of (evidence, song, m);
    gradient[m] -= log (floor_of (row[truth]));
    for (guint c = 0; c < n; c++)
      gradient[m] += mixed[c] / total * log (floor_of (row[c]));
  }
  return top + log (total) - right;
}

/* The mean loss; @gradient: (out): its derivative by each weight */
static double
measure (SegueCombinationRule rule, const EvaluateEvidence *evidence, const double *weights,
         double *gradient, double *mixed)
{
  double loss = 0;
  memset (gradient, 0, evidence->n_members * sizeof *gradient);
  for (guint s = 0; s < evidence->n_songs; s++)
    loss += rule == SEGUE_COMBINE_GEOMETRIC ? add_geometric (evidence, s, weights, gradient, mixed)
                                            : add_mean (evidence, s, weights, gradient);
  for (guint m = 0; m < evidence->n_members; m++)
    gradient[m] /= evidence->n_songs;
  return loss / evidence->n_songs;
}

/* w e^(−rate · gradient), normalised. */
static void
take_step (const double *weights, const double *gradient, double rate, guint n, double *next)
{
  double least = gradient[0], sum = 0;
  for (guint m = 1; m < n; m++)
    least = MIN (least, gradient[m]);
  for (guint m = 0; m < n; m++)
    sum += next[m] = weights[m] * exp (-rate * (gradient[m] - least));
  for (guint m = 0; m < n; m++)
    next[m] /= sum;
}

double
evaluate_weights_learn (SegueCombinationRule rule, const EvaluateEvidence *evidence,
                        double *weights)
{
  guint n = evidence->n_members;
  g_return_val_if_fail (n > 0 && evidence->n_songs > 0, NAN);
  g_autofree double *gradient = g_new (double, n), *next = g_new (double, n);
  g_autofree double *slope = g_new (double, n), *mixed = g_new (double, evidence->n_labels);
  for (guint m = 0; m < n; m++)
    weights[m] = 1.0 / n;
  double loss = measure (rule, evidence, weights, gradient, mixed), rate = 1;
  for (guint step = 0; step < MAX_STEPS && rate > ENOUGH; step++) {
    take_step (weights, gradient, rate, n, next);
    double reached = measure (rule, evidence, next, slope, mixed), gain = loss - reached;
    if (!(gain >= 0)) {
      rate /= 2;
      continue;
    }
    memcpy (weights, next, n * sizeof *weights);
    memcpy (gradient, slope, n * sizeof *gradient);
    loss = reached;
    if (gain < ENOUGH)
      break;
    rate *= 2;
  }
  return loss;
}
