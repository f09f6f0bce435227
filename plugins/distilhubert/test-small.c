#include "test-small.h"

#include <glib/gstdio.h>
#include <math.h>
#include <segue/nn/cross-entropy.h>
#include <segue/nn/random.h>
#include <string.h>

const char *const small_labels[] = { "a", "b", "c", NULL };

static GArray *
numbers (gint64 a, gint64 b)
{
  GArray *list = g_array_new (FALSE, FALSE, sizeof (gint64));
  g_array_append_val (list, a);
  g_array_append_val (list, b);
  return list;
}

void
small_set_up (SmallFixture *f, gconstpointer data)
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

void
small_tear_down (SmallFixture *f, gconstpointer data)
{
  GDir *dir = g_dir_open (f->folder, 0, NULL);
  for (const char *name; (name = g_dir_read_name (dir));) {
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

HubertModel *
small_create (const SmallFixture *f, guint64 seed)
{
  g_autoptr (GError) error = NULL;
  const SegueModelSpec spec =
    SEGUE_INIT (SegueModelSpec, .labels = small_labels, .threads = 1, .seed = seed);
  HubertModel *model = hubert_model_create (&f->params, &spec, &error);
  g_assert_no_error (error);
  /* Initial weights are too small to distinguish differences from rounding. */
  g_autoptr (GArray) tensors = segue_nn_model_list_tensors (model);
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *tensor = &g_array_index (tensors, SegueModelTensor, i);
    const SegueNnRandomKey key = { .seed = seed, .item = g_str_hash (tensor->name) };
    if (segue_nn_weights_get_declared (model->base.weights, i)->init == SEGUE_NN_INIT_NORMAL)
      segue_nn_random_fill_normal (model->base.threads, &key, 0.0f, 0.3f, tensor->n_elements,
                                   tensor->value);
  }
  return model;
}

HubertParams
small_as_the_folder (void)
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

HubertModel *
small_load (const SmallFixture *f, const char *const *labels, GError **error)
{
  const HubertParams params = small_as_the_folder ();
  const SegueModelSpec spec =
    SEGUE_INIT (SegueModelSpec, .labels = labels, .threads = 1, .seed = 9);
  return hubert_model_load (f->folder, &params, &spec, error);
}

void
small_save (const SmallFixture *f, HubertModel *model)
{
  g_autoptr (GError) error = NULL;
  hubert_model_save (model, f->folder, &error);
  g_assert_no_error (error);
}

float *
small_samples (guint batch, gsize length)
{
  float *samples = g_new (float, batch *length);
  for (gsize i = 0; i < batch * length; i++)
    samples[i] =
      sinf ((float) i * 0.1f + (float) (i / length)) * 0.5f + sinf ((float) (i * i)) * 0.2f;
  return samples;
}

void
small_run_clear (SmallRun *run)
{
  g_free (run->block);
  g_free (run->pass.logits);
  g_free (run->d_logits);
}

double
small_run_pass (SmallRun *run, HubertModel *model, SegueModelMode mode, guint batch,
                const float *input, guint64 first_item, gboolean backward)
{
  g_autoptr (GError) error = NULL;
  const gint32 labels[SMALL_BATCH] = { 0, 1, 2, 0 };
  /* As of a step of SMALL_BATCH items, however many of them are in this pass. */
  const SegueNnCrossEntropy loss = { .batch = batch,
                                     .classes = model->base.n_labels,
                                     .divisor = SMALL_BATCH };
  small_run_clear (run);
  gsize bytes = hubert_model_type.plan (model, batch, SMALL_LENGTH, mode);
  run->block = g_malloc (bytes + 64);
  run->d_logits = g_new0 (float, batch * model->base.n_labels);
  for (guint i = 0; i < batch; i++)
    run->items[i] = first_item + i;
  run->pass = (SegueModelPass) SEGUE_INIT (
    SegueModelPass, .mode = mode, .batch = batch, .length = SMALL_LENGTH, .input = input,
    .items = run->items, .seed = 3, .step = 5,
    .workspace = (gpointer) (((guintptr) run->block + 63) & ~(guintptr) 63),
    .logits = g_new0 (float, batch * model->base.n_labels));
  memset (run->pass.workspace, 0xff, bytes);
  g_assert_true (hubert_model_type.forward (model, &run->pass, &error));
  double value =
    segue_nn_cross_entropy_forward (&loss, run->pass.logits, labels + first_item, run->d_logits);
  segue_nn_cross_entropy_backward (&loss, run->d_logits, labels + first_item, run->d_logits);
  if (backward)
    g_assert_true (hubert_model_type.backward (model, &run->pass, run->d_logits, &error));
  return value;
}

gsize
small_logits_bytes (const HubertModel *model)
{
  return SMALL_BATCH * model->base.n_labels * sizeof (float);
}
