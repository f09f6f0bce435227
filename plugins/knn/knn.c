/* knn: the k nearest neighbours among the training rows, as a model type.
 *
 *   x [size] → z, standardised; of length 1 for cosine                               segue/nn/scaler.h
 *   neighbours: the k rows r with the largest z·r (cosine), z·r − ‖r‖²/2 (euclidean); of equal ones the first
 *   similarity s = max (z·r, 0) (cosine), 1 / (1 + ‖z − r‖ / √size) (euclidean)
 *   logit of label l = ln (Σ s of neighbours with label l + KNN_PRIOR / labels)
 */
#include "knn.h"

#include <math.h>
#include <segue/nn/arena.h>
#include <segue/nn/backend.h>
#include <segue/nn/elementwise.h>
#include <segue/nn/linear.h>
#include <segue/nn/scaler.h>
#include <segue/nn/vector-model.h>
#include <segue/plugin.h>
#include <string.h>

#define MODEL_TYPE "knn"
#define MAX_K      1000
#define MAX_ROWS   ((gsize) 1 << 24)
#define NONE       G_MAXUINT

static const char *const distances[] = { "cosine", "euclidean", NULL };

static const SegueParam *const params[] = {
  SEGUE_PARAM (KnnParams, k, SEGUE_PARAM_INT, .def = "5", .min = 1, .max = MAX_K,
               .doc = "Number of neighbours that vote."),
  SEGUE_PARAM (KnnParams, distance, SEGUE_PARAM_CHOICE, .def = "cosine", .choices = distances,
               .doc = "How vectors are compared, over standardised columns."),
  NULL,
};

/* @runs: what config.json has as `rows`: [{ "label": "a", "rows": 12 }, …], in the order of the rows
 * @rows: [n_rows, size], as z; its bias is derived: −‖r‖²/2, or 0. One row without a label before fit ()
 * @labels: [n_rows]: by @runs; NONE: a label that the model does not have */
typedef struct {
  SegueNnVectorModel vectors;
  SegueNnScaler scaler;
  gsize k, n_rows;
  guint distance;
  json_t *runs;
  SegueNnAffine rows;
  guint *labels;
} Model;

static void
free_model (gpointer data)
{
  Model *model = data;
  if (!model)
    return;
  segue_nn_vector_model_close (&model->vectors);
  json_decref (model->runs);
  g_free (model->labels);
  g_free (model);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Model, free_model)

/* ---- Weights ---- */

static void
derive_bias (gpointer layer, SegueNnThreads *threads)
{
  Model *model = layer;
  gsize size = model->vectors.size;
  for (gsize i = 0; i < model->n_rows && model->distance == KNN_EUCLIDEAN; i++) {
    const float *r = model->rows.weight.w + i * size;
    model->rows.bias.w[i] = (float) (-0.5 * segue_nn_sum_squares (threads, size, r));
  }
}

static gboolean
assign_labels (Model *model, GError **error)
{
  const SegueNnModel *base = &model->vectors.base;
  g_autoptr (GHashTable) numbers = g_hash_table_new (g_str_hash, g_str_equal);
  gsize row = 0, i;
  json_t *run;
  g_free (model->labels);
  model->labels = g_try_new (guint, model->n_rows);
  if (!model->labels) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE,
                 "not enough memory for the labels of %" G_GSIZE_FORMAT " rows", model->n_rows);
    return FALSE;
  }
  for (guint l = 0; l < base->n_labels; l++)
    g_hash_table_insert (numbers, base->labels[l], GUINT_TO_POINTER (l + 1));
  json_array_foreach (model->runs, i, run)
  {
    const char *name = json_string_value (json_object_get (run, "label"));
    guint number = GPOINTER_TO_UINT (g_hash_table_lookup (numbers, name));
    for (json_int_t n = json_integer_value (json_object_get (run, "rows")); n > 0; n--)
      model->labels[row++] = number > 0 ? number - 1 : NONE;
  }
  while (row < model->n_rows)
    model->labels[row++] = NONE;
  return TRUE;
}

