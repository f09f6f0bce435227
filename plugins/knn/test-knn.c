/* knn: votes compared with a search in plain loops and with values by hand, labels of a folder, folders that are refused. */
#include "knn.h"

#include <glib/gstdio.h>
#include <math.h>
#include <segue/model.h>
#include <segue/plugin.h>
#include <segue/random.h>
#include <stdlib.h>
#include <string.h>

const SeguePlugin *segue_plugin_query (void);

enum { MAX_LABELS = 4 };

static const char *const label_names[] = { "a", "b", "c", "d", NULL };

static const SegueModelType *
get_type (void)
{
  return segue_plugin_query ()->models[0];
}

/* Rows with labels in turn. */
typedef struct {
  gsize n, size;
  guint n_labels;
  float *rows;
  gint32 *labels;
} Data;

static Data
make_data (gsize n, gsize size, guint n_labels)
{
  Data data = { n, size, n_labels, g_new (float, n *size), g_new (gint32, n) };
  for (gsize i = 0; i < n; i++) {
    data.labels[i] = (gint32) ((i + 1) % n_labels);
    for (gsize j = 0; j < size; j++)
      data.rows[i * size + j] =
        (float) ((double) (j + 1) * (segue_random_uniform (n, i * size + j) + (double) j));
    data.rows[i * size + (gsize) data.labels[i] % size] += 0.5f;
  }
  return data;
}

static void
clear_data (Data *data)
{
  g_free (data->rows);
  g_free (data->labels);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Data, clear_data)

/* "c" and "d" of two. */
static const char *const *
names_of (const Data *data)
{
  return label_names + MAX_LABELS - data->n_labels;
}

static gpointer
make_model (const Data *data, const KnnParams *params)
{
  g_autoptr (GError) error = NULL;
  const SegueModelSpec spec =
    SEGUE_INIT (SegueModelSpec, .labels = names_of (data), .length = data->size, .threads = 2);
  g_autofree guint32 *songs = g_new0 (guint32, data->n);
  const SegueModelFit fit = SEGUE_INIT (SegueModelFit, .length = data->size, .n = data->n,
                                        .rows = data->rows, .labels = data->labels, .songs = songs);
  gpointer model = get_type ()->create (params, &spec, &error);
  g_assert_no_error (error);
  get_type ()->fit (model, &fit, &error);
  g_assert_no_error (error);
  return model;
}

static float *
classify (gpointer model, const float *x, guint n, gsize size, guint n_labels)
{
  g_autoptr (GError) error = NULL;
  gsize bytes = get_type ()->plan (model, n, size, SEGUE_MODEL_INFER);
  float *logits = g_new (float, n *n_labels);
  SegueModelPass pass =
    SEGUE_INIT (SegueModelPass, .mode = SEGUE_MODEL_INFER, .batch = n, .length = size, .input = x,
                .workspace = aligned_alloc (64, (bytes + 63) / 64 * 64), .logits = logits);
  get_type ()->forward (model, &pass, &error);
  g_assert_no_error (error);
  free (pass.workspace);
  return logits;
}

/* ---- The search, in plain loops ---- */

static void
standardise (const Data *data, const float *x, double *z)
{
  for (gsize j = 0; j < data->size; j++) {
    double mean = 0.0, square = 0.0;
    for (gsize i = 0; i < data->n; i++)
      mean += (double) data->rows[i * data->size + j] / (double) data->n;
    for (gsize i = 0; i < data->n; i++)
      square += pow ((double) data->rows[i * data->size + j] - mean, 2) / (double) data->n;
    z[j] = ((double) x[j] - mean) / sqrt (square);
  }
}

/* Of @z and @r. */
static double
find_similarity (KnnDistance distance, const double *z, const double *r, gsize size)
{
  double dot = 0.0, zz = 0.0, rr = 0.0, square = 0.0;
  for (gsize j = 0; j < size; j++) {
    dot += z[j] * r[j];
    zz += z[j] * z[j];
    rr += r[j] * r[j];
    square += (z[j] - r[j]) * (z[j] - r[j]);
  }
  return distance == KNN_COSINE ? dot / sqrt (zz * rr)
                                : 1.0 / (1.0 + sqrt (square / (double) size));
}

/* Takes the most similar row k times. */
static void
search (const Data *data, const KnnParams *params, const float *x, double *logits)
{
  g_autofree double *z = g_new (double, data->size), *r = g_new (double, data->size);
  g_autofree double *similarity = g_new (double, data->n);
  standardise (data, x, z);
  for (gsize i = 0; i < data->n; i++) {
    standardise (data, data->rows + i * data->size, r);
    similarity[i] = find_similarity (params->distance, z, r, data->size);
  }
  for (guint l = 0; l < data->n_labels; l++)
    logits[l] = KNN_PRIOR / data->n_labels;
  for (gint64 k = 0; k < MIN (params->k, (gint64) data->n); k++) {
    gsize best = 0;
    for (gsize i = 1; i < data->n; i++)
      if (similarity[i] > similarity[best])
        best = i;
    logits[data->labels[best]] += MAX (similarity[best], 0.0);
    similarity[best] = -INFINITY;
  }
  for (guint l = 0; l < data->n_labels; l++)
    logits[l] = log (logits[l]);
}

