/* Layers of models: sizes, names of tensors, settings of a config.json, and gradients against finite differences. The
 * golden tests compare the same layers with transformers'. */
#include "op-test.h"

#include <math.h>
#include <segue/error.h>
#include <segue/nn/conv-encoder.h>
#include <segue/nn/head.h>
#include <segue/nn/positional-conv.h>
#include <segue/nn/scaler.h>
#include <segue/nn/spec-augment.h>
#include <stdlib.h>
#include <string.h>

/* A layer with its weights and one pass. */
typedef struct Layer Layer;
struct Layer {
  SegueNnThreads *threads;
  SegueNnWeights *weights;
  float *block;
  const float *x;
  gsize n_x, n_y;
  void (*forward) (Layer *layer, const float *x, float *y);
  /* From dy, to the weights' gradients and dx (not if it is NULL). */
  void (*backward) (Layer *layer, const float *x, float *dy, float *dx);

  SegueNnConvEncoder encoder;
  SegueNnConvEncoderBuffers encoder_buffers;
  SegueNnPositionalConv positional;
  SegueNnPositionalConvBuffers positional_buffers;
  SegueNnHead head;
  SegueNnHeadBuffers head_buffers;
  float *scratch;
};

static void
layer_open (Layer *layer)
{
  layer->threads = op_test_threads (2);
  layer->weights = segue_nn_weights_new ();
}

/* Gives all weights values far enough from 0. */
static void
layer_fill (Layer *layer, guint64 seed)
{
  g_autoptr (GError) error = NULL;
  segue_nn_weights_allocate (layer->weights, &error);
  g_assert_no_error (error);
  segue_nn_weights_init (layer->weights, layer->threads, seed);
  g_autoptr (GArray) tensors = segue_nn_weights_list (layer->weights);
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *t = &g_array_index (tensors, SegueModelTensor, i);
    g_autofree float *noise = op_test_random (seed + i, t->n_elements, -0.3, 0.3);
    for (gsize j = 0; j < t->n_elements; j++)
      t->value[j] += noise[j];
  }
  segue_nn_weights_changed (layer->weights);
}

/* The memory of a pass: whatever is read before it is written is NaN. */
static gpointer
layer_block (Layer *layer, gsize bytes)
{
  g_assert_cmpuint (bytes, !=, G_MAXSIZE);
  layer->block = aligned_alloc (64, bytes);
  memset (layer->block, 0xff, bytes);
  return layer->block;
}

static void
layer_close (Layer *layer)
{
  segue_nn_weights_free (layer->weights);
  segue_nn_threads_free (layer->threads);
  free (layer->block);
  g_free (layer->scratch);
}

/* Σ r · y, with r fixed. */
static double
layer_loss (Layer *layer, const float *x, const float *r)
{
  g_autofree float *y = g_new (float, layer->n_y);
  double loss = 0;
  segue_nn_weights_refresh (layer->weights, layer->threads);
  layer->forward (layer, x, y);
  for (gsize i = 0; i < layer->n_y; i++)
    loss += (double) r[i] * (double) y[i];
  return loss;
}

/* The slope of the loss along the gradient of `values` [n] is the gradient's length. */
static void
check_slope (Layer *layer, const char *what, gsize n, float *values, const float *gradient,
             const float *x, const float *r)
{
  const float step = 4e-3f;
  g_autofree float *was = g_memdup2 (values, n * sizeof *values);
  double norm = 0, losses[2];
  for (gsize i = 0; i < n; i++)
    norm += pow ((double) gradient[i], 2);
  norm = sqrt (norm);
  g_assert_cmpfloat (norm, >, 1e-3);
  for (guint side = 0; side < 2; side++) {
    for (gsize i = 0; i < n; i++)
      values[i] = was[i] + (side == 0 ? step : -step) * gradient[i] / (float) norm;
    segue_nn_weights_changed (layer->weights);
    losses[side] = layer_loss (layer, x, r);
  }
  memcpy (values, was, n * sizeof *values);
  segue_nn_weights_changed (layer->weights);
  double slope = (losses[0] - losses[1]) / (2 * (double) step);
  g_test_message ("%s: slope %g, gradient %g", what, slope, norm);
  g_assert_cmpfloat (fabs (slope - norm), <, 0.02 * norm);
}