static gboolean
declare (SegueNnModel *base, GError **error)
{
  Model *model = (Model *) base;
  const SegueNnTensor rows =
    SEGUE_INIT (SegueNnTensor, .name = "rows", .rank = 2,
                .shape = { model->n_rows, model->vectors.size }, .flags = SEGUE_NN_WEIGHT_BUFFER);
  model->scaler.size = model->vectors.size;
  segue_nn_scaler_declare (&model->scaler, base->weights, "scaler");
  segue_nn_weights_add (base->weights, &model->rows.weight, &rows);
  segue_nn_weights_add_derived (base->weights, &model->rows.bias.w, model->n_rows);
  segue_nn_weights_derive (base->weights, derive_bias, model);
  return assign_labels (model, error);
}

static gpointer
create (const void *data, const SegueModelSpec *spec, GError **error)
{
  const KnnParams *p = data;
  g_autoptr (Model) model = g_new0 (Model, 1);
  model->k = (gsize) p->k;
  model->distance = (guint) p->distance;
  model->n_rows = 1;
  model->runs = json_array ();
  if (!segue_nn_vector_model_create (&model->vectors, spec, declare, error))
    return NULL;
  return g_steal_pointer (&model);
}

/* ---- Folder ---- */

/* Sets runs and the number of rows. */
static gboolean
read_rows (Model *model, const json_t *config, const char *where, GError **error)
{
  json_t *runs = json_object_get (config, "rows"), *run;
  gsize i;
  if (!json_is_array (runs))
    return segue_nn_config_refuse (error, where, "rows", "is no list");
  json_array_foreach (runs, i, run)
  {
    json_int_t n = json_integer_value (json_object_get (run, "rows"));
    if (!json_is_string (json_object_get (run, "label")) || n < 1 ||
        n > (json_int_t) (MAX_ROWS - model->n_rows))
      return segue_nn_config_refuse (error, where, "rows",
                                     "has no label, or not 1..%" G_GSIZE_FORMAT " rows in all, "
                                     "at place %" G_GSIZE_FORMAT,
                                     MAX_ROWS, i);
    model->n_rows += (gsize) n;
  }
  model->n_rows = MAX (model->n_rows, 1);
  model->runs = json_incref (runs);
  return TRUE;
}

static gboolean
read_config (Model *model, const json_t *config, const char *where, GError **error)
{
  model->distance = G_MAXUINT;
  if (!segue_nn_config_get_size (config, where, "k", 1, MAX_K, &model->k, error) ||
      !segue_nn_config_get_choice (config, where, "distance", distances, &model->distance, error))
    return FALSE;
  if (model->k == 0 || model->distance == G_MAXUINT)
    return segue_nn_config_refuse (error, where, model->k == 0 ? "k" : "distance", "is missing");
  return read_rows (model, config, where, error);
}

static gpointer
load (const char *folder, const void *data, const SegueModelSpec *spec, GError **error)
{
  g_autoptr (Model) model = g_new0 (Model, 1);
  g_autofree char *where = g_build_filename (folder, "config.json", NULL);
  g_autoptr (json_t) config = segue_nn_vector_model_read (&model->vectors, folder, error);
  if (!config || !read_config (model, config, where, error) ||
      !segue_nn_vector_model_load (&model->vectors, spec, folder, config, declare, error) ||
      !segue_nn_scaler_check (&model->scaler, folder, error))
    return NULL;
  return g_steal_pointer (&model);
}

static gboolean
save (gpointer data, const char *folder, GError **error)
{
  const Model *model = data;
  json_t *config =
    json_pack ("{s:s, s:I, s:s, s:O}", "model_type", MODEL_TYPE, "k", (json_int_t) model->k,
               "distance", distances[model->distance], "rows", model->runs);
  return segue_nn_vector_model_save (&model->vectors, folder, config, error);
}

/* ---- Inference ---- */

