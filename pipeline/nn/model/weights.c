/* The table of tensors: declaration, allocation, initialisation, listing. */
#include "weights-private.h"

#include <segue/error.h>
#include <segue/nn/conv1d.h>
#include <segue/nn/elementwise.h>
#include <segue/nn/grouped-conv1d.h>
#include <segue/nn/random.h>
#include <string.h>

/* Tensors begin on cache lines. */
#define LINE_FLOATS ((gsize) 16)
#define LINE_BYTES  ((guintptr) 64)
/* 16 GiB of values: far above what is published, far below where sizes overflow. */
#define MAX_FLOATS ((gsize) 1 << 32)

static void
clear_tensor (gpointer tensor)
{
  g_free ((char *) ((NnTensor *) tensor)->as_declared.name);
}

static void
free_kept (gpointer data)
{
  NnKeptWeight *kept = data;
  nn_kept_clear (&kept->kept);
  g_free (kept);
}

SegueNnWeights *
segue_nn_weights_new (void)
{
  SegueNnWeights *weights = g_new0 (SegueNnWeights, 1);
  weights->tensors = g_array_new (FALSE, TRUE, sizeof (NnTensor));
  g_array_set_clear_func (weights->tensors, clear_tensor);
  weights->derived = g_array_new (FALSE, TRUE, sizeof (NnDerived));
  weights->derive = g_array_new (FALSE, TRUE, sizeof (NnDerive));
  weights->kept = g_ptr_array_new_with_free_func (free_kept);
  return weights;
}

void
segue_nn_weights_free (SegueNnWeights *weights)
{
  if (!weights)
    return;
  g_array_unref (weights->tensors);
  g_array_unref (weights->derived);
  g_array_unref (weights->derive);
  g_ptr_array_unref (weights->kept);
  for (guint i = 0; i < G_N_ELEMENTS (weights->blocks); i++)
    g_free (weights->blocks[i]);
  g_free (weights);
}

/* The offset for n more floats in an arena of *used. */
static gsize
reserve (SegueNnWeights *weights, gsize *used, gsize n, gboolean adjacent)
{
  gsize offset = adjacent ? *used : (*used + LINE_FLOATS - 1) / LINE_FLOATS * LINE_FLOATS;
  if (n > MAX_FLOATS || offset > MAX_FLOATS)
    weights->overflow = TRUE;
  else
    *used = offset + n;
  return offset;
}

void
nn_weights_set_headless (SegueNnWeights *weights)
{
  weights->headless = TRUE;
}

void
segue_nn_weights_add (SegueNnWeights *weights, SegueNnWeight *weight, const SegueNnTensor *tensor)
{
  NnTensor added = { .n_elements = 1, .weight = weight };
  if (weights->headless && tensor->flags & NN_WEIGHT_ANY_HEAD)
    return;
  memcpy (&added.as_declared, tensor, MIN (tensor->struct_size, sizeof added.as_declared));
  g_assert (tensor->rank <= G_N_ELEMENTS (tensor->shape) && tensor->part < 32);
  for (guint i = 0; i < tensor->rank; i++)
    if (!g_size_checked_mul (&added.n_elements, added.n_elements, tensor->shape[i]))
      weights->overflow = TRUE;
  added.as_declared.name = g_strdup (tensor->name);
  added.trained = !(tensor->flags & SEGUE_NN_WEIGHT_BUFFER);
  added.offset = reserve (weights, &weights->n_floats, added.n_elements,
                          (tensor->flags & SEGUE_NN_WEIGHT_ADJACENT) != 0);
  g_array_append_val (weights->tensors, added);
}

static void
add_vector (SegueNnWeights *weights, SegueNnWeight *weight, guint part, SegueNnWeightFlags flags,
            gsize n, double value, const char *name, const char *ending)
{
  g_autofree char *full = g_strconcat (name, ending, NULL);
  const SegueNnTensor tensor =
    SEGUE_INIT (SegueNnTensor, .name = full, .rank = 1, .shape = { n },
                .init = SEGUE_NN_INIT_CONSTANT, .a = value, .part = part, .flags = flags);
  segue_nn_weights_add (weights, weight, &tensor);
}

