/* lda: linear discriminant analysis as a model type, fitted in closed form (discriminant.h).
 *
 *   x [C] → logits [K] = (coefficients · (x − mean) / scale + intercepts) / temperature
 *         → point [n_axes] = axes · (x − mean) / scale
 */
#include "discriminant.h"
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
} Params;

static const SegueParam *const params[] = {
  SEGUE_PARAM (Params, temperature, SEGUE_PARAM_DOUBLE, .flags = SEGUE_PARAM_OPTIONAL, .min = 0.01,
               .max = 1000,
               .doc =
                 "Divides the scores: the larger, the less confident the probabilities. Unset: "
                 "fitted to the validation set; without one, 4."),
  NULL,
};

/* @axes, @centres: see #Lda; rows of zeros after the last axis. @folded: [K, C + 1]: what standardisation, coefficients and
 * temperature amount to for x, in double: sums of many terms that nearly cancel. @folded_axes: [n_axes, C + 1]: likewise */
typedef struct {
  SegueNnVectorModel vectors;
  gsize n_axes;
  SegueNnWeight mean, scale, coefficients, intercepts, axes, centres, temperature;
  double fixed_temperature; /* NaN: fitted */
  double *folded, *folded_axes;
} Model;

static void
free_model (gpointer data)
{
  Model *model = data;
  if (!model)
    return;
  segue_nn_vector_model_close (&model->vectors);
  g_free (model->folded);
  g_free (model->folded_axes);
  g_free (model);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Model, free_model)

static void
add (Model *model, SegueNnWeight *weight, const char *name, gsize rows, gsize columns, double value,
     SegueNnWeightFlags flags)
{
  const SegueNnTensor tensor = SEGUE_INIT (
    SegueNnTensor, .name = name, .rank = columns > 0 ? 2 : 1, .shape = { rows, columns },
    .init = SEGUE_NN_INIT_CONSTANT, .a = value, .flags = SEGUE_NN_WEIGHT_BUFFER | flags);
  segue_nn_weights_add (model->vectors.base.weights, weight, &tensor);
}

static gboolean
declare (SegueNnModel *base, GError **error)
{
  Model *model = (Model *) base;
  gsize size = model->vectors.size, n_labels = base->n_labels;
  model->n_axes = MAX (MIN (n_labels - 1, size), 1);
  add (model, &model->mean, "mean", size, 0, 0, 0);
  add (model, &model->scale, "scale", size, 0, 1, 0);
  add (model, &model->coefficients, "coefficients", n_labels, size, 0, SEGUE_NN_WEIGHT_LABELS);
  add (model, &model->intercepts, "intercepts", n_labels, 0, 0, SEGUE_NN_WEIGHT_LABELS);
  add (model, &model->axes, "axes", model->n_axes, size, 0, SEGUE_NN_WEIGHT_HEAD);
  add (model, &model->centres, "centres", n_labels, model->n_axes, 0, SEGUE_NN_WEIGHT_LABELS);
  add (model, &model->temperature, "temperature", 1, 0, LDA_TEMPERATURE_DEFAULT, 0);
  return TRUE;
}

/* Rows of @matrix [n, C] for standardised x, as rows [n, C + 1] for x itself. @offsets: (nullable): [n] */
static double *
fold_rows (const Model *model, const float *matrix, const float *offsets, gsize n, double divisor,
           double *folded)
{
  gsize size = model->vectors.size;
  if (!folded)
    folded = g_new (double, n *(size + 1));
  for (gsize k = 0; k < n; k++) {
    double *row = folded + k * (size + 1);
    double offset = offsets ? (double) offsets[k] : 0.0;
    for (gsize c = 0; c < size; c++) {
      double slope = (double) matrix[k * size + c] / (double) model->scale.w[c];
      offset -= slope * (double) model->mean.w[c];
      row[c] = slope / divisor;
    }
    row[size] = offset / divisor;
  }
  return folded;
}

/* After every change of the weights. */
static void
fold (gpointer data)
{
  Model *model = data;
  model->folded =
    fold_rows (model, model->coefficients.w, model->intercepts.w, model->vectors.base.n_labels,
               (double) model->temperature.w[0], model->folded);
  model->folded_axes =
    fold_rows (model, model->axes.w, NULL, model->n_axes, 1.0, model->folded_axes);
}

static gpointer
create (const void *data, const SegueModelSpec *spec, GError **error)
{
  const Params *p = data;
  g_autoptr (Model) model = g_new0 (Model, 1);
  model->fixed_temperature = p->temperature;
  if (!segue_nn_vector_model_create (&model->vectors, spec, declare, error))
    return NULL;
  if (!spec->blank)
    fold (model);
  return g_steal_pointer (&model);
}

