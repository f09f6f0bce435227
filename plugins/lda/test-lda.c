/* The model type: what is fitted, kept in a folder, and refused. */
#include "discriminant.h"
#include "params/params.h"
#include "temperature.h"

#include <jansson.h>
#include <math.h>
#include <segue/file.h>
#include <segue/host/segue.h>
#include <segue/nn/safetensors.h>
#include <segue/random.h>
#include <segue/testing.h>
#include <string.h>

const SeguePlugin *segue_plugin_query (void);

static SegueRegistry *registry;

static const char *const four[] = { "a", "b", "c", "d", NULL };

/* ---- Data and models ---- */

/* @copies: (nullable) */
typedef struct {
  gsize n, width;
  float *rows;
  gint32 *labels;
  guint32 *copies;
} Data;

static void
data_clear (Data *data)
{
  g_free (data->rows);
  g_free (data->labels);
  g_free (data->copies);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Data, data_clear)

/* Labels in turn: centres of length √(width / 3) and noise of the same variance. @first: of the noise */
static Data
make_data (gsize first, gsize n, gsize width, guint n_labels)
{
  Data data = { n, width, g_new (float, n *width), g_new (gint32, n), NULL };
  for (gsize i = 0; i < n; i++) {
    data.labels[i] = (gint32) (i % n_labels);
    for (gsize j = 0; j < width; j++)
      data.rows[i * width + j] =
        (float) (segue_random_between (1 + (guint64) data.labels[i], j, -1, 1) +
                 segue_random_between (1000003 + first + i, j, -1, 1));
  }
  return data;
}

/* @config: YAML */
static SegueModel *
new_model (const char *config, const char *const *labels, gsize size, guint threads)
{
  const SegueModelType *type = segue_registry_find_model (registry, "lda");
  const SegueParamScope scope = { 0 };
  const SegueModelSpec spec =
    SEGUE_INIT (SegueModelSpec, .labels = labels, .length = size, .seed = 1, .threads = threads);
  g_autoptr (GError) error = NULL;
  g_autofree gpointer parsed = g_malloc0 (type->config_size);
  SegueNode *node = segue_node_parse (config, -1, "config", &error);
  g_assert_no_error (error);
  segue_params_parse (type->params, node, parsed, &scope, &error);
  g_assert_no_error (error);
  segue_node_free (node);
  SegueModel *model = segue_model_new (type, parsed, &spec, &error);
  g_assert_no_error (error);
  segue_params_clear (type->params, parsed);
  return model;
}

/* @validation: (nullable) */
static gboolean
try_fit (SegueModel *model, const Data *train, const Data *validation, GError **error)
{
  g_autofree guint32 *songs = g_new (guint32, train->n);
  for (gsize i = 0; i < train->n; i++)
    songs[i] = (guint32) i;
  const SegueModelFit fit = SEGUE_INIT (
    SegueModelFit, .length = train->width, .n = train->n, .rows = train->rows,
    .labels = train->labels, .songs = songs, .n_validation = validation ? validation->n : 0,
    .validation_rows = validation ? validation->rows : NULL,
    .validation_labels = validation ? validation->labels : NULL, .copies = train->copies);
  return segue_model_fit (model, &fit, error);
}

static SegueModel *
fit (const char *config, const char *const *labels, guint threads, const Data *train,
     const Data *validation)
{
  g_autoptr (GError) error = NULL;
  SegueModel *model = new_model (config, labels, train->width, threads);
  try_fit (model, train, validation, &error);
  g_assert_no_error (error);
  return model;
}

/* @points: (nullable) */
static float *
infer_points (SegueModel *model, const Data *data, gsize first, gsize n, float *points)
{
  SegueModelInfo info = SEGUE_INIT (SegueModelInfo);
  segue_model_describe (model, &info);
  g_autoptr (GError) error = NULL;
  g_autofree double *room = g_new (double, 2 * info.n_labels + info.n_axes);
  float *logits = g_new (float, n *info.n_labels);
  SegueModelPass pass =
    SEGUE_INIT (SegueModelPass, .mode = SEGUE_MODEL_INFER, .batch = (guint) n,
                .length = data->width, .input = data->rows + first * data->width, .workspace = room,
                .logits = logits, .points = points);
  segue_model_forward (model, &pass, &error);
  g_assert_no_error (error);
  for (gsize i = 0; i < n * info.n_labels; i++)
    g_assert_true (isfinite (logits[i]));
  return logits;
}

