/* The model against transformers, on small fixtures that cover every option of the architecture.
 *
 * Criteria: hidden states and logits within 1e-4 of the largest number of the reference; every parameter's
 * gradient within 1e-3 of its norm (or of a millionth of all gradients' norm, where it is exactly 0); the losses
 * of ten AdamW steps within 1e-4.
 */
#include "fixture.h"

#include <glib/gstdio.h>
#include <math.h>
#include <segue/nn/optimiser.h>
#include <segue/nn/schedule.h>
#include <string.h>

#define FORWARD_LIMIT  1e-4
#define GRADIENT_LIMIT 1e-3
#define LOSS_LIMIT     1e-4
/* As in reference.py. */
#define STEPS         10
#define WARMUP_STEPS  2
#define LEARNING_RATE 1e-3
#define WEIGHT_DECAY  1.0
#define CLIP          1.0

static const char *const fixtures[] = { "distil",   "base", "stable",  "stable-weighted",
                                        "weighted", "odd",  "strides", "one-convolution" };

static void
check_close (SegueSafetensors *reference, const char *name, const float *values, gsize n)
{
  gsize n_expected;
  g_autofree float *expected = golden_read (reference, name, &n_expected);
  g_assert_cmpuint (n, ==, n_expected);
  double difference = golden_max_difference (values, expected, n);
  g_test_message ("%s: max difference %.2g", name, difference);
  g_assert_cmpfloat (difference, <=, FORWARD_LIMIT);
}

static void
test_forward (gconstpointer fixture)
{
  g_autofree char *folder = golden_folder (fixture);
  g_autoptr (SegueSafetensors) reference = golden_open (fixture, "golden.safetensors");
  g_autoptr (GoldenRun) run = golden_run_new (folder, &golden_as_the_folder, reference, 1);
  const HubertModel *model = run->model;
  double loss = golden_run_forward (run);

  gsize n = run->layout.rows * model->transformer.hidden;
  check_close (reference, "features", run->layout.encoder.features,
               run->layout.rows * segue_nn_conv_encoder_get_channels (&model->encoder));
  for (guint i = 0; i <= model->n_layers; i++) {
    g_autofree char *name = g_strdup_printf ("hidden_states.%u", i);
    check_close (reference, name, hubert_get_state (run->model, &run->layout, &run->pass, i), n);
  }
  if (model->head.n_states == 1)
    check_close (reference, "last_hidden_state",
                 hubert_last_forward (run->model, &run->layout, &run->pass), n);
  check_close (reference, "logits", run->logits, run->batch * run->model->base.n_labels);

  g_autofree float *expected = golden_read (reference, "loss", NULL);
  g_assert_cmpfloat_with_epsilon (loss, (double) expected[0], LOSS_LIMIT * (double) expected[0]);
}

static double
norm_of_all (SegueSafetensors *reference, GArray *tensors)
{
  double sum = 0;
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *tensor = &g_array_index (tensors, SegueModelTensor, i);
    g_autofree char *name = g_strconcat ("gradient.", tensor->name, NULL);
    g_autofree float *expected = golden_read (reference, name, NULL);
    sum += pow (golden_norm (expected, tensor->n_elements), 2);
  }
  return sqrt (sum);
}

static void
test_gradients (gconstpointer fixture)
{
  g_autofree char *folder = golden_folder (fixture);
  g_autoptr (SegueSafetensors) reference = golden_open (fixture, "golden.safetensors");
  g_autoptr (GoldenRun) run = golden_run_new (folder, &golden_as_the_folder, reference, 1);
  g_autoptr (GArray) tensors = segue_nn_model_list_tensors (run->model);
  double all = norm_of_all (reference, tensors), worst = 0;
  golden_run_forward (run);
  golden_run_backward (run);

  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *tensor = &g_array_index (tensors, SegueModelTensor, i);
    g_autofree char *name = g_strconcat ("gradient.", tensor->name, NULL);
    g_autofree float *expected = golden_read (reference, name, NULL);
    g_autofree float *found = golden_gradient (run, tensor, i);
    double norm = golden_norm (expected, tensor->n_elements);
    double difference =
      golden_distance (found, expected, tensor->n_elements) / MAX (norm, 1e-6 * all);
    if (!(difference <= GRADIENT_LIMIT))
      g_test_message ("%s: norm %.3g of %.3g, difference %.3g of it", tensor->name, norm, all,
                      difference);
    g_assert_cmpfloat (difference, <=, GRADIENT_LIMIT);
    worst = MAX (worst, difference);
  }
  g_test_message ("largest relative difference of a gradient: %.2g", worst);
}

