/* Tensors from and to model.safetensors.
 *
 * A file may hold a bare base model (names without the prefix `hubert.`) or a classifier, and spell the
 * weight normalisation of the positional convolution as older torch did (weight_g, weight_v) or as
 * newer does (parametrizations.weight.original0, …1).  What is written has the newest spelling.
 */
#include "weights-io.h"

#include "model-json.h"

#include <string.h>

#define FILE_NAME "model.safetensors"
#define PREFIX    "hubert."

static char *
replace_suffix (const char *name, const char *from, const char *to)
{
  g_autofree char *start = g_strndup (name, strlen (name) - strlen (from));
  return g_strconcat (start, to, NULL);
}

/* The tensor under any of its names, or NULL. */
static const SegueTensorInfo *
find (SegueSafetensors *file, const char *name)
{
  static const struct {
    const char *modern, *old;
  } spellings[] = {
    { "parametrizations.weight.original0", "weight_g" },
    { "parametrizations.weight.original1", "weight_v" },
  };
  const SegueTensorInfo *info = segue_safetensors_lookup (file, name);
  if (info == NULL && g_str_has_prefix (name, PREFIX))
    info = segue_safetensors_lookup (file, name + strlen (PREFIX));
  for (guint i = 0; i < G_N_ELEMENTS (spellings) && info == NULL; i++) {
    if (!g_str_has_suffix (name, spellings[i].modern))
      continue;
    g_autofree char *old = replace_suffix (name, spellings[i].modern, spellings[i].old);
    info = find (file, old);
  }
  return info;
}

gboolean
hubert_weights_has (SegueSafetensors *file, const char *name)
{
  return find (file, name) != NULL;
}

static gboolean
has_shape (const SegueTensorInfo *info, guint rank, const gsize *shape)
{
  return info != NULL && info->n_dims == rank &&
         memcmp (info->shape, shape, rank * sizeof *shape) == 0;
}

HubertHead
hubert_weights_look_at_head (SegueSafetensors *file, const HubertArchitecture *a, gsize n_labels)
{
  const gsize projector[] = { a->projector, a->hidden };
  const gsize classifier[] = { n_labels, a->projector };
  return (HubertHead){
    .projector = has_shape (segue_safetensors_lookup (file, "projector.weight"), 2, projector) &&
                 has_shape (segue_safetensors_lookup (file, "projector.bias"), 1, projector),
    .classifier = n_labels > 0 &&
                  has_shape (segue_safetensors_lookup (file, "classifier.weight"), 2, classifier) &&
                  has_shape (segue_safetensors_lookup (file, "classifier.bias"), 1, classifier),
  };
}

static gboolean
may_be_missing (const HubertWeights *weights, const HubertTensor *tensor)
{
  return tensor->part == HUBERT_PART_HEAD || tensor->param == &weights->mask_embedding;
}

static char *
shape_text (guint rank, const gsize *shape)
{
  GString *text = g_string_new ("[");
  for (guint i = 0; i < rank; i++)
    g_string_append_printf (text, "%s%" G_GSIZE_FORMAT, i > 0 ? ", " : "", shape[i]);
  return g_string_free (g_string_append_c (text, ']'), FALSE);
}

gboolean
hubert_weights_check (const HubertWeights *weights, SegueSafetensors *file, const char *folder,
                      GError **error)
{
  g_autofree char *path = g_build_filename (folder, FILE_NAME, NULL);
  for (guint i = 0; i < weights->tensors->len; i++) {
    const HubertTensor *tensor = &g_array_index (weights->tensors, HubertTensor, i);
    const SegueTensorInfo *info = find (file, tensor->name);
    if (tensor->part == HUBERT_PART_HEAD || (info == NULL && may_be_missing (weights, tensor)))
      continue;
    if (info == NULL)
      return model_json_refuse (error, path, tensor->name,
                                "is missing; config.json describes another model");
    if (!has_shape (info, tensor->rank, tensor->shape)) {
      g_autofree char *wanted = shape_text (tensor->rank, tensor->shape);
      g_autofree char *found = shape_text (info->n_dims, info->shape);
      return model_json_refuse (error, path, tensor->name, "has shape %s where config.json says %s",
                                found, wanted);
    }
  }
  return TRUE;
}

