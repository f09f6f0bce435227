/* Minimal model types that take vectors: x [C] → z = (x − mean) / scale → w z + b.
 *
 * tiny-centroids computes all of it in fit (), and z is a point in its space, where w are centres; tiny-scaled only
 * mean and scale, and w and b are trained. */
#include "tiny-model.h"

#include <math.h>
#include <segue/nn/vector-model.h>
#include <segue/tensor.h>
#include <string.h>

typedef struct {
  SegueNnVectorModel vectors;
  SegueNnWeight mean, scale;
  SegueNnAffine classifier;
} Vectors;

static void
vectors_free (gpointer model)
{
  segue_nn_vector_model_close (model);
  g_free (model);
}

static gboolean
declare (SegueNnModel *base, GError **error)
{
  Vectors *model = (Vectors *) base;
  SegueNnTensor tensor =
    SEGUE_INIT (SegueNnTensor, .name = "mean", .rank = 1, .shape = { model->vectors.size },
                .flags = SEGUE_NN_WEIGHT_BUFFER);
  segue_nn_weights_add (base->weights, &model->mean, &tensor);
  tensor.name = "scale";
  tensor.a = 1;
  segue_nn_weights_add (base->weights, &model->scale, &tensor);
  segue_nn_weights_add_linear (base->weights, &model->classifier, 0, SEGUE_NN_WEIGHT_LABELS,
                               base->n_labels, model->vectors.size, 0.1, "classifier");
  return TRUE;
}

static gpointer
vectors_create (const void *config, const SegueModelSpec *spec, GError **error)
{
  Vectors *model = g_new0 (Vectors, 1);
  if (segue_nn_vector_model_create (&model->vectors, spec, declare, error))
    return model;
  vectors_free (model);
  return NULL;
}

static gpointer
vectors_load (const char *folder, const void *config, const SegueModelSpec *spec, GError **error)
{
  Vectors *model = g_new0 (Vectors, 1);
  g_autoptr (json_t) json = segue_nn_vector_model_read (&model->vectors, folder, error);
  if (json && segue_nn_vector_model_load (&model->vectors, spec, folder, json, declare, error))
    return model;
  vectors_free (model);
  return NULL;
}

static gboolean
centroids_save (gpointer model, const char *folder, GError **error)
{
  return segue_nn_vector_model_save (
    model, folder, json_pack ("{s:s}", "model_type", "segue-tiny-centroids"), error);
}

static gboolean
scaled_save (gpointer model, const char *folder, GError **error)
{
  return segue_nn_vector_model_save (model, folder,
                                     json_pack ("{s:s}", "model_type", "segue-tiny-scaled"), error);
}

static gsize
vectors_plan (gpointer data, guint batch, gsize length, SegueModelMode mode)
{
  return batch * length * sizeof (float);
}

static void
scale_rows (const Vectors *model, const float *rows, gsize n, float *z)
{
  gsize size = model->vectors.size;
  for (gsize i = 0; i < n * size; i++)
    z[i] = (rows[i] - model->mean.w[i % size]) / model->scale.w[i % size];
}

static gboolean
vectors_forward (gpointer data, SegueModelPass *pass, GError **error)
{
  const Vectors *model = data;
  gsize size = model->vectors.size, n_labels = model->vectors.base.n_labels;
  float *z = pass->workspace;
  tiny_count_pass ();
  scale_rows (model, pass->input, pass->batch, z);
  for (guint i = 0; i < pass->batch; i++)
    for (gsize k = 0; k < n_labels; k++) {
      float sum = model->classifier.bias.w[k];
      for (gsize c = 0; c < size; c++)
        sum += model->classifier.weight.w[k * size + c] * z[i * size + c];
      pass->logits[i * n_labels + k] = sum;
    }
  return TRUE;
}

static void
centroids_describe (gpointer data, SegueModelInfo *info)
{
  const Vectors *model = data;
  segue_nn_vector_model_describe (data, info);
  info->n_axes = (guint) model->vectors.size;
  info->centres = model->classifier.weight.w;
}

static gboolean
centroids_forward (gpointer data, SegueModelPass *pass, GError **error)
{
  if (!vectors_forward (data, pass, error))
    return FALSE;
  if (pass->points)
    memcpy (pass->points, pass->workspace, pass->batch * pass->length * sizeof (float));
  return TRUE;
}

static gboolean
scaled_backward (gpointer data, SegueModelPass *pass, const float *d_logits, GError **error)
{
  Vectors *model = data;
  gsize size = model->vectors.size, n_labels = model->vectors.base.n_labels;
  const float *z = pass->workspace;
  for (guint i = 0; i < pass->batch; i++)
    for (gsize k = 0; k < n_labels; k++) {
      float d = d_logits[i * n_labels + k];
      model->classifier.bias.dw[k] += d;
      for (gsize c = 0; c < size; c++)
        model->classifier.weight.dw[k * size + c] += d * z[i * size + c];
    }
  return TRUE;
}

