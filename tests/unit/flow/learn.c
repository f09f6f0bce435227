/* Stages that produce results, and count their calls. */
#include "learn.h"

#include <segue/file.h>
#include <string.h>

gint learn_trained, learn_judged, learn_sifted, learn_tabled, learn_reported;

static const SeguePort *const files[] = { SEGUE_PORT ("songs", SEGUE_KIND_FILE, NULL), NULL };
static const SeguePort *const audio[] = { SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, NULL), NULL };
static const SeguePort *const live_audio[] = {
  SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, NULL, .flags = SEGUE_PORT_LIVE), NULL
};
static const SeguePort *const model[] = { SEGUE_PORT ("model", SEGUE_KIND_MODEL, NULL), NULL };

/* ---- learn-scan ---- */

typedef struct {
  char *root, *title, *style;
} ScanConfig;

static const SegueParam *const scan_params[] = {
  SEGUE_PARAM (ScanConfig, root, SEGUE_PARAM_STRING),
  SEGUE_PARAM (ScanConfig, title, SEGUE_PARAM_STRING, .def = "untitled"),
  SEGUE_PARAM (ScanConfig, style, SEGUE_PARAM_STRING, .def = "plain"),
  NULL,
};

static gboolean
scan (gpointer instance, SegueContext *context, GError **error)
{
  const ScanConfig *config = segue_context_get_config (context);
  g_autoptr (GDir) folders = g_dir_open (config->root, 0, NULL);
  const char *folder, *name;
  while (folders && (folder = g_dir_read_name (folders))) {
    g_autofree char *path = g_build_filename (config->root, folder, NULL);
    g_autoptr (GDir) songs = g_dir_open (path, 0, NULL);
    while (songs && (name = g_dir_read_name (songs))) {
      g_autofree char *id = g_build_filename (folder, name, NULL);
      g_autofree char *file = g_build_filename (path, name, NULL);
      g_autofree char *label = g_strdup_printf ("%s %s", config->style, folder);
      SegueItem *item = segue_item_new_file (id, file);
      segue_item_set_string (item, SEGUE_META_SOURCE, file);
      segue_item_set_string (item, SEGUE_META_LABEL, label);
      segue_item_set_string (item, "title", config->title);
      if (!segue_context_emit (context, item, error))
        return FALSE;
    }
  }
  return TRUE;
}

/* ---- learn-sift ---- */

static gboolean
sift (gpointer instance, SegueContext *context, GError **error)
{
  SegueDataset *input = segue_context_get_input (context, "audio");
  g_autoptr (SegueReader) reader = segue_reader_new (input, 0);
  g_atomic_int_inc (&learn_sifted);
  for (guint i = 0; i < segue_dataset_get_length (input); i++) {
    g_autoptr (SegueItem) item = segue_reader_get (reader, i, NULL, error);
    if (!item)
      return FALSE;
    if (strstr (segue_item_get_id (item), "drop"))
      continue;
    g_autoptr (GBytes) half = g_bytes_new_from_bytes (
      segue_item_get_bytes (item), 0, g_bytes_get_size (segue_item_get_bytes (item)) / 8 * 4);
    SegueItem *derived = segue_item_new_audio (item, "half", half, segue_item_get_rate (item), 1);
    segue_item_set_int (derived, "halved", 1);
    if (!segue_context_emit (context, g_steal_pointer (&item), error) ||
        !segue_context_emit (context, derived, error))
      return FALSE;
  }
  return TRUE;
}

/* ---- learn-train ---- */

typedef struct {
  gint64 epochs;
  char *into;
} TrainConfig;

static const SegueParam *const train_params[] = {
  SEGUE_PARAM (TrainConfig, epochs, SEGUE_PARAM_INT, .def = "2", .min = 0, .max = 100),
  SEGUE_PARAM (TrainConfig, into, SEGUE_PARAM_OUTPUT_PATH, .flags = SEGUE_PARAM_OPTIONAL),
  NULL,
};

