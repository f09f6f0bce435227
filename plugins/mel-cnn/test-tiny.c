#include "test-tiny.h"

#include <segue/nn/cross-entropy.h>
#include <segue/nn/optimiser.h>
#include <segue/plugin.h>
#include <stdlib.h>
#include <string.h>

const SeguePlugin *segue_plugin_query (void);

const char *const tiny_labels[] = { "noise", "Ægir", "tone", NULL };

const SegueModelType *
tiny_type (void)
{
  return segue_plugin_query ()->models[0];
}

MelCnnConfig
tiny_config (void)
{
  MelCnnConfig config = {
    .front = { .bands = 16,
               .window = 20,
               .hop = 8,
               .low = 100,
               .high = 4000,
               .floor = -60,
               .crop = 0.8,
               .gain = 6,
               .tilt = 3,
               .time_masks = 1,
               .time_mask = 0.03,
               .band_masks = 1,
               .band_mask = 3 },
    .channels = g_array_new (FALSE, FALSE, sizeof (gint64)),
    .dropout = 0.25,
  };
  const gint64 channels[] = { 4, 6 };
  g_array_append_vals (config.channels, channels, 2);
  return config;
}

MelCnn *
tiny_model_new (const MelCnnConfig *config, guint threads)
{
  g_autoptr (GError) error = NULL;
  const SegueModelSpec spec = {
    sizeof (SegueModelSpec), tiny_labels, TINY_LENGTH, TINY_RATE, 7, threads
  };
  MelCnn *model = tiny_type ()->create (config, &spec, &error);
  g_assert_no_error (error);
  return model;
}

/* Tones of different pitches, and noise: label i % 3. */
static float *
make_batch (guint n, gint32 *targets)
{
  float *x = g_new (float, n *TINY_LENGTH);
  guint32 state = 1;
  for (guint i = 0; i < n; i++) {
    targets[i] = (gint32) (i % 3);
    for (gsize t = 0; t < TINY_LENGTH; t++) {
      state = state * 1664525u + 1013904223u;
      double noise = (double) (state >> 8) / 16777216.0 - 0.5;
      double tone =
        sin (2.0 * G_PI * (i % 3 == 1 ? 440.0 : 1320.0 + 10.0 * i) * (double) t / TINY_RATE);
      x[i * TINY_LENGTH + t] = (float) (i % 3 == 0 ? noise : 0.4 * tone + 0.05 * noise);
    }
  }
  return x;
}

void
tiny_init (Tiny *f, const MelCnnConfig *config, guint threads, SegueModelMode mode)
{
  gsize bytes;
  memset (f, 0, sizeof *f);
  f->model = tiny_model_new (config, threads);
  f->x = make_batch (TINY_BATCH, f->targets);
  for (guint i = 0; i < TINY_BATCH; i++)
    f->items[i] = 100 + i;
  bytes = tiny_type ()->plan (f->model, TINY_BATCH, TINY_LENGTH, mode);
  g_assert_cmpuint (bytes, <, G_MAXSIZE);
  f->pass = (SegueModelPass) SEGUE_INIT (
    SegueModelPass, .mode = mode, .batch = TINY_BATCH, .length = TINY_LENGTH, .input = f->x,
    .items = f->items, .seed = 3, .step = 11,
    .workspace = aligned_alloc (64, (bytes + 63) / 64 * 64), .logits = f->logits);
}

void
tiny_clear (Tiny *f)
{
  tiny_type ()->free (f->model);
  free (f->pass.workspace);
  g_free (f->x);
}

double
tiny_forward (Tiny *f)
{
  g_autoptr (GError) error = NULL;
  const SegueNnCrossEntropy loss = { .batch = f->pass.batch, .classes = 3 };
  float probabilities[TINY_BATCH * 3];
  tiny_type ()->forward (f->model, &f->pass, &error);
  g_assert_no_error (error);
  return segue_nn_cross_entropy_forward (&loss, f->logits, f->targets, probabilities);
}

void
tiny_backward (Tiny *f)
{
  g_autoptr (GError) error = NULL;
  const SegueNnCrossEntropy loss = { .batch = f->pass.batch, .classes = 3 };
  float d_logits[TINY_BATCH * 3];
  segue_nn_cross_entropy_forward (&loss, f->logits, f->targets, d_logits);
  segue_nn_cross_entropy_backward (&loss, d_logits, f->targets, d_logits);
  tiny_type ()->backward (f->model, &f->pass, d_logits, &error);
  g_assert_no_error (error);
}

void
tiny_train (Tiny *f, guint steps)
{
  const SegueNnAdamW adamw = SEGUE_NN_ADAMW_DEFAULT;
  g_autoptr (GArray) tensors = tiny_type ()->list_tensors (f->model);
  g_autoptr (GPtrArray) moments = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < tensors->len; i++)
    g_ptr_array_add (moments,
                     g_new0 (float, 2 * g_array_index (tensors, SegueModelTensor, i).n_elements));
  for (guint step = 1; step <= steps; step++) {
    f->pass.step = step;
    tiny_forward (f);
    tiny_backward (f);
    for (guint i = 0; i < tensors->len; i++) {
      const SegueModelTensor *t = &g_array_index (tensors, SegueModelTensor, i);
      float *m = g_ptr_array_index (moments, i);
      if (!t->gradient)
        continue;
      segue_nn_adamw_step (f->model->mel.base.threads, &adamw, step, 0.02, 0.01, 1.0f,
                           t->n_elements, t->gradient, m, m + t->n_elements, t->value);
      memset (t->gradient, 0, t->n_elements * sizeof (float));
    }
    tiny_type ()->changed (f->model);
  }
}
