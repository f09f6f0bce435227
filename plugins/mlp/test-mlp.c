/* linear and mlp: statistics, logits compared with plain loops, gradients with finite differences, learning, folders. */
#include "mlp.h"

#include <glib/gstdio.h>
#include <math.h>
#include <segue/model.h>
#include <segue/nn/cross-entropy.h>
#include <segue/nn/optimiser.h>
#include <segue/plugin.h>
#include <segue/random.h>
#include <stdlib.h>
#include <string.h>

const SeguePlugin *segue_plugin_query (void);

enum { ROWS = 12, SIZE = 5, LABELS = 3, CONSTANT = 2 };

static const char *const label_names[] = { "a", "b", "c", NULL };

/* A model with rows for it, and a pass over all of them. */
typedef struct {
  const SegueModelType *type;
  gpointer model;
  MlpParams params;
  float x[ROWS * SIZE];
  gint32 labels[ROWS];
  guint64 items[ROWS];
  float logits[ROWS * LABELS];
  SegueModelPass pass;
} Case;

static void
fill_rows (Case *c)
{
  for (gsize i = 0; i < ROWS; i++) {
    c->labels[i] = (gint32) (i % LABELS);
    c->items[i] = 50 + i;
    for (gsize j = 0; j < SIZE; j++)
      c->x[i * SIZE + j] =
        (float) (10.0 * (double) j + (double) (j + 1) * segue_random_uniform (9, i * SIZE + j));
    c->x[i * SIZE + CONSTANT] = 0.1f;
  }
}

static void
set_pass (Case *c, SegueModelMode mode, guint batch)
{
  free (c->pass.workspace);
  gsize bytes = c->type->plan (c->model, batch, SIZE, mode);
  c->pass = (SegueModelPass) SEGUE_INIT (
    SegueModelPass, .mode = mode, .batch = batch, .length = SIZE, .input = c->x, .items = c->items,
    .seed = 3, .step = 11, .workspace = aligned_alloc (64, (bytes + 63) / 64 * 64),
    .logits = c->logits);
}

static void
run_forward (Case *c)
{
  g_autoptr (GError) error = NULL;
  c->type->forward (c->model, &c->pass, &error);
  g_assert_no_error (error);
}

static void
run_fit (Case *c)
{
  g_autoptr (GError) error = NULL;
  const guint32 songs[ROWS] = { 0 };
  const SegueModelFit fit = SEGUE_INIT (SegueModelFit, .length = SIZE, .n = ROWS, .rows = c->x,
                                        .labels = c->labels, .songs = songs);
  c->type->fit (c->model, &fit, &error);
  g_assert_no_error (error);
}

/* @name: "linear", or "mlp" with hidden layers of 7 and 4. */
static void
case_open (Case *c, const char *name, double dropout)
{
  g_autoptr (GError) error = NULL;
  gboolean is_mlp = g_str_equal (name, "mlp");
  const SegueModelSpec spec =
    SEGUE_INIT (SegueModelSpec, .labels = label_names, .length = SIZE, .seed = 5, .threads = 2);
  memset (c, 0, sizeof *c);
  if (is_mlp) {
    const gint64 widths[] = { 7, 4 };
    c->params.hidden = g_array_new (FALSE, FALSE, sizeof (gint64));
    g_array_append_vals (c->params.hidden, widths, 2);
    c->params.dropout = dropout;
  }
  c->type = segue_plugin_query ()->models[is_mlp];
  g_assert_cmpstr (c->type->name, ==, name);
  c->model = c->type->create (&c->params, &spec, &error);
  g_assert_no_error (error);
  fill_rows (c);
  run_fit (c);
  set_pass (c, SEGUE_MODEL_INFER, ROWS);
}

static void
case_clear (Case *c)
{
  c->type->free (c->model);
  free (c->pass.workspace);
  g_clear_pointer (&c->params.hidden, g_array_unref);
}

static SegueModelTensor
find_tensor (const Case *c, const char *name)
{
  g_autoptr (GArray) tensors = c->type->list_tensors (c->model);
  for (guint i = 0; i < tensors->len; i++)
    if (g_str_equal (g_array_index (tensors, SegueModelTensor, i).name, name))
      return g_array_index (tensors, SegueModelTensor, i);
  g_error ("no tensor %s", name);
}

