/* Properties that the golden tests can't compare with the reference: new models, randomness in training, frozen
 * parts, impossible lengths. */
#include "test-small.h"

#include <math.h>
#include <string.h>

/* Of differences: small against the curvature, large against the rounding of losses. */
#define STEP        0.002f
#define SLOPE_LIMIT 0.03

/* ---- New models ---- */

static void
test_defaults (void)
{
  g_autoptr (GError) error = NULL;
  const SegueModelSpec spec = SEGUE_INIT (SegueModelSpec, .labels = small_labels, .threads = 2,
                                          .rate = 16000, .length = 160000);
  g_autoptr (SegueModel) model = segue_model_new (&hubert_model_type, NULL, &spec, &error);
  g_assert_no_error (error);
  const HubertModel *impl = segue_model_get_impl (model);
  g_assert_cmpuint (impl->transformer.hidden, ==, 768);
  g_assert_cmpuint (impl->n_layers, ==, 2);
  g_assert_false (impl->has_feature_norm);
  g_assert_cmpuint (segue_nn_conv_encoder_get_frames (&impl->encoder, 160000), ==, 499);
  g_assert_cmpfloat (impl->transformer.hidden_dropout, ==, 0.1f);
  g_assert_cmpfloat (impl->layerdrop, ==, 0.0f);
  g_assert_false (impl->masks.is_on);
  g_assert_false (impl->encoder.standardise);
  g_assert_cmpint (impl->freeze, ==, HUBERT_FREEZE_NONE);

  SegueModelInfo info = SEGUE_INIT (SegueModelInfo);
  segue_model_describe (model, &info);
  g_assert_cmpuint (info.rate, ==, 16000);
  g_assert_cmpuint (info.min_length, ==, 400);
  g_assert_cmpuint (info.n_labels, ==, 3);
  g_assert_false (info.coupled);
}

/* Standard deviation of a tensor's values, and whether its mean is near 0. */
static double
deviation (const HubertModel *model, const char *name)
{
  g_autoptr (GArray) tensors = segue_nn_weights_list (model->base.weights);
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *t = &g_array_index (tensors, SegueModelTensor, i);
    if (!g_str_equal (t->name, name))
      continue;
    const float *values = t->value;
    double sum = 0, squares = 0;
    for (gsize j = 0; j < t->n_elements; j++) {
      sum += (double) values[j];
      squares += (double) values[j] * (double) values[j];
    }
    double mean = sum / (double) t->n_elements;
    g_assert_cmpfloat (fabs (mean), <, 0.1 * sqrt (squares / (double) t->n_elements));
    return sqrt (squares / (double) t->n_elements - mean * mean);
  }
  g_assert_not_reached ();
}

static void
test_init (SmallFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const SegueModelSpec spec =
    SEGUE_INIT (SegueModelSpec, .labels = small_labels, .threads = 1, .seed = 1);
  f->params.hidden_size = 192;
  f->params.intermediate_size = 400;
  g_array_index (f->params.conv_dim, gint64, 1) = 256;
  HubertModel *model = hubert_model_create (&f->params, &spec, &error);
  g_assert_no_error (error);
  g_assert_cmpfloat_with_epsilon (
    deviation (model, "hubert.encoder.layers.1.feed_forward.output_dense.weight"), 0.02, 0.001);
  g_assert_cmpfloat_with_epsilon (
    deviation (model, "hubert.feature_extractor.conv_layers.1.conv.weight"), sqrt (2.0 / 18), 0.02);
  g_assert_cmpfloat_with_epsilon (
    deviation (model, "hubert.encoder.pos_conv_embed.conv.parametrizations.weight.original1"),
    1 / sqrt (96 * 4) / sqrt (3), 0.002);

  /* The normalised weight of the positional convolution starts as v itself. */
  segue_nn_weights_refresh (model->base.weights, model->base.threads);
  gsize n = 192 * 96 * 4;
  for (gsize i = 0; i < n; i++)
    g_assert_cmpfloat_with_epsilon (model->positional.conv.weight.w[i], model->positional.v.w[i],
                                    1e-6f);
  hubert_model_free (model);
}

