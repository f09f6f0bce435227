/* Learning curves, by epoch. */
#include "charts.h"
#include "text.h"

#include <math.h>

#define WIDTH  360
#define HEIGHT 238
#define LEFT   44
#define RIGHT  348
#define TOP    42
#define BOTTOM 202
#define TICKS  4

/* More would be drawn on top of each other. */
#define MAX_POINTS 600
#define MAX_EPOCHS 1e6

typedef struct {
  const char *tag, *name;
  ReportColour colour;
  gboolean dashed;
} Series;

/* One chart while it is drawn: @steps per epoch, @low to @high on the vertical axis. */
typedef struct {
  ReportChart *chart;
  double steps, epochs, low, high;
  gboolean shares; /* the vertical axis is in per cent */
  GString *says;
} Plot;

static double
place_x (const Plot *plot, double epoch)
{
  double span = MAX (plot->epochs - 1, 1);
  return plot->epochs > 1 ? LEFT + (epoch - 1) / span * (RIGHT - LEFT) : (LEFT + RIGHT) / 2.0;
}

static double
place_y (const Plot *plot, double value)
{
  return BOTTOM - (value - plot->low) / (plot->high - plot->low) * (BOTTOM - TOP);
}

/* 1, 2 or 5 times a power of ten: at most TICKS of them in @span. */
static double
tick_size (double span)
{
  double size = pow (10, floor (log10 (span / TICKS)));
  static const double factors[] = { 1, 2, 5, 10 };
  for (guint i = 0; i < G_N_ELEMENTS (factors); i++)
    if (span / (size * factors[i]) <= TICKS)
      return size * factors[i];
  return size * 10;
}

static char *
tick_text (double value, gboolean share)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  if (share)
    return report_text_share (value);
  return g_strdup (g_ascii_formatd (text, sizeof text, "%.3g", fabs (value) < 1e-9 ? 0 : value));
}

static void
draw_axes (const Plot *plot)
{
  double size = tick_size (plot->high - plot->low);
  for (double at = ceil (plot->low / size - 1e-9) * size; at <= plot->high + size * 1e-6;
       at += size) {
    g_autofree char *text = tick_text (at, plot->shares);
    report_chart_line (plot->chart, LEFT, place_y (plot, at), RIGHT, place_y (plot, at), 1, FALSE,
                       REPORT_COLOUR_RULE);
    report_chart_text (plot->chart, LEFT - 6, place_y (plot, at) + 4, 12, REPORT_END, 0, text,
                       REPORT_COLOUR_MUTED);
  }
  double step = MAX (1, tick_size (MAX (plot->epochs, 1)));
  for (double at = 1; at <= plot->epochs; at = at < step ? step : at + step) {
    g_autofree char *text = tick_text (at, FALSE);
    report_chart_text (plot->chart, place_x (plot, at), BOTTOM + 16, 12, REPORT_MIDDLE, 0, text,
                       REPORT_COLOUR_MUTED);
  }
  report_chart_text (plot->chart, (LEFT + RIGHT) / 2.0, BOTTOM + 32, 12, REPORT_MIDDLE, 0, "epoch",
                     REPORT_COLOUR_MUTED);
}

static void
draw_series (const Plot *plot, const Series *series, const GArray *curve)
{
  GArray *points = g_array_new (FALSE, FALSE, sizeof (double));
  for (guint i = 0; i < curve->len; i++) {
    const ReportPoint *point = &g_array_index (curve, ReportPoint, i);
    const double at[] = { place_x (plot, point->step / plot->steps), place_y (plot, point->value) };
    g_array_append_vals (points, at, 2);
    if (isfinite (at[1]))
      report_chart_circle (plot->chart, at[0], at[1], curve->len > 60 ? 1 : 2.5, series->colour);
  }
  report_chart_path (plot->chart, points, 2, series->dashed, series->colour);
}

/* The epoch whose weights were kept, as `train` chooses it. */
static guint
find_best (const ReportSummary *summary, double steps, guint n_epochs)
{
  const char *by = report_summary_param (summary, "train", "best");
  g_autoptr (GArray) accuracy = report_summary_curve (summary, "validation/accuracy", MAX_POINTS);
  g_autoptr (GArray) loss = report_summary_curve (summary, "validation/loss", MAX_POINTS);
  guint best = 0;
  if (!loss || g_strcmp0 (by, "last") == 0)
    return n_epochs;
  gboolean by_accuracy = g_strcmp0 (by, "loss") != 0 && accuracy && accuracy->len == loss->len;
  for (guint i = 1; i < loss->len; i++) {
    double before = g_array_index (loss, ReportPoint, best).value;
    double now = g_array_index (loss, ReportPoint, i).value;
    double gain = by_accuracy ? g_array_index (accuracy, ReportPoint, i).value -
                                  g_array_index (accuracy, ReportPoint, best).value
                              : 0;
    if (gain > 0 || (!(gain < 0) && now < before))
      best = i;
  }
  double epoch = round (g_array_index (loss, ReportPoint, best).step / steps);
  return (guint) CLAMP (epoch, 1, n_epochs);
}