static void
test_statistics (gconstpointer name)
{
  Case c;
  case_open (&c, name, 0);
  for (gsize j = 0; j < SIZE; j++) {
    double mean = 0.0, square = 0.0;
    for (gsize i = 0; i < ROWS; i++)
      mean += (double) c.x[i * SIZE + j] / ROWS;
    for (gsize i = 0; i < ROWS; i++)
      square += pow ((double) c.x[i * SIZE + j] - mean, 2) / ROWS;
    double deviation = j == CONSTANT ? 1.0 : sqrt (square);
    g_assert_cmpfloat_with_epsilon (find_tensor (&c, "scaler.mean").value[j], mean, 1e-5);
    g_assert_cmpfloat_with_epsilon (find_tensor (&c, "scaler.deviation").value[j], deviation, 1e-6);
  }
  g_assert_null (find_tensor (&c, "scaler.mean").gradient);
  case_clear (&c);
}

/* y [n_out] = w x + b. */
static void
multiply (const Case *c, const char *layer, gsize n_in, gsize n_out, const double *x, double *y)
{
  g_autofree char *weight = g_strconcat (layer, ".weight", NULL);
  g_autofree char *bias = g_strconcat (layer, ".bias", NULL);
  const SegueModelTensor w = find_tensor (c, weight), b = find_tensor (c, bias);
  g_assert_cmpuint (w.n_elements, ==, n_in * n_out);
  for (gsize o = 0; o < n_out; o++) {
    y[o] = (double) b.value[o];
    for (gsize i = 0; i < n_in; i++)
      y[o] += (double) w.value[o * n_in + i] * x[i];
  }
}

static void
rectify (double *x, gsize n)
{
  for (gsize i = 0; i < n; i++)
    x[i] = MAX (x[i], 0.0);
}

static void
test_logits (gconstpointer name)
{
  Case c;
  case_open (&c, name, 0.5);
  run_forward (&c);
  const SegueModelTensor mean = find_tensor (&c, "scaler.mean");
  const SegueModelTensor deviation = find_tensor (&c, "scaler.deviation");
  for (gsize i = 0; i < ROWS; i++) {
    double x[SIZE], first[7], second[4], logits[LABELS];
    for (gsize j = 0; j < SIZE; j++)
      x[j] = ((double) c.x[i * SIZE + j] - (double) mean.value[j]) / (double) deviation.value[j];
    if (c.params.hidden) {
      multiply (&c, "hidden.0", SIZE, 7, x, first);
      rectify (first, 7);
      multiply (&c, "hidden.1", 7, 4, first, second);
      rectify (second, 4);
      multiply (&c, "classifier", 4, LABELS, second, logits);
    } else {
      multiply (&c, "classifier", SIZE, LABELS, x, logits);
    }
    for (gsize l = 0; l < LABELS; l++)
      g_assert_cmpfloat_with_epsilon (c.logits[i * LABELS + l], logits[l], 2e-5);
  }
  case_clear (&c);
}

/* Σ logits · a fixed direction: its gradient is that direction. */
static double
measure (Case *c, float *direction)
{
  double sum = 0.0;
  run_forward (c);
  for (gsize i = 0; i < ROWS * LABELS; i++) {
    direction[i] = (float) (segue_random_uniform (4, i) - 0.5);
    sum += (double) direction[i] * (double) c->logits[i];
  }
  return sum;
}

/* Central differences with several steps, the one nearest to @expected: a long step may cross the kink of a ReLU. */
static double
find_difference (Case *c, float *weight, double expected)
{
  float kept = *weight, direction[ROWS * LABELS];
  double nearest = NAN;
  for (float step = 0.064f; step > 5e-4f; step *= 0.5f) {
    double difference = 0.0;
    for (int sign = -1; sign <= 1; sign += 2) {
      *weight = kept + (float) sign * step;
      c->type->changed (c->model);
      difference += sign * measure (c, direction) / (2.0 * (double) step);
    }
    if (isnan (nearest) || fabs (difference - expected) < fabs (nearest - expected))
      nearest = difference;
  }
  *weight = kept;
  c->type->changed (c->model);
  return nearest;
}