/* Mean and deviation of each column. */
static gboolean
scaled_fit (gpointer data, const SegueModelFit *fit, GError **error)
{
  Vectors *model = data;
  for (gsize c = 0; c < fit->length; c++) {
    double sum = 0, squares = 0, n = (double) fit->n;
    for (gsize i = 0; i < fit->n; i++)
      sum += (double) fit->rows[i * fit->length + c];
    for (gsize i = 0; i < fit->n; i++)
      squares += pow ((double) fit->rows[i * fit->length + c] - sum / n, 2);
    model->mean.w[c] = (float) (sum / n);
    model->scale.w[c] = (float) (sqrt (squares / n) + 1e-6);
  }
  segue_nn_model_changed (model);
  return TRUE;
}

/* And the nearest centroid of a label: w = the centroid, b = −|w|² / 2. */
static gboolean
centroids_fit (gpointer data, const SegueModelFit *fit, GError **error)
{
  Vectors *model = data;
  gsize size = fit->length, n_labels = model->vectors.base.n_labels;
  if (!scaled_fit (model, fit, error))
    return FALSE;
  g_autofree float *z = g_new (float, fit->n *size);
  scale_rows (model, fit->rows, fit->n, z);
  for (gsize k = 0; k < n_labels; k++) {
    double square = 0;
    for (gsize c = 0; c < size; c++) {
      double sum = 0, n = 0;
      for (gsize i = 0; i < fit->n; i++) {
        sum += fit->labels[i] == (gint32) k ? (double) z[i * size + c] : 0;
        n += fit->labels[i] == (gint32) k;
      }
      model->classifier.weight.w[k * size + c] = (float) (sum / n);
      square += pow (sum / n, 2);
    }
    model->classifier.bias.w[k] = (float) (-square / 2);
  }
  segue_nn_model_changed (model);
  return TRUE;
}

static const SegueRecipe recipe =
  SEGUE_INIT (SegueRecipe, .epochs = 4, .batch = 8, .learning_rate = 0.05);

static const char *const centroids_types[] = { "segue-tiny-centroids", NULL };
static const char *const scaled_types[] = { "segue-tiny-scaled", NULL };

#define COMMON                                                                                     \
  .doc = "For tests.", .result_version = 1, .recipe = &recipe, .create = vectors_create,           \
  .load = vectors_load, .free = vectors_free, .list_tensors = segue_nn_model_list_tensors,         \
  .changed = segue_nn_model_changed, .plan = vectors_plan, .takes = SEGUE_KIND_TENSOR

const SegueModelType tiny_centroids = {
  SEGUE_MODEL_TYPE,
  COMMON,
  .name = "tiny-centroids",
  .summary = "The nearest centroid",
  .config_types = centroids_types,
  .save = centroids_save,
  .describe = centroids_describe,
  .forward = centroids_forward,
  .fit = centroids_fit,
};

const SegueModelType tiny_scaled = {
  SEGUE_MODEL_TYPE,
  COMMON,
  .name = "tiny-scaled",
  .summary = "A linear classifier of standardised vectors",
  .config_types = scaled_types,
  .save = scaled_save,
  .describe = segue_nn_vector_model_describe,
  .forward = vectors_forward,
  .backward = scaled_backward,
  .fit = scaled_fit,
};

SegueItem *
tiny_vector (SegueItem *parent, const char *suffix, gboolean tone, guint draw)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (draw);
  float values[TINY_VECTOR];
  for (guint c = 0; c < TINY_VECTOR; c++) {
    double centre = c % 2 == (tone ? 1 : 0) ? 110 + 2.0 * c : 100;
    values[c] = (float) (centre + g_rand_double_range (random, -9, 9));
  }
  g_autoptr (GBytes) bytes = g_bytes_new (values, sizeof values);
  return segue_item_new_tensor (SEGUE_KIND_TENSOR, parent, suffix, bytes, SEGUE_DTYPE_F32, 1,
                                (const gsize[]){ TINY_VECTOR });
}

GPtrArray *
tiny_vectors (guint n_songs, guint n_segments, gboolean validation)
{
  GPtrArray *items = tiny_songs (n_songs, n_segments, validation);
  for (guint i = 0; i < items->len; i++) {
    SegueItem *segment = g_ptr_array_index (items, i);
    items->pdata[i] = tiny_vector (segment, NULL, i % 2 == 0, i);
    segue_item_unref (segment);
  }
  return items;
}