static float *
infer (SegueModel *model, const Data *data, gsize first, gsize n)
{
  return infer_points (model, data, first, n, NULL);
}

static double
get_temperature (SegueModel *model)
{
  g_autoptr (GArray) tensors = segue_model_list_tensors (model, NULL);
  for (guint i = 0; i < tensors->len; i++) {
    const SegueModelTensor *tensor = &g_array_index (tensors, SegueModelTensor, i);
    if (strcmp (tensor->name, "temperature") == 0)
      return (double) *tensor->value;
  }
  g_error ("no temperature");
}

static void
assert_same_tensors (SegueModel *one, SegueModel *other)
{
  g_autoptr (GArray) a = segue_model_list_tensors (one, NULL);
  g_autoptr (GArray) b = segue_model_list_tensors (other, NULL);
  g_assert_cmpuint (a->len, ==, b->len);
  for (guint i = 0; i < a->len; i++) {
    const SegueModelTensor *s = &g_array_index (a, SegueModelTensor, i);
    const SegueModelTensor *t = &g_array_index (b, SegueModelTensor, i);
    g_assert_cmpstr (s->name, ==, t->name);
    g_assert_cmpmem (s->value, s->n_elements * sizeof (float), t->value,
                     t->n_elements * sizeof (float));
  }
}

static gsize
count_right (SegueModel *model, const Data *data, guint n_labels)
{
  gsize right = 0;
  g_autofree float *logits = infer (model, data, 0, data->n);
  for (gsize i = 0; i < data->n; i++)
    right += segue_argmax_f32 (logits + i * n_labels, n_labels) == (guint) data->labels[i];
  return right;
}

/* ---- Fitting ---- */

static void
test_contract (void)
{
  segue_test_model (segue_plugin_query (), "lda", "{}");
  segue_test_model (segue_plugin_query (), "lda", "{ temperature: 2.5 }");
  segue_test_model (segue_plugin_query (), "lda", "{ gate: true }");
}

/* −Σ ln p of the labels, for logits times @by. */
static double
measure_loss (const float *logits, const Data *data, guint k, double by)
{
  double loss = 0;
  for (gsize i = 0; i < data->n; i++) {
    double sum = 0, own = by * (double) logits[i * k + (guint) data->labels[i]];
    for (guint c = 0; c < k; c++)
      sum += exp (by * (double) logits[i * k + c] - own);
    loss += log (sum);
  }
  return loss;
}

/* The same with more noise, so that a few rows per column make too confident scores. */
static Data
make_noisy (gsize first, gsize n)
{
  Data data = make_data (first, n, 30, 4);
  for (gsize i = 0; i < n * 30; i++)
    data.rows[i] += 6 * (float) segue_random_between (99 + first, i, -1, 1);
  return data;
}

static void
test_temperature (void)
{
  g_auto (Data) train = make_noisy (0, 40);
  g_auto (Data) validation = make_noisy (40, 60);
  g_autoptr (SegueModel) fitted = fit ("{}", four, 1, &train, &validation);
  g_autoptr (SegueModel) unset = fit ("{}", four, 1, &train, NULL);
  g_autoptr (SegueModel) given = fit ("{ temperature: 2.5 }", four, 1, &train, &validation);
  g_assert_cmpfloat (get_temperature (fitted), >, 1);
  g_assert_cmpfloat (get_temperature (unset), ==, LDA_TEMPERATURE_DEFAULT);
  g_assert_cmpfloat (get_temperature (given), ==, 2.5);

  g_autofree float *logits = infer (fitted, &validation, 0, validation.n);
  double least = measure_loss (logits, &validation, 4, 1);
  g_assert_cmpfloat (least, <, measure_loss (logits, &validation, 4, 0.95));
  g_assert_cmpfloat (least, <, measure_loss (logits, &validation, 4, 1.05));

  g_autofree float *by_four = infer (unset, &validation, 0, validation.n);
  g_autofree float *by_given = infer (given, &validation, 0, validation.n);
  for (gsize i = 0; i < validation.n * 4; i++)
    g_assert_cmpfloat_with_epsilon (2.5 * (double) by_given[i], 4 * (double) by_four[i], 1e-4);

  /* Validation songs of other artists only. */
  for (gsize i = 0; i < validation.n; i++)
    validation.labels[i] = -1;
  g_autoptr (SegueModel) strange = fit ("{}", four, 1, &train, &validation);
  g_assert_cmpfloat (get_temperature (strange), ==, LDA_TEMPERATURE_DEFAULT);
}