static void
test_search (void)
{
  const struct {
    gsize n, size;
    guint n_labels;
  } shapes[] = { { 50, 6, 4 }, { 9, 20, 2 }, { 700, 3, 3 } };
  const gint64 ks[] = { 1, 5, 60 };
  for (gsize s = 0; s < G_N_ELEMENTS (shapes); s++)
    for (gsize k = 0; k < G_N_ELEMENTS (ks); k++)
      for (int distance = KNN_COSINE; distance <= KNN_EUCLIDEAN; distance++) {
        const KnnParams params = { ks[k], distance };
        g_auto (Data) data = make_data (shapes[s].n, shapes[s].size, shapes[s].n_labels);
        g_auto (Data) unseen = make_data (11, shapes[s].size, shapes[s].n_labels);
        gpointer model = make_model (&data, &params);
        g_autofree float *logits = classify (model, unseen.rows, 11, unseen.size, unseen.n_labels);
        for (gsize i = 0; i < 11; i++) {
          double expected[MAX_LABELS];
          search (&data, &params, unseen.rows + i * unseen.size, expected);
          for (guint l = 0; l < data.n_labels; l++)
            g_assert_cmpfloat_with_epsilon (logits[i * data.n_labels + l], expected[l], 2e-5);
        }
        get_type ()->free (model);
      }
}

/* ---- By hand ---- */

/* The corners of a square: columns have mean 0 and deviation 1. */
static float corners[] = { 1, 1, 1, -1, -1, 1, -1, -1 };
static gint32 corner_labels[] = { 0, 1, 1, 0 };
static const Data square = { 4, 2, 2, corners, corner_labels };

static void
test_by_hand (void)
{
  const float corner[] = { 1, 1 }, centre[] = { 0, 0 };
  double near = 1.0 / (1.0 + sqrt (2.0)); /* two corners of an edge: 2 / √2 */
  const struct {
    KnnParams params;
    const float *x;
    double votes[2];
  } cases[] = {
    { { 1, KNN_COSINE }, corner, { 1, 0 } },
    { { 4, KNN_COSINE }, corner, { 1, 0 } }, /* at right angles, or opposite: no similarity */
    { { 1, KNN_EUCLIDEAN }, corner, { 1, 0 } },
    { { 3, KNN_EUCLIDEAN }, corner, { 1, 2 * near } },
    { { 4, KNN_EUCLIDEAN }, corner, { 1 + 1.0 / 3.0, 2 * near } },
    { { 4, KNN_COSINE }, centre, { 0, 0 } },
    { { 4, KNN_EUCLIDEAN }, centre, { 1, 1 } },   /* √2 / √2 from each */
    { { 1, KNN_EUCLIDEAN }, centre, { 0.5, 0 } }, /* all equal: the first row of the first label */
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    gpointer model = make_model (&square, &cases[i].params);
    g_autofree float *logits = classify (model, cases[i].x, 1, 2, 2);
    for (guint l = 0; l < 2; l++)
      g_assert_cmpfloat_with_epsilon (logits[l], log (cases[i].votes[l] + KNN_PRIOR / 2), 1e-5);
    get_type ()->free (model);
  }
}

/* A row of the training set has a similarity of 1, however far it is from the origin. */
static void
test_same (void)
{
  const KnnParams params = { 1, KNN_EUCLIDEAN };
  g_auto (Data) data = make_data (200, 30, 4);
  data.rows[7 * 30 + 3] = 1e6f;
  gpointer model = make_model (&data, &params);
  g_autofree float *logits = classify (model, data.rows + 7 * 30, 1, 30, 4);
  g_assert_cmpfloat_with_epsilon (logits[data.labels[7]], log (1 + KNN_PRIOR / 4), 1e-6);
  get_type ()->free (model);
}

static void
test_batch (void)
{
  for (int distance = KNN_COSINE; distance <= KNN_EUCLIDEAN; distance++) {
    const KnnParams params = { 5, distance };
    g_auto (Data) data = make_data (600, 33, 4);
    gpointer model = make_model (&data, &params);
    g_autofree float *together = classify (model, data.rows, 40, 33, 4);
    for (gsize i = 0; i < 40; i++) {
      g_autofree float *alone = classify (model, data.rows + i * 33, 1, 33, 4);
      g_assert_cmpmem (alone, 4 * sizeof (float), together + i * 4, 4 * sizeof (float));
    }
    get_type ()->free (model);
  }
}

