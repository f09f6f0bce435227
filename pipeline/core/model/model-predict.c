/* Inference: segments in, probabilities out, in batches. */
#include "item/item-private.h"
#include "model/model-private.h"

#include <math.h>
#include <segue/dataset.h>
#include <stdlib.h>
#include <string.h>

/* More than this is not faster: the matrices are tall enough. */
#define MAX_BATCH 16
/* A batch is reduced until its workspace fits; long segments are then computed one by one. */
#define MAX_WORKSPACE ((gsize) 256 * 1024 * 1024)

/* The memory of one batch, and its offsets in the model's buffer (bytes). */
typedef struct {
  guint batch;
  gsize length; /* samples */
  guint n_labels, n_axes;
  gsize workspace_bytes, input_bytes, logits_bytes;
} Plan;

static gsize
align_64 (gsize bytes)
{
  return (bytes + 63) & ~(gsize) 63;
}

/* The largest batch of at most @n whose workspace is not too large. */
static gboolean
plan_batches (SegueModel *model, guint n, gsize length, const SegueModelInfo *info, Plan *plan,
              GError **error)
{
  for (guint batch = MIN (n, MAX_BATCH); batch > 0; batch = batch / 2) {
    gsize bytes = model->type->plan (model->impl, batch, length, SEGUE_MODEL_INFER);
    if (bytes > MAX_WORKSPACE && batch > 1)
      continue;
    if (bytes > SEGUE_MODEL_MAX_SEGMENT || length > G_MAXSIZE / 4 / sizeof (float) / batch)
      break;
    *plan = (Plan){ batch,
                    length,
                    info->n_labels,
                    info->n_axes,
                    align_64 (bytes),
                    align_64 (batch * length * sizeof (float)),
                    align_64 ((gsize) batch * info->n_labels * sizeof (float)) };
    return TRUE;
  }
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
               "segments of %" G_GSIZE_FORMAT " samples are too long for this '%s' model: it would "
               "take more than 2 GiB of memory for each",
               length, model->type->name);
  return FALSE;
}

/* Makes the model's buffer large enough for @plan. */
static gboolean
reserve (SegueModel *model, const Plan *plan, GError **error)
{
  gsize bytes = plan->workspace_bytes + plan->input_bytes + plan->logits_bytes;
  if (bytes <= model->buffer_bytes)
    return TRUE;
  g_clear_pointer (&model->buffer, free);
  model->buffer_bytes = 0;
  model->buffer = segue_model_new_workspace (model, bytes, error);
  if (!model->buffer)
    return FALSE;
  model->buffer_bytes = bytes;
  return TRUE;
}

/* In double, so that probabilities add up to 1 as closely as float32 allows. */
static void
softmax (const float *logits, guint n, float *probabilities)
{
  double largest = logits[0], sum = 0;
  for (guint c = 1; c < n; c++)
    largest = MAX (largest, (double) logits[c]);
  for (guint c = 0; c < n; c++)
    sum += exp ((double) logits[c] - largest);
  for (guint c = 0; c < n; c++)
    probabilities[c] = (float) (exp ((double) logits[c] - largest) / sum);
}

/* (nullable): a tensor with a value that is NaN or infinite. */
static char *
find_not_finite (SegueModel *model)
{
  g_autoptr (GArray) tensors = segue_model_list_tensors (model, NULL);
  for (guint i = 0; tensors && i < tensors->len; i++) {
    const SegueModelTensor *tensor = &g_array_index (tensors, SegueModelTensor, i);
    for (gsize k = 0; k < tensor->n_elements; k++)
      if (!isfinite (tensor->value[k]))
        return g_strdup (tensor->name);
  }
  return NULL;
}

/* The output for @item is NaN or infinite: the cause, as far as it can be found. */
static void
explain_not_finite (SegueModel *model, const SegueItem *item, GError **error)
{
  gsize at;
  const char *id = segue_item_get_id (item);
  g_autofree char *tensor = NULL;
  if (!segue_item_is_finite (item, &at))
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "‘%s’ contains a sample that is NaN or infinite, at index %" G_GSIZE_FORMAT, id,
                 at);
  else if ((tensor = find_not_finite (model)))
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "the model's output for ‘%s’ is NaN or infinite, because its weight '%s' is: its "
                 "training diverged, or its file is damaged",
                 id, tensor);
  else
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "the model's output for ‘%s’ is NaN or infinite, although the samples and the "
                 "weights are finite: weights that are too large, or a bug in model type '%s'",
                 id, model->type->name);
}