/* Row i of @to is row rows[i] of the file's tensor. */
static gboolean
read_rows (SegueSafetensors *file, const HubertTensor *tensor, const guint *rows, gsize n_rows,
           float *to, GError **error)
{
  gsize width = tensor->n_elements / tensor->shape[0];
  const gsize shape[] = { n_rows, width };
  g_autofree float *all = g_try_new (float, n_rows *width);
  if (all == NULL)
    return hubert_no_memory (error);
  if (!segue_safetensors_read_f32 (file, tensor->name, tensor->rank, shape, all, error))
    return FALSE;
  for (gsize i = 0; i < tensor->shape[0]; i++)
    memcpy (to + i * width, all + rows[i] * width, width * sizeof *to);
  return TRUE;
}

static gboolean
read_tensor (SegueSafetensors *file, const HubertArchitecture *architecture,
             const HubertTensor *tensor, SegueNnPool *pool, float *to, GError **error)
{
  const SegueTensorInfo *info = find (file, tensor->name);
  if (tensor->layout == HUBERT_LAYOUT_PLAIN)
    return segue_safetensors_read_f32 (file, info->name, tensor->rank, tensor->shape, to, error);
  g_autofree float *torch = g_try_new (float, tensor->n_elements);
  if (torch == NULL)
    return hubert_no_memory (error);
  if (!segue_safetensors_read_f32 (file, info->name, tensor->rank, tensor->shape, torch, error))
    return FALSE;
  hubert_tensor_pack (pool, architecture, tensor, torch, to);
  return TRUE;
}

gboolean
hubert_weights_load (HubertWeights *weights, const HubertArchitecture *architecture,
                     SegueSafetensors *file, const HubertHead *head, const guint *rows,
                     gsize n_rows, guint64 seed, SegueNnPool *pool, GError **error)
{
  for (guint i = 0; i < weights->tensors->len; i++) {
    const HubertTensor *tensor = &g_array_index (weights->tensors, HubertTensor, i);
    float *to = hubert_tensor_values (weights, tensor);
    gboolean classifier =
      tensor->param == &weights->classifier.weight || tensor->param == &weights->classifier.bias;
    gboolean projector =
      tensor->param == &weights->projector.weight || tensor->param == &weights->projector.bias;
    gboolean made = (classifier && (!head->classifier || rows == NULL)) ||
                    (projector && !head->projector) ||
                    (!classifier && !projector && find (file, tensor->name) == NULL);
    if (made         ? !hubert_weights_init (weights, architecture, i, seed, pool, error)
        : classifier ? !read_rows (file, tensor, rows, n_rows, to, error)
                     : !read_tensor (file, architecture, tensor, pool, to, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
hubert_weights_save (const HubertModel *model, const char *folder, GError **error)
{
  const HubertWeights *weights = &model->weights;
  g_autofree char *path = g_build_filename (folder, FILE_NAME, NULL);
  g_autoptr (SegueSafetensorsWriter) writer = segue_safetensors_writer_new ();
  for (guint i = 0; i < weights->tensors->len; i++) {
    const HubertTensor *tensor = &g_array_index (weights->tensors, HubertTensor, i);
    const float *values = hubert_tensor_values (weights, tensor);
    if (tensor->layout == HUBERT_LAYOUT_PLAIN) {
      segue_safetensors_writer_add_f32 (writer, tensor->name, tensor->rank, tensor->shape, values);
      continue;
    }
    float *torch = g_try_new (float, tensor->n_elements);
    if (torch == NULL)
      return hubert_no_memory (error);
    hubert_tensor_unpack (model->pool, &model->architecture, tensor, values, torch);
    segue_safetensors_writer_take_f32 (writer, tensor->name, tensor->rank, tensor->shape, torch);
  }
  return segue_safetensors_writer_write (writer, path, error);
}
