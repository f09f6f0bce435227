/* The table of tensors: names as in current transformers, with the prefix `hubert.` of a classifier's file.
 *
 * A file may contain a bare base model (names without the prefix) or a classifier, and name the weight
 * normalisation of the positional convolution as older torch did (weight_g, weight_v) or as newer does
 * (parametrizations.weight.original0, …1).  Files are written with the newest names.
 */
#include "hubert.h"

#include <math.h>
#include <segue/error.h>
#include <segue/nn/elementwise.h>
#include <segue/nn/weight-norm.h>

/* A tensor that is not one of a linear layer or a norm. @name: (transfer full) */
static void
declare (HubertModel *model, SegueNnWeight *weight, SegueNnTensor tensor, char *name)
{
  g_autofree char *owned = name;
  tensor.struct_size = sizeof tensor;
  tensor.name = owned;
  segue_nn_weights_add (model->base.weights, weight, &tensor);
}

static void
declare_bias (HubertModel *model, SegueNnWeight *weight, HubertPart part, gsize n, char *name)
{
  declare (model, weight, (SegueNnTensor){ .rank = 1, .shape = { n }, .part = part }, name);
}

static void
declare_linear (HubertModel *model, SegueNnAffine *affine, HubertPart part,
                SegueNnWeightFlags flags, gsize out, gsize in, const char *name)
{
  segue_nn_weights_add_linear (model->base.weights, affine, part, flags, out, in,
                               (double) model->architecture.initializer_range, name);
}

static void
declare_norm (HubertModel *model, SegueNnAffine *affine, HubertPart part, gsize n, const char *name)
{
  segue_nn_weights_add_norm (model->base.weights, affine, part, n, name);
}

static void
declare_encoder (HubertModel *model)
{
  const HubertArchitecture *a = &model->architecture;
  HubertWeights *w = &model->weights;
  gsize in = 1;
  for (guint i = 0; i < a->n_convs; i++) {
    const HubertConv *conv = &a->convs[i];
    g_autofree char *layer = g_strdup_printf ("hubert.feature_extractor.conv_layers.%u", i);
    g_autofree char *norm = g_strconcat (layer, ".layer_norm", NULL);
    /* kaiming_normal_: √2 / √fan_in */
    declare (model, &w->convs[i].weight,
             (SegueNnTensor){ .rank = 3,
                              .shape = { conv->channels, in, conv->kernel },
                              .layout = SEGUE_NN_LAYOUT_CONV1D,
                              .init = SEGUE_NN_INIT_NORMAL,
                              .b = sqrt (2.0 / (double) (in * conv->kernel)),
                              .part = HUBERT_PART_ENCODER,
                              .flags = SEGUE_NN_WEIGHT_DECAY },
             g_strconcat (layer, ".conv.weight", NULL));
    if (i > 0)
      segue_nn_weights_keep (model->base.weights, &w->convs[i].weight, conv->channels,
                             conv->kernel * in, SEGUE_NN_KEEP_OUTPUTS);
    if (a->conv_bias)
      declare_bias (model, &w->convs[i].bias, HUBERT_PART_ENCODER, conv->channels,
                    g_strconcat (layer, ".conv.bias", NULL));
    if (i == 0 || a->conv_norm == HUBERT_NORM_LAYER)
      declare_norm (model, &w->conv_norms[i], HUBERT_PART_ENCODER, conv->channels, norm);
    in = conv->channels;
  }
}

/* g = ‖v‖, so that the positional convolution starts as v: weight normalisation writes it as `norm`. */
static void
make_positional_norm (gpointer data, SegueNnThreads *threads, gsize n, float *g)
{
  const HubertModel *model = data;
  const HubertArchitecture *a = &model->architecture;
  gsize group = a->hidden / a->positional_groups;
  segue_nn_fill (threads, n, 1.0f, model->weights.positional_norm);
  segue_nn_weight_norm_forward (threads, a->positional_groups, n, group * group,
                                model->weights.positional_v.w, model->weights.positional_norm,
                                model->weights.positional.weight.w, g);
}

static void
normalise_positional (gpointer data, SegueNnThreads *threads)
{
  HubertModel *model = data;
  const HubertArchitecture *a = &model->architecture;
  HubertWeights *w = &model->weights;
  gsize group = a->hidden / a->positional_groups;
  segue_nn_weight_norm_forward (threads, a->positional_groups, a->positional_kernel, group * group,
                                w->positional_v.w, w->positional_g.w, w->positional.weight.w,
                                w->positional_norm);
}

