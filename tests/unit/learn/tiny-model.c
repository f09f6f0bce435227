/* A minimal implementation of the model interface.
 *
 * A segment [length] → 6 statistics of its frames → linear → logits. Dropout
 * on the statistics draws from counters, as the interface requires. Weights are stored in
 * config.json, and model.safetensors has no tensors. */
#include "tiny-model.h"

#include <jansson.h>
#include <math.h>
#include <segue/file.h>
#include <stdlib.h>
#include <string.h>

#define RATE         8000
#define N_STATISTICS 6
#define FRAME        100

typedef struct {
  double dropout;
  double scale; /* of the first weights; far too large ones make a loss that is not finite */
  gboolean coupled;
} TinyConfig;

typedef struct {
  TinyConfig config;
  GStrv labels;
  guint n_labels;
  float *weight, *d_weight; /* [n_labels, N_STATISTICS] */
  float *bias, *d_bias;     /* [n_labels] */
  guint n_changes;
} Tiny;

/* A test can't access a stage's internals; the model is called by it at known times. */
static GCancellable *to_cancel;
static guint passes_left, passes;

void
tiny_cancel_after (GCancellable *cancellable, guint n)
{
  to_cancel = cancellable;
  passes_left = n;
  passes = 0;
}

guint
tiny_get_passes (void)
{
  return passes;
}

void
tiny_count_pass (void)
{
  passes++;
  if (to_cancel && passes_left > 0 && --passes_left == 0)
    g_cancellable_cancel (to_cancel);
}

static const SegueParam *const params[] = {
  SEGUE_PARAM (TinyConfig, dropout, SEGUE_PARAM_DOUBLE, .def = "0", .min = 0, .max = 0.9,
               .doc = "Share of statistics that are dropped in training."),
  SEGUE_PARAM (TinyConfig, scale, SEGUE_PARAM_DOUBLE, .def = "0.1", .min = 0, .max = 1e300,
               .doc = "Deviation of the first weights."),
  SEGUE_PARAM (TinyConfig, coupled, SEGUE_PARAM_BOOL, .def = "false",
               .doc = "Say that items of a batch influence each other."),
  NULL,
};

static const SegueRecipe recipe = SEGUE_INIT (
  SegueRecipe, .epochs = 8, .batch = 8, .learning_rate = 0.05, .schedule = SEGUE_SCHEDULE_LINEAR);

/* Uniform in [-1, 1): a hash of its arguments. */
static double
draw (guint64 a, guint64 b, guint64 c)
{
  guint64 x = a * 0x9e3779b97f4a7c15u ^ b * 0xbf58476d1ce4e5b9u ^ c * 0x94d049bb133111ebu;
  for (guint i = 0; i < 3; i++) {
    x ^= x >> 31;
    x *= 0xd6e8feb86659fd93u;
  }
  return (double) (x >> 11) / (double) (1ull << 52) - 1.0;
}

static Tiny *
tiny_make (const TinyConfig *config, const char *const *labels)
{
  Tiny *tiny = g_new0 (Tiny, 1);
  tiny->config = *config;
  tiny->labels = g_strdupv ((char **) labels);
  tiny->n_labels = g_strv_length (tiny->labels);
  tiny->weight = g_new0 (float, tiny->n_labels *N_STATISTICS);
  tiny->d_weight = g_new0 (float, tiny->n_labels *N_STATISTICS);
  tiny->bias = g_new0 (float, tiny->n_labels);
  tiny->d_bias = g_new0 (float, tiny->n_labels);
  return tiny;
}

static void
tiny_free (void *model)
{
  Tiny *tiny = model;
  g_strfreev (tiny->labels);
  g_free (tiny->weight);
  g_free (tiny->d_weight);
  g_free (tiny->bias);
  g_free (tiny->d_bias);
  g_free (tiny);
}

static gboolean
check_rate (const SegueModelSpec *spec, GError **error)
{
  if (spec->rate == 0 || spec->rate == RATE)
    return TRUE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE, "'tiny' needs audio at %d Hz, not %u Hz",
               RATE, spec->rate);
  return FALSE;
}

static gpointer
tiny_create (const void *config, const SegueModelSpec *spec, GError **error)
{
  if (!check_rate (spec, error))
    return NULL;
  Tiny *tiny = tiny_make (config, spec->labels);
  for (guint i = 0; i < tiny->n_labels * N_STATISTICS; i++)
    tiny->weight[i] = (float) (tiny->config.scale * draw (spec->seed, i, 1));
  return tiny;
}

static gboolean
read_floats (json_t *array, gsize n, float *out)
{
  if (!json_is_array (array) || json_array_size (array) != n)
    return FALSE;
  for (gsize i = 0; i < n; i++)
    out[i] = (float) json_number_value (json_array_get (array, i));
  return TRUE;
}

