/* lda: linear discriminant analysis as a model type, fitted in closed form (discriminant.h).
 *
 *   x [C] → logits [K] = (coefficients · (x − mean) / scale + intercepts) / temperature
 *         → point [n_axes] = axes · (x − mean) / scale
 */
#include "gate.h"
#include "temperature.h"

#include <math.h>
#include <segue/nn/backend.h>
#include <segue/nn/linear-algebra.h>
#include <segue/nn/vector-model.h>
#include <segue/plugin.h>
#include <string.h>

#define MODEL_TYPE "lda"

typedef struct {
  double temperature; /* NaN: fitted */
  gboolean gate;
} Params;

static const SegueParam *const params[] = {
  SEGUE_PARAM (Params, temperature, SEGUE_PARAM_DOUBLE, .flags = SEGUE_PARAM_OPTIONAL, .min = 0.01,
               .max = 1000,
               .doc =
                 "Divides the scores: the larger, the less confident the probabilities. Unset: "
                 "fitted to the validation set; without one, 4."),
  SEGUE_PARAM (Params, gate, SEGUE_PARAM_BOOL, .def = "false",
               .doc =
                 "Whether a second analysis, of the segments that are no augmented copies, has "
                 "a part in the prediction where a third one recognises sound that is not "
                 "changed: songs as they are are then predicted more accurately. Needs "
                 "`copies` of `embed`."),
  NULL,
};

/* @axes, @centres: see #Lda; rows of zeros after the last axis. @folded_axes: as of #LdaScores */
typedef struct {
  SegueNnVectorModel vectors;
  LdaScores scores;
  gsize n_axes;
  SegueNnWeight axes, centres;
  double *folded_axes;
  gboolean has_gate;
  LdaGate gate;
  double fixed_temperature; /* NaN: fitted */
} Model;

static void
free_model (gpointer data)
{
  Model *model = data;
  if (!model)
    return;
  segue_nn_vector_model_close (&model->vectors);
  lda_scores_clear (&model->scores);
  lda_gate_clear (&model->gate);
  g_free (model->folded_axes);
  g_free (model);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Model, free_model)

static void
add_space (Model *model, SegueNnWeight *weight, const char *name, gsize rows, gsize columns,
           SegueNnWeightFlags flags)
{
  const SegueNnTensor tensor =
    SEGUE_INIT (SegueNnTensor, .name = name, .rank = 2, .shape = { rows, columns },
                .init = SEGUE_NN_INIT_CONSTANT, .flags = SEGUE_NN_WEIGHT_BUFFER | flags);
  segue_nn_weights_add (model->vectors.base.weights, weight, &tensor);
}

static gboolean
declare (SegueNnModel *base, GError **error)
{
  Model *model = (Model *) base;
  gsize size = model->vectors.size, n_labels = base->n_labels;
  model->n_axes = MAX (MIN (n_labels - 1, size), 1);
  lda_scores_declare (&model->scores, base->weights, "", size, base->n_labels,
                      SEGUE_NN_WEIGHT_LABELS);
  add_space (model, &model->axes, "axes", model->n_axes, size, SEGUE_NN_WEIGHT_HEAD);
  add_space (model, &model->centres, "centres", n_labels, model->n_axes, SEGUE_NN_WEIGHT_LABELS);
  if (model->has_gate)
    lda_gate_declare (&model->gate, base->weights, size, base->n_labels);
  return TRUE;
}

/* After every change of the weights. */
static void
fold (gpointer data)
{
  Model *model = data;
  lda_scores_fold (&model->scores);
  model->folded_axes =
    lda_fold_rows (&model->scores, model->axes.w, NULL, model->n_axes, 1.0, model->folded_axes);
  if (model->has_gate)
    lda_gate_fold (&model->gate);
}

static gpointer
create (const void *data, const SegueModelSpec *spec, GError **error)
{
  const Params *p = data;
  g_autoptr (Model) model = g_new0 (Model, 1);
  model->fixed_temperature = p->temperature;
  model->has_gate = p->gate;
  if (!segue_nn_vector_model_create (&model->vectors, spec, declare, error))
    return NULL;
  if (!spec->blank)
    fold (model);
  return g_steal_pointer (&model);
}

