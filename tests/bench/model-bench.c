/* model-bench FOLDER [SEGMENTS]: how long one pass of a DistilHuBERT folder takes, as `train` and `segue predict`
 * run it: a batch passes in parts that each fit into the workspace, with the same AdamW and clipping. SEGMENTS
 * contains raw float32 samples, one segment after another; without it noise is used.
 *
 *   --what forward   inference
 *   --what train     forward, backward, optimiser
 *   --what frozen    the same with the conv encoder frozen
 *
 * Prints "ready" after the warm-up, the seconds of each pass, and at the end everything as one JSON object. */
#include "fixture.h"
#include "optimiser.h"

#include <segue/host/segue.h>
#include <segue/nn/cross-entropy.h>
#include <stdlib.h>
#include <string.h>

/* As in plugins/train/job.c and pipeline/core/model/model-predict.c. */
#define MAX_WORKSPACE ((gsize) 256 * 1024 * 1024)

/* Segments of noise. */
#define N_NOISE 16

#define EXIT_USAGE     64
#define EXIT_NOT_THERE 69

typedef struct {
  char *what;
  char *precision;
  int batch;
  int length;
  int threads;
  int repeat;
  int warm_up;
  gboolean turns;
  gboolean logits;
  char **paths;
} Options;

typedef struct {
  const Options *options;
  gboolean train, frozen;
  SegueModel *model;
  const SegueModelType *type;
  gpointer impl;
  SegueModelInfo info;
  TrainSettings settings;
  TrainOptimiser *optimiser; /* nullable */
  float *rows;               /* [n_rows, length]: samples */
  gsize n_rows;
  guint part;
  void *workspace;
  float *logits; /* [batch, labels] */
  float *d_logits;
  gint32 *targets;
  guint64 *items;
  guint64 n_passes; /* including warm-up */
} Bench;

/* ---- The model and the data of a pass ---- */

/* Linked in: no plugins are searched for on this machine. */
static const SegueModelType *const models[] = { &hubert_model_type, NULL };
static const SeguePlugin plugin =
  SEGUE_INIT (SeguePlugin, .abi_major = SEGUE_ABI_MAJOR, .abi_minor = SEGUE_ABI_MINOR,
              .name = "distilhubert", .version = "1.0", .licence = "MIT", .models = models);

static gboolean
set_precision (SegueModelSpec *spec, const char *precision, GError **error)
{
  const char *const *names = segue_model_precision_names ();
  for (guint i = 0; names[i]; i++)
    if (g_str_equal (names[i], precision)) {
      spec->precision = (SegueModelPrecision) i;
      return TRUE;
    }
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_USAGE, "no precision is called '%s'", precision);
  return FALSE;
}

static gboolean
load_model (Bench *bench, GError **error)
{
  HubertParams params = golden_as_the_folder;
  SegueModelSpec spec = SEGUE_INIT (SegueModelSpec, .threads = (guint) bench->options->threads);
  if (bench->frozen)
    params.freeze = HUBERT_FREEZE_FEATURE_ENCODER;
  if (!set_precision (&spec, bench->options->precision, error))
    return FALSE;

  g_autoptr (SegueRegistry) registry = segue_registry_new ();
  if (!segue_registry_add (registry, &plugin, NULL, error))
    return FALSE;
  bench->model = segue_model_load (registry, bench->options->paths[0], &hubert_model_type, &params,
                                   &spec, error);
  if (!bench->model)
    return FALSE;
  bench->type = segue_model_get_type (bench->model);
  bench->impl = segue_model_get_impl (bench->model);
  bench->info.struct_size = sizeof bench->info;
  segue_model_describe (bench->model, &bench->info);
  bench->settings =
    (TrainSettings){ .learning_rate = 5e-5,
                     .gradient_clip = 1,
                     .schedule = { .kind = SEGUE_SCHEDULE_CONSTANT, .total_steps = 1 } };
  if (bench->train)
    bench->optimiser = train_optimiser_new (bench->model, &bench->settings, spec.threads, error);
  return !bench->train || bench->optimiser;
}

static void
make_noise (Bench *bench)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  bench->n_rows = N_NOISE;
  gsize n = bench->n_rows * (gsize) bench->options->length;
  bench->rows = g_new (float, n);
  for (gsize i = 0; i < n; i++)
    bench->rows[i] = (float) g_rand_double_range (random, -0.5, 0.5);
}

static gboolean
read_segments (Bench *bench, GError **error)
{
  const char *path = bench->options->paths[1];
  char *data;
  gsize n_bytes;
  gsize length = (gsize) bench->options->length;
  if (!path) {
    make_noise (bench);
    return TRUE;
  }
  if (!g_file_get_contents (path, &data, &n_bytes, error))
    return FALSE;
  bench->rows = (float *) (void *) data;
  bench->n_rows = n_bytes / (length * sizeof (float));
  if (bench->n_rows > 0)
    return TRUE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’ holds no segment of %zu samples", path,
               length);
  return FALSE;
}

