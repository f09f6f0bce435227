/* The tensors: names as in the file, one arena for all of their memory. */
#include "mel-cnn.h"

#include <segue/nn/conv2d.h>
#include <stdlib.h>

/* Floats; tensors begin on cache lines. */
#define ALIGN 16

/* Hands out the arena; with @base NULL only counts. */
typedef struct {
  float *base;
  gsize used;
} Arena;

static float *
take (Arena *arena, gsize n)
{
  float *p = arena->base != NULL ? arena->base + arena->used : NULL;
  arena->used += (n + ALIGN - 1) / ALIGN * ALIGN;
  return p;
}

static void
add_tensor (MelCnn *model, char *name, const SegueModelTensor *like, float *value, float *gradient)
{
  SegueModelTensor tensor = *like;
  tensor.name = name;
  tensor.value = value;
  tensor.gradient = gradient;
  g_ptr_array_add (model->names, name);
  g_array_append_val (model->tensors, tensor);
}

static gsize
count_elements (const SegueModelTensor *like)
{
  gsize n = 1;
  for (guint i = 0; i < like->rank; i++)
    n *= like->shape[i];
  return n;
}

/* @name: (transfer full) */
static MelCnnParam
declare_param (MelCnn *model, Arena *arena, char *name, SegueModelTensor like)
{
  like.n_elements = count_elements (&like);
  MelCnnParam param = { take (arena, like.n_elements), take (arena, like.n_elements) };
  add_tensor (model, name, &like, param.w, param.dw);
  return param;
}

/* A buffer of one dimension. @name: (transfer full) */
static float *
declare_buffer (MelCnn *model, Arena *arena, char *name, gsize n)
{
  SegueModelTensor like = { .rank = 1, .shape = { n }, .n_elements = n };
  float *value = take (arena, n);
  add_tensor (model, name, &like, value, NULL);
  return value;
}

static SegueNnConv2d
block_conv (const MelCnnBlock *block)
{
  return (SegueNnConv2d){ .in = block->in,
                          .out = block->out,
                          .kernel_height = MEL_CNN_KERNEL,
                          .kernel_width = MEL_CNN_KERNEL };
}

static void
declare_block (MelCnn *model, Arena *arena, guint i)
{
  MelCnnBlock *b = &model->blocks[i];
  b->in = i == 0 ? 1 : model->architecture.channels[i - 1];
  b->out = model->architecture.channels[i];
  const SegueModelTensor conv = { .rank = 4,
                                  .shape = { b->out, b->in, MEL_CNN_KERNEL, MEL_CNN_KERNEL },
                                  .decay = TRUE };
  const SegueModelTensor norm = { .rank = 1, .shape = { b->out } };
  SegueNnConv2d shape = block_conv (b);

  b->conv = declare_param (model, arena, g_strdup_printf ("blocks.%u.conv.weight", i), conv);
  b->gamma = declare_param (model, arena, g_strdup_printf ("blocks.%u.norm.weight", i), norm);
  b->beta = declare_param (model, arena, g_strdup_printf ("blocks.%u.norm.bias", i), norm);
  b->running_mean =
    declare_buffer (model, arena, g_strdup_printf ("blocks.%u.norm.running_mean", i), b->out);
  b->running_variance =
    declare_buffer (model, arena, g_strdup_printf ("blocks.%u.norm.running_var", i), b->out);
  b->packed = take (arena, segue_nn_conv2d_packed_size (&shape));
  b->packed_back = i == 0 ? NULL : take (arena, segue_nn_conv2d_packed_back_size (&shape));
}

static void
declare_all (MelCnn *model, Arena *arena)
{
  const MelCnnArchitecture *a = &model->architecture;
  gsize features = 2 * a->channels[a->n_blocks - 1];
  g_array_set_size (model->tensors, 0);
  g_ptr_array_set_size (model->names, 0);

  if (a->standardise == MEL_CNN_STANDARDISE_BAND) {
    model->running_mean =
      declare_buffer (model, arena, g_strdup ("frames.running_mean"), a->frames.bands);
    model->running_variance =
      declare_buffer (model, arena, g_strdup ("frames.running_var"), a->frames.bands);
  }
  for (guint i = 0; i < a->n_blocks; i++)
    declare_block (model, arena, i);
  model->head = declare_param (
    model, arena, g_strdup ("head.weight"),
    (SegueModelTensor){ .rank = 2, .shape = { model->n_labels, features }, .decay = TRUE });
  model->head_bias = declare_param (model, arena, g_strdup ("head.bias"),
                                    (SegueModelTensor){ .rank = 1, .shape = { model->n_labels } });
}

gsize
mel_cnn_weights_declare (MelCnn *model)
{
  /* Bounds of the architecture keep this sum far from overflowing. */
  Arena count = { NULL, 0 };
  declare_all (model, &count);
  return count.used * sizeof (float);
}

gboolean
mel_cnn_weights_new (MelCnn *model, GError **error)
{
  gsize bytes = mel_cnn_weights_declare (model);
  Arena arena = { aligned_alloc (ALIGN * sizeof (float), bytes), 0 };
  if (arena.base == NULL) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                 "no memory for a network of %" G_GSIZE_FORMAT " MiB; take fewer channels",
                 bytes >> 20);
    return FALSE;
  }
  model->arena = arena.base;
  memset (model->arena, 0, bytes);
  declare_all (model, &arena);
  return TRUE;
}

static void
fill (float *x, gsize n, float value)
{
  for (gsize i = 0; i < n; i++)
    x[i] = value;
}

/* He et al. 2015: variance 2 / (inputs of a sum), for ReLU follows. */
static void
init_block (MelCnn *model, guint i, guint64 seed)
{
  MelCnnBlock *b = &model->blocks[i];
  gsize window = b->in * MEL_CNN_KERNEL * MEL_CNN_KERNEL;
  const SegueNnRandomKey key = { .seed = seed, .item = i + 1, .layer = MEL_CNN_RANDOM_INIT };
  segue_nn_random_fill_normal (model->pool, &key, 0.0f, sqrtf (2.0f / (float) window),
                               b->out * window, b->conv.w);
  fill (b->gamma.w, b->out, 1.0f);
  fill (b->running_variance, b->out, 1.0f);
}

void
mel_cnn_weights_init (MelCnn *model, guint64 seed, gboolean head_only)
{
  const MelCnnArchitecture *a = &model->architecture;
  gsize features = 2 * a->channels[a->n_blocks - 1];
  float bound = 1.0f / sqrtf ((float) features);
  const SegueNnRandomKey key = { .seed = seed, .layer = MEL_CNN_RANDOM_INIT };
  segue_nn_random_fill_uniform (model->pool, &key, -bound, bound, model->n_labels * features,
                                model->head.w);
  if (head_only)
    return;
  for (guint i = 0; i < a->n_blocks; i++)
    init_block (model, i, seed);
  if (model->running_variance != NULL)
    fill (model->running_variance, a->frames.bands, 1.0f);
}

void
mel_cnn_weights_changed (MelCnn *model)
{
  for (guint i = 0; i < model->architecture.n_blocks; i++) {
    MelCnnBlock *b = &model->blocks[i];
    SegueNnConv2d shape = block_conv (b);
    segue_nn_conv2d_pack (model->pool, &shape, b->conv.w, b->packed, b->packed_back);
  }
}
