/* Accuracy of each label, as bars. */
#include "charts.h"
#include "text.h"

#include <math.h>

#define WIDTH  360
#define HEAD   34
#define ROW    31
#define BAR    8
#define MIDDLE 230 /* where a row's figures begin */

static int
compare_best_first (gconstpointer a, gconstpointer b)
{
  const ReportLabelFigures *one = *(const ReportLabelFigures *const *) a;
  const ReportLabelFigures *other = *(const ReportLabelFigures *const *) b;
  if (one->segment_accuracy != other->segment_accuracy)
    return one->segment_accuracy > other->segment_accuracy ? -1 : 1;
  return g_utf8_collate (one->name, other->name);
}

static GPtrArray *
sort_labels (const ReportSetFigures *figures)
{
  GPtrArray *sorted = g_ptr_array_new ();
  for (guint i = 0; i < figures->labels->len; i++) {
    ReportLabelFigures *label = &g_array_index (figures->labels, ReportLabelFigures, i);
    if (isfinite (label->segment_accuracy))
      g_ptr_array_add (sorted, label);
  }
  g_ptr_array_sort (sorted, compare_best_first);
  return sorted;
}

static void
draw_legend (ReportChart *chart)
{
  report_chart_rect (chart, 0, 6, 14, BAR, REPORT_COLOUR_RIGHT);
  report_chart_text (chart, 19, 14, 12, REPORT_START, 0, "segments that are right",
                     REPORT_COLOUR_MUTED);
  report_chart_rect (chart, 184, 3, 3, 14, REPORT_COLOUR_WRONG);
  report_chart_text (chart, 192, 14, 12, REPORT_START, 0, "songs that are right",
                     REPORT_COLOUR_MUTED);
}

static void
draw_row (ReportChart *chart, double y, const ReportLabelFigures *label)
{
  g_autofree char *share = report_text_share (label->segment_accuracy);
  g_autofree char *says = g_strdup_printf ("%s of %" G_GUINT64_FORMAT, share, label->segments);
  report_chart_text (chart, 0, y + 11, 13, REPORT_START, MIDDLE, label->name, REPORT_COLOUR_INK);
  report_chart_text (chart, WIDTH, y + 11, 12, REPORT_END, 0, says, REPORT_COLOUR_MUTED);
  report_chart_rect (chart, 0, y + 16, WIDTH, BAR, REPORT_COLOUR_HEAT);
  report_chart_rect (chart, 0, y + 16, WIDTH * label->segment_accuracy, BAR, REPORT_COLOUR_RIGHT);
  if (isfinite (label->song_accuracy))
    report_chart_rect (chart, (WIDTH - 3) * label->song_accuracy, y + 13, 3, BAR + 6,
                       REPORT_COLOUR_WRONG);
}

ReportChart *
report_draw_accuracy (const ReportSetFigures *figures)
{
  g_autoptr (GPtrArray) labels = sort_labels (figures);
  guint n = MIN (labels->len, REPORT_MAX_BARS), first = labels->len - n;
  ReportChart *chart = report_chart_new ("accuracy", "Accuracy by label", WIDTH, HEAD + ROW * n);
  draw_legend (chart);
  for (guint i = 0; i < n; i++)
    draw_row (chart, HEAD + ROW * i, g_ptr_array_index (labels, first + i));
  if (n > 0) {
    const ReportLabelFigures *best = g_ptr_array_index (labels, first);
    const ReportLabelFigures *worst = g_ptr_array_index (labels, labels->len - 1);
    g_autofree char *high = report_text_share (best->segment_accuracy);
    g_autofree char *low = report_text_share (worst->segment_accuracy);
    chart->says =
      g_strdup_printf ("%u labels, from %s with %s of segments right to %s with %s. The "
                       "table below lists all labels.",
                       n, best->name, high, worst->name, low);
  }
  return chart;
}
