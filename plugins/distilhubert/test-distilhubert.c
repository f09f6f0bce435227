/* What the golden tests can't compare with the reference: randomness in training, frozen parts, labels, folders
 * of other origin, and what is refused. */
#include "architecture.h"
#include "folder.h"
#include "model-json.h"
#include "passes.h"

#include <glib/gstdio.h>
#include <math.h>
#include <segue/nn/cross-entropy.h>
#include <string.h>

#define LENGTH 400
#define BATCH  4

/* Of differences: small against the curvature, large against the rounding of losses. */
#define STEP        0.002f
#define SLOPE_LIMIT 0.03

static const char *const abc[] = { "a", "b", "c", NULL };

typedef struct {
  char *folder;
  HubertParams params;
} Fixture;

static GArray *
numbers (gint64 a, gint64 b)
{
  GArray *list = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_array_append_val (list, a);
  g_array_append_val (list, b);
  return list;
}

/* A model of a few thousand weights; everything random in training is off. */
static void
set_up (Fixture *f, gconstpointer data)
{
  f->folder = g_dir_make_tmp ("segue-distilhubert-XXXXXX", NULL);
  f->params = (HubertParams){
    .hidden_size = 12,
    .num_hidden_layers = 2,
    .num_attention_heads = 2,
    .intermediate_size = 20,
    .feat_proj_layer_norm = TRUE,
    .conv_dim = numbers (6, 8),
    .conv_kernel = numbers (10, 3),
    .conv_stride = numbers (5, 2),
    .num_conv_pos_embeddings = 4,
    .num_conv_pos_embedding_groups = 2,
    .classifier_proj_size = 5,
    .layer_norm_eps = 1e-5,
    .do_normalize = -1,
    .mask_time_prob = NAN,
    .mask_feature_prob = NAN,
    .mask_time_length = SEGUE_UNSET_INT,
    .mask_feature_length = SEGUE_UNSET_INT,
    .apply_spec_augment = -1,
  };
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  GDir *dir = g_dir_open (f->folder, 0, NULL);
  for (const char *name; (name = g_dir_read_name (dir)) != NULL;) {
    g_autofree char *path = g_build_filename (f->folder, name, NULL);
    g_unlink (path);
  }
  g_dir_close (dir);
  g_rmdir (f->folder);
  g_free (f->folder);
  g_array_unref (f->params.conv_dim);
  g_array_unref (f->params.conv_kernel);
  g_array_unref (f->params.conv_stride);
}

static HubertModel *
create (const Fixture *f, guint64 seed)
{
  g_autoptr (GError) error = NULL;
  const SegueModelSpec spec = { .labels = abc, .threads = 1, .seed = seed };
  HubertModel *model = hubert_model_create (&f->params, &spec, &error);
  g_assert_no_error (error);
  /* Initial weights are too small for differences to be told from rounding. */
  for (guint i = 0; i < model->weights.tensors->len; i++) {
    HubertTensor *tensor = &g_array_index (model->weights.tensors, HubertTensor, i);
    if (tensor->init != HUBERT_INIT_NORMAL)
      continue;
    tensor->amount = 0.3f;
    hubert_weights_init (&model->weights, &model->architecture, i, seed, model->pool);
  }
  return model;
}

/* Parameters of a loaded model where the pipeline says nothing. */
static HubertParams
as_the_folder (void)
{
  return (HubertParams){
    .do_normalize = -1,
    .hidden_dropout = NAN,
    .attention_dropout = NAN,
    .activation_dropout = NAN,
    .feat_proj_dropout = NAN,
    .layerdrop = NAN,
    .mask_time_prob = NAN,
    .mask_feature_prob = NAN,
    .mask_time_length = SEGUE_UNSET_INT,
    .mask_feature_length = SEGUE_UNSET_INT,
    .apply_spec_augment = -1,
  };
}

static HubertModel *
load (const Fixture *f, const char *const *labels, GError **error)
{
  const HubertParams params = as_the_folder ();
  const SegueModelSpec spec = { .labels = labels, .threads = 1, .seed = 9 };
  return hubert_model_load (f->folder, &params, &spec, error);
}

static void
save (const Fixture *f, HubertModel *model)
{
  g_autoptr (GError) error = NULL;
  hubert_model_save (model, f->folder, &error);
  g_assert_no_error (error);
}

static float *
make_samples (guint batch, gsize length)
{
  float *samples = g_new (float, batch *length);
  for (gsize i = 0; i < batch * length; i++)
    samples[i] =
      sinf ((float) i * 0.1f + (float) (i / length)) * 0.5f + sinf ((float) (i * i)) * 0.2f;
  return samples;
}

