/* Reading weights from and writing them to model.safetensors. */
#include "weights-private.h"

#include <segue/error.h>
#include <segue/nn/config.h>
#include <segue/nn/elementwise.h>
#include <string.h>

#define FILE_NAME "model.safetensors"

/* The tensor called @name, with or without the prefix. */
static const SegueTensorInfo *
find_spelled (const SegueNnWeightsSource *source, const char *name)
{
  const SegueTensorInfo *info = segue_safetensors_lookup (source->file, name);
  if (!info && source->prefix && g_str_has_prefix (name, source->prefix))
    info = segue_safetensors_lookup (source->file, name + strlen (source->prefix));
  return info;
}

static const SegueTensorInfo *
find (const SegueNnWeightsSource *source, const char *name)
{
  const SegueTensorInfo *info = find_spelled (source, name);
  const char *const *pair = source->spellings;
  for (; !info && pair && pair[0]; pair += 2) {
    if (!g_str_has_suffix (name, pair[0]))
      continue;
    g_autofree char *start = g_strndup (name, strlen (name) - strlen (pair[0]));
    g_autofree char *old = g_strconcat (start, pair[1], NULL);
    info = find_spelled (source, old);
  }
  return info;
}

gboolean
segue_nn_weights_has (const SegueNnWeightsSource *source, const char *name)
{
  return find (source, name) != NULL;
}

/* If rows are labels, there are as many as the file has. */
static void
shape_in_file (const NnTensor *tensor, const SegueNnWeightsSource *source, gsize shape[4])
{
  memcpy (shape, tensor->as_declared.shape, sizeof tensor->as_declared.shape);
  if (tensor->as_declared.flags & SEGUE_NN_WEIGHT_LABELS)
    shape[0] = source->n_rows;
}

static gboolean
fits (const NnTensor *tensor, const SegueNnWeightsSource *source)
{
  const SegueTensorInfo *info = find (source, tensor->as_declared.name);
  gsize shape[4];
  shape_in_file (tensor, source, shape);
  return info && info->n_dims == tensor->as_declared.rank &&
         memcmp (info->shape, shape, info->n_dims * sizeof *shape) == 0;
}

static gsize
layer_length (const char *name)
{
  const char *dot = strrchr (name, '.');
  return dot ? (gsize) (dot - name) : strlen (name);
}

static gboolean
is_head (const NnTensor *tensor)
{
  return (tensor->as_declared.flags & NN_WEIGHT_ANY_HEAD) != 0;
}

/* For the head: whether all tensors of its layer are present as declared. */
static gboolean
layer_fits (const SegueNnWeights *weights, const NnTensor *tensor,
            const SegueNnWeightsSource *source)
{
  const char *name = tensor->as_declared.name;
  gsize length = layer_length (name);
  gboolean all = TRUE;
  for (guint i = 0; i < weights->tensors->len; i++) {
    const NnTensor *other = nn_weights_at (weights, i);
    const char *of_other = other->as_declared.name;
    if (is_head (other) && layer_length (of_other) == length && !strncmp (of_other, name, length))
      all = all && fits (other, source);
  }
  return all;
}

static gboolean
has_head (const SegueNnWeights *weights, const SegueNnWeightsSource *source)
{
  gboolean all = source->rows != NULL;
  for (guint i = 0; i < weights->tensors->len; i++) {
    const NnTensor *tensor = nn_weights_at (weights, i);
    all = all && (!is_head (tensor) || fits (tensor, source));
  }
  return all;
}

static char *
shape_text (guint rank, const gsize *shape)
{
  GString *text = g_string_new ("[");
  for (guint i = 0; i < rank; i++)
    g_string_append_printf (text, "%s%" G_GSIZE_FORMAT, i > 0 ? ", " : "", shape[i]);
  return g_string_free (g_string_append_c (text, ']'), FALSE);
}

static gboolean
check_tensor (const NnTensor *tensor, const SegueNnWeightsSource *source, const char *path,
              GError **error)
{
  const SegueNnTensor *t = &tensor->as_declared;
  const SegueTensorInfo *info = find (source, t->name);
  if (is_head (tensor) || (!info && t->flags & SEGUE_NN_WEIGHT_OPTIONAL))
    return TRUE;
  if (!info)
    return segue_nn_config_refuse (error, path, t->name,
                                   "is missing; config.json describes another model");
  if (fits (tensor, source))
    return TRUE;
  g_autofree char *wanted = shape_text (t->rank, t->shape);
  g_autofree char *found = shape_text (info->n_dims, info->shape);
  return segue_nn_config_refuse (error, path, t->name, "has shape %s, but config.json specifies %s",
                                 found, wanted);
}

