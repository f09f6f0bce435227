/* Gradients of a model type, compared with central differences of the loss Σ d_logits · logits, which is computed
 * in double from the float32 logits.
 *
 * For each trained tensor: along its gradient, where the difference is largest, and for single elements, which finds
 * elements that backward () forgets. Steps of several sizes are tried: large ones cross the kinks of a ReLU, small
 * ones drown in rounding. One that agrees is enough. */
#include "model-case.h"

#include <math.h>
#include <segue/random.h>
#include <string.h>

#define BATCH      2
#define N_ELEMENTS 2
#define TOLERANCE  0.03
#define ROUNDING   4e-7 /* of the loss, relative to the sum of its terms' magnitudes */

static const double steps[] = { 1e-2, 1e-3, 1e-1, 1e-4, 1e-5 }; /* of a tensor's norm */

typedef struct {
  const ModelCase *c;
  SegueModel *model;
  CasePass pass;
  float d_logits[BATCH * MODEL_CASE_N];
  guint n_compared;
} Slope;

static gboolean
compute_loss (Slope *slope, double *loss, double *magnitude, GError **error)
{
  segue_model_changed (slope->model);
  if (!case_pass_forward (&slope->pass, error))
    return FALSE;
  *loss = *magnitude = 0;
  for (gsize i = 0; i < slope->pass.n_logits; i++) {
    double term = (double) slope->d_logits[i] * (double) slope->pass.logits[i];
    *loss += term;
    *magnitude += fabs (term);
  }
  return TRUE;
}

/* A line through the values of @t: along its gradient, or one element. */
typedef struct {
  const SegueModelTensor *t;
  const float *values, *gradient; /* copies */
  gssize element;                 /* -1: along the gradient */
  double norm;                    /* of the gradient */
} Line;

static void
move (const Line *line, double by)
{
  const SegueModelTensor *t = line->t;
  memcpy (t->value, line->values, t->n_elements * sizeof *t->value);
  if (line->element >= 0)
    t->value[line->element] = (float) ((double) line->values[line->element] + by);
  for (gsize i = 0; line->element < 0 && i < t->n_elements; i++)
    t->value[i] = (float) ((double) line->values[i] + by * (double) line->gradient[i] / line->norm);
}

/* @uncertainty: what rounding can make of the result */
static gboolean
measure (Slope *slope, const Line *line, double by, double *derivative, double *uncertainty,
         GError **error)
{
  double above, below, magnitude, ignored;
  move (line, by);
  if (!compute_loss (slope, &above, &magnitude, error))
    return FALSE;
  move (line, -by);
  if (!compute_loss (slope, &below, &ignored, error))
    return FALSE;
  move (line, 0);
  *derivative = (above - below) / (2 * by);
  *uncertainty = ROUNDING * magnitude / by;
  return TRUE;
}

/* @scale: the magnitude that an error is relative to */
static gboolean
check_line (Slope *slope, const Line *line, double expected, double scale, double size,
            GError **error)
{
  double worst = 0;
  gboolean informative = FALSE;
  for (guint i = 0; i < G_N_ELEMENTS (steps); i++) {
    double derivative, uncertainty;
    if (!measure (slope, line, steps[i] * size, &derivative, &uncertainty, error))
      return FALSE;
    double distance = fabs (derivative - expected);
    if (uncertainty > scale / 4 && distance <= uncertainty)
      continue; /* too small to be seen */
    if (distance <= TOLERANCE * scale + uncertainty) {
      slope->n_compared++;
      return TRUE;
    }
    informative = TRUE;
    worst = derivative;
  }
  if (!informative)
    return TRUE;
  g_autofree char *where = line->element < 0
                             ? g_strdup ("along the gradient")
                             : g_strdup_printf ("for element %" G_GSSIZE_FORMAT, line->element);
  return model_case_refuse (slope->c, error,
                            "backward () of tensor '%s' gives a derivative of %g %s, and finite "
                            "differences of the loss give %g",
                            line->t->name, expected, where, worst);
}

static double
root_mean_square (const float *values, gsize n)
{
  double squares = 0;
  for (gsize i = 0; i < n; i++)
    squares += (double) values[i] * (double) values[i];
  return n > 0 ? sqrt (squares / (double) n) : 0;
}