/* Of all weights, and of x if `wants_dx`. @zero: the one weight whose gradient is 0 (nullable) */
static void
check_gradients (Layer *layer, const float *samples, gboolean wants_dx, const char *zero)
{
  g_autofree float *x = g_memdup2 (samples, layer->n_x * sizeof *x);
  g_autofree float *r = op_test_random (77, layer->n_y, -1, 1);
  g_autofree float *dy = g_memdup2 (r, layer->n_y * sizeof *r);
  g_autofree float *dx = g_new0 (float, layer->n_x);
  g_autoptr (GArray) tensors = segue_nn_weights_list (layer->weights);
  memset (segue_nn_weights_get_gradients (layer->weights), 0,
          segue_nn_weights_get_size (layer->weights) * sizeof (float));
  layer_loss (layer, x, r);
  layer->backward (layer, x, dy, wants_dx ? dx : NULL);
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *t = &g_array_index (tensors, SegueModelTensor, i);
    g_autofree float *gradient = g_memdup2 (t->gradient, t->n_elements * sizeof (float));
    if (g_strcmp0 (t->name, zero) != 0)
      check_slope (layer, t->name, t->n_elements, t->value, gradient, x, r);
    else
      for (gsize j = 0; j < t->n_elements; j++)
        g_assert_cmpfloat (gradient[j], ==, 0);
  }
  if (wants_dx)
    check_slope (layer, "x", layer->n_x, x, dx, x, r);
}

/* ---- The convolutional encoder ---- */

enum { BATCH = 2, LENGTH = 150 };

static void
encoder_forward (Layer *layer, const float *x, float *y)
{
  segue_nn_conv_encoder_forward (&layer->encoder, layer->threads, &layer->encoder_buffers, x);
  memcpy (y, layer->encoder_buffers.features, layer->n_y * sizeof *y);
}

static void
encoder_backward (Layer *layer, const float *x, float *dy, float *dx)
{
  segue_nn_conv_encoder_backward (&layer->encoder, layer->threads, &layer->encoder_buffers, x, dy);
}

static void
encoder_lay (Layer *layer, gsize batch, gboolean train)
{
  SegueNnArena measured = { .base = NULL };
  SegueNnConvEncoderBuffers *b = &layer->encoder_buffers;
  g_clear_pointer (&layer->block, free);
  segue_nn_conv_encoder_lay (&layer->encoder, &measured, batch, LENGTH, train, b);
  SegueNnArena arena = { .base = layer_block (layer, segue_nn_arena_get_size (&measured)) };
  segue_nn_conv_encoder_lay (&layer->encoder, &arena, batch, LENGTH, train, b);
  layer->n_x = batch * LENGTH;
  layer->n_y = batch * segue_nn_conv_encoder_get_frames (&layer->encoder, LENGTH) *
               segue_nn_conv_encoder_get_channels (&layer->encoder);
}

