/* The run summary (summary.json) as the page needs it. */
#pragma once

#include <gio/gio.h>
#include <jansson.h>

/** ReportPoint: a curve at one step; NaN: no value. */
typedef struct {
  double step, value;
} ReportPoint;

/** ReportLeftOut: borrowed from the summary. */
typedef struct {
  const char *stage, *id, *reason;
} ReportLeftOut;

typedef struct {
  json_t *root;
} ReportSummary;

/** report_summary_load: @path: see %SEGUE_KIND_SUMMARY; untrusted. %SEGUE_ERROR_DATA: not a summary. */
ReportSummary *report_summary_load (const char *path, GCancellable *cancellable, GError **error);
/** report_summary_free: accepts %NULL. */
void report_summary_free (ReportSummary *summary);

/** report_summary_text: (nullable): "segue" or "name". */
const char *report_summary_text (const ReportSummary *summary, const char *key);
/** report_summary_stages: (transfer none): JSON array. */
json_t *report_summary_stages (const ReportSummary *summary);
/** report_summary_left_out: (transfer full): #ReportLeftOut array. */
GArray *report_summary_left_out (const ReportSummary *summary);
/** report_summary_curve: (transfer full) (nullable): #ReportPoint array of the last stage that has a curve @tag,
 * at most @max points, evenly spaced. */
GArray *report_summary_curve (const ReportSummary *summary, const char *tag, guint max);
/** report_summary_param: (nullable): parameter @name of the last stage of type @use, where its
 * value is text. */
const char *report_summary_param (const ReportSummary *summary, const char *use, const char *name);
/** report_summary_stage_id: (nullable): of the first stage of type @use. */
const char *report_summary_stage_id (const ReportSummary *summary, const char *use);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReportSummary, report_summary_free)