/* Biases of 0 leave an item whose inputs are all dropped at the kink of the next ReLU. */
static void
shift_weights (Case *c)
{
  g_autoptr (GArray) tensors = c->type->list_tensors (c->model);
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *t = &g_array_index (tensors, SegueModelTensor, i);
    for (gsize j = 0; j < t->n_elements && t->gradient; j++)
      t->value[j] += (float) (0.4 * segue_random_uniform (20 + i, j) - 0.1);
  }
  c->type->changed (c->model);
}

static void
test_gradients (gconstpointer name)
{
  Case c;
  g_autoptr (GError) error = NULL;
  float direction[ROWS * LABELS];
  case_open (&c, name, 0.25);
  shift_weights (&c);
  set_pass (&c, SEGUE_MODEL_TRAIN, ROWS);
  measure (&c, direction);
  c.type->backward (c.model, &c.pass, direction, &error);
  g_assert_no_error (error);
  g_autoptr (GArray) tensors = c.type->list_tensors (c.model);
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *t = &g_array_index (tensors, SegueModelTensor, i);
    double norm = 0.0;
    for (gsize j = 0; j < t->n_elements && t->gradient; j++) {
      double gradient = (double) t->gradient[j];
      g_assert_cmpfloat_with_epsilon (gradient, find_difference (&c, t->value + j, gradient), 1e-3);
      norm += gradient * gradient;
    }
    g_assert_true (!t->gradient || norm > 0.01);
  }
  case_clear (&c);
}

/* An item's logits are the same alone, in inference and in training. */
static void
test_batch (gconstpointer name)
{
  for (SegueModelMode mode = SEGUE_MODEL_INFER; mode <= SEGUE_MODEL_TRAIN; mode++) {
    Case c;
    float together[ROWS * LABELS];
    case_open (&c, name, 0.5);
    set_pass (&c, mode, ROWS);
    run_forward (&c);
    memcpy (together, c.logits, sizeof together);
    set_pass (&c, mode, 1);
    for (gsize i = 0; i < ROWS; i++) {
      c.pass.input = c.x + i * SIZE;
      c.pass.items = c.items + i;
      run_forward (&c);
      g_assert_cmpmem (c.logits, LABELS * sizeof (float), together + i * LABELS,
                       LABELS * sizeof (float));
    }
    case_clear (&c);
  }
}

/* Dropout is a function of the step, and only in training. */
static void
test_dropout (void)
{
  float inferred[ROWS * LABELS], trained[ROWS * LABELS];
  for (int on = 0; on < 2; on++) {
    Case c;
    case_open (&c, "mlp", on ? 0.5 : 0.0);
    run_forward (&c);
    memcpy (inferred, c.logits, sizeof inferred);
    set_pass (&c, SEGUE_MODEL_TRAIN, ROWS);
    run_forward (&c);
    memcpy (trained, c.logits, sizeof trained);
    g_assert_cmpint (memcmp (trained, inferred, sizeof trained) != 0, ==, on);
    c.pass.step++;
    run_forward (&c);
    g_assert_cmpint (memcmp (trained, c.logits, sizeof trained) != 0, ==, on);
    case_clear (&c);
  }
}

/* The loss after 400 steps on the exclusive or of two columns. */
static double
learn_xor (const char *name)
{
  Case c;
  double loss = 0.0;
  const SegueNnAdamW adamw = SEGUE_NN_ADAMW_DEFAULT;
  const SegueNnCrossEntropy entropy = { .batch = ROWS, .classes = LABELS };
  g_autoptr (SegueNnThreads) threads = segue_nn_threads_new (1, NULL, NULL);
  case_open (&c, name, 0.0);
  for (gsize i = 0; i < ROWS; i++) {
    float *x = c.x + i * SIZE;
    memset (x, 0, SIZE * sizeof *x);
    x[0] = (float) (i & 1);
    x[1] = (float) (i >> 1 & 1);
    c.labels[i] = x[0] == x[1];
  }
  run_fit (&c);
  set_pass (&c, SEGUE_MODEL_TRAIN, ROWS);
  g_autoptr (GArray) tensors = c.type->list_tensors (c.model);
  g_autoptr (GPtrArray) moments = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < tensors->len; i++)
    g_ptr_array_add (moments,
                     g_new0 (float, 2 * g_array_index (tensors, SegueModelTensor, i).n_elements));
  for (guint step = 1; step <= 400; step++) {
    run_forward (&c);
    loss = segue_nn_cross_entropy_forward (&entropy, c.logits, c.labels, c.logits);
    segue_nn_cross_entropy_backward (&entropy, c.logits, c.labels, c.logits);
    c.type->backward (c.model, &c.pass, c.logits, NULL);
    for (guint i = 0; i < tensors->len; i++) {
      const SegueModelTensor *t = &g_array_index (tensors, SegueModelTensor, i);
      float *m = g_ptr_array_index (moments, i);
      if (!t->gradient)
        continue;
      segue_nn_adamw_step (threads, &adamw, step, 0.02, 0.0, 1.0f, t->n_elements, t->gradient, m,
                           m + t->n_elements, t->value);
      memset (t->gradient, 0, t->n_elements * sizeof (float));
    }
    c.type->changed (c.model);
  }
  case_clear (&c);
  return loss;
}

