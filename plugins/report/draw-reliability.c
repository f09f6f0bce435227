/* Reliability diagram: accuracy over confidence. */
#include "charts.h"
#include "text.h"

#include <math.h>

#define WIDTH  360
#define HEIGHT 290
#define LEFT   44
#define RIGHT  336
#define TOP    14
#define BOTTOM 230

static double
place_x (double share)
{
  return LEFT + share * (RIGHT - LEFT);
}

static double
place_y (double share)
{
  return BOTTOM - share * (BOTTOM - TOP);
}

static void
draw_axes (ReportChart *chart)
{
  for (guint i = 0; i <= 4; i++) {
    double at = i / 4.0;
    g_autofree char *text = report_text_share (at);
    report_chart_line (chart, LEFT, place_y (at), RIGHT, place_y (at), 1, FALSE,
                       REPORT_COLOUR_RULE);
    report_chart_text (chart, LEFT - 5, place_y (at) + 4, 12, REPORT_END, 0, text,
                       REPORT_COLOUR_MUTED);
    report_chart_text (chart, place_x (at), BOTTOM + 30, 12, REPORT_MIDDLE, 0, text,
                       REPORT_COLOUR_MUTED);
  }
  report_chart_text (chart, (LEFT + RIGHT) / 2.0, BOTTOM + 48, 12, REPORT_MIDDLE, 0, "confidence",
                     REPORT_COLOUR_MUTED);
}

static void
draw_bin (ReportChart *chart, const ReportCalibration *calibration, guint bin)
{
  guint n = calibration->bins[bin].n;
  double width = (RIGHT - LEFT) / (double) REPORT_BINS, x = LEFT + bin * width;
  g_autofree char *count = g_strdup_printf ("%u", n);
  if (n == 0)
    return;
  double right = calibration->bins[bin].right / (double) n;
  report_chart_rect (chart, x + 1.5, place_y (right), width - 3, MAX (BOTTOM - place_y (right), 1),
                     REPORT_COLOUR_RIGHT);
  report_chart_text (chart, x + width / 2, BOTTOM + 14, 10, REPORT_MIDDLE, 0, count,
                     REPORT_COLOUR_INK);
}

ReportChart *
report_draw_reliability (const ReportCalibration *calibration)
{
  ReportChart *chart = report_chart_new ("reliability", "Reliability", WIDTH, HEIGHT);
  g_autofree char *error = report_text_share (calibration->error);
  draw_axes (chart);
  for (guint b = 0; b < REPORT_BINS; b++)
    draw_bin (chart, calibration, b);
  report_chart_line (chart, place_x (0), place_y (0), place_x (1), place_y (1), 2, TRUE,
                     REPORT_COLOUR_WRONG);
  chart->says = g_strdup_printf (
    "Bars: share of segments that are right, by confidence in steps of a tenth, with the number of "
    "segments below. Dashed: a perfectly calibrated model. Expected "
    "calibration error: %s of %u segments.",
    error, calibration->n);
  return chart;
}
