/* A chart as SVG: colours are classes, so that the page's theme sets them. */
#include "chart.h"
#include "text.h"

#include <math.h>

static void
append_number (GString *html, const char *name, double value)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  g_string_append_printf (html, " %s=\"%s\"", name,
                          g_ascii_formatd (text, sizeof text, "%.7g", round (value * 100) / 100));
}

static void
append_place (GString *html, const ReportMark *mark, const char *const *names)
{
  const double values[] = { mark->x, mark->y, mark->w, mark->h };
  for (guint i = 0; i < G_N_ELEMENTS (values) && names[i]; i++)
    append_number (html, names[i], values[i]);
}

static void
append_path (GString *html, const ReportMark *mark)
{
  gboolean down = FALSE;
  g_string_append (html, " d=\"");
  for (guint i = 0; i + 1 < mark->points->len; i += 2) {
    double x = g_array_index (mark->points, double, i);
    double y = g_array_index (mark->points, double, i + 1);
    char ax[G_ASCII_DTOSTR_BUF_SIZE], ay[G_ASCII_DTOSTR_BUF_SIZE];
    gboolean drawn = isfinite (x) && isfinite (y);
    if (drawn)
      g_string_append_printf (html, "%c%s %s", down ? 'L' : 'M',
                              g_ascii_formatd (ax, sizeof ax, "%.2f", x),
                              g_ascii_formatd (ay, sizeof ay, "%.2f", y));
    down = drawn;
  }
  g_string_append_c (html, '"');
}

static void
append_text (GString *html, const ReportMark *mark)
{
  static const char *const anchors[] = { "start", "middle", "end" };
  static const char *const names[] = { "x", "y", NULL };
  append_place (html, mark, names);
  append_number (html, "font-size", mark->size);
  if (mark->anchor != REPORT_START)
    g_string_append_printf (html, " text-anchor=\"%s\"", anchors[mark->anchor]);
  if (mark->turn != 0)
    g_string_append_printf (html, " transform=\"rotate(%d %d %d)\"", (int) mark->turn,
                            (int) mark->x, (int) mark->y);
  g_string_append_c (html, '>');
  report_text_append_html (html, mark->text);
  g_string_append (html, "</text>");
}

static void
append_mark (GString *html, const ReportMark *mark)
{
  static const struct {
    const char *element;
    const char *places[5];
  } shapes[] = {
    [REPORT_RECT] = { "rect", { "x", "y", "width", "height" } },
    [REPORT_LINE] = { "line", { "x1", "y1", "x2", "y2" } },
    [REPORT_CIRCLE] = { "circle", { "cx", "cy", "r" } },
    [REPORT_PATH] = { "path", { NULL } },
    [REPORT_TEXT] = { "text", { NULL } },
  };
  const char *element = shapes[mark->shape].element;
  g_string_append_printf (html, "<%s class=\"%c-%s\"", element, mark->stroke > 0 ? 's' : 'f',
                          report_colour_name (mark->colour));
  if (mark->stroke > 0)
    append_number (html, "stroke-width", mark->stroke);
  if (mark->dashed)
    g_string_append (html, " stroke-dasharray=\"4 3\"");
  if (mark->shape == REPORT_TEXT) {
    append_text (html, mark);
    return;
  }
  append_place (html, mark, shapes[mark->shape].places);
  if (mark->shape == REPORT_PATH) {
    append_path (html, mark);
    g_string_append (html, " fill=\"none\"");
  }
  g_string_append (html, "/>");
}

static void
open_cell (GString *html, const ReportCell *cell)
{
  g_string_append_printf (html,
                          "<g class=\"cell\" role=\"button\" tabindex=\"-1\" data-truth=\"%u\" "
                          "data-answer=\"%u\" aria-label=\"",
                          cell->truth, cell->answer);
  report_text_append_html (html, cell->says);
  g_string_append (html, "\"><title>");
  report_text_append_html (html, cell->says);
  g_string_append (html, "</title>");
}

void
report_chart_append_svg (const ReportChart *chart, GString *html)
{
  guint cell = 0;
  g_string_append (html, "<svg class=\"chart\" xmlns=\"http://www.w3.org/2000/svg\"");
  append_number (html, "width", chart->width);
  append_number (html, "height", chart->height);
  g_string_append_printf (html, " viewBox=\"0 0 %d %d\" role=\"%s\" aria-labelledby=\"%s-t %s-d\">",
                          (int) chart->width, (int) chart->height,
                          chart->cells->len > 0 ? "group" : "img", chart->name, chart->name);
  g_string_append_printf (html, "<title id=\"%s-t\">", chart->name);
  report_text_append_html (html, chart->title);
  g_string_append_printf (html, "</title><desc id=\"%s-d\">", chart->name);
  report_text_append_html (html, chart->says ? chart->says : "");
  g_string_append (html, "</desc>");
  for (guint i = 0; i < chart->marks->len; i++) {
    const ReportMark *mark = &g_array_index (chart->marks, ReportMark, i);
    if (mark->cell != cell && cell != 0)
      g_string_append (html, "</g>");
    if (mark->cell != cell && mark->cell != 0)
      open_cell (html, &g_array_index (chart->cells, ReportCell, mark->cell - 1));
    cell = mark->cell;
    append_mark (html, mark);
  }
  g_string_append (html, cell != 0 ? "</g></svg>" : "</svg>");
}
