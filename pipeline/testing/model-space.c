/* The space of a model type: what its points may depend on. */
#include "model-case.h"

#include <math.h>
#include <string.h>

#define THREADS 3
#define ZERO    0x00
#define NANS    0xff

static gboolean
check_batch (const ModelCase *c, SegueModel *model, const float *whole, guint n_axes,
             GError **error)
{
  for (guint i = 0; i < MODEL_CASE_N; i++) {
    g_autofree float *alone = model_case_locate (c, model, i, 1, NANS, error);
    if (!alone)
      return FALSE;
    if (memcmp (alone, whole + (gsize) i * n_axes, n_axes * sizeof *alone) != 0)
      return model_case_refuse (c, error, "item %u of a batch of %u has another point than alone",
                                i, MODEL_CASE_N);
  }
  return TRUE;
}

static gboolean
check_threads (const ModelCase *c, const float *whole, guint n_axes, GError **error)
{
  g_autoptr (SegueModel) model = model_case_new_fitted (c, THREADS, error);
  g_autofree float *points =
    model ? model_case_locate (c, model, 0, MODEL_CASE_N, ZERO, error) : NULL;
  if (!points)
    return FALSE;
  return memcmp (points, whole, (gsize) MODEL_CASE_N * n_axes * sizeof *points) == 0 ||
         model_case_refuse (c, error,
                            "a model of the same seed has other points with %d threads than with "
                            "one",
                            THREADS);
}

static gboolean
check_centres (const ModelCase *c, const SegueModelInfo *info, GError **error)
{
  for (gsize i = 0; i < (gsize) info->n_labels * info->n_axes; i++)
    if (!isfinite (info->centres[i]))
      return model_case_refuse (c, error, "the centre of label %" G_GSIZE_FORMAT " is not finite",
                                i / info->n_axes);
  return TRUE;
}

gboolean
model_case_check_space (const ModelCase *c, GError **error)
{
  SegueModelInfo info = SEGUE_INIT (SegueModelInfo);
  g_autoptr (SegueModel) model = model_case_new_fitted (c, 1, error);
  if (!model)
    return FALSE;
  segue_model_describe (model, &info);
  if (info.n_axes == 0)
    return TRUE;
  g_autofree float *whole = model_case_locate (c, model, 0, MODEL_CASE_N, ZERO, error);
  return whole && check_centres (c, &info, error) &&
         check_batch (c, model, whole, info.n_axes, error) &&
         check_threads (c, whole, info.n_axes, error);
}
