/* One step: norm over all gradients, clipping, AdamW per tensor. */
#include "optimiser.h"

#include <math.h>
#include <segue/error.h>
#include <segue/nn/optimiser.h>
#include <string.h>

struct _TrainOptimiser {
  SegueModel *model; /* borrowed */
  const TrainSettings *settings;
  SegueNnThreads *threads;
  GArray *tensors; /* SegueModelTensor */
  guint n_trained;
  const float **gradients; /* [n_trained] */
  gsize *sizes;            /* [n_trained] */
  float *moments;          /* first moments of all trained tensors, then second */
  gsize n_moments;         /* of one kind */
  float *buffers;          /* nullable: values that passes may change, after the last step */
};

/* Tensors that are not trained: copied to optimiser->buffers, or back. */
static void
copy_buffers (TrainOptimiser *optimiser, gboolean back)
{
  float *at = optimiser->buffers;
  for (guint i = 0; at && i < optimiser->tensors->len; i++) {
    SegueModelTensor *tensor = &g_array_index (optimiser->tensors, SegueModelTensor, i);
    if (tensor->gradient)
      continue;
    memcpy (back ? tensor->value : at, back ? at : tensor->value,
            tensor->n_elements * sizeof (float));
    at += tensor->n_elements;
  }
}

/* Only where items of a batch influence each other does a pass change such values. */
static gboolean
make_buffers (TrainOptimiser *optimiser, GError **error)
{
  SegueModelInfo info = SEGUE_INIT (SegueModelInfo);
  gsize n = 0;
  segue_model_describe (optimiser->model, &info);
  for (guint i = 0; i < optimiser->tensors->len; i++) {
    const SegueModelTensor *tensor = &g_array_index (optimiser->tensors, SegueModelTensor, i);
    n += !tensor->gradient ? tensor->n_elements : 0;
  }
  if (!info.coupled || n == 0)
    return TRUE;
  optimiser->buffers = g_try_new (float, n);
  if (!optimiser->buffers) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                         "not enough memory for a copy of the model's statistics");
    return FALSE;
  }
  copy_buffers (optimiser, FALSE);
  return TRUE;
}

TrainOptimiser *
train_optimiser_new (SegueModel *model, const TrainSettings *settings, guint n_threads,
                     GError **error)
{
  g_autoptr (TrainOptimiser) optimiser = g_new0 (TrainOptimiser, 1);
  optimiser->model = model;
  optimiser->settings = settings;
  optimiser->threads = segue_nn_threads_new (n_threads, NULL, error);
  if (!optimiser->threads)
    return NULL;

  optimiser->tensors = segue_model_list_tensors (model, error);
  if (!optimiser->tensors)
    return NULL;
  optimiser->gradients = g_new0 (const float *, optimiser->tensors->len);
  optimiser->sizes = g_new0 (gsize, optimiser->tensors->len);
  for (guint i = 0; i < optimiser->tensors->len; i++) {
    SegueModelTensor *tensor = &g_array_index (optimiser->tensors, SegueModelTensor, i);
    if (!tensor->gradient)
      continue;
    memset (tensor->gradient, 0, tensor->n_elements * sizeof (float));
    optimiser->gradients[optimiser->n_trained] = tensor->gradient;
    optimiser->sizes[optimiser->n_trained++] = tensor->n_elements;
    optimiser->n_moments += tensor->n_elements;
  }
  optimiser->moments = g_try_new0 (float, 2 * optimiser->n_moments);
  if (optimiser->n_trained == 0) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE,
                 "this '%s' model can't be trained: all of it is frozen",
                 segue_model_get_type (model)->name);
    return NULL;
  }
  if (!optimiser->moments) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                 "not enough memory for the %" G_GSIZE_FORMAT " MiB that the optimiser needs",
                 2 * optimiser->n_moments / (1024 * 1024 / sizeof (float)));
    return NULL;
  }
  return make_buffers (optimiser, error) ? g_steal_pointer (&optimiser) : NULL;
}

void
train_optimiser_free (TrainOptimiser *optimiser)
{
  if (!optimiser)
    return;
  g_clear_pointer (&optimiser->threads, segue_nn_threads_free);
  g_clear_pointer (&optimiser->tensors, g_array_unref);
  g_free (optimiser->gradients);
  g_free (optimiser->sizes);
  g_free (optimiser->moments);
  g_free (optimiser->buffers);
  g_free (optimiser);
}

gboolean
train_optimiser_step (TrainOptimiser *optimiser, guint64 step, double *norm)
{
  const TrainSettings *settings = optimiser->settings;
  const SegueNnAdamW adamw = SEGUE_NN_ADAMW_DEFAULT;
  *norm = segue_nn_grad_norm (optimiser->threads, optimiser->n_trained, optimiser->gradients,
                              optimiser->sizes);
  if (!isfinite (*norm))
    return FALSE;

  float scale =
    settings->gradient_clip > 0 ? segue_nn_clip_coefficient (*norm, settings->gradient_clip) : 1.0f;
  double rate = train_settings_get_rate (settings, step);
  gsize offset = 0;
  for (guint i = 0; i < optimiser->tensors->len; i++) {
    SegueModelTensor *tensor = &g_array_index (optimiser->tensors, SegueModelTensor, i);
    if (!tensor->gradient)
      continue;
    segue_nn_adamw_step (optimiser->threads, &adamw, step + 1, rate,
                         tensor->decay ? settings->weight_decay : 0, scale, tensor->n_elements,
                         tensor->gradient, optimiser->moments + offset,
                         optimiser->moments + optimiser->n_moments + offset, tensor->value);
    memset (tensor->gradient, 0, tensor->n_elements * sizeof (float));
    offset += tensor->n_elements;
  }
  segue_model_changed (optimiser->model);
  copy_buffers (optimiser, FALSE);
  return TRUE;
}

void
train_optimiser_drop_step (TrainOptimiser *optimiser)
{
  copy_buffers (optimiser, TRUE);
  for (guint i = 0; i < optimiser->tensors->len; i++) {
    SegueModelTensor *tensor = &g_array_index (optimiser->tensors, SegueModelTensor, i);
    if (tensor->gradient)
      memset (tensor->gradient, 0, tensor->n_elements * sizeof (float));
  }
}

void
train_optimiser_take_values (TrainOptimiser *optimiser)
{
  segue_model_changed (optimiser->model);
  copy_buffers (optimiser, FALSE);
}

GArray *
train_optimiser_get_tensors (TrainOptimiser *optimiser)
{
  return optimiser->tensors;
}

float *
train_optimiser_get_state (TrainOptimiser *optimiser, gsize *n)
{
  *n = 2 * optimiser->n_moments;
  return optimiser->moments;
}
