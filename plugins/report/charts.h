/* The charts of a report. */
#pragma once

#include "chart.h"
#include "confusion.h"
#include "figures.h"
#include "summary.h"

/** Limits that keep the page short enough to read. */
#define REPORT_MAX_BARS   60
#define REPORT_MAX_MATRIX 40

/** report_draw_accuracy: (transfer full): one bar per label, best first; the worst ones where there are more than
 * REPORT_MAX_BARS. */
ReportChart *report_draw_accuracy (const ReportSetFigures *figures);
/** report_draw_confusion: (transfer full): rows are true labels; each non-empty cell can be
 * clicked. Where there are more than REPORT_MAX_MATRIX labels, those with most errors. */
ReportChart *report_draw_confusion (const ReportConfusion *confusion, const ReportTable *table);
/** report_draw_loss, report_draw_validation: (transfer full) (nullable): by epoch, with the kept
 * epoch marked; %NULL where the run has no such curves. */
ReportChart *report_draw_loss (const ReportSummary *summary);
ReportChart *report_draw_validation (const ReportSummary *summary);
/** report_draw_reliability: (transfer full): accuracy by confidence. */
ReportChart *report_draw_reliability (const ReportCalibration *calibration);
