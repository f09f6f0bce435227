/* DistilHuBERT at its own size. Its weights come from a formula that formula.py shares, so that 94 MB need not be
 * stored: beyond the small fixtures this tests the tiles and blocks that only large matrices use. */
#include "fixture.h"

#include <math.h>
#include <string.h>

#define BATCH   2
#define LENGTH  24000
#define SAMPLES 1000 /* index of the samples among the formula's tensors */

/* A 32-bit finaliser; see formula.py, which must match. */
static guint32
mix (guint32 x)
{
  x = (x ^ (x >> 16)) * 0x7feb352du;
  x = (x ^ (x >> 15)) * 0x846ca68bu;
  return x ^ (x >> 16);
}

/* Number i of tensor `index`, in [-1, 1). */
static float
number (guint32 index, gsize i)
{
  guint32 h = mix (mix (index + 1) ^ (guint32) i);
  return (float) (h >> 8) / 8388608.0f - 1.0f;
}

static void
fill (const SegueNnTensor *tensor, gsize n, guint32 index, float *values)
{
  gsize fan_in = 1;
  for (guint i = 1; i < tensor->rank; i++)
    fan_in *= tensor->shape[i];
  gboolean length = g_str_has_suffix (tensor->name, "original0");
  gboolean scale =
    strstr (tensor->name, "layer_norm") && g_str_has_suffix (tensor->name, ".weight");
  float linear = (float) sqrt (3.0 / (double) fan_in);
  for (gsize i = 0; i < n; i++) {
    float u = number (index, i);
    values[i] = length             ? 2.0f + 0.5f * u
                : scale            ? 1.0f + 0.25f * u
                : tensor->rank < 2 ? 0.25f * u
                                   : linear * u;
  }
}

/* SegueModelTensor by name. */
static int
by_name (gconstpointer a, gconstpointer b, gpointer tensors)
{
  const SegueModelTensor *one =
    &g_array_index ((GArray *) tensors, SegueModelTensor, *(const guint *) a);
  const SegueModelTensor *other =
    &g_array_index ((GArray *) tensors, SegueModelTensor, *(const guint *) b);
  return strcmp (one->name, other->name);
}

static void
fill_weights (HubertModel *model)
{
  const SegueNnWeights *weights = model->base.weights;
  g_autoptr (GArray) tensors = segue_nn_weights_list (weights);
  g_autoptr (GArray) sorted = g_array_new (FALSE, FALSE, sizeof (guint));
  for (guint i = 0; i < tensors->len; i++)
    g_array_append_val (sorted, i);
  g_array_sort_with_data (sorted, by_name, tensors);
  for (guint i = 0; i < sorted->len; i++) {
    guint index = g_array_index (sorted, guint, i);
    const SegueModelTensor *tensor = &g_array_index (tensors, SegueModelTensor, index);
    g_autofree float *torch = g_new (float, tensor->n_elements);
    fill (segue_nn_weights_get_declared (weights, index), tensor->n_elements, i, torch);
    segue_nn_weights_pack (weights, model->base.threads, index, torch, tensor->value);
  }
  segue_nn_model_changed (model);
}

static float *
make_samples (void)
{
  float *samples = g_new (float, BATCH *LENGTH);
  for (gsize i = 0; i < BATCH * LENGTH; i++) {
    float ramp = fabsf ((float) (i % LENGTH % 2000) - 1000.0f) / 1000.0f;
    samples[i] = number (SAMPLES, i) * ramp * 0.5f;
  }
  return samples;
}

/* The parameters' own defaults are DistilHuBERT's; here they are repeated, to compare them with the fixture's
 * config.json. */
static HubertParams
full_size_params (GArray *lists[3])
{
  static const gint64 values[3][7] = { { 512, 512, 512, 512, 512, 512, 512 },
                                       { 10, 3, 3, 3, 3, 2, 2 },
                                       { 5, 2, 2, 2, 2, 2, 2 } };
  for (guint i = 0; i < 3; i++) {
    lists[i] = g_array_new (FALSE, FALSE, sizeof (gint64));
    g_array_append_vals (lists[i], values[i], 7);
  }
  HubertParams p = golden_as_the_folder;
  p.hidden_size = 768;
  p.num_hidden_layers = 2;
  p.num_attention_heads = 12;
  p.intermediate_size = 3072;
  p.conv_dim = lists[0];
  p.conv_kernel = lists[1];
  p.conv_stride = lists[2];
  p.num_conv_pos_embeddings = 128;
  p.num_conv_pos_embedding_groups = 16;
  p.classifier_proj_size = 256;
  p.layer_norm_eps = 1e-5;
  p.hidden_dropout = p.attention_dropout = p.activation_dropout = 0;
  return p;
}

