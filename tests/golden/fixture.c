#include "fixture.h"

#include <math.h>
#include <segue/nn/cross-entropy.h>
#include <string.h>

const HubertParams golden_as_the_folder = {
  .freeze = HUBERT_FREEZE_NONE,
  .do_normalize = -1,
  .hidden_dropout = NAN,
  .attention_dropout = NAN,
  .activation_dropout = NAN,
  .feat_proj_dropout = NAN,
  .layerdrop = NAN,
  .apply_spec_augment = -1,
  .mask_time_prob = NAN,
  .mask_feature_prob = NAN,
  .mask_time_length = SEGUE_UNSET_INT,
  .mask_feature_length = SEGUE_UNSET_INT,
};

char *
golden_folder (const char *fixture)
{
  const char *root = g_getenv ("SEGUE_SOURCE_ROOT");
  g_assert_nonnull (root);
  return g_build_filename (root, "tests", "golden", "fixtures", fixture, NULL);
}

SegueSafetensors *
golden_open (const char *fixture, const char *name)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = golden_folder (fixture);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  SegueSafetensors *file = segue_safetensors_open (path, &error);
  g_assert_no_error (error);
  return file;
}

float *
golden_read (SegueSafetensors *file, const char *name, gsize *n)
{
  g_autoptr (GError) error = NULL;
  const SegueTensorInfo *info = segue_safetensors_lookup (file, name);
  if (!info)
    g_error ("the fixture has no tensor %s", name);
  float *values = g_new (float, info->n_elements);
  segue_safetensors_read_f32 (file, name, info->n_dims, info->shape, values, &error);
  g_assert_no_error (error);
  if (n)
    *n = info->n_elements;
  return values;
}

GoldenRun *
golden_run_from_model (HubertModel *model, guint batch, gsize length, const float *samples,
                       const gint32 *labels)
{
  GoldenRun *run = g_new0 (GoldenRun, 1);
  run->model = model;
  run->batch = batch;
  run->length = length;
  run->samples = g_memdup2 (samples, batch * length * sizeof *samples);
  run->labels = g_memdup2 (labels, batch * sizeof *labels);
  run->items = g_new (guint64, batch);
  for (guint i = 0; i < batch; i++)
    run->items[i] = 100 + i;
  run->logits = g_new0 (float, batch * model->base.n_labels);
  run->d_logits = g_new0 (float, batch * model->base.n_labels);

  gsize bytes = hubert_lay (model, batch, length, TRUE, NULL, &run->layout);
  g_assert_cmpuint (bytes, !=, G_MAXSIZE);
  run->block = g_malloc (bytes + 64);
  run->workspace = (gpointer) (((guintptr) run->block + 63) & ~(guintptr) 63);
  /* A read of memory that was never written returns NaN, and the test fails. */
  memset (run->workspace, 0xff, bytes);
  hubert_lay (model, batch, length, TRUE, run->workspace, &run->layout);
  run->pass = (SegueModelPass) SEGUE_INIT (SegueModelPass, .mode = SEGUE_MODEL_TRAIN,
                                           .batch = batch, .length = length, .input = run->samples,
                                           .items = run->items, .seed = 1, .step = 1,
                                           .workspace = run->workspace, .logits = run->logits);
  return run;
}

GoldenRun *
golden_run_new (const char *folder, const HubertParams *params, SegueSafetensors *reference,
                guint threads)
{
  g_autoptr (GError) error = NULL;
  const SegueModelSpec spec = SEGUE_INIT (SegueModelSpec, .threads = threads);
  HubertModel *model = hubert_model_load (folder, params, &spec, &error);
  g_assert_no_error (error);

  const SegueTensorInfo *info = segue_safetensors_lookup (reference, "samples");
  const SegueTensorInfo *labels_info = segue_safetensors_lookup (reference, "labels");
  g_autofree float *samples = golden_read (reference, "samples", NULL);
  g_autofree gint32 *labels = g_new (gint32, labels_info->n_elements);
  g_assert_cmpuint (labels_info->n_bytes, ==, info->shape[0] * sizeof *labels);
  segue_safetensors_read (reference, labels_info, labels, &error);
  g_assert_no_error (error);
  return golden_run_from_model (model, (guint) info->shape[0], info->shape[1], samples, labels);
}

void
golden_run_free (GoldenRun *run)
{
  if (!run)
    return;
  hubert_model_free (run->model);
  g_free (run->samples);
  g_free (run->labels);
  g_free (run->items);
  g_free (run->logits);
  g_free (run->d_logits);
  g_free (run->block);
  g_free (run);
}

double
golden_run_forward (GoldenRun *run)
{
  g_autoptr (GError) error = NULL;
  const SegueNnCrossEntropy loss = { .batch = run->batch, .classes = run->model->base.n_labels };
  hubert_model_type.forward (run->model, &run->pass, &error);
  g_assert_no_error (error);
  double value = segue_nn_cross_entropy_forward (&loss, run->logits, run->labels, run->d_logits);
  segue_nn_cross_entropy_backward (&loss, run->d_logits, run->labels, run->d_logits);
  return value;
}

void
golden_run_backward (GoldenRun *run)
{
  g_autoptr (GError) error = NULL;
  hubert_model_type.backward (run->model, &run->pass, run->d_logits, &error);
  g_assert_no_error (error);
}

void
golden_run_zero_gradients (GoldenRun *run)
{
  memset (segue_nn_weights_get_gradients (run->model->base.weights), 0,
          segue_nn_weights_get_size (run->model->base.weights) * sizeof (float));
}

float *
golden_gradient (const GoldenRun *run, const SegueModelTensor *tensor, guint index)
{
  float *torch = g_new0 (float, tensor->n_elements);
  if (tensor->gradient)
    segue_nn_weights_unpack (run->model->base.weights, run->model->base.threads, index,
                             tensor->gradient, torch);
  return torch;
}

float *
golden_encode (HubertModel *model, guint layer, guint batch, gsize length, const float *samples)
{
  g_autoptr (GError) error = NULL;
  const SegueEncoder *encoder = hubert_model_type.encoder;
  gsize bytes = encoder->plan (model, batch, length, layer);
  g_assert_cmpuint (bytes, !=, G_MAXSIZE);
  g_autofree guint8 *block = g_malloc (bytes + 64);
  SegueEncoderPass pass = SEGUE_INIT (
    SegueEncoderPass, .batch = batch, .length = length, .layer = layer, .input = samples,
    .workspace = (gpointer) (((guintptr) block + 63) & ~(guintptr) 63),
    .output = g_new (float, batch * encoder->count_frames (model, length) *
                              hubert_get_encoder_width (model, layer)));
  memset (pass.workspace, 0xff, bytes);
  encoder->encode (model, &pass, &error);
  g_assert_no_error (error);
  return pass.output;
}

double
golden_max_difference (const float *a, const float *b, gsize n)
{
  double difference = 0, largest = 0;
  for (gsize i = 0; i < n; i++) {
    if (!isfinite (a[i]))
      return INFINITY;
    difference = MAX (difference, fabs ((double) a[i] - (double) b[i]));
    largest = MAX (largest, fabs ((double) b[i]));
  }
  return difference / largest;
}

double
golden_distance (const float *a, const float *b, gsize n)
{
  double sum = 0;
  for (gsize i = 0; i < n; i++) {
    double d = (double) a[i] - (double) b[i];
    sum += d * d;
  }
  return sqrt (sum);
}

double
golden_norm (const float *a, gsize n)
{
  double sum = 0;
  for (gsize i = 0; i < n; i++)
    sum += (double) a[i] * (double) a[i];
  return sqrt (sum);
}