/* One line per item and epoch: the result contains the input. */
static char *
learn (SegueContext *context, guint epochs, GError **error)
{
  SegueDataset *input = segue_context_get_input (context, "audio");
  g_autoptr (GString) seen = g_string_new (NULL);
  g_autoptr (SegueReader) reader = segue_reader_new (input, 0);
  for (guint epoch = 0; epoch < epochs; epoch++) {
    segue_reader_set_epoch (reader, epoch);
    for (guint i = 0; i < segue_dataset_get_length (input); i++) {
      g_autoptr (SegueItem) item = segue_reader_get (reader, i, NULL, error);
      if (!item)
        return NULL;
      gsize n;
      const float *frames = segue_item_get_frames (item, &n);
      g_string_append_printf (seen, "%s %s %g\n", segue_item_get_id (item),
                              segue_item_get_string (item, SEGUE_META_LABEL),
                              (double) (n > 0 ? frames[0] : 0));
    }
    segue_context_scalar (context, "train/loss", epoch, 1.0 / (epoch + 1));
  }
  return g_string_free (g_steal_pointer (&seen), FALSE);
}

static gboolean
train (gpointer instance, SegueContext *context, GError **error)
{
  const TrainConfig *config = segue_context_get_config (context);
  const char *folder = segue_context_get_output_folder (context, error);
  g_autofree char *seen = NULL;
  g_atomic_int_inc (&learn_trained);
  if (!folder || !(seen = learn (context, (guint) config->epochs, error)))
    return FALSE;
  if (config->epochs == 0) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "nothing was learnt");
    return FALSE;
  }
  segue_context_log (context, G_LOG_LEVEL_WARNING, "learnt by heart");
  segue_context_count (context, "epochs", config->epochs);
  g_autofree char *path = g_build_filename (folder, "model", NULL);
  g_autofree char *deep = g_build_filename (path, "deep", "er", NULL);
  g_autofree char *weights = g_build_filename (path, "weights", NULL);
  g_autofree char *layer = g_build_filename (deep, "layer", NULL);
  g_autofree char *history = g_build_filename (folder, "history.txt", NULL);
  return segue_file_make_folder (deep, error) && segue_file_write (weights, seen, -1, error) &&
         segue_file_write (layer, "", 0, error) && segue_file_write (history, "2 1\n", -1, error) &&
         (!config->into || segue_file_write (config->into, seen, -1, error)) &&
         segue_context_emit (context, segue_item_new_folder (SEGUE_KIND_MODEL, "model", path),
                             error);
}

/* ---- learn-judge ---- */

typedef struct {
  char *weights, *song;
  GString *text;
} Judge;

static void
judge_free (gpointer data)
{
  Judge *judge = data;
  g_free (judge->weights);
  g_free (judge->song);
  g_string_free (judge->text, TRUE);
  g_free (judge);
}

static gboolean
judge_open (SegueContext *context, gpointer *instance, GError **error)
{
  SegueItem *item = segue_dataset_get_entry (segue_context_get_input (context, "model"), 0);
  g_autofree char *path = g_build_filename (segue_item_get_path (item), "weights", NULL);
  Judge *judge = g_new0 (Judge, 1);
  judge->text = g_string_new (NULL);
  g_atomic_int_inc (&learn_judged);
  if (g_file_get_contents (path, &judge->weights, NULL, NULL)) {
    *instance = judge;
    return TRUE;
  }
  judge_free (judge);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "a model without weights");
  return FALSE;
}

static gboolean
judge_process (gpointer instance, SegueItem *item, SegueContext *context, GError **error)
{
  Judge *judge = instance;
  g_free (judge->song);
  judge->song = g_strdup (segue_item_get_song (item));
  return TRUE;
}

static gboolean
judge_end_song (gpointer instance, SegueContext *context, GError **error)
{
  Judge *judge = instance;
  if (strstr (judge->song, "odd") || strstr (judge->song, "late")) {
    SegueErrorCode code = strstr (judge->song, "odd") ? SEGUE_ERROR_DATA : SEGUE_ERROR_TIMEOUT;
    g_autoptr (GError) failure = g_error_new (SEGUE_ERROR, code, "not to be judged");
    segue_context_quarantine (context, judge->song, failure);
    return TRUE;
  }
  double *odds;
  SegueItem *item = segue_item_new_predictions (NULL, judge->song, 1, 1, &odds, error);
  odds[0] = (double) strlen (judge->weights);
  odds[1] = (double) strlen (judge->song);
  odds[2] = 1;
  g_string_append_printf (judge->text, "%s\n", judge->song);
  return segue_context_emit (context, item, error);
}

