/* fit () of a model type: what its result may depend on. */
#include "model-case.h"

#include <math.h>
#include <segue/random.h>
#include <string.h>

#define THREADS      3
#define N_ROWS       (12 * MODEL_CASE_N)
#define N_VALIDATION (3 * MODEL_CASE_N)

/* Rows of labels in turn, two of a song, the second of them a copy; around a centre of their label, with noise that overlaps.
 * @first: number of the first row's random numbers */
static void
fill_rows (const ModelCase *c, guint first, gsize n, float *rows, gint32 *labels)
{
  for (gsize i = 0; i < n; i++) {
    labels[i] = (gint32) (i % MODEL_CASE_N);
    for (gsize j = 0; j < c->length; j++) {
      double centre = 0.5 * sin (0.7 * (double) (j + 1) * (labels[i] + 1));
      rows[i * c->length + j] =
        (float) (centre + segue_random_between (MODEL_CASE_SEED + first + i, j, -1, 1));
    }
  }
}

gboolean
model_case_fit (const ModelCase *c, SegueModel *model, gboolean validation, GError **error)
{
  const gsize n = N_ROWS + N_VALIDATION;
  gint32 labels[N_ROWS + N_VALIDATION];
  guint32 songs[N_ROWS], copies[N_ROWS];
  g_autofree float *rows = g_new (float, n * c->length);
  fill_rows (c, 0, N_ROWS, rows, labels);
  fill_rows (c, N_ROWS, N_VALIDATION, rows + N_ROWS * c->length, labels + N_ROWS);
  for (guint i = 0; i < N_ROWS; i++) {
    songs[i] = i / (2 * MODEL_CASE_N) * MODEL_CASE_N + i % MODEL_CASE_N;
    copies[i] = i / MODEL_CASE_N % 2;
  }
  labels[n - 1] = -1;
  g_autofree float *whole = g_memdup2 (rows, n * c->length * sizeof *rows);
  const SegueModelFit fit =
    SEGUE_INIT (SegueModelFit, .length = c->length, .n = N_ROWS, .rows = rows, .labels = labels,
                .songs = songs, .n_validation = validation ? N_VALIDATION : 0,
                .validation_rows = validation ? rows + N_ROWS * c->length : NULL,
                .validation_labels = validation ? labels + N_ROWS : NULL, .copies = copies);
  if (!segue_model_fit (model, &fit, error))
    return FALSE;
  return memcmp (rows, whole, n * c->length * sizeof *rows) == 0 ||
         model_case_refuse (c, error, "fit () writes to its rows");
}

static float *
infer (const ModelCase *c, SegueModel *model, GError **error)
{
  return model_case_infer (c, model, 0, MODEL_CASE_N, 0, error);
}

static gboolean
is_same (const float *a, const float *b)
{
  return memcmp (a, b, MODEL_CASE_N * MODEL_CASE_N * sizeof *a) == 0;
}

static gboolean
compare_tensors (const ModelCase *c, SegueModel *one, SegueModel *other, GError **error)
{
  g_autoptr (GArray) a = segue_model_list_tensors (one, error);
  g_autoptr (GArray) b = a ? segue_model_list_tensors (other, error) : NULL;
  for (guint i = 0; b && i < a->len; i++) {
    const SegueModelTensor *s = &g_array_index (a, SegueModelTensor, i);
    const SegueModelTensor *t = &g_array_index (b, SegueModelTensor, i);
    if (memcmp (s->value, t->value, s->n_elements * sizeof *s->value) != 0)
      return model_case_refuse (c, error,
                                "fit () computes other values of tensor '%s' with %d threads than "
                                "with one",
                                s->name, THREADS);
  }
  return b != NULL;
}

static gboolean
check_threads (const ModelCase *c, SegueModel *model, const float *logits, GError **error)
{
  g_autoptr (SegueModel) other = model_case_new_fitted (c, THREADS, error);
  g_autofree float *same = other ? infer (c, other, error) : NULL;
  if (!same || !compare_tensors (c, model, other, error))
    return FALSE;
  return is_same (same, logits) ||
         model_case_refuse (c, error, "a model that was fitted with %d threads has other logits",
                            THREADS);
}

/* What is computed from the weights must be that of the new ones. */
static gboolean
check_follows (const ModelCase *c, SegueModel *model, const float *logits, GError **error)
{
  segue_model_changed (model);
  g_autofree float *same = infer (c, model, error);
  if (!same)
    return FALSE;
  return is_same (same, logits) ||
         model_case_refuse (c, error,
                            "changed () after fit () changes the logits: what is computed from "
                            "weights must follow fit ()");
}

static gboolean
check_without_validation (const ModelCase *c, GError **error)
{
  g_autoptr (SegueModel) model = model_case_new_model (c, 1, error);
  g_autofree float *logits =
    model && model_case_fit (c, model, FALSE, error) ? infer (c, model, error) : NULL;
  return logits != NULL;
}

static gboolean
check_cancelling (const ModelCase *c, const float *logits, GError **error)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) local = NULL;
  g_autoptr (SegueModel) model = model_case_new_model (c, 2, error);
  if (!model)
    return FALSE;
  g_cancellable_cancel (cancellable);
  segue_model_set_cancellable (model, cancellable);
  gboolean fitted = model_case_fit (c, model, TRUE, &local);
  segue_model_set_cancellable (model, NULL);
  if (!fitted && !g_error_matches (local, SEGUE_ERROR, SEGUE_ERROR_CANCELLED))
    return model_case_refuse (c, error,
                              "a cancelled fit () fails with ‘%s’, not with SEGUE_ERROR_CANCELLED",
                              local->message);
  if (!fitted && !model_case_fit (c, model, TRUE, error))
    return FALSE;
  g_autofree float *same = infer (c, model, error);
  if (!same)
    return FALSE;
  return is_same (same, logits) ||
         model_case_refuse (c, error,
                            "a cancelled fit () has a wrong result and no error, or the "
                            "one after it has another result");
}

gboolean
model_case_check_fit (const ModelCase *c, GError **error)
{
  g_autoptr (SegueModel) model = model_case_new_model (c, 1, error);
  g_autofree float *before = model ? infer (c, model, error) : NULL;
  g_autofree float *after =
    before && model_case_fit (c, model, TRUE, error) ? infer (c, model, error) : NULL;
  if (!after)
    return FALSE;
  if (!c->type->backward && is_same (before, after))
    return model_case_refuse (c, error,
                              "fit () does not change the logits, and without backward () nothing "
                              "else trains the model");
  return check_follows (c, model, after, error) && check_threads (c, model, after, error) &&
         check_without_validation (c, error) && check_cancelling (c, after, error);
}