/* model.safetensors: a header without tensors. */
static const char no_tensors[] = "\2\0\0\0\0\0\0\0{}";

static gboolean
has_weights_file (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "model.safetensors", NULL);
  g_autofree char *content = NULL;
  gsize n = 0;
  return g_file_get_contents (path, &content, &n, NULL) && n == sizeof no_tensors - 1 &&
         memcmp (content, no_tensors, n) == 0;
}

static gpointer
tiny_load (const char *folder, const void *config, const SegueModelSpec *spec, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "config.json", NULL);
  json_t *root = json_load_file (path, JSON_REJECT_DUPLICATES, NULL);
  json_t *names = json_object_get (root, "labels");
  g_autoptr (GPtrArray) labels = g_ptr_array_new ();
  for (gsize i = 0; i < json_array_size (names); i++) {
    if (json_is_string (json_array_get (names, i)))
      g_ptr_array_add (labels, (gpointer) json_string_value (json_array_get (names, i)));
  }
  g_ptr_array_add (labels, NULL);

  Tiny *tiny = NULL;
  if (check_rate (spec, error) && labels->len > 1 && has_weights_file (folder)) {
    tiny = tiny_make (config, (const char *const *) labels->pdata);
    if (!read_floats (json_object_get (root, "weight"), tiny->n_labels * N_STATISTICS,
                      tiny->weight) ||
        !read_floats (json_object_get (root, "bias"), tiny->n_labels, tiny->bias))
      g_clear_pointer (&tiny, tiny_free);
  }
  json_decref (root);
  if (!tiny && (!error || !*error))
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’ is no tiny model", path);
  if (!tiny || !spec->labels || g_strv_equal (spec->labels, (const char *const *) tiny->labels))
    return tiny;
  tiny_free (tiny);
  return tiny_create (config, spec, error);
}

static json_t *
write_floats (const float *values, gsize n)
{
  json_t *array = json_array ();
  for (gsize i = 0; i < n; i++)
    json_array_append_new (array, json_real ((double) values[i]));
  return array;
}

static gboolean
tiny_save (gpointer model, const char *folder, GError **error)
{
  Tiny *tiny = model;
  json_t *labels = json_array ();
  for (guint i = 0; i < tiny->n_labels; i++)
    json_array_append_new (labels, json_string (tiny->labels[i]));
  json_t *root = json_pack ("{s:s, s:o, s:o, s:o}", "model_type", "segue-tiny", "labels", labels,
                            "weight", write_floats (tiny->weight, tiny->n_labels * N_STATISTICS),
                            "bias", write_floats (tiny->bias, tiny->n_labels));
  char *text = json_dumps (root, JSON_REAL_PRECISION (9));
  json_decref (root);
  g_autofree char *path = g_build_filename (folder, "config.json", NULL);
  g_autofree char *weights = g_build_filename (folder, "model.safetensors", NULL);
  gboolean ok = segue_file_write (path, text, -1, error) &&
                segue_file_write (weights, no_tensors, sizeof no_tensors - 1, error);
  free (text);
  return ok;
}

static void
tiny_describe (gpointer model, SegueModelInfo *info)
{
  Tiny *tiny = model;
  *info = (SegueModelInfo) SEGUE_INIT (SegueModelInfo, .labels = (const char *const *) tiny->labels,
                                       .n_labels = tiny->n_labels, .rate = RATE,
                                       .min_length = 2 * FRAME, .coupled = tiny->config.coupled);
}

static GArray *
tiny_list_tensors (gpointer model)
{
  Tiny *tiny = model;
  GArray *tensors = g_array_new (FALSE, FALSE, sizeof (SegueModelTensor));
  const SegueModelTensor rows[] = {
    { "weight",
      2,
      { tiny->n_labels, N_STATISTICS },
      tiny->n_labels * N_STATISTICS,
      tiny->weight,
      tiny->d_weight,
      TRUE },
    { "bias", 1, { tiny->n_labels }, tiny->n_labels, tiny->bias, tiny->d_bias, FALSE },
  };
  g_array_append_vals (tensors, rows, G_N_ELEMENTS (rows));
  return tensors;
}

static void
tiny_changed (gpointer model)
{
  ((Tiny *) model)->n_changes++;
}

/* Mean over frames of: zero crossings, |x|, |Δx|, |Δ²x|, and the variation of |x| and of
 * crossings. */
