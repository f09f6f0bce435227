/* A chart: an ordered list of marks, drawn once as data, then written as SVG for the page and as PNG for slides.
 *
 * Lengths are in pixels of a drawing that is as wide as a small phone; both forms scale. */
#pragma once

#include "palette.h"

typedef enum { REPORT_START, REPORT_MIDDLE, REPORT_END } ReportAnchor;

typedef enum { REPORT_RECT, REPORT_LINE, REPORT_CIRCLE, REPORT_PATH, REPORT_TEXT } ReportShape;

/** ReportMark: @x, @y: top left, start, centre, or baseline; @w, @h: size, or the other end of a line; a circle's
 * radius in @w. @stroke: width of the line; 0: filled. @turn: rotation in degrees about @x, @y.
 * @cell: its group; 0: none. */
typedef struct {
  ReportShape shape;
  ReportColour colour;
  double x, y, w, h;
  double stroke, size, turn;
  gboolean dashed;
  ReportAnchor anchor;
  char *text;
  GArray *points; /* double, x and y alternating, of a path; NaN lifts the pen */
  guint cell;
} ReportMark;

/** ReportCell: a group of marks that can be clicked: its text, and the labels that it
 * represents. */
typedef struct {
  char *says;
  guint truth, answer;
} ReportCell;

/** ReportChart: @name: of its file, and of its ids in the page; @title, @says: text alternative for people who
 * can't see the chart. */
typedef struct {
  char *name, *title, *says;
  double width, height;
  GArray *marks; /* ReportMark */
  GArray *cells; /* ReportCell */
  guint cell;    /* the cell that marks are added to; 0: none */
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
/** report_chart_text: @text is shortened to @room, which is estimated; 0: not shortened. */
void report_chart_text (ReportChart *chart, double x, double y, double size, ReportAnchor anchor,
                        double room, const char *text, ReportColour colour);
/** report_chart_turn: rotates the mark that was added last by @degrees about its position. */
void report_chart_turn (ReportChart *chart, double degrees);
/** report_chart_begin_cell: @says: (transfer full): marks added before the end of the cell belong to it. */
void report_chart_begin_cell (ReportChart *chart, guint truth, guint answer, char *says);
void report_chart_end_cell (ReportChart *chart);

/** report_chart_append_svg: an element for inclusion in HTML. */
void report_chart_append_svg (const ReportChart *chart, GString *html);
/** report_chart_write_png: @path: the light theme; %FALSE without @error where segue was built
 * without cairo. */
gboolean report_chart_write_png (const ReportChart *chart, const char *path, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReportChart, report_chart_free)