void
segue_nn_weights_add_linear (SegueNnWeights *weights, SegueNnAffine *affine, guint part,
                             SegueNnWeightFlags flags, gsize out, gsize in, double deviation,
                             const char *name)
{
  g_autofree char *full = g_strconcat (name, ".weight", NULL);
  const SegueNnTensor tensor = SEGUE_INIT (
    SegueNnTensor, .name = full, .rank = 2, .shape = { out, in }, .init = SEGUE_NN_INIT_NORMAL,
    .b = deviation, .part = part, .flags = flags | SEGUE_NN_WEIGHT_DECAY);
  segue_nn_weights_add (weights, &affine->weight, &tensor);
  add_vector (weights, &affine->bias, part, flags, out, 0, name, ".bias");
}

void
segue_nn_weights_add_norm (SegueNnWeights *weights, SegueNnAffine *affine, guint part, gsize n,
                           const char *name)
{
  add_vector (weights, &affine->weight, part, 0, n, 1, name, ".weight");
  add_vector (weights, &affine->bias, part, 0, n, 0, name, ".bias");
}

void
segue_nn_weights_add_derived (SegueNnWeights *weights, float **place, gsize n)
{
  const NnDerived derived = { .place = place,
                              .offset = reserve (weights, &weights->n_derived, n, FALSE) };
  g_array_append_val (weights->derived, derived);
}

void
segue_nn_weights_derive (SegueNnWeights *weights, SegueNnDeriveFunc derive, gpointer layer)
{
  const NnDerive added = { .derive = derive, .layer = layer };
  g_array_append_val (weights->derive, added);
}

void
segue_nn_weights_keep (SegueNnWeights *weights, SegueNnWeight *weight, gsize rows, gsize columns,
                       SegueNnKeep keep)
{
  NnKeptWeight *added = g_new0 (NnKeptWeight, 1);
  *added =
    (NnKeptWeight){ .weight = weight, .keep = keep, .kept = { .rows = rows, .columns = columns } };
  weight->kept = &added->kept;
  g_ptr_array_add (weights->kept, added);
}

void
segue_nn_weights_changed (SegueNnWeights *weights)
{
  weights->is_fresh = FALSE;
  for (guint i = 0; i < weights->kept->len; i++)
    nn_kept_expire (&((NnKeptWeight *) weights->kept->pdata[i])->kept);
}

void
segue_nn_weights_refresh (SegueNnWeights *weights, SegueNnThreads *threads)
{
  for (guint i = 0; i < weights->derive->len && !weights->is_fresh; i++) {
    const NnDerive *d = &g_array_index (weights->derive, NnDerive, i);
    d->derive (d->layer, threads);
  }
  weights->is_fresh = TRUE;
  for (guint i = 0; i < weights->kept->len; i++) {
    NnKeptWeight *k = weights->kept->pdata[i];
    if (!k->weight->w) /* of a head that is not declared */
      continue;
    k->kept.values = k->weight->w;
    /* A weight with a gradient is multiplied on the way back as well, the other way round. */
    k->kept.keep = k->weight->dw ? k->keep | SEGUE_NN_KEEP_ANY : k->keep;
    nn_kept_refresh (&k->kept, threads);
  }
}

void
segue_nn_weights_freeze (SegueNnWeights *weights, guint part)
{
  for (guint i = 0; i < weights->tensors->len; i++) {
    NnTensor *tensor = &g_array_index (weights->tensors, NnTensor, i);
    if (tensor->as_declared.part == part)
      tensor->trained = FALSE;
  }
}

void
segue_nn_weights_freeze_one (SegueNnWeights *weights, const SegueNnWeight *weight)
{
  for (guint i = 0; i < weights->tensors->len; i++) {
    NnTensor *tensor = &g_array_index (weights->tensors, NnTensor, i);
    if (tensor->weight == weight)
      tensor->trained = FALSE;
  }
}