static gboolean
check_weights (const Model *model, const char *folder, GError **error)
{
  return (lda_scores_are_valid (&model->scores) &&
          (!model->has_gate || lda_gate_is_valid (&model->gate))) ||
         segue_nn_config_refuse (error, folder, NULL,
                                 "is no lda model: scale and temperature must be positive");
}

/* The folder decides: its weights are those of a model with a gate, or without. */
static gboolean
read_gate (Model *model, const char *folder, const json_t *config, GError **error)
{
  const json_t *gate = json_object_get (config, "gate");
  model->has_gate = json_is_true (gate);
  return !gate || json_is_boolean (gate) ||
         segue_nn_config_refuse (error, folder, "gate", "is neither true nor false");
}

static gpointer
load (const char *folder, const void *data, const SegueModelSpec *spec, GError **error)
{
  const Params *p = data;
  g_autoptr (Model) model = g_new0 (Model, 1);
  model->fixed_temperature = p->temperature;
  g_autoptr (json_t) config = segue_nn_vector_model_read (&model->vectors, folder, error);
  if (!config || !read_gate (model, folder, config, error) ||
      !segue_nn_vector_model_load (&model->vectors, spec, folder, config, declare, error) ||
      !check_weights (model, folder, error))
    return NULL;
  fold (model);
  return g_steal_pointer (&model);
}

static gboolean
save (gpointer data, const char *folder, GError **error)
{
  Model *model = data;
  return segue_nn_vector_model_save (
    &model->vectors, folder,
    json_pack ("{s:s, s:b}", "model_type", MODEL_TYPE, "gate", (int) model->has_gate), error);
}

/* In doubles: the scores of two analyses, and a point. */
static gsize
plan (gpointer data, guint batch, gsize length, SegueModelMode mode)
{
  const Model *model = data;
  return (2 * (gsize) model->vectors.base.n_labels + model->n_axes) * sizeof (double);
}

static void
describe (gpointer data, SegueModelInfo *info)
{
  const Model *model = data;
  segue_nn_vector_model_describe (data, info);
  info->n_axes = (guint) model->n_axes;
  info->centres = model->centres.w;
}

static void
predict (const Model *model, const float *x, double *room, float *logits)
{
  guint n = model->scores.n_labels;
  lda_scores_apply (&model->scores, x, room);
  if (model->has_gate)
    lda_gate_mix (&model->gate, x, room, room + n, logits);
  else
    for (guint k = 0; k < n; k++)
      logits[k] = (float) room[k];
}

static gboolean
forward (gpointer data, SegueModelPass *pass, GError **error)
{
  const Model *model = data;
  gsize size = model->vectors.size, n_labels = model->vectors.base.n_labels;
  double *room = pass->workspace, *point = room + 2 * n_labels;
  for (guint i = 0; i < pass->batch; i++) {
    const float *x = pass->input + i * size;
    predict (model, x, room, pass->logits + i * n_labels);
    if (!pass->points)
      continue;
    lda_apply_rows (model->folded_axes, model->n_axes, x, size, point);
    for (gsize a = 0; a < model->n_axes; a++)
      pass->points[i * model->n_axes + a] = (float) point[a];
  }
  return TRUE;
}

static void
store_space (Model *model, const Lda *lda)
{
  gsize size = model->vectors.size, n_labels = model->vectors.base.n_labels;
  memset (model->axes.w, 0, model->n_axes * size * sizeof (float));
  memset (model->centres.w, 0, n_labels * model->n_axes * sizeof (float));
  lda_store (&model->axes, lda->axes, lda->n_axes * size);
  for (gsize k = 0; k < n_labels; k++)
    for (gsize a = 0; a < lda->n_axes; a++)
      model->centres.w[k * model->n_axes + a] = (float) lda->centres[k * lda->n_axes + a];
}