/* wav2vec2 base (group, no bias), wav2vec2 large (layer, bias), and the other two combinations. */
static void
test_encoder (void)
{
  g_autofree float *x = op_test_random (5, BATCH * LENGTH, -1, 1);
  for (guint variant = 0; variant < 8; variant++) {
    Layer layer = { .forward = encoder_forward, .backward = encoder_backward };
    SegueNnConvEncoder *e = &layer.encoder;
    *e = (SegueNnConvEncoder){ .n_layers = 3,
                               .layers = { { 6, 10, 5 }, { 5, 3, 2 }, { 4, 2, 2 } },
                               .has_bias = (variant & 1) != 0,
                               .norm =
                                 variant & 2 ? SEGUE_NN_CONV_NORM_LAYER : SEGUE_NN_CONV_NORM_GROUP,
                               .activation = SEGUE_NN_ACTIVATION_GELU,
                               .standardise = (variant & 4) != 0 };
    gboolean is_cancelled = (variant & 3) == 1;
    layer_open (&layer);
    segue_nn_conv_encoder_declare (e, layer.weights, 0, "conv_layers.");
    layer_fill (&layer, variant);
    encoder_lay (&layer, BATCH, TRUE);
    check_gradients (&layer, x, FALSE, is_cancelled ? "conv_layers.0.conv.bias" : NULL);

    /* Inference gives the same numbers, whatever the batch. */
    gsize n = layer.n_y;
    g_autofree float *trained = g_new (float, n), *y = g_new (float, n);
    encoder_forward (&layer, x, trained);
    encoder_lay (&layer, 1, FALSE);
    for (guint item = 0; item < BATCH; item++)
      encoder_forward (&layer, x + item * LENGTH, y + item * layer.n_y);
    for (gsize i = 0; i < n; i++)
      g_assert_cmpfloat_with_epsilon (y[i], trained[i], 1e-5f);
    layer_close (&layer);
  }
}

static void
test_encoder_lengths (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) config = json_object ();
  SegueNnConvEncoder e = { .n_layers = 0 };
  g_assert_true (segue_nn_conv_encoder_read (&e, config, "config.json", &error));
  g_assert_no_error (error);
  gsize least = segue_nn_conv_encoder_get_min_length (&e);
  g_assert_cmpuint (e.n_layers, ==, 7);
  g_assert_cmpuint (segue_nn_conv_encoder_get_channels (&e), ==, 512);
  g_assert_cmpuint (segue_nn_conv_encoder_get_frames (&e, 160000), ==, 499);
  g_assert_cmpuint (least, ==, 400);
  g_assert_cmpuint (segue_nn_conv_encoder_get_frames (&e, least), ==, 1);
  g_assert_cmpuint (segue_nn_conv_encoder_get_frames (&e, least - 1), ==, 0);
  g_assert_cmpuint (segue_nn_conv_encoder_get_frames (&e, 0), ==, 0);
}

