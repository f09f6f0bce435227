/* report: one static page on how well a model performs, where it errs, and how those songs
 * sound. */
#include "nearest.h"
#include "page.h"

#include <segue/collect.h>
#include <segue/file.h>
#include <segue/nn/backend.h>
#include <segue/nn/linear-algebra.h>
#include <segue/plugin.h>
#include <sndfile.h>
#include <string.h>

typedef struct {
  gint64 clips;
  int format; /* PassageFormat */
  char *music;
} ReportConfig;

static const char *const format_choices[] = { "opus", "flac", NULL };

static const SegueParam *const params[] = {
  SEGUE_PARAM (ReportConfig, clips, SEGUE_PARAM_INT, .def = "200", .min = 0, .max = 2000,
               .doc = "Maximum number of misclassified segments to listen to, the most confident "
                      "first. Each takes about 300 kB, including the clip beside it."),
  SEGUE_PARAM (
    ReportConfig, format, SEGUE_PARAM_CHOICE, .def = "opus", .choices = format_choices,
    .doc = "Format of the clips. `opus`: small, for all recent browsers; `flac`: lossless, about "
           "six times as large, and the fallback where libsndfile was built without Opus."),
  SEGUE_PARAM (ReportConfig, music, SEGUE_PARAM_INPUT_PATH, .flags = SEGUE_PARAM_OPTIONAL,
               .doc = "The music folder of the run, for a report on a finished run (`segue "
                      "report`): clips are cut from songs below it, found by their paths. Not "
                      "needed in the run itself, where songs are read where `scan` found them."),
  NULL,
};

/* All intermediate results. */
typedef struct {
  ReportSummary *summary;
  ReportFigures *figures;
  ReportTable *table;
  ReportConfusion *confusion;
  ReportCalibration calibration;
  ReportClips *clips;
  GArray *wrong, *nearest, *explained;
  SegueSet judged;
} Parts;

static void
parts_clear (Parts *parts)
{
  g_clear_pointer (&parts->clips, report_clips_free);
  g_clear_pointer (&parts->summary, report_summary_free);
  g_clear_pointer (&parts->figures, report_figures_free);
  g_clear_pointer (&parts->table, report_table_free);
  g_clear_pointer (&parts->confusion, report_confusion_free);
  g_clear_pointer (&parts->wrong, g_array_unref);
  g_clear_pointer (&parts->nearest, g_array_unref);
  g_clear_pointer (&parts->explained, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Parts, parts_clear)

static char *
fingerprint (const void *config)
{
  g_autofree char *nn = segue_nn_fingerprint ();
  return g_strconcat (sf_version_string (), " ", nn, " ", segue_nn_linear_algebra_fingerprint (),
                      NULL);
}

/* (transfer full): the folder on @port. */
static char *
find_folder (SegueContext *context, const char *port, GError **error)
{
  SegueDataset *input = segue_context_get_input (context, port);
  guint n = input ? segue_dataset_get_length (input) : 0;
  if (n != 1) {
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_NO_INPUT,
                 "a report needs one item on its input ‘%s’, but there are %u", port, n);
    return NULL;
  }
  g_autoptr (SegueReader) reader = segue_reader_new (input, 0);
  g_autoptr (SegueItem) item =
    segue_reader_get (reader, 0, segue_context_get_cancellable (context), error);
  return item ? g_strdup (segue_item_get_path (item)) : NULL;
}

static gboolean
read_figures (Parts *parts, SegueContext *context, GError **error)
{
  g_autofree char *folder = find_folder (context, "metrics", error);
  g_autofree char *path = folder ? g_build_filename (folder, "metrics.json", NULL) : NULL;
  parts->figures = path ? report_figures_load (path, error) : NULL;
  if (!parts->figures)
    return FALSE;
  int judged = report_figures_judged (parts->figures);
  if (judged < 0) {
    g_set_error_literal (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                         "no song has a label: there is nothing to report on");
    return FALSE;
  }
  parts->judged = (SegueSet) judged;
  return TRUE;
}

