#include <math.h>
#include <segue/nn/cross-entropy.h>

static double
weight_of (const SegueNnCrossEntropy *loss, gsize label)
{
  return loss->class_weights ? (double) loss->class_weights[label] : 1.0;
}

static double
sum_of_weights (const SegueNnCrossEntropy *loss)
{
  double sum = 0.0;
  for (gsize c = 0; c < loss->classes; c++)
    sum += weight_of (loss, c);
  return sum;
}

static double
divisor_of (const SegueNnCrossEntropy *loss, const gint32 *labels)
{
  return loss->divisor > 0.0 ? loss->divisor : segue_nn_cross_entropy_divisor (loss, labels);
}

double
segue_nn_cross_entropy_divisor (const SegueNnCrossEntropy *loss, const gint32 *labels)
{
  double sum = 0.0;
  for (gsize b = 0; b < loss->batch; b++) {
    if (labels[b] == SEGUE_NN_IGNORE)
      continue;
    g_assert (labels[b] >= 0 && (gsize) labels[b] < loss->classes);
    sum += weight_of (loss, (gsize) labels[b]);
  }
  return sum;
}

/* log Σ e^x of one row. */
static double
log_sum_exp (gsize n, const float *x)
{
  double most = (double) x[0], sum = 0.0;
  for (gsize c = 1; c < n; c++)
    most = MAX (most, (double) x[c]);
  for (gsize c = 0; c < n; c++)
    sum += exp ((double) x[c] - most);
  return most + log (sum);
}

double
segue_nn_cross_entropy_forward (const SegueNnCrossEntropy *loss, const float *logits,
                                const gint32 *labels, float *probabilities)
{
  const double smoothing = (double) loss->label_smoothing, n = (double) loss->classes;
  const double divisor = divisor_of (loss, labels);
  double total = 0.0;

  g_assert (loss->classes > 0 && smoothing >= 0.0 && smoothing <= 1.0);
  for (gsize b = 0; b < loss->batch; b++) {
    const float *x = logits + b * loss->classes;
    float *p = probabilities + b * loss->classes;
    double lse = log_sum_exp (loss->classes, x);
    if (labels[b] != SEGUE_NN_IGNORE) {
      gsize label = (gsize) labels[b];
      double all = 0.0;
      for (gsize c = 0; smoothing > 0.0 && c < loss->classes; c++)
        all += weight_of (loss, c) * (lse - (double) x[c]);
      total += (1.0 - smoothing) * weight_of (loss, label) * (lse - (double) x[label]);
      total += smoothing / n * all;
    }
    for (gsize c = 0; c < loss->classes; c++)
      p[c] = (float) exp ((double) x[c] - lse);
  }
  return divisor > 0.0 ? total / divisor : 0.0;
}

/* d loss / d x_c = [p_c · ((1 − ε) w_y + ε/C Σ w) − (1 − ε) w_y [c = y] − ε/C w_c] / divisor */
void
segue_nn_cross_entropy_backward (const SegueNnCrossEntropy *loss, const float *probabilities,
                                 const gint32 *labels, float *dlogits)
{
  const double smoothing = (double) loss->label_smoothing / (double) loss->classes;
  const double divisor = divisor_of (loss, labels), all = sum_of_weights (loss);

  for (gsize b = 0; b < loss->batch; b++) {
    const float *p = probabilities + b * loss->classes;
    float *dx = dlogits + b * loss->classes;
    gboolean ignored = labels[b] == SEGUE_NN_IGNORE || divisor <= 0.0;
    gsize label = ignored ? 0 : (gsize) labels[b];
    double own = (1.0 - (double) loss->label_smoothing) * weight_of (loss, label);
    for (gsize c = 0; c < loss->classes; c++) {
      double d = (double) p[c] * (own + smoothing * all) - smoothing * weight_of (loss, c);
      if (c == label)
        d -= own;
      dx[c] = ignored ? 0.0f : (float) (d / divisor);
    }
  }
}