/* A second fit leaves nothing of the first, which had more axes. */
static void
test_refit (void)
{
  g_auto (Data) wide = make_data (0, 80, 6, 4);
  g_auto (Data) line = make_data (0, 80, 6, 4);
  for (gsize i = 0; i < line.n; i++)
    for (gsize j = 0; j < 6; j++) /* label − 1.5 along all columns; the same noise for each label */
      line.rows[i * 6 + j] =
        (float) (2 * (line.labels[i] - 1.5) + segue_random_between (77 + i / 4, j, -1, 1));
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueModel) fresh = fit ("{}", four, 1, &line, NULL);
  g_autoptr (SegueModel) again = fit ("{}", four, 1, &wide, NULL);
  try_fit (again, &line, NULL, &error);
  g_assert_no_error (error);
  assert_same_tensors (fresh, again);
  g_assert_cmpuint (count_right (fresh, &line, 4), ==, 80);
}

static void
assert_unfit (const char *const *labels, const Data *data, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueModel) model = new_model ("{}", labels, data->width, 2);
  g_autoptr (SegueModel) new = new_model ("{}", labels, data->width, 2);
  g_assert_false (try_fit (model, data, NULL, &error));
  g_test_message ("%s", error->message);
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  g_assert_nonnull (strstr (error->message, words));
  assert_same_tensors (model, new);
}

static void
test_unfit (void)
{
  static const char *const one[] = { "a", NULL };
  g_auto (Data) single = make_data (0, 20, 6, 1);
  assert_unfit (one, &single, "at least two labels");
  g_auto (Data) equal = make_data (0, 20, 6, 4);
  for (gsize i = 0; i < equal.n * 6; i++)
    equal.rows[i] = 0.25f;
  assert_unfit (four, &equal, "no label has two different rows");
  g_auto (Data) infinite = make_data (0, 20, 6, 4);
  infinite.rows[17] = INFINITY;
  assert_unfit (four, &infinite, "feature 5 of row 2 is not finite");
}

/* The last label has one row. */
static void
test_one_row (void)
{
  g_auto (Data) data = make_data (0, 61, 6, 3);
  data.labels[60] = 3;
  for (gsize j = 0; j < 6; j++)
    data.rows[60 * 6 + j] = j % 2 ? 5 : -5;
  g_autoptr (SegueModel) model = fit ("{}", four, 1, &data, NULL);
  g_autofree float *logits = infer (model, &data, 60, 1);
  g_assert_cmpuint (segue_argmax_f32 (logits, 4), ==, 3);
}

static void
test_many_labels (void)
{
  enum { N_LABELS = 5000 };
  g_auto (GStrv) labels = g_new0 (char *, N_LABELS + 1);
  for (guint i = 0; i < N_LABELS; i++)
    labels[i] = g_strdup_printf ("artist %u", i);
  g_auto (Data) data = make_data (0, 3 * N_LABELS, 20, N_LABELS);
  for (gsize i = 0; i < data.n * 20; i++) /* less noise than centres */
    data.rows[i] +=
      9 * (float) segue_random_between (1 + (guint64) data.labels[i / 20], i % 20, -1, 1);
  g_autoptr (SegueModel) one = fit ("{}", (const char *const *) labels, 1, &data, NULL);
  g_autoptr (SegueModel) three = fit ("{}", (const char *const *) labels, 3, &data, NULL);
  assert_same_tensors (one, three);
  data.n = 500;
  g_assert_cmpuint (count_right (one, &data, N_LABELS), >, 490);
}

/* ---- The gate ---- */

enum { SIZE = 12 };

/* Rows in pairs: one that is as it was, and its copy, in which the three columns that separate labels best, but only in
 * unchanged rows, have another value. */
static Data
make_copies (gsize first, gsize n)
{
  Data data = make_data (first, n, SIZE, 4);
  data.copies = g_new (guint32, n);
  for (gsize i = 0; i < n; i++) {
    float *row = data.rows + i * SIZE;
    data.copies[i] = i / 4 % 2;
    for (gsize j = 0; j < SIZE; j++)
      row[j] += 4 * (float) segue_random_between (31 + first + i, j, -1, 1);
    for (gsize j = 0; j < 3; j++)
      row[j] = data.copies[i] > 0 ? 9 : row[j] / 8 + (j == (gsize) data.labels[i] ? 2 : 0);
  }
  return data;
}