static void
test_encoder_config (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) large =
    json_pack ("{s:[iii], s:[iii], s:[iii], s:b, s:s, s:s}", "conv_dim", 32, 16, 8, "conv_kernel",
               10, 3, 2, "conv_stride", 5, 2, 1, "conv_bias", 1, "feat_extract_norm", "layer",
               "feat_extract_activation", "relu");
  SegueNnConvEncoder e = { .n_layers = 0 };
  g_assert_true (segue_nn_conv_encoder_read (&e, large, "config.json", &error));
  g_assert_no_error (error);
  g_assert_cmpuint (e.n_layers, ==, 3);
  g_assert_cmpuint (e.layers[2].channels, ==, 8);
  g_assert_cmpuint (e.layers[1].kernel, ==, 3);
  g_assert_cmpuint (e.layers[0].stride, ==, 5);
  g_assert_true (e.has_bias);
  g_assert_cmpint (e.norm, ==, SEGUE_NN_CONV_NORM_LAYER);
  g_assert_cmpint (e.activation, ==, SEGUE_NN_ACTIVATION_RELU);
  static const char *const wrong[] = {
    "{\"conv_dim\": [4, 4]}",
    "{\"conv_dim\": [4, 4], \"conv_kernel\": [3, 3, 3], \"conv_stride\": [1, 1]}",
    "{\"conv_kernel\": [3, 3, 3, 3, 3, 3, 0]}",
    "{\"conv_stride\": [5000, 2, 2, 2, 2, 2, 2]}",
    "{\"conv_dim\": 512}",
    "{\"feat_extract_norm\": \"batch\"}",
    "{\"feat_extract_activation\": \"softmax\"}",
    "{\"conv_bias\": 1}",
  };
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++) {
    g_autoptr (json_t) config = json_loads (wrong[i], 0, NULL);
    g_assert_nonnull (config);
    g_assert_false (segue_nn_conv_encoder_read (&e, config, "config.json", &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
    g_clear_error (&error);
  }
}

/* ---- The positional convolution ---- */

enum { FRAMES = 11, HIDDEN = 6 };

static void
positional_forward (Layer *layer, const float *x, float *y)
{
  segue_nn_positional_conv_forward (&layer->positional, layer->threads, &layer->positional_buffers,
                                    x, y, layer->scratch);
}

static void
positional_backward (Layer *layer, const float *x, float *dy, float *dx)
{
  segue_nn_positional_conv_backward (&layer->positional, layer->threads, &layer->positional_buffers,
                                     x, dy, layer->scratch);
  memcpy (dx, dy, layer->n_x * sizeof *dx);
}

static void
positional_open (Layer *layer, gsize kernel, gsize groups)
{
  *layer = (Layer){ .forward = positional_forward, .backward = positional_backward };
  layer->positional = (SegueNnPositionalConv){
    .hidden = HIDDEN, .kernel = kernel, .groups = groups, .activation = SEGUE_NN_ACTIVATION_GELU
  };
  layer_open (layer);
  segue_nn_positional_conv_declare (&layer->positional, layer->weights, 0, "conv.");
}

static void
positional_lay (Layer *layer)
{
  SegueNnPositionalConvBuffers *b = &layer->positional_buffers;
  SegueNnArena measured = { .base = NULL };
  layer->n_x = layer->n_y = BATCH * FRAMES * HIDDEN;
  segue_nn_positional_conv_lay (&layer->positional, &measured, BATCH, FRAMES, TRUE, b);
  gsize bytes = segue_nn_arena_get_size (&measured), more = 2 * layer->n_x * sizeof (float) + 128;
  SegueNnArena arena = { .base = layer_block (layer, bytes + more / 64 * 64) };
  segue_nn_positional_conv_lay (&layer->positional, &arena, BATCH, FRAMES, TRUE, b);
  b->d_branch = segue_nn_arena_floats (&arena, layer->n_x, 1, 1, 1);
  b->d_input = segue_nn_arena_floats (&arena, layer->n_x, 1, 1, 1);
  layer->scratch = g_new (
    float, segue_nn_positional_conv_scratch (&layer->positional, layer->threads, BATCH, FRAMES));
}

static void
test_positional (void)
{
  static const gsize shapes[][2] = { { 8, 2 }, { 5, 3 }, { 1, 1 }, { 16, 6 } };
  g_autofree float *x = op_test_random (6, BATCH * FRAMES * HIDDEN, -1, 1);
  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++) {
    Layer layer;
    positional_open (&layer, shapes[i][0], shapes[i][1]);
    layer_fill (&layer, i);
    positional_lay (&layer);
    check_gradients (&layer, x, TRUE, NULL);
    layer_close (&layer);
  }
}

/* A new weight is v; after a change, which each refresh follows once, g · v / ‖v‖. */
static void
test_positional_weight (void)
{
  g_autoptr (GError) error = NULL;
  Layer layer;
  positional_open (&layer, 4, 2);
  const SegueNnPositionalConv *p = &layer.positional;
  const gsize group = HIDDEN / 2, n = HIDDEN * group * 4;
  g_assert_true (segue_nn_weights_allocate (layer.weights, &error));
  segue_nn_weights_init (layer.weights, layer.threads, 3);
  segue_nn_weights_refresh (layer.weights, layer.threads);
  for (gsize i = 0; i < n; i++)
    g_assert_cmpfloat_with_epsilon (p->conv.weight.w[i], p->v.w[i], 1e-6f);
  double norm = 0;
  for (gsize g = 0; g < 2; g++)
    for (gsize i = 0; i < group * group; i++)
      norm += pow ((double) p->v.w[(g * 4 + 1) * group * group + i], 2);
  g_assert_cmpfloat_with_epsilon (sqrt (norm), (double) p->g.w[1], 1e-6);

  p->g.w[1] *= 3;
  segue_nn_weights_changed (layer.weights);
  segue_nn_weights_refresh (layer.weights, layer.threads);
  for (gsize i = 0; i < n; i++) {
    float factor = i / (group * group) % 4 == 1 ? 3 : 1;
    g_assert_cmpfloat_with_epsilon (p->conv.weight.w[i], factor * p->v.w[i], 1e-5f);
  }
  p->conv.weight.w[0] = 42; /* not recomputed without a change */
  segue_nn_weights_refresh (layer.weights, layer.threads);
  g_assert_cmpfloat (p->conv.weight.w[0], ==, 42);
  layer_close (&layer);
}

