#include "gate.h"

#include <float.h>
#include <math.h>
#include <segue/error.h>
#include <string.h>

/* The largest share of the analysis of unchanged segments. */
#define LARGEST_SHARE 0.5

enum { UNCHANGED, CHANGED, N_ANSWERS };

void
lda_gate_declare (LdaGate *gate, SegueNnWeights *weights, gsize size, guint n_labels)
{
  lda_scores_declare (&gate->unchanged, weights, "unchanged.", size, n_labels,
                      SEGUE_NN_WEIGHT_LABELS);
  lda_scores_declare (&gate->gate, weights, "gate.", size, N_ANSWERS, SEGUE_NN_WEIGHT_HEAD);
}

void
lda_gate_clear (LdaGate *gate)
{
  lda_scores_clear (&gate->unchanged);
  lda_scores_clear (&gate->gate);
}

gboolean
lda_gate_is_valid (const LdaGate *gate)
{
  return lda_scores_are_valid (&gate->unchanged) && lda_scores_are_valid (&gate->gate);
}

void
lda_gate_fold (LdaGate *gate)
{
  lda_scores_fold (&gate->unchanged);
  lda_scores_fold (&gate->gate);
}

/* ---- The fit ---- */

static Lda *
fit_gate (SegueNnThreads *threads, const SegueModelFit *fit, GError **error)
{
  static const char *const names[] = { "unchanged segments", "augmented copies" };
  g_autofree gint32 *answers = g_new (gint32, fit->n);
  for (gsize i = 0; i < fit->n; i++)
    answers[i] = fit->copies[i] > 0 ? CHANGED : UNCHANGED;
  const LdaData data = { .n = fit->n,
                         .width = fit->length,
                         .n_labels = N_ANSWERS,
                         .rows = fit->rows,
                         .labels = answers,
                         .names = names };
  return lda_fit (threads, &data, error);
}

static Lda *
fit_unchanged (SegueNnThreads *threads, const SegueModelFit *fit, const LdaData *all, gsize n,
               GError **error)
{
  gsize row = fit->length * sizeof (float);
  g_autofree float *rows = g_try_malloc (n * row);
  g_autofree gint32 *labels = g_new (gint32, n);
  if (!rows) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                 "not enough memory for the %" G_GSIZE_FORMAT " segments that are no copies", n);
    return NULL;
  }
  LdaData unchanged = *all;
  unchanged.n = 0;
  unchanged.rows = rows;
  unchanged.labels = labels;
  for (gsize i = 0; i < fit->n; i++) {
    if (fit->copies[i] > 0)
      continue;
    labels[unchanged.n] = fit->labels[i];
    memcpy (rows + unchanged.n++ * fit->length, fit->rows + i * fit->length, row);
  }
  return lda_fit (threads, &unchanged, error);
}

gboolean
lda_gate_fit (SegueNnThreads *threads, const SegueModelFit *fit, const LdaData *all,
              LdaGateFit *fitted, GError **error)
{
  gsize n_unchanged = 0;
  for (gsize i = 0; i < fit->n; i++)
    n_unchanged += !fit->copies || fit->copies[i] == 0;
  if (n_unchanged == fit->n) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                         "`gate` is learnt from augmented copies, and there are none; put a stage "
                         "`augment` before `embed`, and give `embed` copies: 2, or remove `gate`");
    return FALSE;
  }
  fitted->unchanged = fit_unchanged (threads, fit, all, n_unchanged, error);
  fitted->gate = fitted->unchanged ? fit_gate (threads, fit, error) : NULL;
  return fitted->gate != NULL;
}

void
lda_gate_fit_clear (LdaGateFit *fitted)
{
  g_clear_pointer (&fitted->unchanged, lda_free);
  g_clear_pointer (&fitted->gate, lda_free);
}

void
lda_gate_store (LdaGate *gate, const LdaGateFit *fitted, double temperature)
{
  lda_scores_store (&gate->unchanged, fitted->unchanged, temperature);
  lda_scores_store (&gate->gate, fitted->gate, 1);
}

/* ---- Inference ---- */

/* ln Σ exp (scores). */
static double
log_sum (const double *scores, gsize n)
{
  double top = scores[0], sum = 0;
  for (gsize k = 1; k < n; k++)
    top = MAX (top, scores[k]);
  for (gsize k = 0; k < n; k++)
    sum += exp (scores[k] - top);
  return top + log (sum);
}

void
lda_gate_mix (const LdaGate *gate, const float *x, const double *scores, double *room,
              float *logits)
{
  double answers[N_ANSWERS];
  guint n = gate->unchanged.n_labels;
  lda_scores_apply (&gate->gate, x, answers);
  lda_scores_apply (&gate->unchanged, x, room);
  double share = LARGEST_SHARE * exp (answers[UNCHANGED] - log_sum (answers, N_ANSWERS));
  double all = log_sum (scores, n), unchanged = log_sum (room, n);
  for (guint k = 0; k < n; k++) {
    double p = (1 - share) * exp (scores[k] - all) + share * exp (room[k] - unchanged);
    logits[k] = (float) log (MAX (p, (double) FLT_MIN));
  }
}