static void
compute_statistics (const float *x, gsize length, float *out)
{
  double sums[N_STATISTICS] = { 0 };
  gsize n_frames = length / FRAME;
  for (gsize f = 0; f < n_frames; f++) {
    const float *frame = x + f * FRAME;
    double crossings = 0, level = 0, slope = 0, bend = 0;
    for (gsize i = 2; i < FRAME; i++) {
      crossings += (frame[i] < 0) != (frame[i - 1] < 0);
      level += fabs ((double) frame[i]);
      slope += fabs ((double) frame[i] - frame[i - 1]);
      bend += fabs ((double) frame[i] - 2.0 * frame[i - 1] + frame[i - 2]);
    }
    double values[] = {
      crossings, level, slope, bend, level * level / FRAME, crossings * crossings / FRAME
    };
    for (guint s = 0; s < N_STATISTICS; s++)
      sums[s] += values[s] / FRAME;
  }
  for (guint s = 0; s < N_STATISTICS; s++)
    out[s] = (float) (sums[s] / (double) n_frames);
}

static gsize
tiny_plan (gpointer model, guint batch, gsize length, SegueModelMode mode)
{
  return batch * N_STATISTICS * sizeof (float);
}

static void
drop (const Tiny *tiny, const SegueModelPass *pass, float *statistics)
{
  for (guint b = 0; b < pass->batch; b++) {
    for (guint s = 0; s < N_STATISTICS; s++) {
      double u = (draw (pass->seed ^ pass->items[b], pass->step, s) + 1) / 2;
      float *value = &statistics[b * N_STATISTICS + s];
      *value = u < tiny->config.dropout ? 0 : (float) (*value / (1 - tiny->config.dropout));
    }
  }
}

static gboolean
tiny_forward (gpointer model, SegueModelPass *pass, GError **error)
{
  Tiny *tiny = model;
  float *statistics = pass->workspace;
  tiny_count_pass ();
  for (guint b = 0; b < pass->batch; b++)
    compute_statistics (pass->input + b * pass->length, pass->length,
                        statistics + b * N_STATISTICS);
  if (pass->mode == SEGUE_MODEL_TRAIN && tiny->config.dropout > 0)
    drop (tiny, pass, statistics);

  for (guint b = 0; b < pass->batch; b++) {
    for (guint c = 0; c < tiny->n_labels; c++) {
      float sum = tiny->bias[c];
      for (guint s = 0; s < N_STATISTICS; s++)
        sum += tiny->weight[c * N_STATISTICS + s] * statistics[b * N_STATISTICS + s];
      pass->logits[b * tiny->n_labels + c] = sum;
    }
  }
  return TRUE;
}

static gboolean
tiny_backward (gpointer model, SegueModelPass *pass, const float *d_logits, GError **error)
{
  Tiny *tiny = model;
  const float *statistics = pass->workspace;
  for (guint b = 0; b < pass->batch; b++) {
    for (guint c = 0; c < tiny->n_labels; c++) {
      float d = d_logits[b * tiny->n_labels + c];
      tiny->d_bias[c] += d;
      for (guint s = 0; s < N_STATISTICS; s++)
        tiny->d_weight[c * N_STATISTICS + s] += d * statistics[b * N_STATISTICS + s];
    }
  }
  return TRUE;
}

static const char *const config_types[] = { "segue-tiny", NULL };

static const SegueModelType tiny = {
  SEGUE_MODEL_TYPE,
  .name = "tiny",
  .summary = "Linear classifier over frame statistics",
  .doc = "For tests.",
  .result_version = 1,
  .params = params,
  .config_size = sizeof (TinyConfig),
  .recipe = &recipe,
  .config_types = config_types,
  .create = tiny_create,
  .load = tiny_load,
  .save = tiny_save,
  .free = tiny_free,
  .describe = tiny_describe,
  .list_tensors = tiny_list_tensors,
  .changed = tiny_changed,
  .plan = tiny_plan,
  .forward = tiny_forward,
  .backward = tiny_backward,
};

const SeguePlugin *
tiny_plugin (void)
{
  static const SegueModelType *const models[] = { &tiny, &tiny_centroids, &tiny_scaled, NULL };
  static const SeguePlugin plugin =
    SEGUE_INIT (SeguePlugin, .abi_major = SEGUE_ABI_MAJOR, .abi_minor = SEGUE_ABI_MINOR,
                .name = "tiny", .version = "1.0", .licence = "MIT", .models = models);
  return &plugin;
}

SegueRegistry *
tiny_registry_new (const SeguePlugin *plugin)
{
  SegueRegistry *registry = segue_registry_new ();
  const SeguePlugin *const all[] = { plugin, tiny_plugin () };
  for (guint i = 0; i < G_N_ELEMENTS (all); i++) {
    g_autoptr (GError) error = NULL;
    segue_registry_add (registry, all[i], NULL, &error);
    g_assert_no_error (error);
  }
  return registry;
}