/* ---- The head ---- */

enum { STATES = 3, PROJECTED = 5, LABELS = 4 };

static void
head_forward (Layer *layer, const float *x, float *y)
{
  gsize n = BATCH * FRAMES * HIDDEN;
  for (gsize s = 0; s < layer->head.n_states; s++)
    segue_nn_head_pool (&layer->head, layer->threads, &layer->head_buffers, s, FRAMES, x + s * n);
  segue_nn_head_forward (&layer->head, layer->threads, &layer->head_buffers, y);
}

static void
head_backward (Layer *layer, const float *x, float *dy, float *dx)
{
  gsize n = BATCH * FRAMES * HIDDEN;
  segue_nn_head_backward (&layer->head, layer->threads, &layer->head_buffers, dy);
  for (gsize s = 0; s < layer->head.n_states; s++)
    segue_nn_head_pool_backward (&layer->head, layer->threads, &layer->head_buffers, s, FRAMES,
                                 dx + s * n);
}

static void
test_head (void)
{
  static const SegueNnActivation activations[] = { SEGUE_NN_ACTIVATION_LINEAR,
                                                   SEGUE_NN_ACTIVATION_TANH };
  g_autofree float *x = op_test_random (7, STATES * BATCH * FRAMES * HIDDEN, -1, 1);
  for (guint variant = 0; variant < 4; variant++) {
    Layer layer = { .forward = head_forward, .backward = head_backward };
    SegueNnHeadBuffers *b = &layer.head_buffers;
    SegueNnArena measured = { .base = NULL };
    layer.head = (SegueNnHead){ .hidden = HIDDEN,
                                .n_states = variant & 1 ? STATES : 1,
                                .projected = PROJECTED,
                                .n_labels = LABELS,
                                .activation = activations[variant / 2] };
    layer_open (&layer);
    segue_nn_head_declare (&layer.head, layer.weights, 0, 0.3);
    layer_fill (&layer, variant);
    segue_nn_head_lay (&layer.head, &measured, BATCH, TRUE, b);
    SegueNnArena arena = { .base = layer_block (&layer, segue_nn_arena_get_size (&measured)) };
    segue_nn_head_lay (&layer.head, &arena, BATCH, TRUE, b);
    layer.n_x = layer.head.n_states * BATCH * FRAMES * HIDDEN;
    layer.n_y = BATCH * LABELS;
    check_gradients (&layer, x, TRUE, NULL);
    layer_close (&layer);
  }
}

/* ---- Masks ---- */

enum { MASK_FRAMES = 200 };