/* NULL, with a message, where this processor has no such precision. */
static GoldenRun *
run_in (SegueModelPrecision precision)
{
  g_autoptr (GError) error = NULL;
  const char *const labels[] = { "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", NULL };
  const SegueModelSpec spec = SEGUE_INIT (SegueModelSpec, .labels = labels, .threads = 2,
                                          .rate = 16000, .length = LENGTH, .precision = precision);
  const gint32 targets[BATCH] = { 0, 7 };
  GArray *lists[3];
  HubertParams params = full_size_params (lists);
  HubertModel *model = hubert_model_create (&params, &spec, &error);
  for (guint i = 0; i < 3; i++)
    g_array_unref (lists[i]);
  if (precision != SEGUE_MODEL_FLOAT32 &&
      g_error_matches (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE)) {
    g_test_skip (error->message);
    return NULL;
  }
  g_assert_no_error (error);
  fill_weights (model);
  g_autofree float *samples = make_samples ();
  return golden_run_from_model (model, BATCH, LENGTH, samples, targets);
}

static GoldenRun *
full_size_run (void)
{
  return run_in (SEGUE_MODEL_FLOAT32);
}

/* Compares the numbers stored in the fixture, at equal distances, and the norm of all. */
static double
compare_picked (SegueSafetensors *reference, const char *name, const float *values, gsize n)
{
  gsize n_picked;
  g_autofree char *norm_name = g_strconcat ("norm.", name, NULL);
  g_autofree float *picked = golden_read (reference, name, &n_picked);
  g_autofree float *norm = golden_read (reference, norm_name, NULL);
  g_autofree float *found = g_new (float, n_picked);
  gsize distance = MAX (n / 64, 1);
  for (gsize i = 0; i < n_picked; i++)
    found[i] = values[i * distance];
  double of_norm = fabs (golden_norm (values, n) - (double) norm[0]) / (double) norm[0];
  double scale = (double) norm[0] / sqrt ((double) n);
  double largest = 0;
  for (gsize i = 0; i < n_picked; i++)
    largest = MAX (largest, fabs ((double) found[i] - (double) picked[i]) / scale);
  return MAX (of_norm, largest);
}

static void
test_forward (void)
{
  g_autoptr (SegueSafetensors) reference = golden_open ("full-size", "golden.safetensors");
  g_autoptr (GoldenRun) run = full_size_run ();
  double loss = golden_run_forward (run);
  for (guint i = 0; i <= run->model->n_layers; i++) {
    g_autofree char *name = g_strdup_printf ("hidden_states.%u", i);
    double difference =
      compare_picked (reference, name, hubert_get_state (run->model, &run->layout, &run->pass, i),
                      run->layout.rows * run->model->transformer.hidden);
    g_test_message ("%s: %.2g", name, difference);
    g_assert_cmpfloat (difference, <=, 1e-4);
  }
  g_autofree float *logits = golden_read (reference, "logits", NULL);
  double difference =
    golden_max_difference (run->logits, logits, BATCH * run->model->base.n_labels);
  g_test_message ("logits: %.2g", difference);
  g_assert_cmpfloat (difference, <=, 1e-4);
  g_autofree float *expected = golden_read (reference, "loss", NULL);
  g_assert_cmpfloat_with_epsilon (loss, (double) expected[0], 1e-4 * (double) expected[0]);
}

static void
test_gradients (void)
{
  g_autoptr (SegueSafetensors) reference = golden_open ("full-size", "golden.safetensors");
  g_autoptr (GoldenRun) run = full_size_run ();
  g_autoptr (GArray) tensors = segue_nn_model_list_tensors (run->model);
  double worst = 0;
  golden_run_forward (run);
  golden_run_backward (run);
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *tensor = &g_array_index (tensors, SegueModelTensor, i);
    /* Exactly 0; the small fixtures limit the noise in its place. */
    if (!tensor->gradient || g_str_has_suffix (tensor->name, "k_proj.bias"))
      continue;
    g_autofree char *name = g_strconcat ("gradient.", tensor->name, NULL);
    g_autofree float *found = golden_gradient (run, tensor, i);
    double difference = compare_picked (reference, name, found, tensor->n_elements);
    if (!(difference <= 1e-3))
      g_test_message ("%s: %.3g", name, difference);
    g_assert_cmpfloat (difference, <=, 1e-3);
    worst = MAX (worst, difference);
  }
  g_test_message ("largest relative difference of a gradient: %.2g", worst);
}

