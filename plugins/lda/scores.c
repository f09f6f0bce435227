#include "scores.h"
#include "temperature.h"

static void
declare (SegueNnWeights *weights, SegueNnWeight *weight, const char *prefix, const char *name,
         gsize rows, gsize columns, double value, SegueNnWeightFlags flags)
{
  g_autofree char *full = g_strconcat (prefix, name, NULL);
  const SegueNnTensor tensor = SEGUE_INIT (
    SegueNnTensor, .name = full, .rank = columns > 0 ? 2 : 1, .shape = { rows, columns },
    .init = SEGUE_NN_INIT_CONSTANT, .a = value, .flags = SEGUE_NN_WEIGHT_BUFFER | flags);
  segue_nn_weights_add (weights, weight, &tensor);
}

void
lda_scores_declare (LdaScores *scores, SegueNnWeights *weights, const char *prefix, gsize size,
                    guint n_labels, SegueNnWeightFlags rows)
{
  scores->size = size;
  scores->n_labels = n_labels;
  declare (weights, &scores->mean, prefix, "mean", size, 0, 0, 0);
  declare (weights, &scores->scale, prefix, "scale", size, 0, 1, 0);
  declare (weights, &scores->coefficients, prefix, "coefficients", n_labels, size, 0, rows);
  declare (weights, &scores->intercepts, prefix, "intercepts", n_labels, 0, 0, rows);
  declare (weights, &scores->temperature, prefix, "temperature", 1, 0, LDA_TEMPERATURE_DEFAULT, 0);
}

void
lda_scores_clear (LdaScores *scores)
{
  g_clear_pointer (&scores->folded, g_free);
}

gboolean
lda_scores_are_valid (const LdaScores *scores)
{
  gboolean positive = scores->temperature.w[0] > 0;
  for (gsize c = 0; c < scores->size; c++)
    positive = positive && scores->scale.w[c] > 0;
  return positive;
}

void
lda_store (SegueNnWeight *weight, const double *values, gsize n)
{
  for (gsize i = 0; i < n; i++)
    weight->w[i] = (float) values[i];
}

void
lda_scores_store (LdaScores *scores, const Lda *lda, double temperature)
{
  lda_store (&scores->mean, lda->mean, scores->size);
  lda_store (&scores->scale, lda->scale, scores->size);
  lda_store (&scores->coefficients, lda->coefficients, scores->n_labels * scores->size);
  lda_store (&scores->intercepts, lda->intercepts, scores->n_labels);
  lda_store (&scores->temperature, &temperature, 1);
}

double *
lda_fold_rows (const LdaScores *scores, const float *matrix, const float *offsets, gsize n,
               double divisor, double *folded)
{
  gsize size = scores->size;
  if (!folded)
    folded = g_new (double, n *(size + 1));
  for (gsize k = 0; k < n; k++) {
    double *row = folded + k * (size + 1);
    double offset = offsets ? (double) offsets[k] : 0.0;
    for (gsize c = 0; c < size; c++) {
      double slope = (double) matrix[k * size + c] / (double) scores->scale.w[c];
      offset -= slope * (double) scores->mean.w[c];
      row[c] = slope / divisor;
    }
    row[size] = offset / divisor;
  }
  return folded;
}

void
lda_scores_fold (LdaScores *scores)
{
  scores->folded =
    lda_fold_rows (scores, scores->coefficients.w, scores->intercepts.w, scores->n_labels,
                   (double) scores->temperature.w[0], scores->folded);
}

void
lda_apply_rows (const double *folded, gsize n, const float *x, gsize size, double *out)
{
  for (gsize k = 0; k < n; k++) {
    const double *row = folded + k * (size + 1);
    double sum = row[size];
    for (gsize c = 0; c < size; c++)
      sum += row[c] * (double) x[c];
    out[k] = sum;
  }
}

void
lda_scores_apply (const LdaScores *scores, const float *x, double *out)
{
  lda_apply_rows (scores->folded, scores->n_labels, x, scores->size, out);
}
