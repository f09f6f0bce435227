/* The table of tensors: names, shapes, places in memory.
 *
 * All values lie in one arena and all gradients in another, at the same offsets, so that an optimiser's
 * state or a checkpoint needs no knowledge of the architecture.  Convolution weights are kept packed as
 * their ops want them; AdamW and norms of gradients don't mind the order of elements.
 */
#include "hubert.h"

#include <math.h>
#include <segue/nn/conv1d.h>
#include <segue/nn/grouped-conv1d.h>
#include <string.h>

/* Tensors start at cache lines. */
#define ALIGNMENT ((gsize) 16) /* floats */
/* 16 GiB of values: far above what is published, far below where sizes overflow. */
#define MAX_FLOATS ((gsize) 1 << 32)

typedef struct {
  HubertWeights *weights;
  HubertPart part;
  gboolean adjacent; /* the next tensor follows the last one without a gap */
} Builder;

static void
declare (Builder *b, HubertParam *param, HubertInit init, double amount, HubertLayout layout,
         guint rank, const gsize *shape, char *name)
{
  HubertTensor tensor = { .name = name,
                          .rank = rank,
                          .n_elements = 1,
                          .layout = layout,
                          .part = b->part,
                          .init = init,
                          .amount = (float) amount,
                          .param = param };
  for (guint i = 0; i < rank; i++) {
    tensor.shape[i] = shape[i];
    tensor.n_elements *= shape[i];
  }
  /* Weight decay pulls weights to 0; for a bias or a norm's scale 0 is no natural place. */
  tensor.decay = !g_str_has_suffix (name, ".bias") && strstr (name, "layer_norm") == NULL;
  if (!b->adjacent)
    b->weights->n_floats = (b->weights->n_floats + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  tensor.offset = b->weights->n_floats;
  b->weights->n_floats += tensor.n_elements;
  g_array_append_val (b->weights->tensors, tensor);
}

static void
declare_vector (Builder *b, HubertParam *param, double value, gsize n, char *name)
{
  declare (b, param, HUBERT_INIT_CONSTANT, value, HUBERT_LAYOUT_PLAIN, 1, &n, name);
}

static void
declare_linear (Builder *b, HubertAffine *affine, double deviation, gsize out, gsize in,
                const char *name)
{
  const gsize shape[] = { out, in };
  declare (b, &affine->weight, HUBERT_INIT_NORMAL, deviation, HUBERT_LAYOUT_PLAIN, 2, shape,
           g_strconcat (name, ".weight", NULL));
  declare_vector (b, &affine->bias, 0, out, g_strconcat (name, ".bias", NULL));
}

static void
declare_norm (Builder *b, HubertAffine *affine, gsize n, const char *name)
{
  declare_vector (b, &affine->weight, 1, n, g_strconcat (name, ".weight", NULL));
  declare_vector (b, &affine->bias, 0, n, g_strconcat (name, ".bias", NULL));
}

static void
declare_encoder (Builder *b, const HubertArchitecture *a)
{
  HubertWeights *w = b->weights;
  gsize in = 1;
  for (guint i = 0; i < a->n_convs; i++) {
    const HubertConv *conv = &a->convs[i];
    const gsize shape[] = { conv->channels, in, conv->kernel };
    g_autofree char *layer = g_strdup_printf ("hubert.feature_extractor.conv_layers.%u", i);
    g_autofree char *norm = g_strconcat (layer, ".layer_norm", NULL);
    /* kaiming_normal_: √2 / √fan_in */
    declare (b, &w->convs[i].weight, HUBERT_INIT_NORMAL, sqrt (2.0 / (double) (in * conv->kernel)),
             HUBERT_LAYOUT_CONV, 3, shape, g_strconcat (layer, ".conv.weight", NULL));
    if (a->conv_bias)
      declare_vector (b, &w->convs[i].bias, 0, conv->channels,
                      g_strconcat (layer, ".conv.bias", NULL));
    if (i == 0 || a->conv_norm == HUBERT_NORM_LAYER)
      declare_norm (b, &w->conv_norms[i], conv->channels, norm);
    in = conv->channels;
  }
}

/* q, k and v as one [3H, H] and one [3H], each a tensor of its own in files. */
static void
declare_qkv (Builder *b, HubertAffine *qkv, const HubertArchitecture *a, guint layer)
{
  static const char *const names[] = { "q_proj", "k_proj", "v_proj" };
  const gsize shape[] = { a->hidden, a->hidden };
  for (guint bias = 0; bias < 2; bias++) {
    for (guint i = 0; i < 3; i++) {
      HubertParam *param = i > 0 ? NULL : bias ? &qkv->bias : &qkv->weight;
      char *name = g_strdup_printf ("hubert.encoder.layers.%u.attention.%s.%s", layer, names[i],
                                    bias ? "bias" : "weight");
      b->adjacent = i > 0;
      if (bias)
        declare_vector (b, param, 0, a->hidden, name);
      else
        declare (b, param, HUBERT_INIT_NORMAL, (double) a->initializer_range, HUBERT_LAYOUT_PLAIN,
                 2, shape, name);
    }
    b->adjacent = FALSE;
  }
}

static void
declare_layer (Builder *b, HubertLayer *layer, const HubertArchitecture *a, guint index)
{
  double deviation = (double) a->initializer_range;
  g_autofree char *prefix = g_strdup_printf ("hubert.encoder.layers.%u.", index);
  g_autofree char *out = g_strconcat (prefix, "attention.out_proj", NULL);
  g_autofree char *attention_norm = g_strconcat (prefix, "layer_norm", NULL);
  g_autofree char *inner = g_strconcat (prefix, "feed_forward.intermediate_dense", NULL);
  g_autofree char *outer = g_strconcat (prefix, "feed_forward.output_dense", NULL);
  g_autofree char *final_norm = g_strconcat (prefix, "final_layer_norm", NULL);
  declare_qkv (b, &layer->qkv, a, index);
  declare_linear (b, &layer->out, deviation, a->hidden, a->hidden, out);
  declare_norm (b, &layer->attention_norm, a->hidden, attention_norm);
  declare_linear (b, &layer->inner, deviation, a->inner, a->hidden, inner);
  declare_linear (b, &layer->outer, deviation, a->hidden, a->inner, outer);
  declare_norm (b, &layer->final_norm, a->hidden, final_norm);
}

static void
declare_embedding (Builder *b, const HubertArchitecture *a, gboolean mask_embedding)
{
  HubertWeights *w = b->weights;
  gsize features = a->convs[a->n_convs - 1].channels;
  const gsize g_shape[] = { 1, 1, a->positional_kernel };
  const gsize v_shape[] = { a->hidden, a->hidden / a->positional_groups, a->positional_kernel };
  if (mask_embedding)
    declare (b, &w->mask_embedding, HUBERT_INIT_UNIT, 0, HUBERT_LAYOUT_PLAIN, 1, &a->hidden,
             g_strdup ("hubert.masked_spec_embed"));
  if (a->feature_norm)
    declare_norm (b, &w->feature_norm, features, "hubert.feature_projection.layer_norm");
  declare_linear (b, &w->projection, (double) a->initializer_range, a->hidden, features,
                  "hubert.feature_projection.projection");
  /* The reference leaves torch's own initialisation here: U (±1/√fan_in), and g = ‖v‖. */
  declare (b, &w->positional_v, HUBERT_INIT_UNIFORM, 1 / sqrt ((double) (v_shape[1] * v_shape[2])),
           HUBERT_LAYOUT_POSITIONAL, 3, v_shape,
           g_strdup ("hubert.encoder.pos_conv_embed.conv.parametrizations.weight.original1"));
  declare (b, &w->positional_g, HUBERT_INIT_POSITIONAL_NORM, 0, HUBERT_LAYOUT_PLAIN, 3, g_shape,
           g_strdup ("hubert.encoder.pos_conv_embed.conv.parametrizations.weight.original0"));
  declare_vector (b, &w->positional_bias, 0, a->hidden,
                  g_strdup ("hubert.encoder.pos_conv_embed.conv.bias"));
  declare_norm (b, &w->norm, a->hidden, "hubert.encoder.layer_norm");
}

static void
declare_head (Builder *b, const HubertArchitecture *a, gsize n_labels)
{
  HubertWeights *w = b->weights;
  if (a->weighted_sum)
    declare_vector (b, &w->layer_weights, 1.0 / (double) (a->layers + 1), a->layers + 1,
                    g_strdup ("layer_weights"));
  declare_linear (b, &w->projector, (double) a->initializer_range, a->projector, a->hidden,
                  "projector");
  declare_linear (b, &w->classifier, (double) a->initializer_range, n_labels, a->projector,
                  "classifier");
}

static void
clear_tensor (gpointer tensor)
{
  g_free (((HubertTensor *) tensor)->name);
}

gboolean
hubert_weights_declare (HubertWeights *weights, const HubertArchitecture *architecture,
                        gsize n_labels, gboolean mask_embedding, GError **error)
{
  Builder b = { .weights = weights, .part = HUBERT_PART_ENCODER };
  weights->tensors = g_array_new (FALSE, TRUE, sizeof (HubertTensor));
  g_array_set_clear_func (weights->tensors, clear_tensor);
  weights->layers = g_new0 (HubertLayer, architecture->layers);

  declare_encoder (&b, architecture);
  b.part = HUBERT_PART_BASE;
  declare_embedding (&b, architecture, mask_embedding);
  for (guint i = 0; i < architecture->layers; i++)
    declare_layer (&b, &weights->layers[i], architecture, i);
  b.part = HUBERT_PART_HEAD;
  declare_head (&b, architecture, n_labels);

  /* Bounds of architecture.c keep the sum within 64 bits. */
  if (weights->n_floats <= MAX_FLOATS)
    return TRUE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
               "a model of these sizes would have %" G_GSIZE_FORMAT
               " weights; make hidden_size, intermediate_size or conv_dim smaller",
               weights->n_floats);
  return FALSE;
}