/* Which needs a hidden layer. */
static void
test_learning (void)
{
  g_assert_cmpfloat (learn_xor ("mlp"), <, 0.1);
  g_assert_cmpfloat (learn_xor ("linear"), >, 0.6);
}

static void
edit_config (const char *folder, const char *from, const char *to)
{
  g_autofree char *path = g_build_filename (folder, "config.json", NULL), *text = NULL;
  g_file_get_contents (path, &text, NULL, NULL);
  g_auto (GStrv) parts = g_strsplit (text, from, 2);
  g_assert_cmpuint (g_strv_length (parts), ==, 2);
  g_autofree char *edited = g_strjoinv (to, parts);
  g_file_set_contents (path, edited, -1, NULL);
}

static void
assert_refused (const Case *c, const char *folder)
{
  const SegueModelSpec spec = SEGUE_INIT (SegueModelSpec, .threads = 1);
  g_autoptr (GError) error = NULL;
  g_assert_null (c->type->load (folder, &c->params, &spec, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
}

static void
test_folder (gconstpointer name)
{
  Case c;
  g_autoptr (GError) error = NULL;
  g_autofree char *folder = g_dir_make_tmp ("segue-mlp-XXXXXX", NULL);
  g_autofree char *weights = g_build_filename (folder, "model.safetensors", NULL);
  g_autofree char *config = g_build_filename (folder, "config.json", NULL);
  const SegueModelSpec spec = SEGUE_INIT (SegueModelSpec, .threads = 1);
  float expected[ROWS * LABELS];
  case_open (&c, name, 0.5);
  run_forward (&c);
  memcpy (expected, c.logits, sizeof expected);
  g_assert_true (c.type->save (c.model, folder, NULL));
  c.type->free (c.model);
  c.model = c.type->load (folder, &c.params, &spec, &error);
  g_assert_no_error (error);
  run_forward (&c);
  g_assert_cmpmem (c.logits, sizeof expected, expected, sizeof expected);

  const float wrong[] = { 0.0f, -1.0f, NAN };
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++) {
    find_tensor (&c, "scaler.deviation").value[1] = wrong[i];
    c.type->save (c.model, folder, NULL);
    assert_refused (&c, folder);
  }
  find_tensor (&c, "scaler.deviation").value[1] = 1.0f;
  const char *const edits[][2] = {
    { "\"vector_size\": 5", "\"vector_size\": 6" },
    { "\"hidden_sizes\"", "\"sizes\"" },
    { "\"hidden_sizes\": [", "\"hidden_sizes\": [ 0," },
    { "\"hidden_sizes\": [", "\"hidden_sizes\": [ 7," },
  };
  for (gsize i = 0; i < (c.params.hidden ? G_N_ELEMENTS (edits) : 1); i++) {
    c.type->save (c.model, folder, NULL);
    edit_config (folder, edits[i][0], edits[i][1]);
    assert_refused (&c, folder);
  }
  g_unlink (weights);
  g_unlink (config);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
  case_clear (&c);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  static const char *const names[] = { "linear", "mlp" };
  static const struct {
    const char *name;
    GTestDataFunc test;
  } tests[] = {
    { "statistics", test_statistics }, { "logits", test_logits }, { "gradients", test_gradients },
    { "batch", test_batch },           { "folder", test_folder },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (tests); j++) {
      g_autofree char *path = g_strdup_printf ("/%s/%s", names[i], tests[j].name);
      g_test_add_data_func (path, names[i], tests[j].test);
    }
  g_test_add_func ("/mlp/dropout", test_dropout);
  g_test_add_func ("/mlp/learning", test_learning);
  return g_test_run ();
}