static gsize
plan (Bench *bench, guint batch, SegueModelMode mode)
{
  return bench->type->plan (bench->impl, batch, (gsize) bench->options->length, mode);
}

static gboolean
make_workspace (Bench *bench, GError **error)
{
  SegueModelMode mode = bench->train ? SEGUE_MODEL_TRAIN : SEGUE_MODEL_INFER;
  gsize n = (gsize) bench->options->batch;
  bench->part = (guint) n;
  while (bench->part > 1 && plan (bench, bench->part, mode) > MAX_WORKSPACE)
    bench->part = (bench->part + 1) / 2;

  gsize bytes = plan (bench, bench->part, mode);
  bench->workspace = segue_model_new_workspace (bench->model, bytes, error);
  if (!bench->workspace)
    return FALSE;
  bench->logits = g_new0 (float, n * bench->info.n_labels);
  bench->d_logits = g_new (float, n * bench->info.n_labels);
  bench->targets = g_new (gint32, n);
  bench->items = g_new (guint64, n);
  return TRUE;
}

static void
bench_clear (Bench *bench)
{
  g_clear_pointer (&bench->optimiser, train_optimiser_free);
  g_clear_pointer (&bench->model, segue_model_free);
  free (bench->workspace);
  g_free (bench->rows);
  g_free (bench->logits);
  g_free (bench->d_logits);
  g_free (bench->targets);
  g_free (bench->items);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Bench, bench_clear)

/* ---- Passes ---- */

/* Items @first … @first + @n − 1 of the batch, whose rows are contiguous at @input. */
static gboolean
run_part (Bench *bench, guint first, guint n, const float *input, GError **error)
{
  const gsize offset = (gsize) first * bench->info.n_labels;
  SegueModelPass pass = SEGUE_INIT (
    SegueModelPass, .mode = bench->train ? SEGUE_MODEL_TRAIN : SEGUE_MODEL_INFER, .batch = n,
    .length = (gsize) bench->options->length, .input = input, .items = bench->items + first,
    .step = bench->n_passes, .workspace = bench->workspace, .logits = bench->logits + offset);
  if (!segue_model_forward (bench->model, &pass, error))
    return FALSE;
  if (!bench->train)
    return TRUE;
  const SegueNnCrossEntropy loss = { .batch = n,
                                     .classes = bench->info.n_labels,
                                     .divisor = bench->options->batch };
  float *gradient = bench->d_logits + offset;
  segue_nn_cross_entropy_forward (&loss, pass.logits, bench->targets + first, gradient);
  segue_nn_cross_entropy_backward (&loss, gradient, bench->targets + first, gradient);
  return segue_model_backward (bench->model, &pass, gradient, error);
}

/* The next batch of rows, cyclically; a part ends where they wrap around. */
static gboolean
run_pass (Bench *bench, GError **error)
{
  const guint batch = (guint) bench->options->batch;
  const guint64 begin = bench->n_passes * batch;
  double norm;
  for (guint i = 0; i < batch; i++) {
    bench->items[i] = (begin + i) % bench->n_rows;
    bench->targets[i] = (gint32) (bench->items[i] % bench->info.n_labels);
  }
  for (guint done = 0, n; done < batch; done += n) {
    gsize row = bench->items[done];
    n = (guint) MIN (MIN (bench->part, batch - done), bench->n_rows - row);
    if (!run_part (bench, done, n, bench->rows + row * (gsize) bench->options->length, error))
      return FALSE;
  }
  if (bench->train && !train_optimiser_step (bench->optimiser, bench->n_passes, &norm)) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_FAILED, "the gradient is not finite");
    return FALSE;
  }
  bench->n_passes++;
  return TRUE;
}

/* With --turns a pass waits for a line on standard input, and ends with it. */
static gboolean
has_turn (const Options *options, guint n_done)
{
  char line[64];
  return options->turns ? fgets (line, sizeof line, stdin) != NULL
                        : n_done < (guint) options->repeat;
}

static gboolean
run_passes (Bench *bench, GArray *times, GError **error)
{
  for (int i = 0; i < bench->options->warm_up; i++) {
    if (!run_pass (bench, error))
      return FALSE;
  }
  g_print ("ready\n");
  while (has_turn (bench->options, times->len)) {
    gint64 begin = g_get_monotonic_time ();
    if (!run_pass (bench, error))
      return FALSE;
    double seconds = (double) (g_get_monotonic_time () - begin) / G_USEC_PER_SEC;
    g_array_append_val (times, seconds);
    g_print ("%.6f\n", seconds);
  }
  return TRUE;
}

/* ---- The report ---- */