static gboolean
read_inputs (Parts *parts, SegueContext *context, GError **error)
{
  g_autofree char *run = find_folder (context, "summary", error);
  g_autofree char *path = run ? g_build_filename (run, "summary.json", NULL) : NULL;
  parts->summary =
    path ? report_summary_load (path, segue_context_get_cancellable (context), error) : NULL;
  if (!parts->summary || !read_figures (parts, context, error))
    return FALSE;
  g_autoptr (GPtrArray) labels = report_figures_list_labels (parts->figures, parts->judged);
  parts->table = report_table_load (segue_context_get_input (context, "predictions"), labels,
                                    segue_context_get_cancellable (context), error);
  return parts->table && report_figures_check (parts->figures, parts->table, error);
}

static int
compare_surest_first (gconstpointer a, gconstpointer b, gpointer data)
{
  const ReportTable *table = data;
  guint i = *(const guint *) a, j = *(const guint *) b;
  float one = report_table_segment (table, i)->confidence;
  float other = report_table_segment (table, j)->confidence;
  if (one != other)
    return one > other ? -1 : 1;
  return i < j ? -1 : i > j;
}

static GArray *
find_wrong (const ReportTable *table, SegueSet set)
{
  GArray *wrong = g_array_new (FALSE, FALSE, sizeof (guint));
  for (guint i = 0; i < table->segments->len; i++) {
    guint song = report_table_segment (table, i)->song;
    if (report_table_song (table, song)->set == (int) set && report_table_is_wrong (table, i))
      g_array_append_val (wrong, i);
  }
  g_array_sort_with_data (wrong, compare_surest_first, (gpointer) table);
  return wrong;
}

/* The segments with clips, and the training segments shown next to them. */
static gboolean
choose_clips (Parts *parts, guint max, GCancellable *cancellable, GError **error)
{
  guint n = MIN (parts->wrong->len, max);
  g_autoptr (GArray) first = g_array_new (FALSE, FALSE, sizeof (guint));
  if (n > 0)
    g_array_append_vals (first, parts->wrong->data, n);
  parts->nearest = report_nearest_find (parts->table, first, cancellable, error);
  if (!parts->nearest)
    return FALSE;
  parts->clips = report_clips_new (parts->table);
  for (guint i = 0; i < n; i++) {
    guint nearest = g_array_index (parts->nearest, guint, i);
    report_clips_want (parts->clips, g_array_index (first, guint, i));
    if (nearest != REPORT_NO_SEGMENT)
      report_clips_want (parts->clips, nearest);
  }
  return TRUE;
}

/* Finds similar songs, and requests clips of misclassified songs and of those most similar to them. */
static gboolean
explain_songs (Parts *parts, guint max, SegueContext *context, GError **error)
{
  parts->explained = report_similar_find (parts->table, parts->judged, context, error);
  if (!parts->explained)
    return FALSE;
  for (guint i = 0, n = 0; n < max && i < parts->explained->len; i++) {
    const ReportExplained *explained = &g_array_index (parts->explained, ReportExplained, i);
    const ReportSong *song = report_table_song (parts->table, explained->song);
    if (song->label == REPORT_NO_LABEL || (guint) song->label == song->answer)
      break;
    for (guint k = 0; n < max && k < explained->n; k++, n++) {
      if (explained->twins[k].own != G_MAXUINT)
        report_clips_want (parts->clips, explained->twins[k].own);
      if (explained->twins[k].segment != G_MAXUINT)
        report_clips_want (parts->clips, explained->twins[k].segment);
    }
  }
  return TRUE;
}

static gboolean
write_report (Parts *parts, const char *folder, GError **error)
{
  g_autofree char *data = g_build_filename (folder, "data.js", NULL);
  Report report = { .summary = parts->summary,
                    .figures = parts->figures,
                    .table = parts->table,
                    .judged = parts->judged,
                    .confusion = parts->confusion,
                    .calibration = &parts->calibration,
                    .wrong = parts->wrong,
                    .nearest = parts->nearest,
                    .explained = parts->explained,
                    .clips = parts->clips };
  return report_data_write (&report, data, error) && report_page_write (&report, folder, error);
}

