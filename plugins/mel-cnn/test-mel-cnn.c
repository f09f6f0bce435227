/* The whole model on a tiny network: gradients, threads, random values, learning, limits. */
#include "test-tiny.h"

#include <segue/error.h>
#include <string.h>

#define STEP 3e-4f /* larger ones cross the kinks of ReLU and maximum, smaller ones are rounding */

/* The loss after `t` was moved by `amount` along a direction of ±1s. */
static double
loss_along (Tiny *f, const SegueModelTensor *t, float amount)
{
  g_autofree float *kept = g_memdup2 (t->value, t->n_elements * sizeof (float));
  for (gsize i = 0; i < t->n_elements; i++)
    t->value[i] += (i * 7 % 11 < 5 ? -amount : amount);
  tiny_type ()->changed (f->model);
  double loss = tiny_forward (f);
  memcpy (t->value, kept, t->n_elements * sizeof (float));
  tiny_type ()->changed (f->model);
  return loss;
}

/* Central differences over a few steps, the one nearest to @expected: a long step may cross the kink of a ReLU or
 * change which value is largest, a short one is dominated by rounding. The limits depend on how the compiler
 * rounds. */
static double
nearest_difference (Tiny *f, const SegueModelTensor *t, double expected)
{
  double nearest = NAN;
  for (float step = 4.0f * STEP; step > 0.01f * STEP; step *= 0.5f) {
    double numeric = (loss_along (f, t, step) - loss_along (f, t, -step)) / (2.0 * (double) step);
    if (isnan (nearest) || fabs (numeric - expected) < fabs (nearest - expected))
      nearest = numeric;
  }
  return nearest;
}

static void
check_gradients (const MelCnnConfig *config)
{
  Tiny f;
  tiny_init (&f, config, 2, SEGUE_MODEL_TRAIN);
  tiny_forward (&f);
  tiny_backward (&f);
  g_autoptr (GArray) tensors = tiny_type ()->list_tensors (f.model);
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *t = &g_array_index (tensors, SegueModelTensor, i);
    if (!t->gradient)
      continue;
    double along = 0.0, norm = 0.0;
    for (gsize j = 0; j < t->n_elements; j++) {
      along += (double) t->gradient[j] * (j * 7 % 11 < 5 ? -1.0 : 1.0);
      norm += (double) t->gradient[j] * (double) t->gradient[j];
    }
    g_assert_cmpfloat (norm, >, 0.0);
    double numeric = nearest_difference (&f, t, along);
    g_test_message ("%s: %g, numerically %g", t->name, along, numeric);
    g_assert_cmpfloat_with_epsilon (along, numeric, 5e-4 + 0.01 * sqrt (norm));
  }
  tiny_clear (&f);
}

static void
test_gradients (void)
{
  MelCnnConfig config = tiny_config ();
  for (int standardise = 0; standardise < 2; standardise++)
    for (int pool = 0; pool < 2; pool++) {
      config.front.standardise = standardise;
      config.pool = pool;
      check_gradients (&config);
    }
  g_array_unref (config.channels);
}

/* All results of a step: logits, gradients, running statistics. */
static void
append_state (Tiny *f, GByteArray *state)
{
  g_autoptr (GArray) tensors = tiny_type ()->list_tensors (f->model);
  g_byte_array_append (state, (guint8 *) f->logits, sizeof f->logits);
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *t = &g_array_index (tensors, SegueModelTensor, i);
    float *x = t->gradient ? t->gradient : t->value;
    g_byte_array_append (state, (guint8 *) x, (guint) (t->n_elements * sizeof *x));
  }
}

static void
test_threads (void)
{
  MelCnnConfig config = tiny_config ();
  g_autoptr (GByteArray) expected = g_byte_array_new ();
  for (guint threads = 1; threads <= 4; threads++) {
    g_autoptr (GByteArray) state = g_byte_array_new ();
    Tiny f;
    tiny_init (&f, &config, threads, SEGUE_MODEL_TRAIN);
    tiny_forward (&f);
    tiny_backward (&f);
    append_state (&f, threads == 1 ? expected : state);
    if (threads > 1)
      g_assert_cmpmem (state->data, state->len, expected->data, expected->len);
    tiny_clear (&f);
  }
  g_array_unref (config.channels);
}

/* An item's output doesn't depend on the other items in the batch. */
static void
test_batch (void)
{
  MelCnnConfig config = tiny_config ();
  Tiny f;
  float expected[TINY_BATCH * 3];
  tiny_init (&f, &config, 2, SEGUE_MODEL_INFER);
  tiny_forward (&f);
  memcpy (expected, f.logits, sizeof expected);
  f.pass.batch = 1;
  for (guint i = 0; i < TINY_BATCH; i++) {
    f.pass.input = f.x + i * TINY_LENGTH;
    tiny_forward (&f);
    g_assert_cmpmem (f.logits, 3 * sizeof (float), expected + i * 3, 3 * sizeof (float));
  }
  tiny_clear (&f);
  g_array_unref (config.channels);
}

