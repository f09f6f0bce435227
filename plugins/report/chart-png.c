/* A chart as PNG, drawn by cairo; Pango finds a font for each script. */
#include "chart.h"

#ifdef HAVE_PANGOCAIRO

#include <math.h>
#include <pango/pangocairo.h>
#include <segue/error.h>
#include <segue/file.h>

/* PNG pixels per pixel of the drawing: sharp on a slide. */
#define SCALE  4
#define MARGIN 12
#define TITLE  28 /* a slide does not have the page's heading above it */
/* cairo's own limit for a side. */
#define MAX_SIDE 32000

static void
set_colour (cairo_t *cairo, ReportColour colour)
{
  guint hex = report_colour_hex (colour, FALSE);
  cairo_set_source_rgb (cairo, (hex >> 16) / 255.0, (hex >> 8 & 255) / 255.0, (hex & 255) / 255.0);
}

static void
draw_text (cairo_t *cairo, const ReportMark *mark)
{
  PangoLayout *layout = pango_cairo_create_layout (cairo);
  PangoFontDescription *font = pango_font_description_from_string ("sans");
  int width, height;
  pango_font_description_set_absolute_size (font, mark->size * PANGO_SCALE);
  pango_layout_set_font_description (layout, font);
  pango_layout_set_single_paragraph_mode (layout, TRUE);
  pango_layout_set_text (layout, mark->text, -1);
  pango_layout_get_size (layout, &width, &height);
  double shift = mark->anchor * 0.5 * width / PANGO_SCALE;
  cairo_save (cairo);
  cairo_translate (cairo, mark->x, mark->y);
  cairo_rotate (cairo, mark->turn * G_PI / 180);
  cairo_move_to (cairo, -shift, -(double) pango_layout_get_baseline (layout) / PANGO_SCALE);
  pango_cairo_show_layout (cairo, layout);
  cairo_restore (cairo);
  pango_font_description_free (font);
  g_object_unref (layout);
}

static void
trace_path (cairo_t *cairo, const GArray *points)
{
  gboolean down = FALSE;
  for (guint i = 0; i + 1 < points->len; i += 2) {
    double x = g_array_index (points, double, i), y = g_array_index (points, double, i + 1);
    gboolean drawn = isfinite (x) && isfinite (y);
    if (drawn && down)
      cairo_line_to (cairo, x, y);
    else if (drawn)
      cairo_move_to (cairo, x, y);
    down = drawn;
  }
}

static void
draw_mark (cairo_t *cairo, const ReportMark *mark)
{
  static const double dashes[] = { 4, 3 };
  set_colour (cairo, mark->colour);
  switch (mark->shape) {
  case REPORT_TEXT:
    draw_text (cairo, mark);
    return;
  case REPORT_RECT:
    cairo_rectangle (cairo, mark->x, mark->y, mark->w, mark->h);
    break;
  case REPORT_LINE:
    cairo_move_to (cairo, mark->x, mark->y);
    cairo_line_to (cairo, mark->w, mark->h);
    break;
  case REPORT_CIRCLE:
    cairo_arc (cairo, mark->x, mark->y, mark->w, 0, 2 * G_PI);
    break;
  case REPORT_PATH:
    trace_path (cairo, mark->points);
    break;
  }
  cairo_set_dash (cairo, dashes, mark->dashed ? G_N_ELEMENTS (dashes) : 0, 0);
  cairo_set_line_width (cairo, mark->stroke);
  if (mark->stroke > 0)
    cairo_stroke (cairo);
  else
    cairo_fill (cairo);
}

static cairo_status_t
collect (void *data, const unsigned char *bytes, unsigned int length)
{
  g_byte_array_append (data, bytes, length);
  return CAIRO_STATUS_SUCCESS;
}

static cairo_surface_t *
draw (const ReportChart *chart)
{
  const ReportMark title = { REPORT_TEXT, REPORT_COLOUR_INK, .y = 15, .size = 16,
                             .text = chart->title };
  double scale = MIN (SCALE, MAX_SIDE / (MAX (chart->width, chart->height) + TITLE + 2 * MARGIN));
  cairo_surface_t *surface = cairo_image_surface_create (
    CAIRO_FORMAT_RGB24, (int) ceil ((chart->width + 2 * MARGIN) * scale),
    (int) ceil ((chart->height + TITLE + 2 * MARGIN) * scale));
  cairo_t *cairo = cairo_create (surface);
  cairo_scale (cairo, scale, scale);
  set_colour (cairo, REPORT_COLOUR_CARD);
  cairo_paint (cairo);
  cairo_translate (cairo, MARGIN, MARGIN);
  draw_mark (cairo, &title);
  cairo_translate (cairo, 0, TITLE);
  for (guint i = 0; i < chart->marks->len; i++)
    draw_mark (cairo, &g_array_index (chart->marks, ReportMark, i));
  cairo_destroy (cairo);
  return surface;
}

gboolean
report_chart_write_png (const ReportChart *chart, const char *path, GError **error)
{
  cairo_surface_t *surface = draw (chart);
  g_autoptr (GByteArray) png = g_byte_array_new ();
  cairo_status_t status = cairo_surface_write_to_png_stream (surface, collect, png);
  cairo_surface_destroy (surface);
  if (status == CAIRO_STATUS_SUCCESS)
    return segue_file_write (path, png->data, png->len, error);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_RESOURCE, "the picture of ‘%s’ can't be drawn: %s",
               chart->name, cairo_status_to_string (status));
  return FALSE;
}

#else

gboolean
report_chart_write_png (const ReportChart *chart, const char *path, GError **error)
{
  return FALSE;
}

#endif