/* Zeroed floats from the system, untouched until they are used, so that gradients of a model that only
 * predicts cost nothing. */
static float *
allocate_arena (gsize n_floats, gpointer *block)
{
  *block = g_try_malloc0 (n_floats * sizeof (float) + 64);
  if (*block == NULL)
    return NULL;
  return (float *) (((guintptr) *block + 63) & ~(guintptr) 63);
}

gboolean
hubert_weights_allocate (HubertWeights *weights, HubertFreeze freeze, gboolean augment,
                         GError **error)
{
  weights->values = allocate_arena (weights->n_floats, &weights->values_block);
  weights->gradients = allocate_arena (weights->n_floats, &weights->gradients_block);
  if (weights->values == NULL || weights->gradients == NULL) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                 "no memory for the %" G_GSIZE_FORMAT " MiB of the model's weights and gradients",
                 weights->n_floats * 2 * sizeof (float) >> 20);
    return FALSE;
  }
  for (guint i = 0; i < weights->tensors->len; i++) {
    HubertTensor *tensor = &g_array_index (weights->tensors, HubertTensor, i);
    tensor->trained = freeze == HUBERT_FREEZE_NONE || tensor->part == HUBERT_PART_HEAD ||
                      (freeze == HUBERT_FREEZE_FEATURE_ENCODER && tensor->part == HUBERT_PART_BASE);
    /* Where nothing is masked, its gradient is not 0: there is none. */
    if (tensor->param == &weights->mask_embedding && !augment)
      tensor->trained = FALSE;
    if (tensor->param == NULL)
      continue;
    tensor->param->w = weights->values + tensor->offset;
    tensor->param->dw = tensor->trained ? weights->gradients + tensor->offset : NULL;
  }
  return TRUE;
}