/* ---- Folders ---- */

typedef struct {
  char *folder;
  char *config;
  char *weights;
} Folder;

static void
folder_open (Folder *f)
{
  f->folder = g_dir_make_tmp ("segue-knn-XXXXXX", NULL);
  f->config = g_build_filename (f->folder, "config.json", NULL);
  f->weights = g_build_filename (f->folder, "model.safetensors", NULL);
}

static void
folder_clear (Folder *f)
{
  g_unlink (f->config);
  g_unlink (f->weights);
  g_assert_cmpint (g_rmdir (f->folder), ==, 0);
  g_free (f->folder);
  g_free (f->config);
  g_free (f->weights);
}

static gpointer
load (const Folder *f, const char *const *labels, GError **error)
{
  const KnnParams params = { 1, KNN_COSINE }; /* the folder determines both */
  const SegueModelSpec spec = SEGUE_INIT (SegueModelSpec, .labels = labels, .threads = 1);
  return get_type ()->load (f->folder, &params, &spec, error);
}

static void
test_labels (void)
{
  static const char *const swapped[] = { "d", "c", NULL }, *const others[] = { "x", "y", NULL };
  const KnnParams params = { 3, KNN_EUCLIDEAN };
  const float x[] = { 0.9f, 0.7f };
  g_autoptr (GError) error = NULL;
  Folder f;
  folder_open (&f);
  gpointer model = make_model (&square, &params);
  g_assert_true (get_type ()->save (model, f.folder, NULL));
  g_autofree float *expected = classify (model, x, 1, 2, 2);
  get_type ()->free (model);

  model = load (&f, NULL, &error);
  g_assert_no_error (error);
  g_autofree float *loaded = classify (model, x, 1, 2, 2);
  g_assert_cmpmem (loaded, 2 * sizeof (float), expected, 2 * sizeof (float));
  get_type ()->free (model);

  model = load (&f, swapped, &error);
  g_assert_no_error (error);
  g_autofree float *other_order = classify (model, x, 1, 2, 2);
  g_assert_cmpfloat (other_order[0], ==, expected[1]);
  g_assert_cmpfloat (other_order[1], ==, expected[0]);
  get_type ()->free (model);

  /* No row has one of these labels. */
  model = load (&f, others, &error);
  g_assert_no_error (error);
  g_autofree float *unknown = classify (model, x, 1, 2, 2);
  g_assert_cmpfloat (unknown[0], ==, unknown[1]);
  get_type ()->free (model);
  folder_clear (&f);
}

static void
assert_refused (const Folder *f)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (load (f, NULL, &error));
  g_assert_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA);
}

static void
test_untrusted (void)
{
  static const char *const edits[][2] = {
    { "\"rows\": 2", "\"rows\": 3" },
    { "\"rows\": 2", "\"rows\": 0" },
    { "\"rows\": 2", "\"rows\": -2" },
    { "\"rows\": 2", "\"rows\": 2.5" },
    { "\"rows\": 2", "\"rows\": 16777214" },
    { "\"rows\": 2", "\"rows\": 16777215" },
    { "\"rows\": 2", "\"rows\": 9223372036854775807" },
    { "\"rows\": 2", "\"row\": 2" },
    { "\"label\": \"c\"", "\"label\": 1" },
    { "\"rows\": [", "\"rows\": [ 2," },
    { "\"rows\": [", "\"runs\": [" },
    { "\"k\": 3", "\"k\": 0" },
    { "\"k\": 3", "\"k\": 1001" },
    { "\"k\": 3,", "" },
    { "\"cosine\"", "\"hamming\"" },
    { "\"distance\"", "\"metric\"" },
    { "\"vector_size\": 2", "\"vector_size\": 3" },
  };
  const KnnParams params = { 3, KNN_COSINE };
  Folder f;
  folder_open (&f);
  gpointer model = make_model (&square, &params);
  for (gsize i = 0; i < G_N_ELEMENTS (edits); i++) {
    g_autofree char *text = NULL;
    get_type ()->save (model, f.folder, NULL);
    g_file_get_contents (f.config, &text, NULL, NULL);
    g_auto (GStrv) parts = g_strsplit (text, edits[i][0], 2);
    g_assert_cmpuint (g_strv_length (parts), ==, 2);
    g_autofree char *edited = g_strjoinv (edits[i][1], parts);
    g_file_set_contents (f.config, edited, -1, NULL);
    assert_refused (&f);
  }
  get_type ()->free (model);
  folder_clear (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/knn/search", test_search);
  g_test_add_func ("/knn/by-hand", test_by_hand);
  g_test_add_func ("/knn/same", test_same);
  g_test_add_func ("/knn/batch", test_batch);
  g_test_add_func ("/knn/labels", test_labels);
  g_test_add_func ("/knn/untrusted", test_untrusted);
  return g_test_run ();
}