typedef struct {
  gpointer block;
  SegueModelPass pass;
  float *d_logits;
  guint64 items[BATCH];
} Run;

static void
run_clear (Run *run)
{
  g_free (run->block);
  g_free (run->pass.logits);
  g_free (run->d_logits);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Run, run_clear)

/* A forward pass, and a backward pass of d_logits = the loss's, labels 0, 1, 2, 0, …; returns the loss. */
static double
run_pass (Run *run, HubertModel *model, SegueModelMode mode, guint batch, const float *input,
          gboolean from_prefix, guint64 first_item, gboolean backward)
{
  g_autoptr (GError) error = NULL;
  const gint32 labels[BATCH] = { 0, 1, 2, 0 };
  /* As of a step of BATCH items, however many of them are in this pass. */
  const SegueNnCrossEntropy loss = { .batch = batch, .classes = model->n_labels, .divisor = BATCH };
  run_clear (run);
  gsize bytes = hubert_model_type.plan (model, batch, LENGTH, mode, from_prefix);
  run->block = g_malloc (bytes + 64);
  run->d_logits = g_new0 (float, batch * model->n_labels);
  for (guint i = 0; i < batch; i++)
    run->items[i] = first_item + i;
  run->pass = (SegueModelPass){
    .mode = mode,
    .batch = batch,
    .length = LENGTH,
    .input = input,
    .from_prefix = from_prefix,
    .items = run->items,
    .seed = 3,
    .step = 5,
    .workspace = (gpointer) (((guintptr) run->block + 63) & ~(guintptr) 63),
    .logits = g_new0 (float, batch * model->n_labels),
  };
  memset (run->pass.workspace, 0xff, bytes);
  g_assert_true (hubert_model_type.forward (model, &run->pass, &error));
  double value =
    segue_nn_cross_entropy_forward (&loss, run->pass.logits, labels + first_item, run->d_logits);
  segue_nn_cross_entropy_backward (&loss, run->d_logits, labels + first_item, run->d_logits);
  if (backward)
    g_assert_true (hubert_model_type.backward (model, &run->pass, run->d_logits, &error));
  return value;
}

static gsize
logits_bytes (const HubertModel *model)
{
  return BATCH * model->n_labels * sizeof (float);
}

/* ---- New models ---- */