/* Masks: the requested share, whole spans, different ones for each item and step; their backward. */
static void
test_masks (void)
{
  enum { N = 2 * MASK_FRAMES * HIDDEN };
  static guint8 block[2 * MASK_FRAMES + 1024] __attribute__ ((aligned (64)));
  const guint64 items[] = { 1, 2 };
  g_autofree float *x = g_new (float, N), *d = g_new (float, N);
  float embedding[HIDDEN] = { 1, 2, 3, 4, 5, 6 }, d_embedding[HIDDEN] = { 0 };
  SegueNnSpecAugment layer = { .hidden = HIDDEN,
                               .is_on = TRUE,
                               .frames = { 0.3, 4, 2 },
                               .random = 7,
                               .embedding = { .w = embedding, .dw = d_embedding } };
  SegueNnArena arena = { .base = block };
  SegueNnSpecAugmentBuffers b;
  segue_nn_spec_augment_lay (&layer, &arena, 2, MASK_FRAMES, &b);
  guint masked = 0;
  for (guint step = 0; step < 100; step++) {
    const SegueModelPass pass =
      SEGUE_INIT (SegueModelPass, .seed = 1, .step = step, .items = items);
    for (gsize i = 0; i < N; i++)
      x[i] = d[i] = 5.0f;
    memset (d_embedding, 0, sizeof d_embedding);
    segue_nn_spec_augment_forward (&layer, &pass, &b, x);
    segue_nn_spec_augment_backward (&layer, &b, d);
    g_assert_cmpint (memcmp (b.frame_mask, b.frame_mask + MASK_FRAMES, MASK_FRAMES), !=, 0);
    guint of_step = 0;
    for (gsize row = 0; row < 2 * MASK_FRAMES; row++) {
      of_step += b.frame_mask[row] != 0;
      g_assert_cmpfloat (x[row * HIDDEN + 3], ==, b.frame_mask[row] ? 4.0f : 5.0f);
      g_assert_cmpfloat (d[row * HIDDEN + 3], ==, b.frame_mask[row] ? 0.0f : 5.0f);
    }
    g_assert_cmpfloat (d_embedding[3], ==, 5.0f * (float) of_step);
    masked += of_step;
    for (gsize row = 1, run = b.frame_mask[0] != 0; row <= MASK_FRAMES; row++) {
      gboolean on = row < MASK_FRAMES && b.frame_mask[row] != 0;
      g_assert_true (on || run == 0 || run >= 4);
      run = on ? run + 1 : 0;
    }
  }
  /* Spans overlap, so fewer than 0.3 of all. */
  g_assert_cmpuint (masked, >, 40000 * 0.2);
  g_assert_cmpuint (masked, <, 40000 * 0.3);
}

/* Channels become 0 for all frames of an item. */
static void
test_channel_masks (void)
{
  enum { N = 2 * MASK_FRAMES * HIDDEN };
  static guint8 block[2 * MASK_FRAMES + 1024] __attribute__ ((aligned (64)));
  const guint64 items[] = { 1, 2 };
  const SegueModelPass pass = SEGUE_INIT (SegueModelPass, .seed = 1, .items = items);
  g_autofree float *x = g_new (float, N);
  SegueNnSpecAugment layer = { .hidden = HIDDEN, .is_on = TRUE, .channels = { 0.4, 1, 2 } };
  SegueNnArena arena = { .base = block };
  SegueNnSpecAugmentBuffers b;
  segue_nn_spec_augment_lay (&layer, &arena, 2, MASK_FRAMES, &b);
  for (gsize i = 0; i < N; i++)
    x[i] = 5.0f;
  segue_nn_spec_augment_forward (&layer, &pass, &b, x);
  for (gsize item = 0; item < 2; item++) {
    guint n_masked = 0;
    for (gsize i = 0; i < HIDDEN; i++) {
      gboolean is_masked = b.channel_mask[item * HIDDEN + i] != 0;
      n_masked += is_masked != 0;
      for (gsize t = 0; t < MASK_FRAMES; t++)
        g_assert_cmpfloat (x[(item * MASK_FRAMES + t) * HIDDEN + i], ==, is_masked ? 0.0f : 5.0f);
    }
    g_assert_cmpuint (n_masked, >=, 2);
    g_assert_cmpuint (n_masked, <=, 3);
  }
}

/* ---- Standardised columns ---- */

enum { COLUMNS = 70, SCALED_ROWS = 31 };

static void
open_scaler (Layer *layer, SegueNnScaler *scaler, guint n_threads)
{
  g_autoptr (GError) error = NULL;
  *layer = (Layer){ .threads = op_test_threads (n_threads), .weights = segue_nn_weights_new () };
  *scaler = (SegueNnScaler){ .size = COLUMNS };
  segue_nn_scaler_declare (scaler, layer->weights, "scaler");
  segue_nn_weights_allocate (layer->weights, &error);
  g_assert_no_error (error);
  segue_nn_weights_init (layer->weights, layer->threads, 1);
}

