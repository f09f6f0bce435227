/* metrics.json: the figures as `evaluate` counted them. */
#pragma once

#include "table.h"

#include <segue/calibration.h>

/** ReportLabelFigures: of one label in one set; NaN where there is no data. */
typedef struct {
  char *name;
  double segment_accuracy, song_accuracy, f1;
  guint64 segments, songs;
} ReportLabelFigures;

/** ReportSetFigures: @present: the set has items; @low, @high: 95 % confidence interval of the accuracy by song,
 * and @baseline: accuracy of guessing, NaN where the run does not contain them; @labels: #ReportLabelFigures in
 * the file's order; @unsure_right, @unsure_wrong: songs that are shown as unsure. */
typedef struct {
  gboolean present;
  double segment_accuracy, song_accuracy, macro_f1, loss;
  double low, high, baseline;
  guint64 segments, songs;
  guint64 unsure_right, unsure_wrong;
  GArray *labels;
} ReportSetFigures;

/** ReportFigures: @judges: songs may be unsure: by @threshold, which is expected to show @unsure_share of the correct
 * predictions as unsure, and was chosen from @measured songs; not in runs of older versions. */
typedef struct {
  ReportSetFigures sets[SEGUE_N_SETS];
  gboolean judges;
  SegueThreshold threshold;
  double unsure_share;
  guint64 measured;
} ReportFigures;

/** report_figures_load: (transfer full): %SEGUE_ERROR_DATA where the file is not what `evaluate`
 * writes. */
ReportFigures *report_figures_load (const char *path, GError **error);
/** report_figures_free: accepts %NULL. */
void report_figures_free (ReportFigures *figures);

/** report_figures_is_unsure: whether @song is shown as unsure. */
gboolean report_figures_is_unsure (const ReportFigures *figures, const ReportSong *song);

/** report_figures_check: whether their counts match the segments of @table. */
gboolean report_figures_check (const ReportFigures *figures, const ReportTable *table,
                               GError **error);
/** report_figures_list_labels: (transfer full): (element-type utf8): the labels of @set: those of the model, in its
 * order. */
GPtrArray *report_figures_list_labels (const ReportFigures *figures, SegueSet set);
/** report_figures_judged: the most meaningful set: test, else validation, else train; -1: none. */
int report_figures_judged (const ReportFigures *figures);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReportFigures, report_figures_free)
