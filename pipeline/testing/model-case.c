#include "model-case.h"

#include <math.h>
#include <segue/random.h>
#include <string.h>

#define SPARE 16 /* floats after the logits */

gboolean
model_case_refuse (const ModelCase *c, GError **error, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_INTERNAL, "model type '%s', in %s: %s",
               c->type->name, segue_model_precision_names ()[c->precision], what);
  return FALSE;
}

SegueModel *
model_case_new_model (const ModelCase *c, guint threads, GError **error)
{
  const SegueModelSpec spec =
    SEGUE_INIT (SegueModelSpec, .labels = MODEL_CASE_LABELS, .length = c->vectors ? c->length : 0,
                .seed = MODEL_CASE_SEED, .threads = threads, .precision = c->precision);
  return segue_model_new (c->type, c->config, &spec, error);
}

SegueModel *
model_case_new_fitted (const ModelCase *c, guint threads, GError **error)
{
  g_autoptr (SegueModel) model = model_case_new_model (c, threads, error);
  if (!model || (c->type->fit && !model_case_fit (c, model, TRUE, error)))
    return NULL;
  return g_steal_pointer (&model);
}

void
model_case_fill_row (guint item, gsize n, float *row)
{
  for (gsize i = 0; i < n; i++) {
    double angle = 0.02 * (double) i * (1.0 + 1.7 * item);
    double noise = segue_random_uniform (item + 1, i) - 0.5;
    row[i] = (float) (0.4 * sin (angle) + 0.2 * noise);
  }
}

gboolean
case_pass_open (CasePass *p, const ModelCase *c, SegueModel *model, SegueModelMode mode,
                guint first, guint batch, guint8 garbage, GError **error)
{
  gpointer impl = segue_model_get_impl (model);
  *p = (CasePass){ .c = c, .model = model, .n_input = batch * c->length };
  p->bytes = c->type->plan (impl, batch, c->length, mode);
  if (!segue_model_check_workspace (model, p->bytes, error))
    return FALSE;
  guarded_open (&p->workspace, p->bytes, garbage);
  p->n_logits = (gsize) batch * MODEL_CASE_N;
  p->logits = g_malloc ((p->n_logits + SPARE) * sizeof (float));
  memset (p->logits, GUARD_MARK, (p->n_logits + SPARE) * sizeof (float));
  p->whole = g_new (float, p->n_input);
  for (guint b = 0; b < batch; b++)
    model_case_fill_row (first + b, c->length, p->whole + b * c->length);
  p->input = g_memdup2 (p->whole, p->n_input * sizeof (float));
  p->items = g_new (guint64, batch);
  for (guint b = 0; b < batch; b++)
    p->items[b] = first + b;
  p->pass = (SegueModelPass) SEGUE_INIT (
    SegueModelPass, .mode = mode, .batch = batch, .length = c->length, .input = p->input,
    .items = mode == SEGUE_MODEL_TRAIN ? p->items : NULL, .seed = MODEL_CASE_SEED, .step = 7,
    .workspace = guarded_get (&p->workspace), .logits = p->logits);
  return TRUE;
}

void
model_case_clear_gradients (const GArray *tensors)
{
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *t = &g_array_index (tensors, SegueModelTensor, i);
    if (t->gradient)
      memset (t->gradient, 0, t->n_elements * sizeof *t->gradient);
  }
}

/* Requests the points of a pass of a model that has a space. */
static void
case_pass_locate (CasePass *p)
{
  SegueModelInfo info = SEGUE_INIT (SegueModelInfo);
  segue_model_describe (p->model, &info);
  p->n_points = (gsize) p->pass.batch * info.n_axes;
  p->points = g_malloc ((p->n_points + SPARE) * sizeof (float));
  memset (p->points, GUARD_MARK, (p->n_points + SPARE) * sizeof (float));
  p->pass.points = p->points;
}

/* @what: "forward" */
static gboolean
check_memory (const CasePass *p, const char *what, GError **error)
{
  const char *wrong = NULL;
  if (!guarded_is_intact (&p->workspace))
    wrong = "beyond the workspace that plan () requests";
  else if (!guard_is_marked (p->logits + p->n_logits, SPARE * sizeof (float)))
    wrong = "after the logits";
  else if (p->points && !guard_is_marked (p->points + p->n_points, SPARE * sizeof (float)))
    wrong = "after the points";
  else if (memcmp (p->input, p->whole, p->n_input * sizeof (float)) != 0)
    wrong = "to its input";
  return !wrong ||
         model_case_refuse (p->c, error, "%s () writes %s (%s, batch of %u)", what, wrong,
                            p->pass.mode == SEGUE_MODEL_TRAIN ? "TRAIN" : "INFER", p->pass.batch);
}

/* @what: "logit" */
static gboolean
check_values (const CasePass *p, const float *values, gsize n, const char *what, GError **error)
{
  for (gsize i = 0; i < n; i++)
    if (!isfinite (values[i]) || guard_is_marked (values + i, sizeof (float)))
      return model_case_refuse (
        p->c, error, "forward () leaves %s %" G_GSIZE_FORMAT " of a batch of %u %s", what, i,
        p->pass.batch, isfinite (values[i]) ? "unset" : "not finite");
  return TRUE;
}

gboolean
case_pass_forward (CasePass *p, GError **error)
{
  return segue_model_forward (p->model, &p->pass, error) && check_memory (p, "forward", error) &&
         check_values (p, p->logits, p->n_logits, "logit", error) &&
         check_values (p, p->points, p->n_points, "coordinate", error);
}

gboolean
case_pass_backward (CasePass *p, const float *d_logits, GError **error)
{
  return segue_model_backward (p->model, &p->pass, d_logits, error) &&
         check_memory (p, "backward", error);
}

void
case_pass_clear (CasePass *p)
{
  guarded_clear (&p->workspace);
  g_free (p->input);
  g_free (p->whole);
  g_free (p->logits);
  g_free (p->points);
  g_free (p->items);
  *p = (CasePass){ 0 };
}

float *
model_case_infer (const ModelCase *c, SegueModel *model, guint first, guint batch, guint8 garbage,
                  GError **error)
{
  g_auto (CasePass) p = { 0 };
  if (!case_pass_open (&p, c, model, SEGUE_MODEL_INFER, first, batch, garbage, error) ||
      !case_pass_forward (&p, error))
    return NULL;
  return g_steal_pointer (&p.logits);
}

float *
model_case_locate (const ModelCase *c, SegueModel *model, guint first, guint batch, guint8 garbage,
                   GError **error)
{
  g_auto (CasePass) p = { 0 };
  g_autofree float *logits = model_case_infer (c, model, first, batch, garbage, error);
  if (!logits || !case_pass_open (&p, c, model, SEGUE_MODEL_INFER, first, batch, garbage, error))
    return NULL;
  case_pass_locate (&p);
  if (!case_pass_forward (&p, error))
    return NULL;
  if (memcmp (p.logits, logits, p.n_logits * sizeof *logits) == 0)
    return g_steal_pointer (&p.points);
  model_case_refuse (c, error, "a pass that computes points has other logits than one without");
  return NULL;
}