/* Columns have mean 0 and variance 1 after it, in place as well, whatever their offset; constant ones are 0. Any number
 * of threads gives the same bits. */
static void
test_scaler (void)
{
  enum { N = SCALED_ROWS * COLUMNS, CONSTANT = 3, TINY = 5 };
  Layer layer, other;
  SegueNnScaler scaler, threaded;
  g_autofree float *x = op_test_random (1, N, -1, 1), *y = g_new (float, N);
  open_scaler (&layer, &scaler, 1);
  segue_nn_scaler_forward (&scaler, layer.threads, SCALED_ROWS, x, y);
  g_assert_cmpmem (y, N * sizeof *y, x, N * sizeof *x);
  for (gsize i = 0; i < SCALED_ROWS; i++) {
    for (gsize j = 0; j < COLUMNS; j++)
      x[i * COLUMNS + j] = 100.0f * (float) j + x[i * COLUMNS + j] * (float) (j + 1);
    x[i * COLUMNS + CONSTANT] = 0.1f;
    x[i * COLUMNS + TINY] = i % 2 == 0 ? 1e-44f : 0.0f;
  }
  segue_nn_scaler_fit (&scaler, layer.threads, SCALED_ROWS, x);
  open_scaler (&other, &threaded, 3);
  segue_nn_scaler_fit (&threaded, other.threads, SCALED_ROWS, x);
  g_assert_cmpmem (threaded.mean.w, COLUMNS * sizeof (float), scaler.mean.w,
                   COLUMNS * sizeof (float));
  g_assert_cmpmem (threaded.deviation.w, COLUMNS * sizeof (float), scaler.deviation.w,
                   COLUMNS * sizeof (float));
  segue_nn_scaler_forward (&scaler, layer.threads, SCALED_ROWS, x, y);
  segue_nn_scaler_forward (&threaded, other.threads, SCALED_ROWS, x, x);
  g_assert_cmpmem (x, N * sizeof *x, y, N * sizeof *y);
  for (gsize j = 0; j < COLUMNS; j++) {
    double mean = 0.0, square = 0.0;
    for (gsize i = 0; i < SCALED_ROWS; i++) {
      mean += (double) y[i * COLUMNS + j] / SCALED_ROWS;
      square += pow ((double) y[i * COLUMNS + j], 2) / SCALED_ROWS;
    }
    gboolean is_constant = j == CONSTANT || j == TINY;
    g_assert_cmpfloat_with_epsilon (mean, 0.0, 1e-4);
    g_assert_cmpfloat_with_epsilon (square, is_constant ? 0.0 : 1.0, 1e-4);
    g_assert_true (!is_constant || scaler.deviation.w[j] == 1.0f);
  }
  layer_close (&layer);
  layer_close (&other);
}

static void
test_scaler_folder (void)
{
  g_autoptr (GError) error = NULL;
  Layer layer;
  SegueNnScaler scaler;
  open_scaler (&layer, &scaler, 1);
  g_assert_true (segue_nn_scaler_check (&scaler, "folder", NULL));
  scaler.deviation.w[69] = 0.0f;
  g_assert_false (segue_nn_scaler_check (&scaler, "folder", &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, "column 69"));
  layer_close (&layer);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/layers/conv-encoder/gradients", test_encoder);
  g_test_add_func ("/layers/conv-encoder/lengths", test_encoder_lengths);
  g_test_add_func ("/layers/conv-encoder/config", test_encoder_config);
  g_test_add_func ("/layers/positional-conv/gradients", test_positional);
  g_test_add_func ("/layers/positional-conv/weight", test_positional_weight);
  g_test_add_func ("/layers/head", test_head);
  g_test_add_func ("/layers/spec-augment/frames", test_masks);
  g_test_add_func ("/layers/spec-augment/channels", test_channel_masks);
  g_test_add_func ("/layers/scaler/columns", test_scaler);
  g_test_add_func ("/layers/scaler/folder", test_scaler_folder);
  return g_test_run ();
}