/* Random values depend on seed, step and item only; inference has none. */
static void
test_random (void)
{
  MelCnnConfig config = tiny_config ();
  Tiny f;
  tiny_init (&f, &config, 1, SEGUE_MODEL_TRAIN);
  double first = tiny_forward (&f);
  g_assert_cmpfloat (tiny_forward (&f), ==, first);
  f.pass.step++;
  g_assert_cmpfloat (tiny_forward (&f), !=, first);
  f.pass.step--;
  f.items[2] = 1;
  g_assert_cmpfloat (tiny_forward (&f), !=, first);
  f.items[2] = 102;
  f.pass.seed++;
  g_assert_cmpfloat (tiny_forward (&f), !=, first);
  tiny_clear (&f);

  tiny_init (&f, &config, 1, SEGUE_MODEL_INFER);
  first = tiny_forward (&f);
  f.pass.seed++;
  f.pass.items = NULL;
  g_assert_cmpfloat (tiny_forward (&f), ==, first);
  tiny_clear (&f);
  g_array_unref (config.channels);
}

static void
test_learning (void)
{
  MelCnnConfig config = tiny_config ();
  Tiny f;
  tiny_init (&f, &config, 2, SEGUE_MODEL_TRAIN);
  tiny_train (&f, 60);
  f.pass.mode = SEGUE_MODEL_INFER;
  g_assert_cmpfloat (tiny_forward (&f), <, 0.2);
  tiny_clear (&f);
  g_array_unref (config.channels);
}

/* Incompatible parameters, and segments that are too short. */
static void
test_limits (void)
{
  g_autoptr (GError) error = NULL;
  MelCnnConfig config = tiny_config ();
  SegueModelSpec spec = { sizeof (SegueModelSpec), tiny_labels, TINY_LENGTH, 4000, 7, 1 };
  SegueModelInfo info = SEGUE_INIT (SegueModelInfo);
  SegueModelPass pass = SEGUE_INIT (SegueModelPass, .mode = SEGUE_MODEL_INFER, .batch = 1);

  g_assert_null (tiny_type ()->create (&config, &spec, &error)); /* 4000 Hz: over half the rate */
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
  g_clear_error (&error);

  g_autoptr (GArray) channels = g_array_ref (config.channels);
  g_array_set_size (channels, 5);
  spec.rate = TINY_RATE;
  g_assert_null (tiny_type ()->create (&config, &spec, &error)); /* 16 bands halved five times */
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE);
  g_clear_error (&error);

  g_array_set_size (channels, 2);
  MelCnn *model = tiny_model_new (&config, 1);
  tiny_type ()->describe (model, &info);
  g_assert_cmpuint (info.min_length, ==, 160 + 3 * 64);
  for (SegueModelMode mode = SEGUE_MODEL_INFER; mode <= SEGUE_MODEL_TRAIN; mode++) {
    g_assert_cmpuint (tiny_type ()->plan (model, 2, info.min_length - 1, mode), ==, G_MAXSIZE);
    g_assert_cmpuint (tiny_type ()->plan (model, 2, info.min_length, mode), <, 1 << 20);
    g_assert_cmpuint (tiny_type ()->plan (model, G_MAXUINT, G_MAXSIZE, mode), ==, G_MAXSIZE);
  }
  pass.length = info.min_length - 1;
  g_assert_false (tiny_type ()->forward (model, &pass, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  tiny_type ()->free (model);
  g_array_unref (config.channels);
}

/* Silence has no variance; it must still give a prediction. */
static void
test_silence (void)
{
  MelCnnConfig config = tiny_config ();
  for (config.front.standardise = 0; config.front.standardise < 2; config.front.standardise++) {
    Tiny f;
    tiny_init (&f, &config, 1, SEGUE_MODEL_TRAIN);
    memset (f.x, 0, TINY_BATCH * TINY_LENGTH * sizeof (float));
    g_assert_true (isfinite (tiny_forward (&f)));
    tiny_backward (&f);
    g_assert_true (isfinite (f.model->blocks[0].conv.dw[0]));
    tiny_clear (&f);
  }
  g_array_unref (config.channels);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mel-cnn/gradients", test_gradients);
  g_test_add_func ("/mel-cnn/threads", test_threads);
  g_test_add_func ("/mel-cnn/batch", test_batch);
  g_test_add_func ("/mel-cnn/random", test_random);
  g_test_add_func ("/mel-cnn/learning", test_learning);
  g_test_add_func ("/mel-cnn/limits", test_limits);
  g_test_add_func ("/mel-cnn/silence", test_silence);
  return g_test_run ();
}