/* The same training step on one thread and on three, and item by item: bit for bit. */
static void
test_bits (gconstpointer data)
{
  SegueModelPrecision precision = GPOINTER_TO_UINT (data);
  g_autoptr (GoldenRun) run = run_in (precision);
  g_autoptr (GoldenRun) half = run_in (precision);
  if (!run)
    return;
  gsize n = run->model->base.n_labels;
  golden_run_forward (run);
  half->pass.batch = 1;
  for (guint item = 0; item < BATCH; item++) {
    g_autoptr (GError) error = NULL;
    half->pass.input = half->samples + item * LENGTH;
    half->pass.logits = half->logits + item * n;
    g_assert_true (hubert_model_type.forward (half->model, &half->pass, &error));
  }
  g_assert_cmpmem (run->logits, BATCH * n * sizeof (float), half->logits,
                   BATCH * n * sizeof (float));

  g_clear_pointer (&half->model->base.threads, segue_nn_threads_free);
  half->model->base.threads = segue_nn_threads_new (1, NULL, NULL);
  g_assert_true (segue_nn_model_set_precision (&half->model->base, precision, NULL));
  segue_nn_model_changed (half->model);
  half->pass.batch = BATCH;
  half->pass.input = half->samples;
  half->pass.logits = half->logits;
  golden_run_forward (half);
  golden_run_backward (half);
  golden_run_backward (run);
  gsize bytes = segue_nn_weights_get_size (run->model->base.weights) * sizeof (float);
  g_assert_cmpmem (run->logits, BATCH * n * sizeof (float), half->logits,
                   BATCH * n * sizeof (float));
  g_assert_cmpmem (segue_nn_weights_get_gradients (run->model->base.weights), bytes,
                   segue_nn_weights_get_gradients (half->model->base.weights), bytes);
}

/* Of all gradients together: ‖a − b‖ / ‖b‖. */
static double
gradient_distance (const GoldenRun *a, const GoldenRun *b)
{
  gsize n = segue_nn_weights_get_size (a->model->base.weights);
  const float *of_b = segue_nn_weights_get_gradients (b->model->base.weights);
  return golden_distance (segue_nn_weights_get_gradients (a->model->base.weights), of_b, n) /
         golden_norm (of_b, n);
}

/* Rounded factors change outputs and gradients only a little. */
static void
test_precision (gconstpointer data)
{
  static const double of_logits[] = { [SEGUE_MODEL_BFLOAT16] = 0.02, [SEGUE_MODEL_INT8] = 0.06 };
  SegueModelPrecision precision = GPOINTER_TO_UINT (data);
  g_autoptr (GoldenRun) exact = full_size_run ();
  g_autoptr (GoldenRun) run = run_in (precision);
  if (!run)
    return;
  double loss = golden_run_forward (exact);
  g_assert_cmpfloat_with_epsilon (golden_run_forward (run), loss, 0.02 * loss);
  double difference =
    golden_max_difference (run->logits, exact->logits, BATCH * run->model->base.n_labels);
  g_test_message ("logits: %.2g", difference);
  g_assert_cmpfloat (difference, >, 0);
  g_assert_cmpfloat (difference, <=, of_logits[precision]);
  if (precision == SEGUE_MODEL_INT8)
    return;
  golden_run_backward (exact);
  golden_run_backward (run);
  g_test_message ("gradients: %.2g", gradient_distance (run, exact));
  g_assert_cmpfloat (gradient_distance (run, exact), <=, 0.03);
}

static void
test_architecture (void)
{
  g_autoptr (GoldenRun) run = full_size_run ();
  const SegueNnConvEncoder *encoder = &run->model->encoder;
  gsize all = 0;
  g_autoptr (GArray) tensors = segue_nn_model_list_tensors (run->model);
  for (guint i = 0; i < tensors->len; i++)
    all += g_array_index (tensors, SegueModelTensor, i).n_elements;
  /* 23,491,968 of the base and 199,434 of the head. */
  g_assert_cmpuint (all, ==, 23691402);
  g_assert_cmpuint (segue_nn_conv_encoder_get_frames (encoder, 160000), ==, 499);
  g_assert_cmpuint (segue_nn_conv_encoder_get_min_length (encoder), ==, 400);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/full-size/architecture", test_architecture);
  g_test_add_func ("/full-size/forward", test_forward);
  g_test_add_func ("/full-size/gradients", test_gradients);
  g_test_add_data_func ("/full-size/bits/float32", GUINT_TO_POINTER (SEGUE_MODEL_FLOAT32),
                        test_bits);
  g_test_add_data_func ("/full-size/bits/bfloat16", GUINT_TO_POINTER (SEGUE_MODEL_BFLOAT16),
                        test_bits);
  g_test_add_data_func ("/full-size/precision/bfloat16", GUINT_TO_POINTER (SEGUE_MODEL_BFLOAT16),
                        test_precision);
  g_test_add_data_func ("/full-size/precision/int8", GUINT_TO_POINTER (SEGUE_MODEL_INT8),
                        test_precision);
  return g_test_run ();
}