static void
test_defaults (void)
{
  g_autoptr (GError) error = NULL;
  const SegueModelSpec spec = { .labels = abc, .threads = 2, .rate = 16000, .length = 160000 };
  g_autoptr (SegueModel) model = segue_model_new (&hubert_model_type, NULL, &spec, &error);
  g_assert_no_error (error);
  const HubertModel *impl = segue_model_get_impl (model);
  const HubertTraining *t = &impl->training;
  g_assert_cmpuint (impl->architecture.hidden, ==, 768);
  g_assert_cmpuint (impl->architecture.layers, ==, 2);
  g_assert_false (impl->architecture.feature_norm);
  g_assert_cmpuint (hubert_architecture_frames (&impl->architecture, 160000), ==, 499);
  g_assert_cmpfloat (t->hidden_dropout, ==, 0.1f);
  g_assert_cmpfloat (t->layerdrop, ==, 0.0f);
  g_assert_false (t->augment);
  g_assert_false (impl->preprocessor.normalise);
  g_assert_cmpint (impl->freeze, ==, HUBERT_FREEZE_NONE);

  SegueModelInfo info;
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
  for (guint i = 0; i < model->weights.tensors->len; i++) {
    const HubertTensor *t = &g_array_index (model->weights.tensors, HubertTensor, i);
    if (!g_str_equal (t->name, name))
      continue;
    const float *values = hubert_tensor_values (&model->weights, t);
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
test_init (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const SegueModelSpec spec = { .labels = abc, .threads = 1, .seed = 1 };
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
  gsize n = 192 * 96 * 4;
  for (gsize i = 0; i < n; i++)
    g_assert_cmpfloat_with_epsilon (model->positional[i], model->weights.positional_v.w[i], 1e-6f);
  hubert_model_free (model);
}

static void
test_seed (Fixture *f, gconstpointer data)
{
  HubertModel *a = create (f, 1), *b = create (f, 1), *c = create (f, 2);
  gsize bytes = a->weights.n_floats * sizeof (float);
  g_assert_cmpmem (a->weights.values, bytes, b->weights.values, bytes);
  g_assert_cmpint (memcmp (a->weights.values, c->weights.values, bytes), !=, 0);
  hubert_model_free (a);
  hubert_model_free (b);
  hubert_model_free (c);
}

static void
test_spec_refused (Fixture *f, gconstpointer data)
{
  const SegueModelSpec rate = { .labels = abc, .threads = 1, .rate = 44100 };
  const SegueModelSpec length = { .labels = abc, .threads = 1, .length = 19 };
  g_autoptr (GError) error = NULL;
  g_assert_null (hubert_model_create (&f->params, &rate, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
  g_assert_nonnull (strstr (error->message, "16000 Hz"));
  g_clear_error (&error);
  g_assert_null (hubert_model_create (&f->params, &length, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
  g_clear_error (&error);
  f->params.num_attention_heads = 5;
  g_assert_null (
    hubert_model_create (&f->params, &(SegueModelSpec){ .labels = abc, .threads = 1 }, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
  g_assert_nonnull (strstr (error->message, "num_attention_heads must divide hidden_size"));
}

/* ---- Training ---- */

static void
make_noisy (Fixture *f)
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

/* With all of its randomness a training pass is a function of the weights: its gradient is the slope of the
 * loss along each tensor's own gradient. */
static void
check_slopes (HubertModel *model)
{
  g_auto (Run) run = { NULL };
  g_autofree float *samples = make_samples (BATCH, LENGTH);
  gsize n_floats = model->weights.n_floats;
  memset (model->weights.gradients, 0, n_floats * sizeof (float));
  run_pass (&run, model, SEGUE_MODEL_TRAIN, BATCH, samples, FALSE, 0, TRUE);
  double all = 0;
  for (gsize i = 0; i < n_floats; i++)
    all += pow ((double) model->weights.gradients[i], 2);

  for (guint i = 0; i < model->weights.tensors->len; i++) {
    const HubertTensor *t = &g_array_index (model->weights.tensors, HubertTensor, i);
    const float *gradient = model->weights.gradients + t->offset;
    float *values = hubert_tensor_values (&model->weights, t);
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
      hubert_model_changed (model);
      losses[side] = run_pass (&run, model, SEGUE_MODEL_TRAIN, BATCH, samples, FALSE, 0, FALSE);
    }
    memcpy (values, was, t->n_elements * sizeof *values);
    hubert_model_changed (model);
    double slope = (losses[0] - losses[1]) / (2.0 * (double) STEP);
    if (fabs (slope - norm) > SLOPE_LIMIT * norm)
      g_test_message ("%s: slope %g, gradient %g", t->name, slope, norm);
    g_assert_cmpfloat (fabs (slope - norm), <=, SLOPE_LIMIT * norm);
  }
}

static void
test_noisy_gradients (Fixture *f, gconstpointer data)
{
  make_noisy (f);
  f->params.hidden_act = 4; /* silu: smooth */
  for (guint variant = 0; variant < 4; variant++) {
    f->params.do_stable_layer_norm = variant & 1;
    f->params.use_weighted_layer_sum = variant & 2;
    HubertModel *model = create (f, 4 + variant);
    check_slopes (model);
    hubert_model_free (model);
  }
}

/* A layer is left out in about the share of steps that layerdrop says, and then passes its state on. */
static void
test_layerdrop (Fixture *f, gconstpointer data)
{
  f->params.layerdrop = 0.5;
  f->params.num_hidden_layers = 3;
  f->params.use_weighted_layer_sum = TRUE;
  HubertModel *model = create (f, 7);
  g_autofree float *samples = make_samples (BATCH, LENGTH);
  HubertWorkspace ws;
  guint skipped = 0;
  hubert_workspace_lay (model, BATCH, LENGTH, TRUE, FALSE, NULL, &ws);
  for (guint step = 0; step < 1000; step++) {
    const SegueModelPass pass = { .seed = 1, .step = step };
    for (guint layer = 0; layer < 3; layer++)
      skipped += hubert_layer_is_skipped (model, &ws, &pass, layer);
  }
  g_assert_cmpuint (skipped, >, 1400);
  g_assert_cmpuint (skipped, <, 1600);
  check_slopes (model);

  model->training.layerdrop = 0.999999f;
  g_auto (Run) run = { NULL };
  run_pass (&run, model, SEGUE_MODEL_TRAIN, BATCH, samples, FALSE, 0, TRUE);
  hubert_workspace_lay (model, BATCH, LENGTH, TRUE, FALSE, run.pass.workspace, &ws);
  g_assert_true (hubert_hidden_state (model, &ws, &run.pass, 3) == ws.first);
  hubert_model_free (model);
}

/* A batch in two parts: the same answers bit for bit, the same gradients but for the order of sums. */
static void
test_split_batch (Fixture *f, gconstpointer data)
{
  make_noisy (f);
  f->params.layerdrop = 0.3;
  HubertModel *model = create (f, 5);
  g_autofree float *samples = make_samples (BATCH, LENGTH);
  gsize n = model->weights.n_floats, half = BATCH / 2 * model->n_labels;
  g_auto (Run) whole = { NULL };
  g_auto (Run) part = { NULL };
  run_pass (&whole, model, SEGUE_MODEL_TRAIN, BATCH, samples, FALSE, 0, TRUE);
  g_autofree float *gradients = g_memdup2 (model->weights.gradients, n * sizeof (float));
  memset (model->weights.gradients, 0, n * sizeof (float));
  for (guint i = 0; i < 2; i++) {
    guint first = i * BATCH / 2;
    run_pass (&part, model, SEGUE_MODEL_TRAIN, BATCH / 2, samples + first * LENGTH, FALSE, first,
              TRUE);
    g_assert_cmpmem (part.pass.logits, half * sizeof (float), whole.pass.logits + i * half,
                     half * sizeof (float));
  }
  double difference = 0, norm = 0;
  for (gsize i = 0; i < n; i++) {
    difference += pow ((double) gradients[i] - (double) model->weights.gradients[i], 2);
    norm += pow ((double) gradients[i], 2);
  }
  g_assert_cmpfloat (norm, >, 0);
  g_assert_cmpfloat (difference, <, 1e-10 * norm);
  hubert_model_free (model);
}

/* Dropout, layerdrop and masks leave inference alone. */
static void
test_inference_is_quiet (Fixture *f, gconstpointer data)
{
  g_autofree float *samples = make_samples (BATCH, LENGTH);
  HubertModel *quiet = create (f, 6);
  make_noisy (f);
  f->params.layerdrop = 0.9;
  HubertModel *noisy = create (f, 6);
  g_auto (Run) a = { NULL };
  g_auto (Run) b = { NULL };
  run_pass (&a, quiet, SEGUE_MODEL_INFER, BATCH, samples, FALSE, 0, FALSE);
  run_pass (&b, noisy, SEGUE_MODEL_INFER, BATCH, samples, FALSE, 0, FALSE);
  g_assert_cmpmem (a.pass.logits, logits_bytes (quiet), b.pass.logits, logits_bytes (noisy));
  run_pass (&b, noisy, SEGUE_MODEL_TRAIN, BATCH, samples, FALSE, 0, FALSE);
  g_assert_cmpint (memcmp (a.pass.logits, b.pass.logits, logits_bytes (quiet)), !=, 0);
  hubert_model_free (quiet);
  hubert_model_free (noisy);
}

/* Masks: the share that was asked for, whole spans, other ones for each item and step. */
static void
test_masks (Fixture *f, gconstpointer data)
{
  make_noisy (f);
  f->params.mask_feature_prob = 0;
  HubertModel *model = create (f, 8);
  gsize frames = 200, hidden = model->architecture.hidden;
  g_autofree float *x = g_new (float, 2 * frames * hidden);
  g_autofree guint8 *masks = g_new0 (guint8, 2 * frames);
  const guint64 items[] = { 1, 2 };
  HubertWorkspace ws = { .batch = 2, .frames = frames, .rows = 2 * frames, .time_mask = masks };
  guint masked = 0;
  for (guint step = 0; step < 100; step++) {
    const SegueModelPass pass = { .seed = 1, .step = step, .items = items };
    for (gsize i = 0; i < 2 * frames * hidden; i++)
      x[i] = 5.0f;
    hubert_mask_forward (model, &ws, &pass, x);
    g_assert_cmpint (memcmp (masks, masks + frames, frames), !=, 0);
    for (gsize row = 0; row < 2 * frames; row++) {
      masked += masks[row] != 0;
      float expected = masks[row] ? model->weights.mask_embedding.w[3] : 5.0f;
      g_assert_cmpfloat (x[row * hidden + 3], ==, expected);
    }
    for (gsize row = 1, run = masks[0] != 0; row <= frames; row++) {
      gboolean on = row < frames && masks[row] != 0;
      g_assert_true (on || run == 0 || run >= 4);
      run = on ? run + 1 : 0;
    }
  }
  /* Spans overlap, so fewer than 0.3 of all. */
  g_assert_cmpuint (masked, >, 40000 * 0.2);
  g_assert_cmpuint (masked, <, 40000 * 0.3);
  hubert_model_free (model);
}

/* ---- Frozen parts ---- */

static void
test_frozen (Fixture *f, gconstpointer data)
{
  g_autofree float *samples = make_samples (BATCH, LENGTH);
  make_noisy (f);
  f->params.use_weighted_layer_sum = TRUE;
  for (HubertFreeze freeze = HUBERT_FREEZE_FEATURE_ENCODER; freeze <= HUBERT_FREEZE_BASE;
       freeze++) {
    g_autoptr (GError) error = NULL;
    f->params.freeze = (int) freeze;
    HubertModel *model = create (f, 6);
    gsize size = hubert_model_type.prefix_size (model, LENGTH), n = model->weights.n_floats;
    gsize bytes = hubert_model_type.plan (model, BATCH, LENGTH, SEGUE_MODEL_INFER, FALSE);
    g_autofree float *prefix = g_new (float, BATCH *size);
    g_autofree guint8 *block = g_malloc (bytes + 64);
    gpointer workspace = (gpointer) (((guintptr) block + 63) & ~(guintptr) 63);
    g_assert_cmpuint (size, ==, freeze == HUBERT_FREEZE_BASE ? 3 * 12 : 39 * 8);
    g_assert_true (
      hubert_model_type.prefix (model, BATCH, LENGTH, samples, workspace, prefix, &error));

    for (SegueModelMode mode = SEGUE_MODEL_INFER; mode <= SEGUE_MODEL_TRAIN; mode++) {
      gboolean train = mode == SEGUE_MODEL_TRAIN;
      g_auto (Run) a = { NULL };
      g_auto (Run) b = { NULL };
      memset (model->weights.gradients, 0, n * sizeof (float));
      run_pass (&a, model, mode, BATCH, samples, FALSE, 0, train);
      g_autofree float *gradients = g_memdup2 (model->weights.gradients, n * sizeof (float));
      memset (model->weights.gradients, 0, n * sizeof (float));
      run_pass (&b, model, mode, BATCH, prefix, TRUE, 0, train);
      g_assert_cmpmem (a.pass.logits, logits_bytes (model), b.pass.logits, logits_bytes (model));
      g_assert_cmpmem (gradients, n * sizeof (float), model->weights.gradients, n * sizeof (float));
    }

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
      g_assert_true (t->decay == (!g_str_has_suffix (t->name, "bias") &&
                                  strstr (t->name, "layer_norm") == NULL));
    }
    hubert_model_free (model);
  }
}

/* ---- Labels and heads ---- */

static void
test_labels (Fixture *f, gconstpointer data)
{
  static const char *const permuted[] = { "c", "a", "b", NULL };
  static const char *const others[] = { "c", "a", "d", NULL };
  g_autoptr (GError) error = NULL;
  g_autofree float *samples = make_samples (BATCH, LENGTH);
  HubertModel *model = create (f, 1);
  save (f, model);
  HubertModel *same = load (f, permuted, &error);
  g_assert_no_error (error);
  HubertModel *fresh = load (f, others, &error);
  g_assert_no_error (error);

  g_auto (Run) a = { NULL };
  g_auto (Run) b = { NULL };
  g_auto (Run) c = { NULL };
  run_pass (&a, model, SEGUE_MODEL_INFER, BATCH, samples, FALSE, 0, FALSE);
  run_pass (&b, same, SEGUE_MODEL_INFER, BATCH, samples, FALSE, 0, FALSE);
  run_pass (&c, fresh, SEGUE_MODEL_INFER, BATCH, samples, FALSE, 0, FALSE);
  for (guint i = 0; i < BATCH; i++) {
    const float *x = a.pass.logits + 3 * i, *y = b.pass.logits + 3 * i;
    g_assert_cmpfloat (y[0], ==, x[2]);
    g_assert_cmpfloat (y[1], ==, x[0]);
    g_assert_cmpfloat (y[2], ==, x[1]);
    g_assert_cmpfloat (c.pass.logits[3 * i], !=, x[2]);
  }
  /* A new head leaves the rest alone. */
  gsize base = (gsize) (model->weights.classifier.weight.w - model->weights.values);
  g_assert_cmpmem (model->weights.values, base * sizeof (float), fresh->weights.values,
                   base * sizeof (float));
  hubert_model_free (model);
  hubert_model_free (same);
  hubert_model_free (fresh);
}

/* Rewrites the folder's weights: only `hubert.` tensors, without the prefix, in the old spelling. */
static void
make_base_folder (const Fixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (f->folder, "model.safetensors", NULL);
  g_autoptr (SegueSafetensors) file = segue_safetensors_open (path, &error);
  g_assert_no_error (error);
  g_autoptr (SegueSafetensorsWriter) writer = segue_safetensors_writer_new ();
  gsize n;
  const SegueTensorInfo *list = segue_safetensors_list (file, &n);
  for (gsize i = 0; i < n; i++) {
    if (!g_str_has_prefix (list[i].name, "hubert."))
      continue;
    g_autoptr (GString) name = g_string_new (list[i].name + strlen ("hubert."));
    g_string_replace (name, "parametrizations.weight.original0", "weight_g", 0);
    g_string_replace (name, "parametrizations.weight.original1", "weight_v", 0);
    float *values = g_new (float, list[i].n_elements);
    segue_safetensors_read_f32 (file, list[i].name, list[i].n_dims, list[i].shape, values, &error);
    g_assert_no_error (error);
    segue_safetensors_writer_take_f32 (writer, name->str, list[i].n_dims, list[i].shape, values);
  }
  segue_safetensors_writer_write (writer, path, &error);
  g_assert_no_error (error);
}

static void
test_base_model (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  HubertModel *model = create (f, 1);
  save (f, model);
  make_base_folder (f);
  g_assert_null (load (f, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, "no classifier"));
  g_clear_error (&error);
  HubertModel *again = load (f, abc, &error);
  g_assert_no_error (error);
  gsize base = (gsize) (model->weights.projector.weight.w - model->weights.values);
  g_assert_cmpmem (model->weights.values, base * sizeof (float), again->weights.values,
                   base * sizeof (float));
  hubert_model_free (model);
  hubert_model_free (again);
}

/* ---- Folders ---- */

/* Replaces members of a JSON file by those of `text`; a null takes the member away. */
static void
patch (const Fixture *f, const char *name, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (json_t) object = model_json_read (f->folder, name, FALSE, &error);
  g_assert_no_error (error);
  json_error_t where;
  g_autoptr (json_t) changes = json_loads (text, 0, &where);
  g_assert_nonnull (changes);
  const char *key;
  json_t *value;
  json_object_foreach (changes, key, value)
  {
    if (json_is_null (value))
      json_object_del (object, key);
    else
      json_object_set (object, key, value);
  }
  g_assert_true (model_json_write (object, f->folder, name, &error));
}

static void
test_unknown_is_kept (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  HubertModel *model = create (f, 1);
  save (f, model);
  patch (f, "config.json", "{\"license\": \"odd\", \"mask_time_prob\": 0.0}");
  patch (f, "preprocessor_config.json", "{\"padding_side\": \"left\", \"do_normalize\": true}");
  HubertModel *again = load (f, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (again->preprocessor.normalise);
  save (f, again);
  g_autoptr (json_t) config = model_json_read (f->folder, "config.json", FALSE, &error);
  g_autoptr (json_t) preprocessor =
    model_json_read (f->folder, "preprocessor_config.json", FALSE, &error);
  g_assert_cmpstr (json_string_value (json_object_get (config, "license")), ==, "odd");
  g_assert_cmpstr (json_string_value (json_object_get (preprocessor, "padding_side")), ==, "left");
  g_assert_true (json_is_true (json_object_get (preprocessor, "do_normalize")));
  /* Though this config has no use for it. */
  g_assert_cmpmem (model->weights.mask_embedding.w, 12 * sizeof (float),
                   again->weights.mask_embedding.w, 12 * sizeof (float));
  hubert_model_free (model);
  hubert_model_free (again);
}

static void
test_normalise (Fixture *f, gconstpointer data)
{
  g_autofree float *samples = make_samples (BATCH, LENGTH);
  f->params.do_normalize = TRUE;
  HubertModel *model = create (f, 2);
  g_auto (Run) a = { NULL };
  g_auto (Run) b = { NULL };
  run_pass (&a, model, SEGUE_MODEL_INFER, BATCH, samples, FALSE, 0, FALSE);
  for (gsize i = 0; i < BATCH * LENGTH; i++)
    samples[i] = samples[i] * 3.0f + 0.25f;
  run_pass (&b, model, SEGUE_MODEL_INFER, BATCH, samples, FALSE, 0, FALSE);
  for (guint i = 0; i < BATCH * 3; i++)
    g_assert_cmpfloat_with_epsilon (a.pass.logits[i], b.pass.logits[i], 1e-4f);
  /* Silence is no division by zero. */
  memset (samples, 0, BATCH * LENGTH * sizeof *samples);
  run_pass (&b, model, SEGUE_MODEL_TRAIN, BATCH, samples, FALSE, 0, TRUE);
  for (gsize i = 0; i < model->weights.n_floats; i++)
    g_assert_true (isfinite (model->weights.gradients[i]));
  hubert_model_free (model);
}

static void
test_impossible_lengths (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  HubertModel *model = create (f, 2);
  float input[19] = { 0 }, logits[3];
  SegueModelPass pass = { .batch = 1, .length = 19, .input = input, .logits = logits };
  g_assert_cmpuint (hubert_model_type.plan (model, 1, 20, SEGUE_MODEL_TRAIN, FALSE), <, 1 << 20);
  g_assert_cmpuint (hubert_model_type.plan (model, 1, 19, SEGUE_MODEL_TRAIN, FALSE), ==, G_MAXSIZE);
  g_assert_cmpuint (
    hubert_model_type.plan (model, G_MAXUINT, G_MAXSIZE / 2, SEGUE_MODEL_TRAIN, FALSE), ==,
    G_MAXSIZE);
  g_assert_cmpuint (
    hubert_model_type.plan (model, 1 << 30, (gsize) 1 << 39, SEGUE_MODEL_TRAIN, FALSE), ==,
    G_MAXSIZE);
  g_assert_false (hubert_model_type.forward (model, &pass, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  hubert_model_free (model);
}

/* A change of config.json, and words of the error. */
static const char *const hostile[][2] = {
  { "{\"conv_pos_batch_norm\": true}", "conv_pos_batch_norm is set" },
  { "{\"adapter_attn_dim\": 16}", "adapter_attn_dim is set" },
  { "{\"add_adapter\": true}", "add_adapter is set" },
  { "{\"quantization_config\": {\"bits\": 4}}", "quantization_config is set" },
  { "{\"model_type\": \"wav2vec2\"}", "must be hubert" },
  { "{\"model_type\": null}", "must be hubert" },
  { "{\"feat_extract_norm\": \"batch\"}", "group or layer" },
  { "{\"hidden_act\": \"mish\"}", "mish" },
  { "{\"hidden_act\": 3}", "must be text" },
  { "{\"conv_bias\": 1}", "true or false" },
  { "{\"hidden_size\": 0}", "hidden_size must be" },
  { "{\"hidden_size\": -12}", "hidden_size must be" },
  { "{\"hidden_size\": 1e9}", "hidden_size must be" },
  { "{\"hidden_size\": 4611686018427387904}", "hidden_size must be" },
  { "{\"hidden_size\": 24}", "has shape" },
  { "{\"intermediate_size\": 21}", "has shape" },
  { "{\"num_hidden_layers\": 3}", "is missing" },
  { "{\"num_hidden_layers\": 100000}", "num_hidden_layers must be" },
  { "{\"num_attention_heads\": 5}", "must divide" },
  { "{\"num_conv_pos_embedding_groups\": 5}", "must divide" },
  { "{\"num_conv_pos_embeddings\": 5}", "has shape" },
  { "{\"conv_dim\": []}", "must be a list" },
  { "{\"conv_dim\": 6}", "must be a list" },
  { "{\"conv_dim\": [6, 8, 8]}", "as long as conv_dim" },
  { "{\"conv_dim\": [6, \"8\"]}", "whole numbers" },
  { "{\"conv_stride\": [5, 0]}", "whole numbers" },
  { "{\"conv_stride\": [5]}", "as long as conv_dim" },
  { "{\"conv_kernel\": null}", "conv_kernel is missing" },
  { "{\"conv_kernel\": [10, 99999]}", "whole numbers" },
  { "{\"layer_norm_eps\": 0}", "layer_norm_eps must be" },
  { "{\"hidden_dropout\": 1.5}", "hidden_dropout must be" },
  { "{\"hidden_dropout\": 1}", "less than 1" },
  { "{\"id2label\": {\"0\": \"a\", \"2\": \"c\"}}", "no text for \"1\"" },
  { "{\"id2label\": {\"0\": \"a\", \"1\": \"a\", \"2\": \"c\"}}", "twice" },
  { "{\"id2label\": {\"0\": 1}}", "no text for \"0\"" },
  { "{\"id2label\": []}", "must map" },
  { "{\"id2label\": {}}", "must map" },
  { "{\"id2label\": null}", "has no labels" },
  { "{\"id2label\": {\"0\": \"a\", \"1\": \"b\"}}", "no classifier" },
  { "{\"classifier_proj_size\": 6}", "no classifier" },
};

static void
test_hostile_config (Fixture *f, gconstpointer data)
{
  HubertModel *model = create (f, 1);
  for (guint i = 0; i < G_N_ELEMENTS (hostile); i++) {
    g_autoptr (GError) error = NULL;
    save (f, model);
    patch (f, "config.json", hostile[i][0]);
    HubertModel *loaded = load (f, NULL, &error);
    if (loaded != NULL)
      g_error ("accepted %s", hostile[i][0]);
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
    if (strstr (error->message, hostile[i][1]) == NULL)
      g_error ("%s: ‘%s’", hostile[i][0], error->message);
    g_assert_nonnull (strstr (error->message, f->folder));
  }
  hubert_model_free (model);
}

static const char *const hostile_preprocessors[][2] = {
  { "{\"sampling_rate\": 0}", "sampling_rate must be" },
  { "{\"sampling_rate\": \"16000\"}", "sampling_rate must be" },
  { "{\"feature_size\": 80}", "feature_size must be" },
  { "{\"do_normalize\": \"yes\"}", "true or false" },
  { "{\"feature_extractor_type\": \"WhisperFeatureExtractor\"}", "Wav2Vec2FeatureExtractor" },
};

static void
test_hostile_preprocessor (Fixture *f, gconstpointer data)
{
  HubertModel *model = create (f, 1);
  for (guint i = 0; i < G_N_ELEMENTS (hostile_preprocessors); i++) {
    g_autoptr (GError) error = NULL;
    save (f, model);
    patch (f, "preprocessor_config.json", hostile_preprocessors[i][0]);
    g_assert_null (load (f, NULL, &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
    g_assert_nonnull (strstr (error->message, hostile_preprocessors[i][1]));
  }
  hubert_model_free (model);
}

static void
write_text (const Fixture *f, const char *name, const char *text, gssize length)
{
  g_autofree char *path = g_build_filename (f->folder, name, NULL);
  g_assert_true (g_file_set_contents (path, text, length, NULL));
}

static void
expect_refusal (const Fixture *f, int code)
{
  g_autoptr (GError) error = NULL;
  HubertModel *loaded = load (f, abc, &error);
  g_assert_null (loaded);
  g_assert_error (error, SEGUE_ERROR, code);
  g_assert_nonnull (strstr (error->message, f->folder));
}

static void
test_hostile_files (Fixture *f, gconstpointer data)
{
  HubertModel *model = create (f, 1);
  g_autofree char *weights = g_build_filename (f->folder, "model.safetensors", NULL);
  g_autofree char *content = NULL;
  gsize length;

  expect_refusal (f, SEGUE_ERROR_NO_INPUT);
  save (f, model);
  g_assert_true (g_file_get_contents (weights, &content, &length, NULL));
  for (gsize cut = 0; cut < length; cut += length / 7) {
    write_text (f, "model.safetensors", content, (gssize) cut);
    expect_refusal (f, SEGUE_ERROR_DATA);
  }
  g_unlink (weights);
  expect_refusal (f, SEGUE_ERROR_NO_INPUT);
  write_text (f, "pytorch_model.bin", "PK", 2);
  expect_refusal (f, SEGUE_ERROR_DATA);

  save (f, model);
  write_text (f, "config.json", "{\"model_type\": \"hubert\", \"model_type\": \"hubert\"}", -1);
  expect_refusal (f, SEGUE_ERROR_DATA);
  write_text (f, "config.json", "[1, 2]", -1);
  expect_refusal (f, SEGUE_ERROR_DATA);
  write_text (f, "config.json", "", 0);
  expect_refusal (f, SEGUE_ERROR_DATA);
  g_autofree char *deep = g_strnfill (1000000, '[');
  write_text (f, "config.json", deep, -1);
  expect_refusal (f, SEGUE_ERROR_DATA);
  g_autofree char *huge = g_strnfill (9 << 20, ' ');
  write_text (f, "config.json", huge, -1);
  expect_refusal (f, SEGUE_ERROR_DATA);
  hubert_model_free (model);
}

/* A config that promises far more than the file holds is refused before memory is asked for. */
static void
test_promises (Fixture *f, gconstpointer data)
{
  HubertModel *model = create (f, 1);
  save (f, model);
  patch (f, "config.json",
         "{\"hidden_size\": 65536, \"intermediate_size\": 65536, \"num_hidden_layers\": 255, "
         "\"num_attention_heads\": 1, \"num_conv_pos_embedding_groups\": 1}");
  g_autoptr (GError) error = NULL;
  g_assert_null (load (f, abc, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, "weights; make hidden_size"));
  hubert_model_free (model);
}

#define ADD(path, function) g_test_add (path, Fixture, NULL, set_up, function, tear_down)

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
  ADD ("/distilhubert/train/masks", test_masks);
  ADD ("/distilhubert/infer/quiet", test_inference_is_quiet);
  ADD ("/distilhubert/infer/normalise", test_normalise);
  ADD ("/distilhubert/infer/impossible-lengths", test_impossible_lengths);
  ADD ("/distilhubert/frozen", test_frozen);
  ADD ("/distilhubert/labels", test_labels);
  ADD ("/distilhubert/base-model", test_base_model);
  ADD ("/distilhubert/folder/unknown-is-kept", test_unknown_is_kept);
  ADD ("/distilhubert/folder/hostile-config", test_hostile_config);
  ADD ("/distilhubert/folder/hostile-preprocessor", test_hostile_preprocessor);
  ADD ("/distilhubert/folder/hostile-files", test_hostile_files);
  ADD ("/distilhubert/folder/promises", test_promises);
  return g_test_run ();
}