/* (transfer full): the rows that are copies, or are not. */
static Data
choose (const Data *all, gboolean copies)
{
  Data data = { 0, SIZE, g_new (float, all->n *SIZE), g_new (gint32, all->n), NULL };
  for (gsize i = 0; i < all->n; i++) {
    if ((all->copies[i] > 0) != copies)
      continue;
    memcpy (data.rows + data.n * SIZE, all->rows + i * SIZE, SIZE * sizeof (float));
    data.labels[data.n++] = all->labels[i];
  }
  return data;
}

/* Unchanged rows are predicted better than without a gate; changed ones as before. */
static void
test_gate (void)
{
  g_auto (Data) train = make_copies (0, 240);
  g_auto (Data) others = make_copies (1000, 800);
  g_auto (Data) unchanged = choose (&others, FALSE);
  g_auto (Data) changed = choose (&others, TRUE);
  g_autoptr (SegueModel) with = fit ("{ gate: true, temperature: 1 }", four, 1, &train, NULL);
  g_autoptr (SegueModel) without = fit ("{ temperature: 1 }", four, 1, &train, NULL);
  g_assert_cmpuint (count_right (with, &unchanged, 4), >,
                    count_right (without, &unchanged, 4) + 40);
  gsize before = count_right (without, &changed, 4), after = count_right (with, &changed, 4);
  g_test_message ("%zu and %zu of %zu changed rows", before, after, changed.n);
  g_assert_cmpuint (after + 4, >, before);
}

static void
get_probabilities (const double *scores, guint n, double *p)
{
  double sum = 0;
  for (guint k = 0; k < n; k++)
    sum += exp (scores[k]);
  for (guint k = 0; k < n; k++)
    p[k] = exp (scores[k]) / sum;
}

/* Logits are the logarithms of what gate.h says, by analyses of the same rows. */
static void
test_gate_formula (void)
{
  g_auto (Data) train = make_copies (0, 240);
  g_auto (Data) unchanged = choose (&train, FALSE);
  g_autofree gint32 *answers = g_new (gint32, train.n);
  for (gsize i = 0; i < train.n; i++)
    answers[i] = (gint32) train.copies[i];
  const LdaData data[] = { { train.n, SIZE, 4, train.rows, train.labels, NULL },
                           { unchanged.n, SIZE, 4, unchanged.rows, unchanged.labels, NULL },
                           { train.n, SIZE, 2, train.rows, answers, NULL } };
  g_autoptr (SegueNnThreads) threads = segue_nn_threads_new (1, NULL, NULL);
  double *scores[3];
  for (guint i = 0; i < 3; i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (Lda) lda = lda_fit (threads, &data[i], &error);
    g_assert_no_error (error);
    scores[i] = g_new (double, train.n * 4);
    lda_score (threads, lda, train.rows, train.n, scores[i]);
  }
  g_autoptr (SegueModel) model = fit ("{ gate: true, temperature: 1 }", four, 1, &train, NULL);
  g_autofree float *logits = infer (model, &train, 0, train.n);
  for (gsize i = 0; i < train.n; i++) {
    double all[4], own[4], gate[2];
    get_probabilities (scores[0] + i * 4, 4, all);
    get_probabilities (scores[1] + i * 4, 4, own);
    get_probabilities (scores[2] + i * 2, 2, gate);
    for (guint k = 0; k < 4; k++)
      g_assert_cmpfloat_with_epsilon (exp ((double) logits[i * 4 + k]),
                                      (1 - gate[0] / 2) * all[k] + gate[0] / 2 * own[k], 1e-4);
  }
  for (guint i = 0; i < 3; i++)
    g_free (scores[i]);
}

static void
test_gate_without_copies (void)
{
  g_auto (Data) data = make_data (0, 80, 6, 4);
  for (guint i = 0; i < 2; i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (SegueModel) model = new_model ("{ gate: true }", four, data.width, 1);
    g_assert_false (try_fit (model, &data, NULL, &error));
    g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
    g_assert_nonnull (strstr (error->message, "copies: 2"));
    if (!data.copies)
      data.copies = g_new0 (guint32, data.n);
  }
}

/* ---- Inference ---- */

