/* linear and mlp: multinomial logistic regression, and a multilayer perceptron, as classifiers of vectors.
 *
 *   x [B, size] → standardised                                                       segue/nn/scaler.h
 *   for each hidden layer: ReLU (w · + bias), dropout                              mlp: 1…8; linear: none
 *   → logits [B, labels]
 */
#include "mlp.h"

#include <math.h>
#include <segue/nn/arena.h>
#include <segue/nn/backend.h>
#include <segue/nn/dropout.h>
#include <segue/nn/linear.h>
#include <segue/nn/scaler.h>
#include <segue/nn/vector-model.h>
#include <segue/plugin.h>

#define LINEAR     "linear"
#define MLP        "mlp"
#define MAX_HIDDEN 8
#define MAX_WIDTH  8192

static const SegueParam *const params[] = {
  SEGUE_PARAM (MlpParams, hidden, SEGUE_PARAM_LIST, .def = "[256]", .min_items = 1,
               .max_items = MAX_HIDDEN,
               .element = SEGUE_ELEMENT (SEGUE_PARAM_INT, .min = 1, .max = MAX_WIDTH),
               .doc = "Widths of the hidden layers."),
  SEGUE_PARAM (MlpParams, dropout, SEGUE_PARAM_DOUBLE, .def = "0.5", .min = 0, .max = 0.95,
               .doc = "Dropout after each hidden layer, in training."),
  NULL,
};

/* @widths: outputs of each layer: @n_hidden hidden ones, then the classifier */
typedef struct {
  SegueNnVectorModel vectors;
  SegueNnScaler scaler;
  guint n_hidden;
  gsize widths[MAX_HIDDEN + 1];
  SegueNnAffine layers[MAX_HIDDEN + 1];
  float dropout;
} Model;

static void
free_model (gpointer data)
{
  Model *model = data;
  if (!model)
    return;
  segue_nn_vector_model_close (&model->vectors);
  g_free (model);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Model, free_model)

/* Inputs of a layer. */
static gsize
get_inputs (const Model *model, guint layer)
{
  return layer == 0 ? model->vectors.size : model->widths[layer - 1];
}

/* Hidden layers as He et al. (2015); a classifier whose first logits are small. */
static gboolean
declare (SegueNnModel *base, GError **error)
{
  Model *model = (Model *) base;
  model->scaler.size = model->vectors.size;
  model->widths[model->n_hidden] = base->n_labels;
  segue_nn_scaler_declare (&model->scaler, base->weights, "scaler");
  for (guint i = 0; i < model->n_hidden; i++) {
    g_autofree char *name = g_strdup_printf ("hidden.%u", i);
    gsize in = get_inputs (model, i);
    segue_nn_weights_add_linear (base->weights, &model->layers[i], 0, 0, model->widths[i], in,
                                 sqrt (2.0 / (double) in), name);
  }
  gsize in = get_inputs (model, model->n_hidden);
  segue_nn_weights_add_linear (base->weights, &model->layers[model->n_hidden], 0,
                               SEGUE_NN_WEIGHT_LABELS, base->n_labels, in, 0.1 / sqrt ((double) in),
                               "classifier");
  return TRUE;
}

static gpointer
create (const void *data, const SegueModelSpec *spec, GError **error)
{
  const MlpParams *p = data;
  g_autoptr (Model) model = g_new0 (Model, 1);
  model->n_hidden = p->hidden ? p->hidden->len : 0;
  model->dropout = (float) p->dropout;
  for (guint i = 0; i < model->n_hidden; i++)
    model->widths[i] = (gsize) g_array_index (p->hidden, gint64, i);
  if (!segue_nn_vector_model_create (&model->vectors, spec, declare, error))
    return NULL;
  return g_steal_pointer (&model);
}

static gboolean
read_hidden (Model *model, const json_t *config, const char *folder, GError **error)
{
  g_autofree char *where = g_build_filename (folder, "config.json", NULL);
  if (!segue_nn_config_get_sizes (config, where, "hidden_sizes", 1, MAX_WIDTH, MAX_HIDDEN,
                                  model->widths, &model->n_hidden, error))
    return FALSE;
  return model->n_hidden > 0 || segue_nn_config_refuse (error, where, "hidden_sizes", "is missing");
}