void
hubert_weights_clear (HubertWeights *weights)
{
  g_clear_pointer (&weights->tensors, g_array_unref);
  g_clear_pointer (&weights->layers, g_free);
  g_clear_pointer (&weights->values_block, g_free);
  g_clear_pointer (&weights->gradients_block, g_free);
}

float *
hubert_tensor_values (const HubertWeights *weights, const HubertTensor *tensor)
{
  return weights->values + tensor->offset;
}

void
hubert_tensor_pack (SegueNnPool *pool, const HubertArchitecture *a, const HubertTensor *tensor,
                    const float *torch, float *packed)
{
  const gsize *shape = tensor->shape;
  if (tensor->layout == HUBERT_LAYOUT_CONV)
    segue_nn_conv1d_pack (pool, shape[0], shape[1], shape[2], torch, packed);
  else if (tensor->layout == HUBERT_LAYOUT_POSITIONAL)
    segue_nn_grouped_conv1d_pack (pool, a->hidden, a->hidden, shape[2], a->positional_groups, torch,
                                  packed);
  else
    memcpy (packed, torch, tensor->n_elements * sizeof *packed);
}

void
hubert_tensor_unpack (SegueNnPool *pool, const HubertArchitecture *a, const HubertTensor *tensor,
                      const float *packed, float *torch)
{
  const gsize *shape = tensor->shape;
  if (tensor->layout == HUBERT_LAYOUT_CONV)
    segue_nn_conv1d_unpack (pool, shape[0], shape[1], shape[2], FALSE, packed, torch);
  else if (tensor->layout == HUBERT_LAYOUT_POSITIONAL)
    segue_nn_grouped_conv1d_unpack (pool, a->hidden, a->hidden, shape[2], a->positional_groups,
                                    FALSE, packed, torch);
  else
    memcpy (torch, packed, tensor->n_elements * sizeof *torch);
}