static gboolean
check_weights (const Model *model, const char *folder, GError **error)
{
  gboolean positive = model->temperature.w[0] > 0;
  for (gsize c = 0; c < model->vectors.size; c++)
    positive = positive && model->scale.w[c] > 0;
  return positive ||
         segue_nn_config_refuse (error, folder, NULL,
                                 "is no lda model: scale and temperature must be positive");
}

static gpointer
load (const char *folder, const void *data, const SegueModelSpec *spec, GError **error)
{
  const Params *p = data;
  g_autoptr (Model) model = g_new0 (Model, 1);
  model->fixed_temperature = p->temperature;
  g_autoptr (json_t) config = segue_nn_vector_model_read (&model->vectors, folder, error);
  if (!config ||
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
  return segue_nn_vector_model_save (&model->vectors, folder,
                                     json_pack ("{s:s}", "model_type", MODEL_TYPE), error);
}

static gsize
plan (gpointer data, guint batch, gsize length, SegueModelMode mode)
{
  return 0;
}

static void
describe (gpointer data, SegueModelInfo *info)
{
  const Model *model = data;
  segue_nn_vector_model_describe (data, info);
  info->n_axes = (guint) model->n_axes;
  info->centres = model->centres.w;
}

/* In one order of summation: the batch never changes a result. */
static void
apply_rows (const double *folded, gsize n, const float *x, gsize size, float *out)
{
  for (gsize k = 0; k < n; k++) {
    const double *row = folded + k * (size + 1);
    double sum = row[size];
    for (gsize c = 0; c < size; c++)
      sum += row[c] * (double) x[c];
    out[k] = (float) sum;
  }
}

static gboolean
forward (gpointer data, SegueModelPass *pass, GError **error)
{
  const Model *model = data;
  gsize size = model->vectors.size, n_labels = model->vectors.base.n_labels;
  for (guint i = 0; i < pass->batch; i++) {
    const float *x = pass->input + i * size;
    apply_rows (model->folded, n_labels, x, size, pass->logits + i * n_labels);
    if (pass->points)
      apply_rows (model->folded_axes, model->n_axes, x, size, pass->points + i * model->n_axes);
  }
  return TRUE;
}

static void
store (SegueNnWeight *weight, const double *values, gsize n)
{
  for (gsize i = 0; i < n; i++)
    weight->w[i] = (float) values[i];
}

static void
store_analysis (Model *model, const Lda *lda)
{
  gsize size = model->vectors.size, n_labels = model->vectors.base.n_labels;
  store (&model->mean, lda->mean, size);
  store (&model->scale, lda->scale, size);
  store (&model->coefficients, lda->coefficients, n_labels * size);
  store (&model->intercepts, lda->intercepts, n_labels);
  memset (model->axes.w, 0, model->n_axes * size * sizeof (float));
  memset (model->centres.w, 0, n_labels * model->n_axes * sizeof (float));
  store (&model->axes, lda->axes, lda->n_axes * size);
  for (gsize k = 0; k < n_labels; k++)
    for (gsize a = 0; a < lda->n_axes; a++)
      model->centres.w[k * model->n_axes + a] = (float) lda->centres[k * lda->n_axes + a];
}

static double
choose_temperature (const Model *model, SegueNnThreads *threads, const Lda *lda,
                    const SegueModelFit *fit)
{
  if (!isnan (model->fixed_temperature))
    return model->fixed_temperature;
  g_autofree double *scores = g_new (double, fit->n_validation * lda->n_labels);
  lda_score (threads, lda, fit->validation_rows, fit->n_validation, scores);
  return lda_fit_temperature (scores, fit->validation_labels, fit->n_validation, lda->n_labels);
}

static gboolean
fit (gpointer data, const SegueModelFit *fit, GError **error)
{
  Model *model = data;
  SegueNnModel *base = &model->vectors.base;
  const LdaData rows = { .n = fit->n,
                         .width = fit->length,
                         .n_labels = base->n_labels,
                         .rows = fit->rows,
                         .labels = fit->labels,
                         .names = (const char *const *) base->labels };
  segue_nn_model_begin (base);
  g_autoptr (GError) local = NULL;
  g_autoptr (Lda) lda = lda_fit (base->threads, &rows, &local);
  double temperature = lda ? choose_temperature (model, base->threads, lda, fit) : NAN;
  if (!segue_nn_model_end (base, error))
    return FALSE;
  if (!lda) {
    g_propagate_error (error, g_steal_pointer (&local));
    return FALSE;
  }
  store_analysis (model, lda);
  store (&model->temperature, &temperature, 1);
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
  .result_version = 1,
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