static void
test_batch (void)
{
  g_auto (Data) data = make_data (0, 257, 33, 4);
  g_autoptr (SegueModel) model = fit ("{}", four, 3, &data, NULL);
  g_autofree float *whole = infer (model, &data, 0, data.n);
  static const gsize batches[] = { 1, 2, 3, 7, 16, 64, 256 };
  for (guint b = 0; b < G_N_ELEMENTS (batches); b++)
    for (gsize first = 0; first < data.n; first += batches[b]) {
      gsize n = MIN (batches[b], data.n - first);
      g_autofree float *part = infer (model, &data, first, n);
      g_assert_cmpmem (part, n * 4 * sizeof *part, whole + first * 4, n * 4 * sizeof *whole);
    }
}

/* Points and centres are those of the analysis, as far as float32 can represent its axes. */
static void
test_space (void)
{
  g_auto (Data) data = make_data (0, 120, 33, 4);
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueNnThreads) threads = segue_nn_threads_new (1, NULL, NULL);
  const LdaData rows = {
    .n = data.n, .width = data.width, .n_labels = 4, .rows = data.rows, .labels = data.labels
  };
  g_autoptr (Lda) lda = lda_fit (threads, &rows, &error);
  g_assert_no_error (error);
  g_autofree double *expected = g_new (double, data.n * lda->n_axes);
  lda_project (threads, lda, data.rows, data.n, expected);

  SegueModelInfo info = SEGUE_INIT (SegueModelInfo);
  g_autoptr (SegueModel) model = fit ("{}", four, 1, &data, NULL);
  segue_model_describe (model, &info);
  g_assert_cmpuint (info.n_axes, ==, 3);
  g_assert_cmpuint (lda->n_axes, ==, 3);
  g_autofree float *points = g_new (float, data.n * 3);
  g_autofree float *logits = infer_points (model, &data, 0, data.n, points);
  for (gsize i = 0; i < data.n * 3; i++)
    g_assert_cmpfloat_with_epsilon ((double) points[i], expected[i], 1e-4);
  for (gsize i = 0; i < 4 * 3; i++)
    g_assert_cmpfloat_with_epsilon ((double) info.centres[i], lda->centres[i], 1e-4);

  /* The mean over segments of the distance to the nearest label. */
  double sum = 0;
  for (gsize i = 0; i < 10; i++) {
    double least = INFINITY;
    for (gsize k = 0; k < 4; k++) {
      double square = 0;
      for (gsize a = 0; a < 3; a++)
        square += pow (expected[i * 3 + a] - lda->centres[k * 3 + a], 2);
      least = fmin (least, sqrt (square));
    }
    sum += least;
  }
  g_assert_cmpfloat_with_epsilon (segue_model_measure_distance (&info, points, 10), sum / 10, 1e-4);
}

/* ---- Folders ---- */

static SegueModel *
try_load (const char *folder, const char *const *labels, GError **error)
{
  const SegueModelSpec spec = SEGUE_INIT (SegueModelSpec, .labels = labels, .threads = 2);
  return segue_model_load (registry, folder, NULL, NULL, &spec, error);
}

static char *
save (SegueModel *model)
{
  g_autoptr (GError) error = NULL;
  char *folder = g_dir_make_tmp ("segue-lda-XXXXXX", &error);
  g_assert_no_error (error);
  segue_model_save (model, folder, NULL, &error);
  g_assert_no_error (error);
  return folder;
}

static void
check_folder (const char *config, const Data *data)
{
  static const char *const turned[] = { "c", "a", "d", "b", NULL };
  static const guint places[] = { 2, 0, 3, 1 };
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueModel) model = fit (config, four, 1, data, NULL);
  g_autofree char *folder = save (model);
  g_autoptr (SegueModel) loaded = try_load (folder, NULL, &error);
  g_assert_no_error (error);
  assert_same_tensors (model, loaded);
  g_autofree float *expected = infer (model, data, 0, data->n);
  g_autofree float *logits = infer (loaded, data, 0, data->n);
  g_assert_cmpmem (logits, data->n * 4 * sizeof *logits, expected, data->n * 4 * sizeof *expected);

  g_autoptr (SegueModel) reordered = try_load (folder, turned, &error);
  g_assert_no_error (error);
  g_autofree float *moved = infer (reordered, data, 0, data->n);
  for (gsize i = 0; i < data->n; i++)
    for (guint k = 0; k < 4; k++)
      g_assert_cmpmem (moved + i * 4 + k, 4, expected + i * 4 + places[k], 4);
  segue_file_remove_folder (folder, NULL);
}