gboolean
nn_weights_no_memory (GError **error)
{
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
               "not enough memory for the model's weights; close other programs and run again");
  return FALSE;
}

/* Zeroed floats from the system, which uses no memory before the first access, so that gradients of a
 * model that only predicts are free. */
static float *
new_arena (gsize n_floats, gpointer *block)
{
  *block = g_try_malloc0 (n_floats * sizeof (float) + LINE_BYTES);
  if (!*block)
    return NULL;
  return (float *) (((guintptr) *block + LINE_BYTES - 1) & ~(LINE_BYTES - 1));
}

gboolean
segue_nn_weights_check_size (const SegueNnWeights *weights, const char *what, GError **error)
{
  if (!weights->overflow && weights->n_floats <= MAX_FLOATS && weights->n_derived <= MAX_FLOATS)
    return TRUE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
               "a model of these sizes would have more than %" G_GSIZE_FORMAT
               " weights; make %s smaller",
               MAX_FLOATS, what);
  return FALSE;
}

gboolean
segue_nn_weights_allocate (SegueNnWeights *weights, GError **error)
{
  if (!segue_nn_weights_check_size (weights, "its layers", error))
    return FALSE;
  weights->values = new_arena (weights->n_floats, &weights->blocks[0]);
  weights->gradients = new_arena (weights->n_floats, &weights->blocks[1]);
  weights->beside = new_arena (weights->n_derived, &weights->blocks[2]);
  if (!weights->values || !weights->gradients || !weights->beside) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                 "not enough memory for the %" G_GSIZE_FORMAT
                 " MiB of the model's weights and gradients",
                 (weights->n_floats * 2 + weights->n_derived) * sizeof (float) >> 20);
    return FALSE;
  }
  for (guint i = 0; i < weights->tensors->len; i++) {
    const NnTensor *tensor = nn_weights_at (weights, i);
    if (!tensor->weight)
      continue;
    tensor->weight->w = weights->values + tensor->offset;
    tensor->weight->dw = tensor->trained ? weights->gradients + tensor->offset : NULL;
  }
  for (guint i = 0; i < weights->derived->len; i++) {
    const NnDerived *derived = &g_array_index (weights->derived, NnDerived, i);
    *derived->place = weights->beside + derived->offset;
  }
  return TRUE;
}

void
nn_weights_init_one (const SegueNnWeights *weights, SegueNnThreads *threads, guint i, guint64 seed)
{
  const NnTensor *tensor = nn_weights_at (weights, i);
  const SegueNnTensor *t = &tensor->as_declared;
  const SegueNnRandomKey key = { .seed = seed,
                                 .item = t->numbered ? t->item : g_str_hash (t->name) };
  float *values = weights->values + tensor->offset;
  switch (t->init) {
  case SEGUE_NN_INIT_CONSTANT:
    segue_nn_fill (threads, tensor->n_elements, (float) t->a, values);
    break;
  case SEGUE_NN_INIT_NORMAL:
    segue_nn_random_fill_normal (threads, &key, (float) t->a, (float) t->b, tensor->n_elements,
                                 values);
    break;
  case SEGUE_NN_INIT_UNIFORM:
    segue_nn_random_fill_uniform (threads, &key, (float) t->a, (float) t->b, tensor->n_elements,
                                  values);
    break;
  case SEGUE_NN_INIT_MADE:
    t->make (t->layer, threads, tensor->n_elements, values);
    break;
  }
}

void
segue_nn_weights_init (SegueNnWeights *weights, SegueNnThreads *threads, guint64 seed)
{
  for (guint i = 0; i < weights->tensors->len; i++)
    nn_weights_init_one (weights, threads, i, seed);
  segue_nn_weights_changed (weights);
}