typedef struct {
  float *z;            /* [B, size] */
  float *scores;       /* [B, n_rows] */
  guint32 *neighbours; /* [B, k] */
} Buffers;

static gsize
lay (const Model *model, guint batch, void *workspace, Buffers *b)
{
  SegueNnArena arena = { workspace };
  b->z = segue_nn_arena_floats (&arena, batch, model->vectors.size, 1, 1);
  b->scores = segue_nn_arena_floats (&arena, batch, model->n_rows, 1, 1);
  b->neighbours = segue_nn_arena_bytes (&arena, batch * model->k * sizeof (guint32));
  return segue_nn_arena_get_size (&arena);
}

static gsize
plan (gpointer data, guint batch, gsize length, SegueModelMode mode)
{
  Buffers buffers;
  return lay (data, batch, NULL, &buffers);
}

/* z of @x [@n, size]: standardised, and for cosine of length 1. */
static void
transform (const Model *model, gsize n, const float *x, float *z)
{
  SegueNnThreads *threads = model->vectors.base.threads;
  gsize size = model->vectors.size;
  segue_nn_scaler_forward (&model->scaler, threads, n, x, z);
  for (gsize i = 0; i < n && model->distance == KNN_COSINE; i++) {
    double length = sqrt (segue_nn_sum_squares (threads, size, z + i * size));
    for (gsize j = 0; j < size && length > 0; j++)
      z[i * size + j] = (float) ((double) z[i * size + j] / length);
  }
}

/* The best rows, the best first; returns how many. */
static gsize
choose (const Model *model, const float *scores, guint32 *neighbours)
{
  gsize n = 0;
  for (gsize i = 0; i < model->n_rows; i++) {
    if (model->labels[i] == NONE || (n == model->k && !(scores[i] > scores[neighbours[n - 1]])))
      continue;
    gsize at = n < model->k ? n++ : n - 1;
    for (; at > 0 && scores[i] > scores[neighbours[at - 1]]; at--)
      neighbours[at] = neighbours[at - 1];
    neighbours[at] = (guint32) i;
  }
  return n;
}

/* In double, and not from the product, which loses the digits of small distances. */
static double
get_similarity (const Model *model, const float *z, const float *r)
{
  double dot = 0.0, square = 0.0;
  for (gsize j = 0; j < model->vectors.size; j++) {
    double difference = (double) z[j] - (double) r[j];
    dot += (double) z[j] * (double) r[j];
    square += difference * difference;
  }
  return model->distance == KNN_COSINE ? MAX (dot, 0.0)
                                       : 1.0 / (1.0 + sqrt (square / (double) model->vectors.size));
}

typedef struct {
  const Model *model;
  const Buffers *buffers;
  float *logits;
} Vote;

static void
vote (gpointer data, gsize item, guint thread)
{
  const Vote *v = data;
  const Model *model = v->model;
  gsize size = model->vectors.size, n_labels = model->vectors.base.n_labels;
  guint32 *neighbours = v->buffers->neighbours + item * model->k;
  float *logits = v->logits + item * n_labels;
  gsize n = choose (model, v->buffers->scores + item * model->n_rows, neighbours);
  memset (logits, 0, n_labels * sizeof *logits);
  for (gsize i = 0; i < n; i++)
    logits[model->labels[neighbours[i]]] += (float) get_similarity (
      model, v->buffers->z + item * size, model->rows.weight.w + neighbours[i] * size);
  for (gsize l = 0; l < n_labels; l++)
    logits[l] = (float) log ((double) logits[l] + KNN_PRIOR / (double) n_labels);
}

/* The product is computed row by row, so that an item's result does not depend on its batch. */
static gboolean
forward (gpointer data, SegueModelPass *pass, GError **error)
{
  Model *model = data;
  SegueNnThreads *threads = model->vectors.base.threads;
  Buffers b;
  lay (model, pass->batch, pass->workspace, &b);
  const Vote v = { .model = model, .buffers = &b, .logits = pass->logits };
  segue_nn_model_begin (&model->vectors.base);
  transform (model, pass->batch, pass->input, b.z);
  segue_nn_linear_forward_batch (threads, pass->batch, 1, model->vectors.size, model->n_rows, b.z,
                                 &model->rows, b.scores);
  segue_nn_threads_run (threads, pass->batch, vote, (gpointer) &v);
  return segue_nn_model_end (&model->vectors.base, error);
}