static gboolean
judge_finish (gpointer instance, SegueContext *context, GError **error)
{
  Judge *judge = instance;
  const char *folder = segue_context_get_output_folder (context, error);
  if (!folder)
    return FALSE;
  g_autofree char *path = g_build_filename (folder, "metrics.json", NULL);
  g_autofree char *judged = g_build_filename (folder, "judged", NULL);
  g_autofree char *copy = g_build_filename (judged, "judged", NULL);
  g_autofree char *text = g_strconcat (judge->weights, "judged\n", NULL);
  return segue_file_write (path, judge->text->str, -1, error) &&
         segue_file_make_folder (judged, error) && segue_file_write (copy, text, -1, error) &&
         segue_context_emit (context, segue_item_new_folder (SEGUE_KIND_MODEL, "model", judged),
                             error) &&
         segue_context_emit (context, segue_item_new_folder (SEGUE_KIND_METRICS, "metrics", folder),
                             error);
}

/* ---- learn-table ---- */

typedef struct {
  gboolean titles;
} TableConfig;

static const SegueParam *const table_params[] = {
  SEGUE_PARAM (TableConfig, titles, SEGUE_PARAM_BOOL, .def = "false"),
  NULL,
};

static gboolean
table (gpointer instance, SegueContext *context, GError **error)
{
  const TableConfig *config = segue_context_get_config (context);
  SegueDataset *judged = segue_context_get_input (context, "predictions");
  SegueDataset *songs = segue_context_get_input (context, "audio");
  g_autoptr (SegueReader) reader = segue_reader_new (judged, 0);
  g_autoptr (GString) text = g_string_new (NULL);
  g_atomic_int_inc (&learn_tabled);
  for (guint i = 0; i < segue_dataset_get_length (judged); i++) {
    g_autoptr (SegueItem) item = segue_reader_get (reader, i, NULL, error);
    if (!item)
      return FALSE;
    guint n_segments, n_labels;
    const double *odds = segue_item_get_predictions (item, &n_segments, &n_labels, error);
    if (!odds)
      return FALSE;
    g_string_append_printf (text, "%s %g %g\n", segue_item_get_id (item), odds[0], odds[1]);
  }
  for (guint i = 0; config->titles && i < segue_dataset_get_length (songs); i++) {
    SegueItem *song = segue_dataset_get_entry (songs, i);
    g_string_append_printf (text, "%s %s\n", segue_item_get_id (song),
                            segue_item_get_string (song, "title"));
  }
  const char *folder = segue_context_get_output_folder (context, error);
  g_autofree char *path = g_build_filename (folder, "table.txt", NULL);
  return segue_file_write (path, text->str, -1, error);
}

/* ---- learn-report ---- */

static gboolean
report (gpointer instance, SegueContext *context, GError **error)
{
  SegueDataset *metrics = segue_context_get_input (context, "metrics");
  SegueDataset *summary = segue_context_get_input (context, "summary");
  const char *folder = segue_context_get_output_folder (context, error);
  if (!folder)
    return FALSE;
  g_atomic_int_inc (&learn_reported);
  g_autofree char *path = g_build_filename (folder, "seen.json", NULL);
  g_autofree char *from = g_build_filename (
    segue_item_get_path (segue_dataset_get_entry (metrics, 0)), "metrics.json", NULL);
  g_autofree char *copy = g_build_filename (folder, "judged.txt", NULL);
  g_autofree char *source = g_build_filename (
    segue_item_get_path (segue_dataset_get_entry (summary, 0)), "summary.json", NULL);
  g_autofree char *text = segue_file_read (from, 1024, NULL, error);
  g_autofree char *run = text ? segue_file_read (source, 1024 * 1024, NULL, error) : NULL;
  return run && segue_file_write (copy, text, -1, error) && segue_file_write (path, run, -1, error);
}