void
nn_tensor_pack (SegueNnThreads *threads, const NnTensor *tensor, const float *file, float *memory)
{
  const gsize *shape = tensor->as_declared.shape;
  switch (tensor->as_declared.layout) {
  case SEGUE_NN_LAYOUT_PLAIN:
    memcpy (memory, file, tensor->n_elements * sizeof *memory);
    break;
  case SEGUE_NN_LAYOUT_CONV1D:
    segue_nn_conv1d_pack (threads, shape[0], shape[1], shape[2], file, memory);
    break;
  case SEGUE_NN_LAYOUT_GROUPED_CONV1D:
    segue_nn_grouped_conv1d_pack (threads, shape[0], shape[0], shape[2], tensor->as_declared.groups,
                                  file, memory);
    break;
  }
}

void
nn_tensor_unpack (SegueNnThreads *threads, const NnTensor *tensor, const float *memory, float *file)
{
  const gsize *shape = tensor->as_declared.shape;
  switch (tensor->as_declared.layout) {
  case SEGUE_NN_LAYOUT_PLAIN:
    memcpy (file, memory, tensor->n_elements * sizeof *file);
    break;
  case SEGUE_NN_LAYOUT_CONV1D:
    segue_nn_conv1d_unpack (threads, shape[0], shape[1], shape[2], FALSE, memory, file);
    break;
  case SEGUE_NN_LAYOUT_GROUPED_CONV1D:
    segue_nn_grouped_conv1d_unpack (threads, shape[0], shape[0], shape[2],
                                    tensor->as_declared.groups, FALSE, memory, file);
    break;
  }
}

/* The shape in memory. */
static void
set_shape (const SegueNnTensor *t, SegueModelTensor *out)
{
  out->rank = t->rank;
  for (guint i = 0; i < t->rank; i++)
    out->shape[i] = t->shape[i];
  if (t->layout == SEGUE_NN_LAYOUT_CONV1D) {
    out->shape[1] = t->shape[2];
    out->shape[2] = t->shape[1];
  } else if (t->layout == SEGUE_NN_LAYOUT_GROUPED_CONV1D) {
    out->rank = 4;
    out->shape[0] = t->groups;
    out->shape[1] = t->shape[2];
    out->shape[2] = t->shape[1];
    out->shape[3] = t->shape[0] / t->groups;
  }
}

GArray *
segue_nn_weights_list (const SegueNnWeights *weights)
{
  GArray *list = g_array_sized_new (FALSE, TRUE, sizeof (SegueModelTensor), weights->tensors->len);
  for (guint i = 0; i < weights->tensors->len; i++) {
    const NnTensor *tensor = nn_weights_at (weights, i);
    SegueModelTensor out = {
      .name = tensor->as_declared.name,
      .n_elements = tensor->n_elements,
      .value = weights->values + tensor->offset,
      .gradient = tensor->trained ? weights->gradients + tensor->offset : NULL,
      .decay = (tensor->as_declared.flags & SEGUE_NN_WEIGHT_DECAY) != 0,
    };
    set_shape (&tensor->as_declared, &out);
    g_array_append_val (list, out);
  }
  return list;
}

const SegueNnTensor *
segue_nn_weights_get_declared (const SegueNnWeights *weights, guint i)
{
  return &nn_weights_at (weights, i)->as_declared;
}

void
segue_nn_weights_pack (const SegueNnWeights *weights, SegueNnThreads *threads, guint i,
                       const float *file, float *memory)
{
  nn_tensor_pack (threads, nn_weights_at (weights, i), file, memory);
}

void
segue_nn_weights_unpack (const SegueNnWeights *weights, SegueNnThreads *threads, guint i,
                         const float *memory, float *file)
{
  nn_tensor_unpack (threads, nn_weights_at (weights, i), memory, file);
}

gsize
segue_nn_weights_get_size (const SegueNnWeights *weights)
{
  return weights->n_floats;
}

float *
segue_nn_weights_get_values (const SegueNnWeights *weights)
{
  return weights->values;
}

float *
segue_nn_weights_get_gradients (const SegueNnWeights *weights)
{
  return weights->gradients;
}
