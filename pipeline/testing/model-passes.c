/* Passes of a model type: what their results may depend on. */
#include "model-case.h"

#include <string.h>

#define THREADS 3
#define ZERO    0x00
#define NANS    0xff

static gboolean
is_same (const float *a, const float *b, gsize n)
{
  return memcmp (a, b, n * sizeof *a) == 0;
}

/* ---- Inference ---- */

static gboolean
check_batch (const ModelCase *c, SegueModel *model, const float *whole, GError **error)
{
  for (guint i = 0; i < MODEL_CASE_N; i++) {
    g_autofree float *alone = model_case_infer (c, model, i, 1, NANS, error);
    if (!alone)
      return FALSE;
    if (!is_same (alone, whole + (gsize) i * MODEL_CASE_N, MODEL_CASE_N))
      return model_case_refuse (
        c, error,
        "in inference, item %u of a batch of %u has other logits than alone: results must not "
        "depend on the batch, in no bit",
        i, MODEL_CASE_N);
  }
  return TRUE;
}

/* A second model of the same seed, with more threads. */
static gboolean
check_threads (const ModelCase *c, const float *whole, GError **error)
{
  g_autoptr (SegueModel) model = model_case_new_fitted (c, THREADS, error);
  g_autofree float *logits =
    model ? model_case_infer (c, model, 0, MODEL_CASE_N, ZERO, error) : NULL;
  if (!logits)
    return FALSE;
  return is_same (logits, whole, MODEL_CASE_N * MODEL_CASE_N) ||
         model_case_refuse (c, error,
                            "a model of the same seed has other logits with %d threads than with "
                            "one: either its weights are not a function of the seed, or results "
                            "depend on the number of threads",
                            THREADS);
}

gboolean
model_case_check_inference (const ModelCase *c, GError **error)
{
  g_autoptr (SegueModel) model = model_case_new_fitted (c, 1, error);
  g_autofree float *whole =
    model ? model_case_infer (c, model, 0, MODEL_CASE_N, ZERO, error) : NULL;
  g_autofree float *again =
    whole ? model_case_infer (c, model, 0, MODEL_CASE_N, NANS, error) : NULL;
  if (!again)
    return FALSE;
  if (!is_same (whole, again, MODEL_CASE_N * MODEL_CASE_N))
    return model_case_refuse (
      c, error,
      "the same inference twice has different logits: it depends on earlier "
      "passes, or on what is in the workspace before it");
  return check_batch (c, model, whole, error) && check_threads (c, whole, error);
}

/* ---- Training ---- */

/* @garbage: in the workspace before the pass */
typedef struct {
  SegueModel *model;
  guint first, batch;
  guint8 garbage;
} Step;

/* The result of a step: logits, then the gradients of all tensors. */
static GArray *
run_step (const ModelCase *c, const Step *step, GError **error)
{
  g_auto (CasePass) p = { 0 };
  g_autoptr (GArray) tensors = segue_model_list_tensors (step->model, error);
  if (!tensors || !case_pass_open (&p, c, step->model, SEGUE_MODEL_TRAIN, step->first, step->batch,
                                   step->garbage, error))
    return NULL;
  g_autofree float *d_logits = g_new (float, p.n_logits);
  for (gsize i = 0; i < p.n_logits; i++)
    d_logits[i] = i % 2 ? -0.5f : 1.0f;
  model_case_clear_gradients (tensors);
  if (!case_pass_forward (&p, error) || !case_pass_backward (&p, d_logits, error))
    return NULL;
  GArray *result = g_array_new (FALSE, FALSE, sizeof (float));
  g_array_append_vals (result, p.logits, (guint) p.n_logits);
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *t = &g_array_index (tensors, SegueModelTensor, i);
    if (t->gradient)
      g_array_append_vals (result, t->gradient, (guint) t->n_elements);
  }
  return result;
}

static gboolean
compare_steps (const ModelCase *c, const Step *one, const Step *other, const char *what,
               GError **error)
{
  g_autoptr (GArray) a = run_step (c, one, error);
  g_autoptr (GArray) b = a ? run_step (c, other, error) : NULL;
  if (!b)
    return FALSE;
  return (a->len == b->len && memcmp (a->data, b->data, a->len * sizeof (float)) == 0) ||
         model_case_refuse (c, error, "a step of training has other logits or gradients %s", what);
}

static gboolean
check_uncoupled (const ModelCase *c, SegueModel *model, GError **error)
{
  SegueModelInfo info = SEGUE_INIT (SegueModelInfo);
  segue_model_describe (model, &info);
  if (info.coupled)
    return TRUE;
  const Step both = { .model = model, .first = 0, .batch = 2 };
  const Step second = { .model = model, .first = 1, .batch = 1 };
  g_autoptr (GArray) all = run_step (c, &both, error);
  g_autoptr (GArray) last = all ? run_step (c, &second, error) : NULL;
  if (!last)
    return FALSE;
  return is_same (&g_array_index (all, float, MODEL_CASE_N), &g_array_index (last, float, 0),
                  MODEL_CASE_N) ||
         model_case_refuse (c, error,
                            "in training, an item has other logits in a batch than alone, but "
                            "describe () does not set `coupled`");
}

gboolean
model_case_check_training (const ModelCase *c, GError **error)
{
  g_autoptr (SegueModel) model = model_case_new_fitted (c, 1, error);
  g_autoptr (SegueModel) other = model ? model_case_new_fitted (c, THREADS, error) : NULL;
  if (!other)
    return FALSE;
  const Step step = { .model = model, .batch = MODEL_CASE_N, .garbage = ZERO };
  Step repeated = step, threaded = step;
  repeated.garbage = NANS;
  threaded.model = other;
  return compare_steps (c, &step, &repeated,
                        "when it is repeated: it must be a function of the pass alone", error) &&
         compare_steps (c, &step, &threaded, "with several threads than with one", error) &&
         check_uncoupled (c, model, error);
}

/* ---- Cancellation ---- */

gboolean
model_case_check_cancelling (const ModelCase *c, GError **error)
{
  g_autoptr (SegueModel) model = model_case_new_fitted (c, 2, error);
  g_autofree float *whole =
    model ? model_case_infer (c, model, 0, MODEL_CASE_N, ZERO, error) : NULL;
  if (!whole)
    return FALSE;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) local = NULL;
  g_cancellable_cancel (cancellable);
  segue_model_set_cancellable (model, cancellable);
  g_autofree float *cut = model_case_infer (c, model, 0, MODEL_CASE_N, ZERO, &local);
  segue_model_set_cancellable (model, NULL);
  if (cut && !is_same (cut, whole, MODEL_CASE_N * MODEL_CASE_N))
    return model_case_refuse (c, error, "a cancelled pass has wrong logits and no error");
  if (!cut && !g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_CANCELLED))
    return model_case_refuse (
      c, error, "a cancelled pass fails with ‘%s’, not with SEGUE_ERROR_CANCELLED", local->message);
  g_autofree float *after = model_case_infer (c, model, 0, MODEL_CASE_N, ZERO, error);
  if (!after)
    return FALSE;
  return is_same (after, whole, MODEL_CASE_N * MODEL_CASE_N) ||
         model_case_refuse (c, error, "the pass after a cancelled one has other logits");
}