static double
choose_temperature (const Model *model, const Lda *lda, const SegueModelFit *fit)
{
  if (!isnan (model->fixed_temperature))
    return model->fixed_temperature;
  g_autofree double *scores = g_new (double, fit->n_validation * lda->n_labels);
  lda_score (model->vectors.base.threads, lda, fit->validation_rows, fit->n_validation, scores);
  return lda_fit_temperature (scores, fit->validation_labels, fit->n_validation, lda->n_labels);
}

/* All analyses of a model, before one is stored: a fit that fails changes nothing. */
typedef struct {
  Lda *all;
  LdaGateFit gate;
} Analyses;

static void
analyses_clear (Analyses *analyses)
{
  g_clear_pointer (&analyses->all, lda_free);
  lda_gate_fit_clear (&analyses->gate);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Analyses, analyses_clear)

static gboolean
analyse (const Model *model, const SegueModelFit *fit, Analyses *analyses, GError **error)
{
  const SegueNnModel *base = &model->vectors.base;
  const LdaData rows = { .n = fit->n,
                         .width = fit->length,
                         .n_labels = base->n_labels,
                         .rows = fit->rows,
                         .labels = fit->labels,
                         .names = (const char *const *) base->labels };
  analyses->all = lda_fit (base->threads, &rows, error);
  return analyses->all &&
         (!model->has_gate || lda_gate_fit (base->threads, fit, &rows, &analyses->gate, error));
}

static void
store (Model *model, const Analyses *analyses, const SegueModelFit *fit)
{
  lda_scores_store (&model->scores, analyses->all, choose_temperature (model, analyses->all, fit));
  store_space (model, analyses->all);
  if (model->has_gate)
    lda_gate_store (&model->gate, &analyses->gate,
                    choose_temperature (model, analyses->gate.unchanged, fit));
}

static gboolean
fit (gpointer data, const SegueModelFit *fit, GError **error)
{
  Model *model = data;
  SegueNnModel *base = &model->vectors.base;
  g_auto (Analyses) analyses = { 0 };
  g_autoptr (GError) local = NULL;
  segue_nn_model_begin (base);
  gboolean ok = analyse (model, fit, &analyses, &local);
  if (!segue_nn_model_end (base, error))
    return FALSE;
  if (!ok) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  store (model, &analyses, fit);
  segue_nn_model_changed (base);
  fold (model);
  return TRUE;
}

static char *
fingerprint (void)
{
  return g_strdup (segue_nn_linear_algebra_fingerprint ());
}

static const SegueRecipe recipe = SEGUE_INIT (SegueRecipe, .epochs = 1, .batch = 64);

static const char *const config_types[] = { MODEL_TYPE, NULL };

static const SegueModelType lda = {
  SEGUE_MODEL_TYPE,
  .name = MODEL_TYPE,
  .summary = "Linear discriminant analysis of vectors, in seconds",
  .doc =
    "A classifier of the vectors of an `embed` stage: labels are normal distributions with one "
    "covariance, estimated with Ledoit and Wolf's shrinkage, as scikit-learn's "
    "`LinearDiscriminantAnalysis (shrinkage=\"auto\")` does. It is computed in one step, without "
    "epochs or learning rate, and for embeddings of music it is as accurate as larger classifiers.",
  .result_version = 2,
  .params = params,
  .config_size = sizeof (Params),
  .recipe = &recipe,
  .config_types = config_types,
  .create = create,
  .load = load,
  .save = save,
  .free = free_model,
  .describe = describe,
  .list_tensors = segue_nn_model_list_tensors,
  .changed = fold,
  .plan = plan,
  .forward = forward,
  .fingerprint = fingerprint,
  .set_cancellable = segue_nn_model_set_cancellable,
  .takes = SEGUE_KIND_TENSOR,
  .fit = fit,
};

static const SegueModelType *const models[] = { &lda, NULL };

SEGUE_PLUGIN (.name = "lda", .version = "1.0", .licence = "MIT", .models = models)