static void
test_folder (void)
{
  g_auto (Data) data = make_data (0, 80, 6, 4);
  g_auto (Data) copies = make_copies (0, 80);
  check_folder ("{}", &data);
  check_folder ("{ gate: true }", &copies);
}

/* What is wrong with a tensor of the file: one value, its size (if not 0), or that it is missing. */
typedef struct {
  const char *name;
  float value;
  gssize more;
  gboolean missing;
  const char *words;
} Damage;

static void
damage_weights (const char *folder, const Damage *damage)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *path = g_build_filename (folder, "model.safetensors", NULL);
  g_autoptr (SegueSafetensors) file = segue_safetensors_open (path, &error);
  g_assert_no_error (error);
  g_autoptr (SegueSafetensorsWriter) writer = segue_safetensors_writer_new ();
  gsize n;
  const SegueTensorInfo *tensors = segue_safetensors_list (file, &n);
  for (gsize i = 0; i < n; i++) {
    const SegueTensorInfo *t = &tensors[i];
    gboolean chosen = strcmp (t->name, damage->name) == 0;
    if (chosen && damage->missing)
      continue;
    gsize shape[2] = { t->shape[0], t->n_dims > 1 ? t->shape[1] : 1 };
    float *values = g_malloc0 (t->n_bytes + 1024);
    g_assert_true (segue_safetensors_read (file, t, values, NULL));
    if (chosen && damage->more == 0)
      values[t->n_elements - 1] = damage->value;
    if (chosen)
      shape[t->n_dims - 1] += (gsize) damage->more;
    segue_safetensors_writer_take_f32 (writer, t->name, t->n_dims, shape, values);
  }
  segue_safetensors_writer_write (writer, path, &error);
  g_assert_no_error (error);
}

static void
assert_refused (const char *folder, const char *words)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (SegueModel) model = try_load (folder, NULL, &error);
  if (model)
    g_error ("loads, where it should refuse: %s", words);
  g_test_message ("%s", error->message);
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
  if (!strstr (error->message, words) || !strstr (error->message, folder))
    g_error ("‘%s’ does not contain ‘%s’ and the folder", error->message, words);
}

static void
test_damaged_weights (void)
{
  static const Damage damages[] = {
    { "scale", .value = 0, .words = "scale and temperature must be positive" },
    { "scale", .value = -1, .words = "scale and temperature must be positive" },
    { "temperature", .value = 0, .words = "scale and temperature must be positive" },
    { "temperature", .value = -4, .words = "scale and temperature must be positive" },
    { "scale", .value = NAN, .words = "finite" },
    { "mean", .value = INFINITY, .words = "finite" },
    { "coefficients", .value = NAN, .words = "finite" },
    { "axes", .value = NAN, .words = "finite" },
    { "centres", .value = -INFINITY, .words = "finite" },
    { "mean", .more = 1, .words = "mean" },
    { "scale", .more = -1, .words = "scale" },
    { "coefficients", .more = 1, .words = "sizes in config.json" },
    { "axes", .more = 1, .words = "sizes in config.json" },
    { "centres", .more = -1, .words = "sizes in config.json" },
    { "temperature", .more = 1, .words = "temperature" },
    { "mean", .missing = TRUE, .words = "mean" },
    { "intercepts", .missing = TRUE, .words = "no classifier" },
    { "gate.scale", .value = 0, .words = "scale and temperature must be positive" },
    { "gate.coefficients", .value = NAN, .words = "finite" },
    { "gate.intercepts", .more = 1, .words = "sizes in config.json" },
    { "gate.mean", .missing = TRUE, .words = "gate.mean" },
    { "unchanged.temperature", .value = -1, .words = "scale and temperature must be positive" },
    { "unchanged.coefficients", .missing = TRUE, .words = "no classifier" },
  };
  g_auto (Data) data = make_copies (0, 80);
  g_autoptr (SegueModel) model = fit ("{ gate: true }", four, 1, &data, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (damages); i++) {
    g_autofree char *folder = save (model);
    damage_weights (folder, &damages[i]);
    assert_refused (folder, damages[i].words);
    segue_file_remove_folder (folder, NULL);
  }
}