static gboolean
check_tensor (Slope *slope, const SegueModelTensor *t, GError **error)
{
  gsize n = t->n_elements;
  g_autofree float *values = g_memdup2 (t->value, n * sizeof *values);
  g_autofree float *gradient = g_memdup2 (t->gradient, n * sizeof *gradient);
  /* Weights that are 0 move as if they were small. */
  double typical = root_mean_square (gradient, n), norm = typical * sqrt ((double) n);
  double each = root_mean_square (values, n) + 1e-2, size = each * sqrt ((double) n);
  Line line = { t, values, gradient, -1, norm };
  if (n == 0 || (norm > 0 && !check_line (slope, &line, norm, norm, size, error)))
    return FALSE;
  /* One in each part of the tensor. */
  for (guint k = 0; k < MIN (N_ELEMENTS, n); k++) {
    gsize first = k * n / MIN (N_ELEMENTS, n), end = (k + 1) * n / MIN (N_ELEMENTS, n);
    line.element = (gssize) (first + segue_random_bits (k, n) % (end - first));
    double expected = (double) gradient[line.element];
    if (!check_line (slope, &line, expected, MAX (typical, fabs (expected)), 10 * each, error))
      return FALSE;
  }
  return TRUE;
}

/* Twice the same backward pass gives twice the gradient, which is then halved. */
static gboolean
check_accumulation (Slope *slope, const GArray *tensors, GError **error)
{
  g_autoptr (GPtrArray) once = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *t = &g_array_index (tensors, SegueModelTensor, i);
    gsize bytes = t->gradient ? t->n_elements * sizeof *t->gradient : 0;
    g_ptr_array_add (once, g_memdup2 (t->gradient, bytes));
  }
  if (!case_pass_forward (&slope->pass, error) ||
      !case_pass_backward (&slope->pass, slope->d_logits, error))
    return FALSE;
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *t = &g_array_index (tensors, SegueModelTensor, i);
    const float *first = g_ptr_array_index (once, i);
    double distance = 0, whole = 0;
    for (gsize j = 0; t->gradient && j < t->n_elements; j++) {
      distance += pow ((double) t->gradient[j] - 2 * (double) first[j], 2);
      whole += pow (2 * (double) first[j], 2);
      t->gradient[j] = first[j];
    }
    if (distance > 1e-8 * whole)
      return model_case_refuse (
        slope->c, error,
        "backward () does not add to the gradient of tensor '%s': twice the "
        "same pass does not give twice the gradient",
        t->name);
  }
  return TRUE;
}

/* A new model has biases of 0, which put a unit without input exactly on the kink of its ReLU. */
static void
leave_kinks (const GArray *tensors)
{
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *t = &g_array_index (tensors, SegueModelTensor, i);
    double range = 0.1 * root_mean_square (t->value, t->n_elements) + 0.01;
    for (gsize j = 0; t->gradient && j < t->n_elements; j++)
      t->value[j] += (float) segue_random_between (i, j, -range, range);
  }
}

gboolean
model_case_check_gradients (const ModelCase *c, GError **error)
{
  Slope slope = { .c = c };
  g_autoptr (SegueModel) model = model_case_new_fitted (c, 2, error);
  g_autoptr (GArray) tensors = model ? segue_model_list_tensors (model, error) : NULL;
  if (!tensors)
    return FALSE;
  slope.model = model;
  for (guint i = 0; i < G_N_ELEMENTS (slope.d_logits); i++)
    slope.d_logits[i] = (float) segue_random_between (3, i, -1, 1);
  model_case_clear_gradients (tensors);
  leave_kinks (tensors);
  segue_model_changed (model);
  gboolean trained = FALSE;
  gboolean ok = case_pass_open (&slope.pass, c, model, SEGUE_MODEL_TRAIN, 0, BATCH, 0, error) &&
                case_pass_forward (&slope.pass, error) &&
                case_pass_backward (&slope.pass, slope.d_logits, error) &&
                check_accumulation (&slope, tensors, error);
  for (guint i = 0; ok && i < tensors->len; i++) {
    const SegueModelTensor *t = &g_array_index (tensors, SegueModelTensor, i);
    trained = trained || t->gradient;
    ok = !t->gradient || check_tensor (&slope, t, error);
  }
  case_pass_clear (&slope.pass);
  return ok && (!trained || slope.n_compared > 0 ||
                model_case_refuse (c, error, "all gradients are too small to be checked"));
}