/* ---- Training ---- */

/* New weights, with room for all rows, which are sorted by label. */
static gboolean
make_room (Model *model, const SegueModelFit *fit, GError **error)
{
  SegueNnModel *base = &model->vectors.base;
  if (fit->n > MAX_ROWS) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "knn stores at most %" G_GSIZE_FORMAT " training rows, not %" G_GSIZE_FORMAT,
                 MAX_ROWS, fit->n);
    return FALSE;
  }
  g_autofree gsize *counts = g_new0 (gsize, base->n_labels);
  for (gsize i = 0; i < fit->n; i++)
    counts[fit->labels[i]]++;
  json_decref (model->runs);
  model->runs = json_array ();
  for (guint l = 0; l < base->n_labels; l++)
    json_array_append_new (model->runs, json_pack ("{s:s, s:I}", "label", base->labels[l], "rows",
                                                   (json_int_t) counts[l]));
  model->n_rows = fit->n;
  segue_nn_weights_free (base->weights);
  base->weights = segue_nn_weights_new ();
  return declare (base, error) && segue_nn_weights_allocate (base->weights, error);
}

/* In their order within a label. */
static void
store_rows (Model *model, const SegueModelFit *fit)
{
  gsize size = model->vectors.size, n_labels = model->vectors.base.n_labels, at = 0;
  g_autofree gsize *next = g_new (gsize, n_labels);
  for (guint l = 0; l < n_labels; l++) {
    next[l] = at;
    while (at < model->n_rows && model->labels[at] == l)
      at++;
  }
  for (gsize i = 0; i < fit->n; i++)
    memcpy (model->rows.weight.w + next[fit->labels[i]]++ * size, fit->rows + i * size,
            size * sizeof (float));
}

static gboolean
fit (gpointer data, const SegueModelFit *fit, GError **error)
{
  Model *model = data;
  SegueNnModel *base = &model->vectors.base;
  if (!make_room (model, fit, error))
    return FALSE;
  store_rows (model, fit);
  segue_nn_model_begin (base);
  segue_nn_scaler_fit (&model->scaler, base->threads, fit->n, fit->rows);
  transform (model, fit->n, model->rows.weight.w, model->rows.weight.w);
  segue_nn_model_changed (base);
  return segue_nn_model_end (base, error);
}

static const SegueRecipe recipe = SEGUE_INIT (SegueRecipe, .epochs = 1, .batch = 64);

static const char *const config_types[] = { MODEL_TYPE, NULL };

static const SegueModelType knn = {
  SEGUE_MODEL_TYPE,
  .name = MODEL_TYPE,
  .summary = "The nearest training vectors vote",
  .doc = "A classifier of the vectors of an `embed` stage: the `k` most similar vectors of the "
         "training set vote for their labels, weighted by their similarity. The model contains "
         "all vectors of the training set, so its folder and the time of a prediction grow with "
         "them.",
  .result_version = 1,
  .params = params,
  .config_size = sizeof (KnnParams),
  .recipe = &recipe,
  .config_types = config_types,
  .create = create,
  .load = load,
  .save = save,
  .free = free_model,
  .describe = segue_nn_vector_model_describe,
  .list_tensors = segue_nn_model_list_tensors,
  .changed = segue_nn_model_changed,
  .plan = plan,
  .forward = forward,
  .fingerprint = segue_nn_fingerprint,
  .set_cancellable = segue_nn_model_set_cancellable,
  .takes = SEGUE_KIND_TENSOR,
  .fit = fit,
};

static const SegueModelType *const models[] = { &knn, NULL };

SEGUE_PLUGIN (.name = "knn", .version = "1.0", .licence = "MIT", .models = models)
