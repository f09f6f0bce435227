/* Confusion matrix and confidence, counted over the segments of one set. */
#pragma once

#include "table.h"

/** ReportPair: @n segments of @truth were predicted as @answer; @songs: the number of their
 * songs. */
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
/** report_confusion_get: how often @truth was predicted as @answer. */
guint report_confusion_get (const ReportConfusion *confusion, guint truth, guint answer);
/** report_confusion_worst: (transfer full): (element-type ReportPair): wrong pairs, most frequent
 * first. */
GArray *report_confusion_worst (const ReportConfusion *confusion);
/** report_confusion_choose: (transfer full): (element-type guint): at most @max of the labels that
 * occur, in their order; where there are more, those with most errors. */
GArray *report_confusion_choose (const ReportConfusion *confusion, guint max);

#define REPORT_BINS 10

/** ReportCalibration: confidence in bins of width 0.1; sums are over their segments.
 * @error: expected calibration error: mean absolute difference of confidence and accuracy; NaN: no
 *   segments */
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
