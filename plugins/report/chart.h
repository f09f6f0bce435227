/* A chart: marks in order, drawn once as data, then written as SVG for the page and as PNG for slides.
 *
 * Lengths are in pixels of a drawing that is as wide as a small phone; both forms scale. */
#pragma once

#include "palette.h"

typedef enum { REPORT_START, REPORT_MIDDLE, REPORT_END } ReportAnchor;

typedef enum { REPORT_RECT, REPORT_LINE, REPORT_CIRCLE, REPORT_PATH, REPORT_TEXT } ReportShape;

/** ReportMark: @x, @y: top left, begin, centre, baseline; @w, @h: size, or the other end of a line; a
 * circle's radius in @w.  @stroke: width of the line; 0: filled.  @turn: degrees about @x, @y.
 * @cell: its group; 0: none. */
typedef struct {
  ReportShape shape;
  ReportColour colour;
  double x, y, w, h;
  double stroke, size, turn;
  gboolean dashed;
  ReportAnchor anchor;
  char *text;
  GArray *points; /* double, x and y in turn, of a path; NaN lifts the pen */
  guint cell;
} ReportMark;

/** ReportCell: marks that can be pressed: what of, and which labels they stand for. */
typedef struct {
  char *says;
  guint truth, answer;
} ReportCell;

/** ReportChart: @name: of its file, and of its ids in the page; @title, @says: what stands there, for
 * who can't see it. */
typedef struct {
  char *name, *title, *says;
  double width, height;
  GArray *marks; /* ReportMark */
  GArray *cells; /* ReportCell */
  guint cell;    /* that marks are added to; 0: none */
} ReportChart;

ReportChart *report_chart_new (const char *name, const char *title, double width, double height);
/** report_chart_free: accepts %NULL. */
void report_chart_free (ReportChart *chart);

void report_chart_rect (ReportChart *chart, double x, double y, double w, double h,
                        ReportColour colour);
void report_chart_line (ReportChart *chart, double x1, double y1, double x2, double y2,
                        double width, gboolean dashed, ReportColour colour);
void report_chart_circle (ReportChart *chart, double x, double y, double radius,
                          ReportColour colour);
/** report_chart_path: @points: (transfer full). */
void report_chart_path (ReportChart *chart, GArray *points, double width, gboolean dashed,
                        ReportColour colour);
/** report_chart_text: @text is shortened to @room, which is measured roughly; 0: as it is. */
void report_chart_text (ReportChart *chart, double x, double y, double size, ReportAnchor anchor,
                        double room, const char *text, ReportColour colour);
/** report_chart_turn: the mark that was added last, by @degrees about its place. */
void report_chart_turn (ReportChart *chart, double degrees);
/** report_chart_begin_cell: @says: (transfer full): marks belong to it until the end of the cell. */
void report_chart_begin_cell (ReportChart *chart, guint truth, guint answer, char *says);
void report_chart_end_cell (ReportChart *chart);

/** report_chart_append_svg: an element to stand in HTML. */
void report_chart_append_svg (const ReportChart *chart, GString *html);
/** report_chart_write_png: @path: the light theme; %FALSE without @error where segue was built
 * without cairo. */
gboolean report_chart_write_png (const ReportChart *chart, const char *path, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReportChart, report_chart_free)