/* One step of AdamW on all trained tensors; state [2][n_floats]. */
static void
optimise (GoldenRun *run, GArray *tensors, float *state, guint64 step)
{
  const SegueNnAdamW adamw = SEGUE_NN_ADAMW_DEFAULT;
  const SegueNnSchedule schedule = { SEGUE_SCHEDULE_LINEAR, WARMUP_STEPS, STEPS, 0, 0 };
  const SegueNnWeights *weights = run->model->base.weights;
  SegueNnThreads *threads = run->model->base.threads;
  g_autofree const float **gradients = g_new0 (const float *, tensors->len);
  g_autofree gsize *sizes = g_new0 (gsize, tensors->len);
  for (guint i = 0; i < tensors->len; i++) {
    gradients[i] = g_array_index (tensors, SegueModelTensor, i).gradient;
    sizes[i] = g_array_index (tensors, SegueModelTensor, i).n_elements;
  }
  double norm = segue_nn_grad_norm (threads, tensors->len, gradients, sizes);
  float scale = segue_nn_clip_coefficient (norm, CLIP);
  double rate = LEARNING_RATE * segue_nn_schedule_factor (&schedule, step);
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *tensor = &g_array_index (tensors, SegueModelTensor, i);
    if (!tensor->gradient)
      continue;
    float *m = state + (tensor->value - segue_nn_weights_get_values (weights));
    segue_nn_adamw_step (threads, &adamw, step + 1, rate, tensor->decay ? WEIGHT_DECAY : 0.0, scale,
                         tensor->n_elements, tensor->gradient, m,
                         m + segue_nn_weights_get_size (weights), tensor->value);
  }
  hubert_model_type.changed (run->model);
}

static void
test_steps (gconstpointer fixture)
{
  gsize n;
  g_autofree char *folder = golden_folder (fixture);
  g_autoptr (SegueSafetensors) reference = golden_open (fixture, "golden.safetensors");
  g_autoptr (GoldenRun) run = golden_run_new (folder, &golden_as_the_folder, reference, 2);
  g_autofree float *expected = golden_read (reference, "losses", &n);
  g_autofree float *state =
    g_new0 (float, 2 * segue_nn_weights_get_size (run->model->base.weights));
  g_autoptr (GArray) tensors = hubert_model_type.list_tensors (run->model);
  double worst = 0;
  g_assert_cmpuint (n, ==, STEPS);
  for (guint step = 0; step < STEPS; step++) {
    double loss = golden_run_forward (run);
    double difference = fabs (loss - (double) expected[step]) / (double) expected[step];
    g_assert_cmpfloat (difference, <=, LOSS_LIMIT);
    worst = MAX (worst, difference);
    golden_run_zero_gradients (run);
    golden_run_backward (run);
    optimise (run, tensors, state, step);
  }
  g_test_message ("largest relative difference of a loss: %.2g", worst);
}

static void
test_threads (gconstpointer fixture)
{
  g_autofree char *folder = golden_folder (fixture);
  g_autoptr (SegueSafetensors) reference = golden_open (fixture, "golden.safetensors");
  g_autoptr (GoldenRun) one = golden_run_new (folder, &golden_as_the_folder, reference, 1);
  const SegueNnWeights *weights = one->model->base.weights;
  golden_run_forward (one);
  golden_run_backward (one);
  for (guint threads = 2; threads <= 4; threads += 2) {
    g_autoptr (GoldenRun) more = golden_run_new (folder, &golden_as_the_folder, reference, threads);
    golden_run_forward (more);
    golden_run_backward (more);
    g_assert_cmpmem (one->logits, one->batch * one->model->base.n_labels * sizeof (float),
                     more->logits, more->batch * more->model->base.n_labels * sizeof (float));
    g_assert_cmpmem (segue_nn_weights_get_gradients (weights),
                     segue_nn_weights_get_size (weights) * sizeof (float),
                     segue_nn_weights_get_gradients (more->model->base.weights),
                     segue_nn_weights_get_size (weights) * sizeof (float));
  }
}

/* Inference of items [first, first + n). */
static void
infer (GoldenRun *run, guint first, guint n, float *logits)
{
  g_autoptr (GError) error = NULL;
  gsize bytes = hubert_model_type.plan (run->model, n, run->length, SEGUE_MODEL_INFER);
  g_autofree guint8 *block = g_malloc (bytes + 64);
  SegueModelPass pass = SEGUE_INIT (
    SegueModelPass, .mode = SEGUE_MODEL_INFER, .batch = n, .length = run->length,
    .input = run->samples + first * run->length,
    .workspace = (gpointer) (((guintptr) block + 63) & ~(guintptr) 63), .logits = logits);
  memset (pass.workspace, 0xff, bytes);
  hubert_model_type.forward (run->model, &pass, &error);
  g_assert_no_error (error);
}

/* Inference equals training with dropout off, alone or in a batch. */
static void
test_inference (gconstpointer fixture)
{
  g_autofree char *folder = golden_folder (fixture);
  g_autoptr (SegueSafetensors) reference = golden_open (fixture, "golden.safetensors");
  g_autoptr (GoldenRun) run = golden_run_new (folder, &golden_as_the_folder, reference, 2);
  gsize n = run->model->base.n_labels;
  g_autofree float *together = g_new (float, run->batch *n);
  g_autofree float *alone = g_new (float, run->batch *n);
  golden_run_forward (run);
  infer (run, 0, run->batch, together);
  for (guint i = 0; i < run->batch; i++)
    infer (run, i, 1, alone + i * n);
  g_assert_cmpmem (together, run->batch * n * sizeof *together, alone,
                   run->batch * n * sizeof *alone);
  g_assert_cmpmem (together, run->batch * n * sizeof *together, run->logits,
                   run->batch * n * sizeof *alone);
}