static int
compare (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

static double
median (GArray *times)
{
  g_autoptr (GArray) sorted = g_array_copy (times);
  g_array_sort (sorted, compare);
  guint n = sorted->len;
  return n == 0
           ? 0
           : (g_array_index (sorted, double, (n - 1) / 2) + g_array_index (sorted, double, n / 2)) /
               2;
}

/* Of this program's own memory: ru_maxrss would include its parent's memory. */
static json_int_t
peak_kib (void)
{
  g_autofree char *status = NULL;
  g_file_get_contents ("/proc/self/status", &status, NULL, NULL);
  const char *line = status ? strstr (status, "VmHWM:") : NULL;
  return line ? g_ascii_strtoll (line + strlen ("VmHWM:"), NULL, 10) : 0;
}

static json_t *
array_of_doubles (GArray *values)
{
  json_t *array = json_array ();
  for (guint i = 0; i < values->len; i++)
    json_array_append_new (array, json_real (g_array_index (values, double, i)));
  return array;
}

/* [batch][labels] of the last pass. */
static json_t *
array_of_logits (const Bench *bench)
{
  json_t *array = json_array ();
  for (int i = 0; i < bench->options->batch; i++) {
    json_t *row = json_array ();
    for (guint c = 0; c < bench->info.n_labels; c++)
      json_array_append_new (
        row, json_real ((double) bench->logits[(gsize) i * bench->info.n_labels + c]));
    json_array_append_new (array, row);
  }
  return array;
}

static void
report (const Bench *bench, GArray *times)
{
  const Options *options = bench->options;
  g_autofree char *fingerprint = bench->type->fingerprint ();
  json_t *object = json_pack (
    "{s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:o, s:f, s:I}", "program", "segue", "library",
    fingerprint, "what", options->what, "precision", options->precision, "batch", options->batch,
    "part", (int) bench->part, "length", options->length, "threads", options->threads, "times",
    array_of_doubles (times), "median", median (times), "peak_kib", peak_kib ());
  if (options->logits)
    json_object_set_new (object, "logits", array_of_logits (bench));
  char *text = json_dumps (object, JSON_COMPACT);
  g_print ("%s\n", text);
  free (text);
  json_decref (object);
}

static gboolean
run (const Options *options, GError **error)
{
  g_auto (Bench) bench = { .options = options };
  g_autoptr (GArray) times = g_array_new (FALSE, FALSE, sizeof (double));
  bench.frozen = g_str_equal (options->what, "frozen");
  bench.train = bench.frozen || g_str_equal (options->what, "train");
  if (!load_model (&bench, error) || !read_segments (&bench, error) ||
      !make_workspace (&bench, error) || !run_passes (&bench, times, error))
    return FALSE;
  report (&bench, times);
  return TRUE;
}

/* ---- Options ---- */

static gboolean
parse (int *argc, char ***argv, Options *options, GError **error)
{
  const char *const kinds[] = { "forward", "train", "frozen", NULL };
  const GOptionEntry entries[] = {
    { "what", 0, 0, G_OPTION_ARG_STRING, &options->what, "forward, train or frozen", "KIND" },
    { "precision", 0, 0, G_OPTION_ARG_STRING, &options->precision,
      "float32, bfloat16, int8 or auto", "NAME" },
    { "batch", 0, 0, G_OPTION_ARG_INT, &options->batch, "segments a pass", "N" },
    { "length", 0, 0, G_OPTION_ARG_INT, &options->length, "samples a segment", "N" },
    { "threads", 0, 0, G_OPTION_ARG_INT, &options->threads, NULL, "N" },
    { "repeat", 0, 0, G_OPTION_ARG_INT, &options->repeat, "timed passes", "N" },
    { "warm-up", 0, 0, G_OPTION_ARG_INT, &options->warm_up, "passes before them", "N" },
    { "turns", 0, 0, G_OPTION_ARG_NONE, &options->turns, "a pass for each line of input", NULL },
    { "logits", 0, 0, G_OPTION_ARG_NONE, &options->logits, "report those of the last pass", NULL },
    { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &options->paths, NULL,
      "FOLDER [SEGMENTS]" },
    { NULL }
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, argc, argv, error))
    return FALSE;
  guint n_paths = options->paths ? g_strv_length (options->paths) : 0;
  if (n_paths >= 1 && n_paths <= 2 && g_strv_contains (kinds, options->what) &&
      options->batch > 0 && options->length > 0 && options->threads > 0 && options->repeat >= 0 &&
      options->warm_up >= 0)
    return TRUE;
  g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                       "see model-bench --help for what it takes");
  return FALSE;
}

static int
exit_status (const GError *error)
{
  if (error->domain == G_OPTION_ERROR || g_error_matches (error, SEGUE_ERROR, SEGUE_ERROR_USAGE))
    return EXIT_USAGE;
  /* A precision without instructions on this processor. */
  return g_error_matches (error, SEGUE_ERROR, SEGUE_ERROR_PIPELINE) ? EXIT_NOT_THERE : 1;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  Options options = { .batch = 1, .length = 160000, .threads = 2, .repeat = 5, .warm_up = 1 };
  options.what = g_strdup ("forward");
  options.precision = g_strdup ("float32");
  int status = 0;
  if (!parse (&argc, &argv, &options, &error) || !run (&options, &error)) {
    g_printerr ("model-bench: %s\n", error->message);
    status = exit_status (error);
  }
  g_free (options.what);
  g_free (options.precision);
  g_strfreev (options.paths);
  return status;
}