/* Row i in memory is row rows[i] of the file. */
static gboolean
read_rows (const NnTensor *tensor, const SegueNnWeightsSource *source, float *to, GError **error)
{
  const SegueNnTensor *t = &tensor->as_declared;
  gsize width = tensor->n_elements / t->shape[0], shape[4];
  g_autofree float *all = g_try_new (float, source->n_rows *width);
  if (!all)
    return nn_weights_no_memory (error);
  shape_in_file (tensor, source, shape);
  if (!segue_safetensors_read_f32 (source->file, find (source, t->name)->name, t->rank, shape, all,
                                   error))
    return FALSE;
  for (gsize i = 0; i < t->shape[0]; i++)
    memcpy (to + i * width, all + source->rows[i] * width, width * sizeof *to);
  return TRUE;
}

static gboolean
read_tensor (SegueNnThreads *threads, const NnTensor *tensor, const SegueNnWeightsSource *source,
             float *to, GError **error)
{
  const SegueNnTensor *t = &tensor->as_declared;
  const char *name = find (source, t->name)->name;
  if (t->layout == SEGUE_NN_LAYOUT_PLAIN)
    return segue_safetensors_read_f32 (source->file, name, t->rank, t->shape, to, error);
  g_autofree float *as_filed = g_try_new (float, tensor->n_elements);
  if (!as_filed)
    return nn_weights_no_memory (error);
  if (!segue_safetensors_read_f32 (source->file, name, t->rank, t->shape, as_filed, error))
    return FALSE;
  nn_tensor_pack (threads, tensor, as_filed, to);
  return TRUE;
}

/* A single NaN would make every prediction NaN. */
static gboolean
check_values (SegueNnThreads *threads, const NnTensor *tensor, const float *values,
              const char *path, GError **error)
{
  gboolean good = segue_nn_all_finite (threads, tensor->n_elements, values);
  if (tensor->as_declared.flags & SEGUE_NN_WEIGHT_VARIANCE)
    for (gsize i = 0; i < tensor->n_elements; i++)
      good = good && values[i] >= 0.0f;
  return good ||
         segue_nn_config_refuse (
           error, path, tensor->as_declared.name,
           "has values that are not finite, or negative variances; download the model again");
}

static gboolean
load_tensor (const SegueNnWeights *weights, SegueNnThreads *threads, guint i,
             const SegueNnWeightsSource *source, const char *path, GError **error)
{
  const NnTensor *tensor = nn_weights_at (weights, i);
  gboolean of_labels = (tensor->as_declared.flags & SEGUE_NN_WEIGHT_LABELS) != 0;
  gboolean missing = is_head (tensor) ? !layer_fits (weights, tensor, source)
                                      : !find (source, tensor->as_declared.name);
  float *values = weights->values + tensor->offset;
  if (missing || (of_labels && !source->rows)) {
    nn_weights_init_one (weights, threads, i, source->seed);
    return TRUE;
  }
  return (of_labels ? read_rows (tensor, source, values, error)
                    : read_tensor (threads, tensor, source, values, error)) &&
         check_values (threads, tensor, values, path, error);
}

gboolean
segue_nn_weights_load (SegueNnWeights *weights, SegueNnThreads *threads,
                       const SegueNnWeightsSource *source, GError **error)
{
  g_autofree char *path = g_build_filename (source->folder, FILE_NAME, NULL);
  /* Before anything of a size that an untrusted config.json specifies is allocated. */
  for (guint i = 0; i < weights->tensors->len; i++)
    if (!check_tensor (nn_weights_at (weights, i), source, path, error))
      return FALSE;
  if (source->needs_head && !has_head (weights, source))
    return segue_nn_config_refuse (error, source->folder, NULL,
                                   "has labels, but no classifier for them of the sizes in "
                                   "config.json; train one from it first");
  if (!segue_nn_weights_allocate (weights, error))
    return FALSE;
  for (guint i = 0; i < weights->tensors->len; i++)
    if (!load_tensor (weights, threads, i, source, path, error))
      return FALSE;
  segue_nn_weights_changed (weights);
  return TRUE;
}

gboolean
segue_nn_weights_save (const SegueNnWeights *weights, SegueNnThreads *threads, const char *folder,
                       GError **error)
{
  g_autofree char *path = g_build_filename (folder, FILE_NAME, NULL);
  g_autoptr (SegueSafetensorsWriter) writer = segue_safetensors_writer_new ();
  for (guint i = 0; i < weights->tensors->len; i++) {
    const NnTensor *tensor = nn_weights_at (weights, i);
    const SegueNnTensor *t = &tensor->as_declared;
    const float *values = weights->values + tensor->offset;
    if (t->layout == SEGUE_NN_LAYOUT_PLAIN) {
      segue_safetensors_writer_add_f32 (writer, t->name, t->rank, t->shape, values);
      continue;
    }
    float *as_filed = g_try_new (float, tensor->n_elements);
    if (!as_filed)
      return nn_weights_no_memory (error);
    nn_tensor_unpack (threads, tensor, values, as_filed);
    segue_safetensors_writer_take_f32 (writer, t->name, t->rank, t->shape, as_filed);
  }
  return segue_safetensors_writer_write (writer, path, error);
}