/* ---- learn-grade: of the metrics alone ---- */

static gboolean
grade (gpointer instance, SegueContext *context, GError **error)
{
  const char *folder = segue_context_get_output_folder (context, error);
  g_autofree char *path = folder ? g_build_filename (folder, "grade.txt", NULL) : NULL;
  return path && segue_file_write (path, "good", -1, error);
}

/* ---- learn-stop ---- */

static gboolean
stop (gpointer instance, SegueContext *context, GError **error)
{
  g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_IO, "stopped for the test");
  return FALSE;
}

/* ---- The plugin ---- */

static const SeguePort *const metrics[] = { SEGUE_PORT ("metrics", SEGUE_KIND_METRICS, NULL),
                                            NULL };
static const SeguePort *const report_inputs[] = { SEGUE_PORT ("metrics", SEGUE_KIND_METRICS, NULL),
                                                  SEGUE_PORT ("summary", SEGUE_KIND_SUMMARY, NULL),
                                                  NULL };
static const SeguePort *const judge_inputs[] = { SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, NULL),
                                                 SEGUE_PORT ("model", SEGUE_KIND_MODEL, NULL),
                                                 NULL };
static const SeguePort *const judge_outputs[] = {
  SEGUE_PORT ("predictions", SEGUE_KIND_PREDICTIONS, NULL),
  SEGUE_PORT ("model", SEGUE_KIND_MODEL, NULL), SEGUE_PORT ("metrics", SEGUE_KIND_METRICS, NULL),
  NULL
};
static const SeguePort *const table_inputs[] = {
  SEGUE_PORT ("predictions", SEGUE_KIND_PREDICTIONS, NULL),
  SEGUE_PORT ("audio", SEGUE_KIND_AUDIO, NULL), NULL
};

#define STAGE(type_name, type_mode, ...)                                                           \
  SEGUE_INIT (SegueStageType, .name = type_name, .summary = "Learns", .result_version = 1,         \
              .mode = type_mode, __VA_ARGS__)

static const SegueStageType scan_type =
  STAGE ("learn-scan", SEGUE_MODE_SOURCE, .outputs = files, .params = scan_params,
         .config_size = sizeof (ScanConfig), .produce = scan);
static const SegueStageType sift_type =
  STAGE ("learn-sift", SEGUE_MODE_COLLECT, .inputs = audio, .outputs = audio, .collect = sift);
static const SegueStageType train_type = STAGE (
  "learn-train", SEGUE_MODE_COLLECT, .flags = SEGUE_STAGE_SEEDED, .inputs = live_audio,
  .outputs = model, .params = train_params, .config_size = sizeof (TrainConfig), .collect = train);
static const SegueStageType judge_type =
  STAGE ("learn-judge", SEGUE_MODE_SERIAL, .inputs = judge_inputs, .outputs = judge_outputs,
         .open = judge_open, .close = judge_free, .process = judge_process,
         .end_song = judge_end_song, .finish = judge_finish);
static const SegueStageType table_type =
  STAGE ("learn-table", SEGUE_MODE_COLLECT, .inputs = table_inputs, .params = table_params,
         .config_size = sizeof (TableConfig), .collect = table);

static const SegueStageType report_type =
  STAGE ("learn-report", SEGUE_MODE_COLLECT, .inputs = report_inputs, .collect = report);
static const SegueStageType grade_type =
  STAGE ("learn-grade", SEGUE_MODE_COLLECT, .inputs = metrics, .collect = grade);
static const SegueStageType stop_type =
  STAGE ("learn-stop", SEGUE_MODE_COLLECT, .inputs = metrics, .collect = stop);

static const SegueStageType *const stages[] = { &scan_type,  &sift_type,  &train_type,
                                                &judge_type, &table_type, &report_type,
                                                &grade_type, &stop_type,  NULL };

static const SeguePlugin plugin =
  SEGUE_INIT (SeguePlugin, .abi_major = SEGUE_ABI_MAJOR, .abi_minor = SEGUE_ABI_MINOR,
              .name = "learn", .version = "1", .licence = "MIT", .stages = stages);

const SeguePlugin *
learn_plugin (void)
{
  return &plugin;
}
