/* What was taken for what, and how sure the model was: counted over the segments of one set. */
#pragma once

#include "table.h"

/** ReportPair: @n segments of @truth were taken for @answer; @songs: how many songs they are of. */
typedef struct {
  guint truth, answer;
  guint n, songs;
} ReportPair;

/**
 * ReportConfusion:
 * @pairs: #ReportPair by truth, then answer; only those that occur
 * @totals: [n_labels] segments of each label
 */
typedef struct {
  GArray *pairs;
  guint *totals;
  guint n_labels;
} ReportConfusion;

ReportConfusion *report_confusion_count (const ReportTable *table, SegueSet set);
/** report_confusion_free: accepts %NULL. */
void report_confusion_free (ReportConfusion *confusion);
/** report_confusion_get: how often @truth was taken for @answer. */
guint report_confusion_get (const ReportConfusion *confusion, guint truth, guint answer);
/** report_confusion_worst: (transfer full): (element-type ReportPair): what is wrong, most often
 * first. */
GArray *report_confusion_worst (const ReportConfusion *confusion);
/** report_confusion_choose: (transfer full): (element-type guint): at most @max of the labels that
 * occur, in their order: those with most errors where there are more. */
GArray *report_confusion_choose (const ReportConfusion *confusion, guint max);

#define REPORT_BINS 10

/** ReportCalibration: confidence in bins of a tenth; sums are of their segments.
 * @error: expected calibration error: mean distance of confidence and accuracy; NaN: no segments */
typedef struct {
  struct {
    guint n, right;
    double confidence;
  } bins[REPORT_BINS];
  guint n;
  double error;
} ReportCalibration;

void report_calibration_count (ReportCalibration *calibration, const ReportTable *table,
                               SegueSet set);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReportConfusion, report_confusion_free)
