/* The page: index.html, its style and script, and the data that the script shows. */
#pragma once

#include "clips.h"
#include "confusion.h"
#include "figures.h"
#include "similar.h"
#include "summary.h"

/**
 * Report: all data of a page; borrowed.
 * @judged: the set of the charts and the list of errors
 * @wrong: (element-type guint): its wrong segments, most confident first
 * @nearest: (element-type guint): for the first of @wrong, those that have clips: see
 *   report_nearest_find()
 * @explained: (element-type ReportExplained): songs with the training songs that sound most like them
 * @pictures: whether there are PNG files next to the page
 */
typedef struct {
  const ReportSummary *summary;
  const ReportFigures *figures;
  const ReportTable *table;
  SegueSet judged;
  const ReportConfusion *confusion;
  const ReportCalibration *calibration;
  const GArray *wrong, *nearest;
  const GArray *explained;
  const ReportClips *clips;
  gboolean pictures;
} Report;

/* Names in the report's folder. */
#define REPORT_CLIPS  "clips"
#define REPORT_CHARTS "charts"

/** report_page_write: index.html, page.css and page.js in @folder; the charts as SVG in the page and,
 * where segue was built with cairo, as PNG in REPORT_CHARTS. */
gboolean report_page_write (Report *report, const char *folder, GError **error);
/** report_data_write: data.js at @path: plain ASCII, so that no name can end the script. */
gboolean report_data_write (const Report *report, const char *path, GError **error);
