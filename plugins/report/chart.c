#include "chart.h"

#include "text.h"

#include <math.h>

static void
clear_mark (gpointer data)
{
  ReportMark *mark = data;
  g_free (mark->text);
  g_clear_pointer (&mark->points, g_array_unref);
}

static void
clear_cell (gpointer data)
{
  g_free (((ReportCell *) data)->says);
}

ReportChart *
report_chart_new (const char *name, const char *title, double width, double height)
{
  ReportChart *chart = g_new0 (ReportChart, 1);
  chart->name = g_strdup (name);
  chart->title = g_strdup (title);
  chart->width = width;
  chart->height = height;
  chart->marks = g_array_new (FALSE, TRUE, sizeof (ReportMark));
  g_array_set_clear_func (chart->marks, clear_mark);
  chart->cells = g_array_new (FALSE, TRUE, sizeof (ReportCell));
  g_array_set_clear_func (chart->cells, clear_cell);
  return chart;
}

void
report_chart_free (ReportChart *chart)
{
  if (!chart)
    return;
  g_free (chart->name);
  g_free (chart->title);
  g_free (chart->says);
  g_array_unref (chart->marks);
  g_array_unref (chart->cells);
  g_free (chart);
}

static void
add (ReportChart *chart, ReportMark mark)
{
  mark.cell = chart->cell;
  g_array_append_val (chart->marks, mark);
}

void
report_chart_rect (ReportChart *chart, double x, double y, double w, double h, ReportColour colour)
{
  add (chart, (ReportMark){ REPORT_RECT, colour, x, y, w, h });
}

void
report_chart_line (ReportChart *chart, double x1, double y1, double x2, double y2, double width,
                   gboolean dashed, ReportColour colour)
{
  add (chart,
       (ReportMark){ REPORT_LINE, colour, x1, y1, x2, y2, .stroke = width, .dashed = dashed });
}

void
report_chart_circle (ReportChart *chart, double x, double y, double radius, ReportColour colour)
{
  add (chart, (ReportMark){ REPORT_CIRCLE, colour, x, y, radius });
}

void
report_chart_path (ReportChart *chart, GArray *points, double width, gboolean dashed,
                   ReportColour colour)
{
  add (chart,
       (ReportMark){ REPORT_PATH, colour, .stroke = width, .dashed = dashed, .points = points });
}

void
report_chart_text (ReportChart *chart, double x, double y, double size, ReportAnchor anchor,
                   double room, const char *text, ReportColour colour)
{
  char *fitted = room > 0 ? report_text_fit (text, room / size) : report_text_shown (text);
  add (chart,
       (ReportMark){ REPORT_TEXT, colour, x, y, .size = size, .anchor = anchor, .text = fitted });
}

void
report_chart_turn (ReportChart *chart, double degrees)
{
  g_array_index (chart->marks, ReportMark, chart->marks->len - 1).turn = degrees;
}

void
report_chart_begin_cell (ReportChart *chart, guint truth, guint answer, char *says)
{
  const ReportCell cell = { says, truth, answer };
  g_array_append_val (chart->cells, cell);
  chart->cell = chart->cells->len;
}

void
report_chart_end_cell (ReportChart *chart)
{
  chart->cell = 0;
}