static void
mark_best (const Plot *plot, guint best)
{
  g_autofree char *text = g_strdup_printf ("kept: epoch %u", best);
  double x = place_x (plot, best);
  gboolean right_half = x > (LEFT + RIGHT) / 2.0;
  report_chart_line (plot->chart, x, TOP, x, BOTTOM, 1.5, TRUE, REPORT_COLOUR_INK);
  report_chart_text (plot->chart, right_half ? MIN (x + 40, RIGHT) : MAX (x - 40, 0), TOP - 5, 12,
                     right_half ? REPORT_END : REPORT_START, 0, text, REPORT_COLOUR_INK);
}

/* Bounds with a small margin, so that no line runs along the edge. */
static void
widen (Plot *plot, const GArray *curve)
{
  for (guint i = 0; i < curve->len; i++) {
    double value = g_array_index (curve, ReportPoint, i).value;
    if (isfinite (value) && value < plot->low)
      plot->low = value;
    if (isfinite (value) && value > plot->high)
      plot->high = value;
  }
}

static void
say_last (Plot *plot, const Series *series, const GArray *curve)
{
  g_autofree char *first = tick_text (g_array_index (curve, ReportPoint, 0).value, plot->shares);
  g_autofree char *last =
    tick_text (g_array_index (curve, ReportPoint, curve->len - 1).value, plot->shares);
  g_string_append_printf (plot->says, "%s%s from %s to %s", plot->says->len > 0 ? "; " : "",
                          series->name, first, last);
}

static void
draw_legend (Plot *plot, const Series *series, double x)
{
  report_chart_line (plot->chart, x, 10, x + 22, 10, 2, series->dashed, series->colour);
  report_chart_text (plot->chart, x + 28, 14, 12, REPORT_START, 0, series->name,
                     REPORT_COLOUR_MUTED);
}

/* @high: of the vertical axis; -INFINITY: the maximum of the curves. */
static ReportChart *
draw (const ReportSummary *summary, const char *name, const char *title, const Series *series,
      double high)
{
  g_autoptr (GArray) epochs = report_summary_curve (summary, "train/epoch_loss", MAX_POINTS);
  GArray *curves[2] = { report_summary_curve (summary, series[0].tag, MAX_POINTS),
                        report_summary_curve (summary, series[1].tag, MAX_POINTS) };
  g_autoptr (GString) says = g_string_new (NULL);
  Plot plot = { .high = high, .shares = isfinite (high), .says = says };
  plot.steps = epochs ? g_array_index (epochs, ReportPoint, 0).step : 0;
  if (plot.steps >= 1 && (curves[0] || curves[1])) {
    double last = round (g_array_index (epochs, ReportPoint, epochs->len - 1).step / plot.steps);
    plot.epochs = CLAMP (last, 1, MAX_EPOCHS);
    for (guint i = 0; i < 2; i++)
      if (curves[i])
        widen (&plot, curves[i]);
    if (!(plot.high > plot.low))
      plot.high = plot.low + 1;
    plot.chart = report_chart_new (name, title, WIDTH, HEIGHT);
    draw_axes (&plot);
    mark_best (&plot, find_best (summary, plot.steps, (guint) plot.epochs));
    for (guint i = 0; i < 2; i++) {
      if (!curves[i])
        continue;
      draw_legend (&plot, &series[i], i == 0 ? LEFT : LEFT + 150);
      draw_series (&plot, &series[i], curves[i]);
      say_last (&plot, &series[i], curves[i]);
    }
    plot.chart->says = g_strdup (says->str);
  }
  for (guint i = 0; i < 2; i++)
    g_clear_pointer (&curves[i], g_array_unref);
  return plot.chart;
}

ReportChart *
report_draw_loss (const ReportSummary *summary)
{
  static const Series series[] = { { "train/epoch_loss", "training", REPORT_COLOUR_RIGHT, FALSE },
                                   { "validation/loss", "validation", REPORT_COLOUR_WRONG, TRUE } };
  return draw (summary, "loss", "Loss by epoch", series, -INFINITY);
}

ReportChart *
report_draw_validation (const ReportSummary *summary)
{
  static const Series series[] = {
    { "validation/accuracy", "segments", REPORT_COLOUR_RIGHT, FALSE },
    { "validation/song_accuracy", "songs", REPORT_COLOUR_WRONG, TRUE },
  };
  return draw (summary, "validation", "Validation accuracy by epoch", series, 1);
}
