/* mean-mlp: a small model type outside the tree: the mean of log-mel frames over time, one hidden layer, a classifier.
 *
 *   samples [B, length] → frames [B, T, M]                                          segue/nn/mel-front.h
 *   mean over time [B, M] → hidden [B, H], ReLU → logits [B, labels]                     segue/nn/head.h
 */
#include <math.h>
#include <segue/model.h>
#include <segue/nn/backend.h>
#include <segue/nn/head.h>
#include <segue/nn/mel-front.h>
#include <segue/plugin.h>

#define MODEL_TYPE "mean-mlp"

typedef struct {
  SegueNnMelParams front; /* first: see SEGUE_NN_MEL_PARAMS */
  gint64 hidden;
} Params;

static const SegueParam *const params[] = {
  SEGUE_NN_MEL_PARAMS,
  SEGUE_PARAM (Params, hidden, SEGUE_PARAM_INT, .def = "128", .min = 1, .max = 4096,
               .doc = "Width of the hidden layer."),
  NULL,
};

typedef struct {
  SegueNnMelModel mel;
  SegueNnHead head; /* its projector is the hidden layer */
} Model;

static void
free_model (gpointer data)
{
  Model *model = data;
  if (!model)
    return;
  segue_nn_mel_model_close (&model->mel);
  g_free (model);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Model, free_model)

static gboolean
declare (SegueNnModel *base, GError **error)
{
  Model *model = (Model *) base;
  SegueNnHead *head = &model->head;
  head->hidden = model->mel.front.frames.bands;
  head->n_states = 1;
  head->n_labels = base->n_labels;
  head->activation = SEGUE_NN_ACTIVATION_RELU;
  segue_nn_weights_add_linear (base->weights, &head->projector, 0, 0, head->projected, head->hidden,
                               sqrt (2.0 / (double) head->hidden), "hidden");
  segue_nn_weights_add_linear (base->weights, &head->classifier, 0, SEGUE_NN_WEIGHT_LABELS,
                               head->n_labels, head->projected, 1 / sqrt ((double) head->projected),
                               "head");
  return TRUE;
}

static gpointer
create (const void *data, const SegueModelSpec *spec, GError **error)
{
  const Params *p = data;
  g_autoptr (Model) model = g_new0 (Model, 1);
  model->head.projected = (gsize) p->hidden;
  if (!segue_nn_mel_model_create (&model->mel, &p->front, spec, declare, error))
    return NULL;
  return g_steal_pointer (&model);
}

static gpointer
load (const char *folder, const void *data, const SegueModelSpec *spec, GError **error)
{
  const Params *p = data;
  g_autoptr (Model) model = g_new0 (Model, 1);
  g_autofree char *where = g_build_filename (folder, "config.json", NULL);
  g_autoptr (json_t) config = segue_nn_mel_model_read (&model->mel, folder, error);
  model->head.projected = 1;
  if (!config ||
      !segue_nn_config_get_size (config, where, "hidden_size", 1, 4096, &model->head.projected,
                                 error) ||
      !segue_nn_mel_model_load (&model->mel, &p->front, spec, folder, config, declare, error))
    return NULL;
  return g_steal_pointer (&model);
}

static gboolean
save (gpointer data, const char *folder, GError **error)
{
  const Model *model = data;
  json_t *config = json_pack ("{s:s, s:I}", "model_type", MODEL_TYPE, "hidden_size",
                              (json_int_t) model->head.projected);
  return segue_nn_mel_model_save (&model->mel, folder, config, error);
}

typedef struct {
  SegueNnMelBuffers front;
  SegueNnHeadBuffers head;
  float *scratch;
} Buffers;

/* The workspace of a pass: only measured where the pass has none. */
static gsize
lay (const Model *model, const SegueModelPass *pass, Buffers *b)
{
  SegueNnArena arena = { pass->workspace };
  if (!segue_nn_mel_front_lay (&model->mel.front, &arena, pass->batch, pass->length, pass->mode,
                               &b->front))
    return G_MAXSIZE;
  segue_nn_head_lay (&model->head, &arena, pass->batch, pass->mode == SEGUE_MODEL_TRAIN, &b->head);
  if (!arena.overflow)
    b->scratch = segue_nn_arena_floats (
      &arena, segue_nn_mel_front_scratch (&model->mel.front, pass->batch, &b->front), 1, 1, 1);
  return segue_nn_arena_get_size (&arena);
}

static gsize
plan (gpointer data, guint batch, gsize length, SegueModelMode mode)
{
  const SegueModelPass pass = { .mode = mode, .batch = batch, .length = length };
  Buffers buffers;
  return lay (data, &pass, &buffers);
}

static gboolean
forward (gpointer data, SegueModelPass *pass, GError **error)
{
  Model *model = data;
  SegueNnThreads *threads = model->mel.base.threads;
  Buffers b;
  lay (model, pass, &b);
  segue_nn_model_begin (&model->mel.base);
  segue_nn_mel_front_forward (&model->mel.front, threads, pass, &b.front, b.scratch);
  segue_nn_head_pool (&model->head, threads, &b.head, 0, b.front.frames, b.front.output);
  segue_nn_head_forward (&model->head, threads, &b.head, pass->logits);
  return segue_nn_model_end (&model->mel.base, error);
}

static gboolean
backward (gpointer data, SegueModelPass *pass, const float *d_logits, GError **error)
{
  Model *model = data;
  Buffers b;
  lay (model, pass, &b);
  segue_nn_model_begin (&model->mel.base);
  segue_nn_head_backward (&model->head, model->mel.base.threads, &b.head, d_logits);
  return segue_nn_model_end (&model->mel.base, error);
}

static const SegueRecipe recipe =
  SEGUE_INIT (SegueRecipe, .epochs = 20, .batch = 32, .learning_rate = 3e-3, .weight_decay = 0.01,
              .schedule = SEGUE_SCHEDULE_COSINE);

static const char *const config_types[] = { MODEL_TYPE, NULL };

static const SegueModelType mean_mlp = {
  SEGUE_MODEL_TYPE,
  .name = "mean-mlp",
  .summary = "A hidden layer over the mean of log-mel frames",
  .doc = "The mean of log-mel frames over time, a hidden layer with ReLU, and a linear classifier.",
  .result_version = 1,
  .params = params,
  .config_size = sizeof (Params),
  .recipe = &recipe,
  .config_types = config_types,
  .create = create,
  .load = load,
  .save = save,
  .free = free_model,
  .describe = segue_nn_mel_model_describe,
  .list_tensors = segue_nn_model_list_tensors,
  .changed = segue_nn_model_changed,
  .plan = plan,
  .forward = forward,
  .backward = backward,
  .fingerprint = segue_nn_fingerprint,
  .set_cancellable = segue_nn_model_set_cancellable,
};

static const SegueModelType *const models[] = { &mean_mlp, NULL };

SEGUE_PLUGIN (.name = "mean-mlp", .version = "1.0", .licence = "MIT", .models = models)