static void
test_seed (SmallFixture *f, gconstpointer data)
{
  HubertModel *a = small_create (f, 1), *b = small_create (f, 1), *c = small_create (f, 2);
  g_autoptr (GArray) of_a = segue_nn_model_list_tensors (a);
  g_autoptr (GArray) of_b = segue_nn_model_list_tensors (b);
  g_autoptr (GArray) of_c = segue_nn_model_list_tensors (c);
  guint others = 0;
  for (guint i = 0; i < of_a->len; i++) {
    const SegueModelTensor *t = &g_array_index (of_a, SegueModelTensor, i);
    gsize bytes = t->n_elements * sizeof (float);
    g_assert_cmpmem (t->value, bytes, g_array_index (of_b, SegueModelTensor, i).value, bytes);
    others += memcmp (t->value, g_array_index (of_c, SegueModelTensor, i).value, bytes) != 0;
  }
  g_assert_cmpuint (others, >, 0);
  hubert_model_free (a);
  hubert_model_free (b);
  hubert_model_free (c);
}

static void
test_spec_refused (SmallFixture *f, gconstpointer data)
{
  const SegueModelSpec rate =
    SEGUE_INIT (SegueModelSpec, .labels = small_labels, .threads = 1, .rate = 44100);
  const SegueModelSpec length =
    SEGUE_INIT (SegueModelSpec, .labels = small_labels, .threads = 1, .length = 19);
  g_autoptr (GError) error = NULL;
  g_assert_null (hubert_model_create (&f->params, &rate, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
  g_assert_nonnull (strstr (error->message, "16000 Hz"));
  g_clear_error (&error);
  g_assert_null (hubert_model_create (&f->params, &length, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
  g_clear_error (&error);
  f->params.num_attention_heads = 5;
  g_assert_null (hubert_model_create (
    &f->params, &(SegueModelSpec) SEGUE_INIT (SegueModelSpec, .labels = small_labels, .threads = 1),
    &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
  g_assert_nonnull (strstr (error->message, "num_attention_heads must divide hidden_size"));
}

/* ---- Training ---- */

static void
make_noisy (SmallFixture *f)
{
  f->params.hidden_dropout = 0.2;
  f->params.attention_dropout = 0.3;
  f->params.activation_dropout = 0.1;
  f->params.feat_proj_dropout = 0.15;
  f->params.apply_spec_augment = TRUE;
  f->params.mask_time_prob = 0.3;
  f->params.mask_time_length = 4;
  f->params.mask_feature_prob = 0.2;
  f->params.mask_feature_length = 2;
}

/* Even with random values a training pass is a function of the weights: its gradient is the slope of the loss
 * along each tensor's own gradient. */
static void
check_slopes (HubertModel *model)
{
  g_auto (SmallRun) run = { NULL };
  g_autofree float *samples = small_samples (SMALL_BATCH, SMALL_LENGTH);
  g_autoptr (GArray) tensors = segue_nn_model_list_tensors (model);
  memset (segue_nn_weights_get_gradients (model->base.weights), 0,
          segue_nn_weights_get_size (model->base.weights) * sizeof (float));
  small_run_pass (&run, model, SEGUE_MODEL_TRAIN, SMALL_BATCH, samples, 0, TRUE);
  double all = 0;
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *t = &g_array_index (tensors, SegueModelTensor, i);
    for (gsize j = 0; t->gradient && j < t->n_elements; j++)
      all += pow ((double) t->gradient[j], 2);
  }

  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *t = &g_array_index (tensors, SegueModelTensor, i);
    const float *gradient = t->gradient;
    float *values = t->value;
    if (!gradient)
      continue;
    g_autofree float *was = g_memdup2 (values, t->n_elements * sizeof *values);
    double squares = 0, losses[2];
    for (gsize j = 0; j < t->n_elements; j++)
      squares += pow ((double) gradient[j], 2);
    double norm = sqrt (squares);
    if (norm < 1e-2 * sqrt (all))
      continue;
    for (guint side = 0; side < 2; side++) {
      float h = (side == 0 ? STEP : -STEP) / (float) norm;
      for (gsize j = 0; j < t->n_elements; j++)
        values[j] = was[j] + h * gradient[j];
      segue_nn_model_changed (model);
      losses[side] =
        small_run_pass (&run, model, SEGUE_MODEL_TRAIN, SMALL_BATCH, samples, 0, FALSE);
    }
    memcpy (values, was, t->n_elements * sizeof *values);
    segue_nn_model_changed (model);
    double slope = (losses[0] - losses[1]) / (2.0 * (double) STEP);
    if (fabs (slope - norm) > SLOPE_LIMIT * norm)
      g_test_message ("%s: slope %g, gradient %g", t->name, slope, norm);
    g_assert_cmpfloat (fabs (slope - norm), <=, SLOPE_LIMIT * norm);
  }
}

static void
test_noisy_gradients (SmallFixture *f, gconstpointer data)
{
  make_noisy (f);
  f->params.hidden_act = 4; /* silu: smooth */
  for (guint variant = 0; variant < 4; variant++) {
    f->params.do_stable_layer_norm = variant & 1;
    f->params.use_weighted_layer_sum = variant & 2;
    HubertModel *model = small_create (f, 4 + variant);
    check_slopes (model);
    hubert_model_free (model);
  }
}

/* A layer is skipped in about the share of steps that layerdrop specifies, and then passes its state on. */
static void
test_layerdrop (SmallFixture *f, gconstpointer data)
{
  f->params.layerdrop = 0.5;
  f->params.num_hidden_layers = 3;
  f->params.use_weighted_layer_sum = TRUE;
  HubertModel *model = small_create (f, 7);
  g_autofree float *samples = small_samples (SMALL_BATCH, SMALL_LENGTH);
  HubertWorkspace ws;
  guint skipped = 0;
  hubert_lay (model, SMALL_BATCH, SMALL_LENGTH, TRUE, NULL, &ws);
  for (guint step = 0; step < 1000; step++) {
    const SegueModelPass pass = SEGUE_INIT (SegueModelPass, .seed = 1, .step = step);
    for (guint layer = 0; layer < 3; layer++)
      skipped += hubert_is_skipped (model, &ws, &pass, layer);
  }
  g_assert_cmpuint (skipped, >, 1400);
  g_assert_cmpuint (skipped, <, 1600);
  check_slopes (model);

  model->layerdrop = 0.999999f;
  g_auto (SmallRun) run = { NULL };
  small_run_pass (&run, model, SEGUE_MODEL_TRAIN, SMALL_BATCH, samples, 0, TRUE);
  hubert_lay (model, SMALL_BATCH, SMALL_LENGTH, TRUE, run.pass.workspace, &ws);
  g_assert_true (hubert_get_state (model, &ws, &run.pass, 3) == ws.first);
  hubert_model_free (model);
}

/* A batch in two parts: the same outputs bit for bit, the same gradients except for the order of sums. */
static void
test_split_batch (SmallFixture *f, gconstpointer data)
{
  make_noisy (f);
  f->params.layerdrop = 0.3;
  HubertModel *model = small_create (f, 5);
  g_autofree float *samples = small_samples (SMALL_BATCH, SMALL_LENGTH);
  gsize n = segue_nn_weights_get_size (model->base.weights),
        half = SMALL_BATCH / 2 * model->base.n_labels;
  g_auto (SmallRun) whole = { NULL };
  g_auto (SmallRun) part = { NULL };
  small_run_pass (&whole, model, SEGUE_MODEL_TRAIN, SMALL_BATCH, samples, 0, TRUE);
  g_autofree float *gradients =
    g_memdup2 (segue_nn_weights_get_gradients (model->base.weights), n * sizeof (float));
  memset (segue_nn_weights_get_gradients (model->base.weights), 0, n * sizeof (float));
  for (guint i = 0; i < 2; i++) {
    guint first = i * SMALL_BATCH / 2;
    small_run_pass (&part, model, SEGUE_MODEL_TRAIN, SMALL_BATCH / 2,
                    samples + first * SMALL_LENGTH, first, TRUE);
    g_assert_cmpmem (part.pass.logits, half * sizeof (float), whole.pass.logits + i * half,
                     half * sizeof (float));
  }
  double difference = 0, norm = 0;
  for (gsize i = 0; i < n; i++) {
    difference += pow (
      (double) gradients[i] - (double) segue_nn_weights_get_gradients (model->base.weights)[i], 2);
    norm += pow ((double) gradients[i], 2);
  }
  g_assert_cmpfloat (norm, >, 0);
  g_assert_cmpfloat (difference, <, 1e-10 * norm);
  hubert_model_free (model);
}

/* Dropout, layerdrop and masks don't affect inference. */
static void
test_inference_is_quiet (SmallFixture *f, gconstpointer data)
{
  g_autofree float *samples = small_samples (SMALL_BATCH, SMALL_LENGTH);
  HubertModel *quiet = small_create (f, 6);
  make_noisy (f);
  f->params.layerdrop = 0.9;
  HubertModel *noisy = small_create (f, 6);
  g_auto (SmallRun) a = { NULL };
  g_auto (SmallRun) b = { NULL };
  small_run_pass (&a, quiet, SEGUE_MODEL_INFER, SMALL_BATCH, samples, 0, FALSE);
  small_run_pass (&b, noisy, SEGUE_MODEL_INFER, SMALL_BATCH, samples, 0, FALSE);
  g_assert_cmpmem (a.pass.logits, small_logits_bytes (quiet), b.pass.logits,
                   small_logits_bytes (noisy));
  small_run_pass (&b, noisy, SEGUE_MODEL_TRAIN, SMALL_BATCH, samples, 0, FALSE);
  g_assert_cmpint (memcmp (a.pass.logits, b.pass.logits, small_logits_bytes (quiet)), !=, 0);
  hubert_model_free (quiet);
  hubert_model_free (noisy);
}

/* ---- Frozen parts ---- */

static void
test_frozen (SmallFixture *f, gconstpointer data)
{
  g_autofree float *samples = small_samples (SMALL_BATCH, SMALL_LENGTH);
  make_noisy (f);
  f->params.use_weighted_layer_sum = TRUE;
  for (HubertFreeze freeze = HUBERT_FREEZE_FEATURE_ENCODER; freeze <= HUBERT_FREEZE_BASE;
       freeze++) {
    f->params.freeze = (int) freeze;
    HubertModel *model = small_create (f, 6);
    /* Dropout and masks of what is frozen are off: training a part of nothing but the head has the logits of
     * inference. */
    g_auto (SmallRun) a = { NULL };
    g_auto (SmallRun) b = { NULL };
    small_run_pass (&a, model, SEGUE_MODEL_INFER, SMALL_BATCH, samples, 0, FALSE);
    small_run_pass (&b, model, SEGUE_MODEL_TRAIN, SMALL_BATCH, samples, 0, TRUE);
    g_assert_true ((memcmp (a.pass.logits, b.pass.logits, small_logits_bytes (model)) == 0) ==
                   (freeze == HUBERT_FREEZE_BASE));

    g_autoptr (GArray) tensors = hubert_model_type.list_tensors (model);
    for (guint i = 0; i < tensors->len; i++) {
      const SegueModelTensor *t = &g_array_index (tensors, SegueModelTensor, i);
      gboolean encoder = strstr (t->name, "feature_extractor") != NULL;
      gboolean head = !g_str_has_prefix (t->name, "hubert.");
      g_assert_true ((t->gradient != NULL) == (freeze == HUBERT_FREEZE_BASE ? head : !encoder));
      gsize n_elements = 1;
      for (guint j = 0; j < t->rank; j++)
        n_elements *= t->shape[j];
      g_assert_cmpuint (n_elements, ==, t->n_elements);
      g_assert_true (t->decay ==
                     (!g_str_has_suffix (t->name, "bias") && !strstr (t->name, "layer_norm")));
    }
    hubert_model_free (model);
  }
}

static void
test_normalise (SmallFixture *f, gconstpointer data)
{
  g_autofree float *samples = small_samples (SMALL_BATCH, SMALL_LENGTH);
  f->params.do_normalize = TRUE;
  HubertModel *model = small_create (f, 2);
  g_auto (SmallRun) a = { NULL };
  g_auto (SmallRun) b = { NULL };
  small_run_pass (&a, model, SEGUE_MODEL_INFER, SMALL_BATCH, samples, 0, FALSE);
  for (gsize i = 0; i < SMALL_BATCH * SMALL_LENGTH; i++)
    samples[i] = samples[i] * 3.0f + 0.25f;
  small_run_pass (&b, model, SEGUE_MODEL_INFER, SMALL_BATCH, samples, 0, FALSE);
  for (guint i = 0; i < SMALL_BATCH * 3; i++)
    g_assert_cmpfloat_with_epsilon (a.pass.logits[i], b.pass.logits[i], 1e-4f);
  /* Silence causes no division by zero. */
  memset (samples, 0, SMALL_BATCH * SMALL_LENGTH * sizeof *samples);
  small_run_pass (&b, model, SEGUE_MODEL_TRAIN, SMALL_BATCH, samples, 0, TRUE);
  for (gsize i = 0; i < segue_nn_weights_get_size (model->base.weights); i++)
    g_assert_true (isfinite (segue_nn_weights_get_gradients (model->base.weights)[i]));
  hubert_model_free (model);
}

static void
test_impossible_lengths (SmallFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  HubertModel *model = small_create (f, 2);
  float input[19] = { 0 }, logits[3];
  SegueModelPass pass =
    SEGUE_INIT (SegueModelPass, .batch = 1, .length = 19, .input = input, .logits = logits);
  g_assert_cmpuint (hubert_model_type.plan (model, 1, 20, SEGUE_MODEL_TRAIN), <, 1 << 20);
  g_assert_cmpuint (hubert_model_type.plan (model, 1, 19, SEGUE_MODEL_TRAIN), ==, G_MAXSIZE);
  g_assert_cmpuint (hubert_model_type.plan (model, G_MAXUINT, G_MAXSIZE / 2, SEGUE_MODEL_TRAIN), ==,
                    G_MAXSIZE);
  g_assert_cmpuint (hubert_model_type.plan (model, 1 << 30, (gsize) 1 << 39, SEGUE_MODEL_TRAIN), ==,
                    G_MAXSIZE);
  g_assert_false (hubert_model_type.forward (model, &pass, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  hubert_model_free (model);
}

#define ADD(path, function)                                                                        \
  g_test_add (path, SmallFixture, NULL, small_set_up, function, small_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/distilhubert/new/defaults", test_defaults);
  ADD ("/distilhubert/new/init", test_init);
  ADD ("/distilhubert/new/seed", test_seed);
  ADD ("/distilhubert/new/spec-refused", test_spec_refused);
  ADD ("/distilhubert/train/noisy-gradients", test_noisy_gradients);
  ADD ("/distilhubert/train/layerdrop", test_layerdrop);
  ADD ("/distilhubert/train/split-batch", test_split_batch);
  ADD ("/distilhubert/infer/quiet", test_inference_is_quiet);
  ADD ("/distilhubert/infer/normalise", test_normalise);
  ADD ("/distilhubert/infer/impossible-lengths", test_impossible_lengths);
  ADD ("/distilhubert/frozen", test_frozen);
  return g_test_run ();
}