static gpointer
load (const char *folder, const void *data, const SegueModelSpec *spec, GError **error)
{
  const MlpParams *p = data;
  g_autoptr (Model) model = g_new0 (Model, 1);
  g_autoptr (json_t) config = segue_nn_vector_model_read (&model->vectors, folder, error);
  model->dropout = (float) p->dropout;
  if (!config || (p->hidden && !read_hidden (model, config, folder, error)) ||
      !segue_nn_vector_model_load (&model->vectors, spec, folder, config, declare, error) ||
      !segue_nn_scaler_check (&model->scaler, folder, error))
    return NULL;
  return g_steal_pointer (&model);
}

static gboolean
save (gpointer data, const char *folder, GError **error)
{
  const Model *model = data;
  json_t *config = json_pack ("{s:s}", "model_type", model->n_hidden > 0 ? MLP : LINEAR);
  if (model->n_hidden > 0) {
    json_t *sizes = json_array ();
    for (guint i = 0; i < model->n_hidden; i++)
      json_array_append_new (sizes, json_integer ((json_int_t) model->widths[i]));
    json_object_set_new (config, "hidden_sizes", sizes);
  }
  return segue_nn_vector_model_save (&model->vectors, folder, config, error);
}

/* Of one pass. @hidden, @active, @gradient: of each hidden layer, [B, width]: before and after ReLU and dropout; TRAIN only:
 * the gradient of either. */
typedef struct {
  float *input; /* [B, size], standardised */
  float *hidden[MAX_HIDDEN];
  float *active[MAX_HIDDEN];
  float *gradient[MAX_HIDDEN];
} Buffers;

/* The workspace of a pass: only measured where the pass has none. */
static gsize
lay (const Model *model, const SegueModelPass *pass, Buffers *b)
{
  SegueNnArena arena = { pass->workspace };
  b->input = segue_nn_arena_floats (&arena, pass->batch, model->vectors.size, 1, 1);
  for (guint i = 0; i < model->n_hidden; i++) {
    b->hidden[i] = segue_nn_arena_floats (&arena, pass->batch, model->widths[i], 1, 1);
    b->active[i] = segue_nn_arena_floats (&arena, pass->batch, model->widths[i], 1, 1);
    if (pass->mode == SEGUE_MODEL_TRAIN)
      b->gradient[i] = segue_nn_arena_floats (&arena, pass->batch, model->widths[i], 1, 1);
  }
  return segue_nn_arena_get_size (&arena);
}

static gsize
plan (gpointer data, guint batch, gsize length, SegueModelMode mode)
{
  const SegueModelPass pass = { .mode = mode, .batch = batch, .length = length };
  Buffers buffers;
  return lay (data, &pass, &buffers);
}

/* Of x [B, width] after a hidden layer, or of its gradient; in place. */
static void
drop (const Model *model, const SegueModelPass *pass, guint layer, float *x)
{
  const SegueNnRandomKey key = { .seed = pass->seed, .step = pass->step, .layer = layer };
  if (pass->mode == SEGUE_MODEL_TRAIN && model->dropout > 0)
    segue_nn_dropout (model->vectors.base.threads, &key, pass->items, model->dropout, pass->batch,
                      model->widths[layer], x, x);
}

/* Row by row, so that an item's result does not depend on its batch. */
static gboolean
forward (gpointer data, SegueModelPass *pass, GError **error)
{
  Model *model = data;
  SegueNnThreads *threads = model->vectors.base.threads;
  Buffers b;
  lay (model, pass, &b);
  segue_nn_model_begin (&model->vectors.base);
  segue_nn_scaler_forward (&model->scaler, threads, pass->batch, pass->input, b.input);
  const float *x = b.input;
  for (guint i = 0; i < model->n_hidden; i++) {
    segue_nn_linear_forward_batch (threads, pass->batch, 1, get_inputs (model, i), model->widths[i],
                                   x, &model->layers[i], b.hidden[i]);
    segue_nn_activation_forward (threads, SEGUE_NN_ACTIVATION_RELU, pass->batch * model->widths[i],
                                 b.hidden[i], b.active[i]);
    drop (model, pass, i, b.active[i]);
    x = b.active[i];
  }
  segue_nn_linear_forward_batch (threads, pass->batch, 1, get_inputs (model, model->n_hidden),
                                 model->widths[model->n_hidden], x, &model->layers[model->n_hidden],
                                 pass->logits);
  return segue_nn_model_end (&model->vectors.base, error);
}