static gboolean
collect (gpointer instance, SegueContext *context, GError **error)
{
  const ReportConfig *config = segue_context_get_config (context);
  GCancellable *cancellable = segue_context_get_cancellable (context);
  g_auto (Parts) parts = { 0 };
  if (!read_inputs (&parts, context, error))
    return FALSE;
  parts.confusion = report_confusion_count (parts.table, parts.judged);
  report_calibration_count (&parts.calibration, parts.table, parts.judged);
  parts.wrong = find_wrong (parts.table, parts.judged);
  if (!choose_clips (&parts, (guint) config->clips, cancellable, error) ||
      !explain_songs (&parts, (guint) config->clips, context, error))
    return FALSE;

  const char *output = segue_context_get_output_folder (context, error);
  g_autofree char *folder = output ? g_build_filename (output, "report", NULL) : NULL;
  g_autofree char *clips = folder ? g_build_filename (folder, REPORT_CLIPS, NULL) : NULL;
  if (!folder || !segue_file_make_folder (folder, error) ||
      !report_clips_make (parts.clips, segue_context_get_input (context, "items"),
                          (PassageFormat) config->format, config->music, clips, context, error) ||
      !segue_context_check_cancelled (context, error) || !write_report (&parts, folder, error) ||
      !segue_file_seal_folder (folder, error))
    return FALSE;
  segue_context_count (context, "wrong segments", parts.wrong->len);
  segue_context_count (context, "clips", report_clips_count (parts.clips));
  return TRUE;
}

static const SeguePort *const inputs[] = {
  SEGUE_PORT ("metrics", SEGUE_KIND_METRICS, "The figures of `evaluate`: metrics.json."),
  SEGUE_PORT ("predictions", SEGUE_KIND_PREDICTIONS, "Its predictions for every segment."),
  SEGUE_PORT ("summary", SEGUE_KIND_SUMMARY,
              "The run so far: pipeline, counters, learning curves, quarantined items."),
  SEGUE_PORT ("items", SEGUE_KIND_EXAMPLES,
              "The segments that the model used: if they are audio, for clips of songs whose file "
              "can no longer be read.",
              .flags = SEGUE_PORT_OPTIONAL),
  SEGUE_PORT (
    "vectors", SEGUE_KIND_TENSOR,
    "A vector for each segment, as `embed` computes it: for the training songs that sound "
    "most like a song.",
    .flags = SEGUE_PORT_OPTIONAL),
  NULL
};

static const SegueStageType report = {
  SEGUE_STAGE_TYPE,
  .name = "report",
  .summary = "Reports a model's accuracy, with its misclassified segments to listen to",
  .doc =
    "Writes `report/index.html`: a page that opens from disk, without a network, in light and "
    "dark mode, also on phones. Accuracy by label, confusion matrix, learning curves, "
    "reliability, every song with its segments; the misclassified segments as short clips, "
    "each beside the most similar training segment of the correct artist (by the model's own "
    "probabilities); if the pipeline has vectors of the segments, the training songs that sound most "
    "like each song; the skipped songs, and the pipeline of the run. Labels can be corrected "
    "in the page, which saves them as a table for `relabel` of `scan`. Each chart is also "
    "available as PNG.\n\nThe page describes the test set; without one, the validation or "
    "training set. Clips are cut from the songs' own files, decoded as `decode` does.",
  .result_version = 6,
  .mode = SEGUE_MODE_COLLECT,
  .inputs = inputs,
  .params = params,
  .config_size = sizeof (ReportConfig),
  .fingerprint = fingerprint,
  .collect = collect,
};

static const SegueStageType *const stages[] = { &report, NULL };

SEGUE_PLUGIN (.name = "report", .version = "1.0", .licence = "MIT", .stages = stages)
