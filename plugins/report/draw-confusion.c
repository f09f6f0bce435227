/* The confusion matrix as a heat map. */
#include "charts.h"

#define NAMES 118 /* room for a row's name */
#define HEAD  118 /* for a column's, which is rotated */

static double
cell_size (guint n)
{
  if (n <= 6)
    return 44;
  if (n <= 10)
    return 34;
  return n <= 20 ? 26 : 19;
}

static void
draw_names (ReportChart *chart, const ReportTable *table, const GArray *labels, double size)
{
  double font = size >= 26 ? 12 : 10;
  for (guint i = 0; i < labels->len; i++) {
    const char *name = report_table_label (table, g_array_index (labels, guint, i));
    double middle = (i + 0.5) * size;
    report_chart_text (chart, NAMES - 6, HEAD + middle + font / 3, font, REPORT_END, NAMES - 8,
                       name, REPORT_COLOUR_INK);
    report_chart_text (chart, NAMES + middle + font / 3, HEAD - 6, font, REPORT_START, HEAD - 10,
                       name, REPORT_COLOUR_INK);
    report_chart_turn (chart, -90);
  }
}

static char *
describe (const ReportTable *table, const ReportPair *pair, guint total)
{
  const char *truth = report_table_label (table, pair->truth);
  const char *unit = total == 1 ? "segment" : "segments";
  if (pair->truth == pair->answer)
    return g_strdup_printf ("%s, right: %u of %u %s", truth, pair->n, total, unit);
  return g_strdup_printf ("%s predicted as %s: %u of %u %s", truth,
                          report_table_label (table, pair->answer), pair->n, total, unit);
}

static void
draw_cell (ReportChart *chart, const ReportConfusion *confusion, const ReportTable *table,
           const GArray *labels, guint row, guint column, double size)
{
  guint truth = g_array_index (labels, guint, row), answer = g_array_index (labels, guint, column);
  guint total = confusion->totals[truth];
  const ReportPair pair = { truth, answer, report_confusion_get (confusion, truth, answer), 0 };
  double share = total > 0 ? (double) pair.n / total : 0;
  double x = NAMES + column * size, y = HEAD + row * size;
  ReportColour heat = report_colour_heat (share);
  if (pair.n == 0) {
    report_chart_rect (chart, x + 0.5, y + 0.5, size - 1, size - 1, heat);
    return;
  }
  report_chart_begin_cell (chart, truth, answer, describe (table, &pair, total));
  report_chart_rect (chart, x + 0.5, y + 0.5, size - 1, size - 1, heat);
  g_autofree char *number = g_strdup_printf ("%u", pair.n);
  if (pair.n < 1000 || size > 30)
    report_chart_text (chart, x + size / 2, y + size / 2 + 3.5, size >= 26 ? 12 : 8.5,
                       REPORT_MIDDLE, 0, number, report_colour_on_heat (heat));
  report_chart_end_cell (chart);
}

ReportChart *
report_draw_confusion (const ReportConfusion *confusion, const ReportTable *table)
{
  g_autoptr (GArray) labels = report_confusion_choose (confusion, REPORT_MAX_MATRIX);
  double size = cell_size (labels->len), side = MAX (labels->len * size, 120);
  ReportChart *chart =
    report_chart_new ("confusion", "Confusion matrix", NAMES + side, HEAD + side);
  report_chart_text (chart, 0, 14, 12, REPORT_START, 0, "rows: true label", REPORT_COLOUR_MUTED);
  report_chart_text (chart, 0, 30, 12, REPORT_START, 0, "columns: predicted", REPORT_COLOUR_MUTED);
  draw_names (chart, table, labels, size);
  for (guint i = 0; i < labels->len; i++)
    for (guint j = 0; j < labels->len; j++)
      draw_cell (chart, confusion, table, labels, i, j, size);
  chart->says = g_strdup_printf (
    "%u labels; a cell's shade is the share of its row. Arrow keys move between cells, Enter lists "
    "a cell's segments.",
    labels->len);
  return chart;
}