static void
declare_embedding (HubertModel *model, gboolean mask_embedding)
{
  const HubertArchitecture *a = &model->architecture;
  HubertWeights *w = &model->weights;
  gsize features = a->convs[a->n_convs - 1].channels, group = a->hidden / a->positional_groups;
  const SegueNnTensor embedding = { .rank = 1,
                                    .shape = { a->hidden },
                                    .init = SEGUE_NN_INIT_UNIFORM,
                                    .b = 1,
                                    .part = HUBERT_PART_BASE,
                                    .flags = SEGUE_NN_WEIGHT_DECAY | SEGUE_NN_WEIGHT_OPTIONAL };
  /* The reference keeps torch's own initialisation here: U (±1/√fan_in), and g = ‖v‖. */
  double bound = 1 / sqrt ((double) (group * a->positional_kernel));
  const SegueNnTensor v = { .rank = 3,
                            .shape = { a->hidden, group, a->positional_kernel },
                            .layout = SEGUE_NN_LAYOUT_GROUPED_CONV1D,
                            .groups = a->positional_groups,
                            .init = SEGUE_NN_INIT_UNIFORM,
                            .a = -bound,
                            .b = bound,
                            .part = HUBERT_PART_BASE,
                            .flags = SEGUE_NN_WEIGHT_DECAY };
  const SegueNnTensor g = { .rank = 3,
                            .shape = { 1, 1, a->positional_kernel },
                            .init = SEGUE_NN_INIT_MADE,
                            .make = make_positional_norm,
                            .layer = model,
                            .part = HUBERT_PART_BASE,
                            .flags = SEGUE_NN_WEIGHT_DECAY };
  if (mask_embedding)
    declare (model, &w->mask_embedding, embedding, g_strdup ("hubert.masked_spec_embed"));
  if (a->feature_norm)
    declare_norm (model, &w->feature_norm, HUBERT_PART_BASE, features,
                  "hubert.feature_projection.layer_norm");
  declare_linear (model, &w->projection, HUBERT_PART_BASE, 0, a->hidden, features,
                  "hubert.feature_projection.projection");
  declare (model, &w->positional_v, v,
           g_strdup ("hubert.encoder.pos_conv_embed.conv.parametrizations.weight.original1"));
  declare (model, &w->positional_g, g,
           g_strdup ("hubert.encoder.pos_conv_embed.conv.parametrizations.weight.original0"));
  declare_bias (model, &w->positional.bias, HUBERT_PART_BASE, a->hidden,
                g_strdup ("hubert.encoder.pos_conv_embed.conv.bias"));
  declare_norm (model, &w->norm, HUBERT_PART_BASE, a->hidden, "hubert.encoder.layer_norm");
  segue_nn_weights_add_derived (model->base.weights, &w->positional.weight.w,
                                a->hidden * group * a->positional_kernel);
  segue_nn_weights_add_derived (model->base.weights, &w->positional_norm, a->positional_kernel);
  segue_nn_weights_keep (model->base.weights, &w->projection.weight, a->hidden, features,
                         SEGUE_NN_KEEP_OUTPUTS);
  segue_nn_weights_keep (model->base.weights, &w->positional.weight,
                         a->positional_groups * a->positional_kernel * group, group,
                         SEGUE_NN_KEEP_ANY);
  segue_nn_weights_derive (model->base.weights, normalise_positional, model);
}

static void
declare_layer (HubertModel *model, guint index)
{
  static const SegueNnTransformerNames names = { .query = "attention.q_proj",
                                                 .key = "attention.k_proj",
                                                 .value = "attention.v_proj",
                                                 .out = "attention.out_proj",
                                                 .attention_norm = "layer_norm",
                                                 .inner = "feed_forward.intermediate_dense",
                                                 .outer = "feed_forward.output_dense",
                                                 .final_norm = "final_layer_norm" };
  const SegueNnTransformer transformer = hubert_model_get_transformer (model);
  g_autofree char *prefix = g_strdup_printf ("hubert.encoder.layers.%u.", index);
  segue_nn_transformer_declare (&transformer, &model->weights.layers[index], model->base.weights,
                                HUBERT_PART_BASE, (double) model->architecture.initializer_range,
                                &names, prefix);
}

static void
declare_head (HubertModel *model)
{
  const HubertArchitecture *a = &model->architecture;
  HubertWeights *w = &model->weights;
  const SegueNnTensor layer_weights = { .rank = 1,
                                        .shape = { a->layers + 1 },
                                        .a = 1.0 / (double) (a->layers + 1),
                                        .part = HUBERT_PART_HEAD,
                                        .flags = SEGUE_NN_WEIGHT_DECAY | SEGUE_NN_WEIGHT_OPTIONAL };
  if (a->weighted_sum)
    declare (model, &w->layer_weights, layer_weights, g_strdup ("layer_weights"));
  declare_linear (model, &w->projector, HUBERT_PART_HEAD, SEGUE_NN_WEIGHT_HEAD, a->projector,
                  a->hidden, "projector");
  declare_linear (model, &w->classifier, HUBERT_PART_HEAD, SEGUE_NN_WEIGHT_LABELS,
                  model->base.n_labels, a->projector, "classifier");
}

gboolean
hubert_weights_declare (HubertModel *model, gboolean mask_embedding, GError **error)
{
  SegueNnWeights *weights = model->base.weights;
  model->weights.layers = g_new0 (SegueNnTransformerLayer, model->architecture.layers);
  declare_encoder (model);
  declare_embedding (model, mask_embedding);
  for (guint i = 0; i < model->architecture.layers; i++)
    declare_layer (model, i);
  declare_head (model);
  if (model->freeze != HUBERT_FREEZE_NONE)
    segue_nn_weights_freeze (weights, HUBERT_PART_ENCODER);
  if (model->freeze == HUBERT_FREEZE_BASE)
    segue_nn_weights_freeze (weights, HUBERT_PART_BASE);
  /* Where nothing is masked, it has no gradient, rather than one of 0. */
  if (!model->training.augment)
    segue_nn_weights_freeze_one (weights, &model->weights.mask_embedding);
  return segue_nn_weights_check_size (weights, "hidden_size, intermediate_size or conv_dim", error);
}

SegueNnWeightsSource
hubert_weights_source (HubertModel *model, SegueSafetensors *file, const char *folder)
{
  static const char *const spellings[] = { "parametrizations.weight.original0", "weight_g",
                                           "parametrizations.weight.original1", "weight_v", NULL };
  return (SegueNnWeightsSource){ .struct_size = sizeof (SegueNnWeightsSource),
                                 .file = file,
                                 .folder = folder,
                                 .prefix = "hubert.",
                                 .spellings = spellings };
}
