/* The predictions of an evaluation: every segment with its true label and its prediction.
 *
 * Only a few numbers per segment are kept in memory. Probabilities are read again where needed,
 * song by song, so that memory does not grow with the number of labels. */
#pragma once

#include <segue/aggregation.h>
#include <segue/dataset.h>

/** ReportSegment: @song: index; @answer: index of a label; @confidence: the answer's probability; @truth: that of
 * the song's label, NaN where the model does not have the label. */
typedef struct {
  guint song, answer;
  float confidence, truth;
  double start, duration;
} ReportSegment;

#define REPORT_NO_LABEL (-1)

/**
 * ReportSong: @id, @source: of the song (@source: "" where there is none)
 * @set: #SegueSet; -1: another set, which is not evaluated
 * @label: index of labels; REPORT_NO_LABEL
 * @answer, @confidence: of the song, as `evaluate` aggregated its segments
 * @distance: of the song in the model's space; NaN: it has none
 * @first, @n: its segments
 */
typedef struct {
  char *id, *source;
  int set, label;
  guint answer;
  float confidence;
  double distance;
  guint first, n;
} ReportSong;

/**
 * ReportTable:
 * @labels: (element-type utf8): those of the model, then those of songs only
 * @n_model: how many of them are the model's
 * @songs: #ReportSong; @segments: #ReportSegment, songs together, in the order of the dataset
 */
typedef struct {
  SegueDataset *predictions;
  GPtrArray *labels;
  guint n_model;
  GArray *songs, *segments;
} ReportTable;

/** report_table_load: (transfer full): from predictions items, which may be those of an untrusted run.
 * @labels: (element-type utf8): those of the model */
ReportTable *report_table_load (SegueDataset *predictions, const GPtrArray *labels,
                                GCancellable *cancellable, GError **error);
/** report_table_free: accepts %NULL. */
void report_table_free (ReportTable *table);

const char *report_table_label (const ReportTable *table, guint label);
const ReportSong *report_table_song (const ReportTable *table, guint song);
const ReportSegment *report_table_segment (const ReportTable *table, guint segment);
/** report_table_is_wrong: whether it has a label and is predicted as another. */
gboolean report_table_is_wrong (const ReportTable *table, guint segment);

/** ReportRowFunc: @row: [n_model] probabilities of segment @segment. */
typedef void (*ReportRowFunc) (gpointer data, guint segment, const double *row);
/** report_table_each: reads the predictions again. */
gboolean report_table_each (const ReportTable *table, ReportRowFunc function, gpointer data,
                            GCancellable *cancellable, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReportTable, report_table_free)