/* Every item has finite rows in both; the second may be missing. */
static gboolean
check_finite (SegueModel *model, const Plan *plan, SegueItem *const *items, guint n,
              const float *logits, const float *points, GError **error)
{
  for (guint i = 0; i < n; i++) {
    gboolean finite = TRUE;
    for (guint c = 0; c < plan->n_labels; c++)
      finite = finite && isfinite (logits[(gsize) i * plan->n_labels + c]);
    for (guint a = 0; points && a < plan->n_axes; a++)
      finite = finite && isfinite (points[(gsize) i * plan->n_axes + a]);
    if (finite)
      continue;
    explain_not_finite (model, items[i], error);
    return FALSE;
  }
  return TRUE;
}

static gboolean
run_batch (SegueModel *model, const SegueModelInfo *info, const Plan *plan, SegueItem *const *items,
           guint n, float *probabilities, float *points, GError **error)
{
  guint8 *base = model->buffer;
  float *input = (float *) (void *) (base + plan->workspace_bytes);
  float *logits = (float *) (void *) (base + plan->workspace_bytes + plan->input_bytes);
  for (guint i = 0; i < n; i++) {
    gsize length;
    const float *row = segue_model_read_row (info, items[i], &length, error);
    if (!row)
      return FALSE;
    memcpy (input + i * plan->length, row, plan->length * sizeof (float));
  }

  SegueModelPass pass =
    SEGUE_INIT (SegueModelPass, .mode = SEGUE_MODEL_INFER, .batch = n, .length = plan->length,
                .input = input, .workspace = base, .logits = logits, .points = points);
  if (!segue_model_forward (model, &pass, error) ||
      !check_finite (model, plan, items, n, logits, points, error))
    return FALSE;
  for (guint i = 0; i < n; i++)
    softmax (logits + (gsize) i * plan->n_labels, plan->n_labels,
             probabilities + (gsize) i * plan->n_labels);
  return TRUE;
}

/* @length: (out): of all of them */
static gboolean
check_items (const SegueModelInfo *info, SegueItem *const *items, guint n, gsize *length,
             GError **error)
{
  for (guint i = 0; i < n; i++) {
    gsize own;
    if (!segue_model_read_row (info, items[i], &own, error))
      return FALSE;
    *length = i == 0 ? own : *length;
    if (own == *length)
      continue;
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "‘%s’ has %" G_GSIZE_FORMAT " samples, the other segments have %" G_GSIZE_FORMAT,
                 segue_item_get_id (items[i]), own, *length);
    return FALSE;
  }
  return TRUE;
}

gboolean
segue_model_predict (SegueModel *model, SegueItem *const *items, guint n, float *probabilities,
                     float *points, GCancellable *cancellable, GError **error)
{
  if (n == 0)
    return TRUE;

  SegueModelInfo info = SEGUE_INIT (SegueModelInfo);
  segue_model_describe (model, &info);
  gsize length = 0;
  if (!check_items (&info, items, n, &length, error))
    return FALSE;

  Plan plan;
  if (!plan_batches (model, n, length, &info, &plan, error) || !reserve (model, &plan, error))
    return FALSE;
  gboolean ok = TRUE;
  points = info.n_axes > 0 ? points : NULL;
  segue_model_set_cancellable (model, cancellable);
  for (guint first = 0; ok && first < n; first += plan.batch) {
    if (g_cancellable_is_cancelled (cancellable)) {
      g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_CANCELLED, "interrupted");
      ok = FALSE;
    } else {
      ok = run_batch (model, &info, &plan, items + first, MIN (plan.batch, n - first),
                      probabilities + (gsize) first * info.n_labels,
                      points ? points + (gsize) first * info.n_axes : NULL, error);
    }
  }
  segue_model_set_cancellable (model, NULL);
  return ok;
}

/* The squared distance of @point to the nearest centre. */
static double
find_nearest (const SegueModelInfo *info, const float *point)
{
  double least = INFINITY;
  for (guint c = 0; c < info->n_labels; c++) {
    const float *centre = info->centres + (gsize) c * info->n_axes;
    double square = 0;
    /* Not further than to a nearer centre: with thousands of labels, most end after a few axes. */
    for (guint a = 0; a < info->n_axes && square < least; a++) {
      double difference = (double) point[a] - (double) centre[a];
      square += difference * difference;
    }
    least = MIN (least, square);
  }
  return least;
}

double
segue_model_measure_distance (const SegueModelInfo *info, const float *points, gsize n)
{
  double sum = 0;
  if (info->n_axes == 0 || n == 0)
    return NAN;
  for (gsize i = 0; i < n; i++)
    sum += sqrt (find_nearest (info, points + i * info->n_axes));
  return sum / (double) n;
}