static gboolean
backward (gpointer data, SegueModelPass *pass, const float *d_logits, GError **error)
{
  Model *model = data;
  SegueNnThreads *threads = model->vectors.base.threads;
  const float *dy = d_logits;
  Buffers b;
  lay (model, pass, &b);
  segue_nn_model_begin (&model->vectors.base);
  for (guint i = model->n_hidden; i > 0; i--) {
    gsize width = model->widths[i - 1];
    float *dx = b.gradient[i - 1];
    segue_nn_linear_backward (threads, pass->batch, width, model->widths[i], b.active[i - 1],
                              &model->layers[i], dy, dx);
    drop (model, pass, i - 1, dx);
    segue_nn_activation_backward (threads, SEGUE_NN_ACTIVATION_RELU, pass->batch * width,
                                  b.hidden[i - 1], dx, dx);
    dy = dx;
  }
  segue_nn_linear_backward (threads, pass->batch, model->vectors.size, model->widths[0], b.input,
                            &model->layers[0], dy, NULL);
  return segue_nn_model_end (&model->vectors.base, error);
}

static gboolean
fit (gpointer data, const SegueModelFit *fit, GError **error)
{
  Model *model = data;
  segue_nn_model_begin (&model->vectors.base);
  segue_nn_scaler_fit (&model->scaler, model->vectors.base.threads, fit->n, fit->rows);
  segue_nn_model_changed (model);
  return segue_nn_model_end (&model->vectors.base, error);
}

static const SegueRecipe recipe =
  SEGUE_INIT (SegueRecipe, .epochs = 30, .batch = 64, .learning_rate = 3e-3, .weight_decay = 0.1,
              .label_smoothing = 0.1, .schedule = SEGUE_SCHEDULE_COSINE);

static const char *const linear_types[] = { LINEAR, NULL };
static const char *const mlp_types[] = { MLP, NULL };

#define CALLBACKS                                                                                  \
  .config_size = sizeof (MlpParams), .recipe = &recipe, .create = create, .load = load,            \
  .save = save, .free = free_model, .describe = segue_nn_vector_model_describe,                    \
  .list_tensors = segue_nn_model_list_tensors, .changed = segue_nn_model_changed, .plan = plan,    \
  .forward = forward, .backward = backward, .fingerprint = segue_nn_fingerprint,                   \
  .set_cancellable = segue_nn_model_set_cancellable, .takes = SEGUE_KIND_TENSOR, .fit = fit

static const SegueModelType linear = {
  SEGUE_MODEL_TYPE,
  .name = LINEAR,
  .summary = "Logistic regression of vectors",
  .doc = "A classifier of the vectors of an `embed` stage: multinomial logistic regression over "
         "columns that are standardised with the mean and deviation of the training set.",
  .result_version = 1,
  .config_types = linear_types,
  CALLBACKS,
};

static const SegueModelType mlp = {
  SEGUE_MODEL_TYPE,
  .name = MLP,
  .summary = "A multilayer perceptron over vectors",
  .doc = "A classifier of the vectors of an `embed` stage: hidden layers with ReLU and dropout, "
         "over columns that are standardised with the mean and deviation of the training set.",
  .result_version = 1,
  .params = params,
  .config_types = mlp_types,
  CALLBACKS,
};

static const SegueModelType *const models[] = { &linear, &mlp, NULL };

SEGUE_PLUGIN (.name = "mlp", .version = "1.0", .licence = "MIT", .models = models)