/* Every layer, of the model without its head; and each item alone. */
static void
test_encoder (gconstpointer fixture)
{
  g_autoptr (GError) error = NULL;
  const SegueModelSpec spec = SEGUE_INIT (SegueModelSpec, .threads = 2, .headless = TRUE);
  g_autofree char *folder = golden_folder (fixture);
  g_autoptr (SegueSafetensors) reference = golden_open (fixture, "golden.safetensors");
  const gsize *shape = segue_safetensors_lookup (reference, "samples")->shape;
  g_autofree float *samples = golden_read (reference, "samples", NULL);
  HubertModel *model = hubert_model_load (folder, &golden_as_the_folder, &spec, &error);
  g_assert_no_error (error);
  gsize frames = segue_nn_conv_encoder_get_frames (&model->encoder, shape[1]);
  for (guint layer = 0; layer < hubert_count_encoder_layers (model); layer++) {
    g_autofree char *name =
      layer < model->n_layers
        ? g_strdup_printf ("hidden_states.%u", layer)
        : g_strdup (layer == model->n_layers ? "last_hidden_state" : "features");
    gsize n = frames * hubert_get_encoder_width (model, layer);
    g_autofree float *together = golden_encode (model, layer, (guint) shape[0], shape[1], samples);
    check_close (reference, name, together, shape[0] * n);
    for (gsize i = 0; i < shape[0]; i++) {
      g_autofree float *alone = golden_encode (model, layer, 1, shape[1], samples + i * shape[1]);
      g_assert_cmpmem (together + i * n, n * sizeof *alone, alone, n * sizeof *alone);
    }
  }
  hubert_model_free (model);
}

static void
remove_folder (const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  for (const char *name; (name = g_dir_read_name (dir));) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    g_unlink (path);
  }
  g_rmdir (folder);
}

/* Every tensor of the fixture's own file is in the saved file, bit for bit, and nothing else; a model loaded from
 * there gives the same outputs. */
static void
test_round_trip (gconstpointer fixture)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = golden_folder (fixture);
  g_autofree char *saved = g_dir_make_tmp ("segue-golden-XXXXXX", &error);
  g_autoptr (SegueSafetensors) reference = golden_open (fixture, "golden.safetensors");
  g_autoptr (GoldenRun) run = golden_run_new (folder, &golden_as_the_folder, reference, 1);
  g_assert_true (hubert_model_save (run->model, saved, &error));
  g_assert_no_error (error);

  g_autofree char *path = g_build_filename (saved, "model.safetensors", NULL);
  g_autoptr (SegueSafetensors) before = golden_open (fixture, "model.safetensors");
  g_autoptr (SegueSafetensors) after = segue_safetensors_open (path, &error);
  g_assert_no_error (error);
  gsize n_before, n_after;
  segue_safetensors_list (before, &n_before);
  const SegueTensorInfo *list = segue_safetensors_list (after, &n_after);
  g_assert_cmpuint (n_before, ==, n_after);
  for (gsize i = 0; i < n_after; i++) {
    g_autoptr (GString) name = g_string_new (list[i].name);
    if (!segue_safetensors_lookup (before, name->str)) {
      g_string_replace (name, "parametrizations.weight.original0", "weight_g", 0);
      g_string_replace (name, "parametrizations.weight.original1", "weight_v", 0);
    }
    g_autofree float *was = golden_read (before, name->str, NULL);
    g_autofree float *is = golden_read (after, list[i].name, NULL);
    g_assert_cmpmem (was, list[i].n_bytes, is, list[i].n_bytes);
  }

  g_autoptr (GoldenRun) again = golden_run_new (saved, &golden_as_the_folder, reference, 1);
  golden_run_forward (run);
  golden_run_forward (again);
  g_assert_true (g_strv_equal ((const char *const *) run->model->base.labels,
                               (const char *const *) again->model->base.labels));
  g_assert_cmpmem (run->logits, run->batch * run->model->base.n_labels * sizeof (float),
                   again->logits, run->batch * run->model->base.n_labels * sizeof (float));
  remove_folder (saved);
}

int
main (int argc, char **argv)
{
  static const struct {
    const char *name;
    void (*function) (gconstpointer fixture);
  } tests[] = {
    { "forward", test_forward },       { "gradients", test_gradients }, { "steps", test_steps },
    { "threads", test_threads },       { "inference", test_inference }, { "encoder", test_encoder },
    { "round-trip", test_round_trip },
  };
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (fixtures); i++) {
    for (guint j = 0; j < G_N_ELEMENTS (tests); j++) {
      g_autofree char *path = g_strdup_printf ("/golden/%s/%s", fixtures[i], tests[j].name);
      g_test_add_data_func (path, fixtures[i], tests[j].function);
    }
  }
  return g_test_run ();
}