static void
test_truncated (void)
{
  g_auto (Data) data = make_data (0, 80, 6, 4);
  g_autoptr (SegueModel) model = fit ("{}", four, 1, &data, NULL);
  g_autofree char *folder = save (model);
  g_autofree char *path = g_build_filename (folder, "model.safetensors", NULL);
  g_autofree char *content = NULL;
  gsize n;
  g_assert_true (g_file_get_contents (path, &content, &n, NULL));
  for (gsize length = 0; length < n; length += 1 + n / 50) {
    g_assert_true (segue_file_write (path, content, (gssize) length, NULL));
    assert_refused (folder, "model.safetensors");
  }
  segue_file_remove_folder (folder, NULL);
}

/* @value: (transfer full) (nullable): of vector_size */
static void
damage_config (const char *folder, json_t *value)
{
  g_autofree char *path = g_build_filename (folder, "config.json", NULL);
  json_t *config = json_load_file (path, 0, NULL);
  g_assert_nonnull (config);
  g_assert_cmpint (json_integer_value (json_object_get (config, "vector_size")), ==, 6);
  if (value)
    json_object_set_new (config, "vector_size", value);
  else
    json_object_del (config, "vector_size");
  g_assert_cmpint (json_dump_file (config, path, 0), ==, 0);
  json_decref (config);
}

static void
test_damaged_config (void)
{
  g_auto (Data) data = make_data (0, 80, 6, 4);
  g_autoptr (SegueModel) model = fit ("{}", four, 1, &data, NULL);
  const struct {
    json_t *value;
    const char *words;
  } sizes[] = {
    { NULL, "vector_size is missing" },        { json_integer (0), "vector_size" },
    { json_integer (-6), "vector_size" },      { json_integer (G_MAXINT64), "vector_size" },
    { json_integer (1 << 21), "vector_size" }, { json_string ("6"), "vector_size" },
    { json_real (6.5), "vector_size" },        { json_integer (7), "mean" },
    { json_integer (1 << 20), "mean" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++) {
    g_autofree char *folder = save (model);
    damage_config (folder, sizes[i].value);
    assert_refused (folder, sizes[i].words);
    segue_file_remove_folder (folder, NULL);
  }
}

static void
test_damaged_gate (void)
{
  g_auto (Data) data = make_data (0, 80, 6, 4);
  g_autoptr (SegueModel) model = fit ("{}", four, 1, &data, NULL);
  const struct {
    const char *config, *words;
  } cases[] = { { "\"gate\": 1", "neither true nor false" },
                { "\"gate\": true", "unchanged.mean" } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *folder = save (model);
    g_autofree char *path = g_build_filename (folder, "config.json", NULL);
    g_autofree char *text = NULL;
    g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
    char **parts = g_strsplit (text, "\"gate\": false", 2);
    g_assert_nonnull (parts[1]);
    g_autofree char *damaged = g_strjoinv (cases[i].config, parts);
    g_assert_true (segue_file_write (path, damaged, -1, NULL));
    assert_refused (folder, cases[i].words);
    g_strfreev (parts);
    segue_file_remove_folder (folder, NULL);
  }
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_test_init (&argc, &argv, NULL);
  registry = segue_registry_new ();
  segue_registry_add (registry, segue_plugin_query (), NULL, &error);
  g_assert_no_error (error);
  g_test_add_func ("/lda/contract", test_contract);
  g_test_add_func ("/lda/temperature", test_temperature);
  g_test_add_func ("/lda/refit", test_refit);
  g_test_add_func ("/lda/unfit", test_unfit);
  g_test_add_func ("/lda/one-row", test_one_row);
  g_test_add_func ("/lda/many-labels", test_many_labels);
  g_test_add_func ("/lda/gate", test_gate);
  g_test_add_func ("/lda/gate-formula", test_gate_formula);
  g_test_add_func ("/lda/gate-without-copies", test_gate_without_copies);
  g_test_add_func ("/lda/batch", test_batch);
  g_test_add_func ("/lda/space", test_space);
  g_test_add_func ("/lda/folder", test_folder);
  g_test_add_func ("/lda/damaged-weights", test_damaged_weights);
  g_test_add_func ("/lda/truncated", test_truncated);
  g_test_add_func ("/lda/damaged-config", test_damaged_config);
  g_test_add_func ("/lda/damaged-gate", test_damaged_gate);
  int status = g_test_run ();
  segue_registry_free (registry);
  return status;
}
