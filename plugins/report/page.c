#include "page.h"
#include "charts.h"
#include "sections.h"
#include "text.h"

#include <gio/gio.h>
#include <segue/file.h>
#include <string.h>

#define RESOURCES "/segue/report/"

/* One of the page's own files, as built in. */
static GBytes *
get_resource (const char *name, GError **error)
{
  g_autofree char *path = g_strconcat (RESOURCES, name, NULL);
  return g_resources_lookup_data (path, G_RESOURCE_LOOKUP_FLAGS_NONE, error);
}

/* ---- Charts ---- */

static gboolean
add_chart (const Report *report, const ReportChart *chart, const char *folder, GString *html,
           GError **error)
{
  g_autofree char *name = g_strconcat (chart->name, ".png", NULL);
  g_autofree char *path = g_build_filename (folder, REPORT_CHARTS, name, NULL);
  report_chart_append_svg (chart, html);
  if (!report->pictures)
    return TRUE;
  g_string_append_printf (html,
                          "<p class=\"note\"><a href=\"" REPORT_CHARTS "/%s\" download>%s as an "
                          "image (PNG)</a></p>\n",
                          name, chart->title);
  return report_chart_write_png (chart, path, error);
}

static gboolean
append_accuracy (const Report *report, const char *folder, GString *html, GError **error)
{
  const ReportSetFigures *set = &report->figures->sets[report->judged];
  g_autoptr (ReportChart) chart = report_draw_accuracy (set);
  if (!add_chart (report, chart, folder, html, error))
    return FALSE;
  if (set->labels->len > REPORT_MAX_BARS)
    g_string_append_printf (
      html, "<p class=\"note\">Of %u labels, the %d with the lowest accuracy are shown.</p>\n",
      set->labels->len, REPORT_MAX_BARS);
  report_append_labels (report, html);
  return TRUE;
}

static gboolean
append_confusion (const Report *report, const char *folder, GString *html, GError **error)
{
  g_autoptr (ReportChart) chart = report_draw_confusion (report->confusion, report->table);
  g_autoptr (GArray) occur = report_confusion_choose (report->confusion, G_MAXUINT);
  if (occur->len > REPORT_MAX_MATRIX)
    g_string_append_printf (
      html, "<p class=\"note\">Of %u labels, the %d with the most errors are shown.</p>\n",
      occur->len, REPORT_MAX_MATRIX);
  g_string_append (html, "<div class=\"scroll matrix\" tabindex=\"0\" role=\"region\" "
                         "aria-label=\"Confusion matrix\">");
  gboolean ok = add_chart (report, chart, folder, html, error);
  g_string_append (html, "</div>\n");
  return ok;
}

static gboolean
append_curves (const Report *report, const char *folder, GString *html, GError **error)
{
  g_autoptr (ReportChart) loss = report_draw_loss (report->summary);
  g_autoptr (ReportChart) validation = report_draw_validation (report->summary);
  const ReportChart *const charts[] = { loss, validation };
  g_string_append (html, "<div class=\"beside\">\n");
  for (guint i = 0; i < G_N_ELEMENTS (charts); i++) {
    if (!charts[i])
      continue;
    g_string_append_printf (html, "<div><h3>%s</h3>\n", charts[i]->title);
    if (!add_chart (report, charts[i], folder, html, error))
      return FALSE;
    g_string_append (html, "</div>\n");
  }
  g_string_append (html, !loss && !validation ? "<p>This run has no learning curves.</p></div>\n"
                                              : "</div>\n");
  return TRUE;
}

static gboolean
append_reliability (const Report *report, const char *folder, GString *html, GError **error)
{
  g_autoptr (ReportChart) chart = report_draw_reliability (report->calibration);
  g_autofree char *distance = report_text_share (report->calibration->error);
  g_string_append_printf (html,
                          "<p>Bars below the dashed line: the model is overconfident. "
                          "Expected calibration error: <strong>%s</strong>.</p>\n",
                          distance);
  return add_chart (report, chart, folder, html, error);
}

/* ---- The page ---- */

static void
append_title (const Report *report, GString *html)
{
  const char *name = report_summary_text (report->summary, "name");
  report_text_append_html (html, name ? name : "run");
}

/* To the map of the run, which is beside the report. */
static void
append_map_link (const Report *report, GString *html)
{
  if (report_summary_stage_id (report->summary, "map"))
    g_string_append (html, "<a href=\"../map/index.html\">Map</a>");
}

/* The replacement of a `<!--{name}-->` in page.html. */
static gboolean
append_part (const Report *report, const char *name, const char *folder, GString *html,
             GError **error)
{
  static const struct {
    const char *name;
    void (*append) (const Report *report, GString *html);
    gboolean (*draw) (const Report *report, const char *folder, GString *html, GError **error);
  } parts[] = {
    { "title", append_title, NULL },
    { "map-link", append_map_link, NULL },
    { "summary", report_append_summary, NULL },
    { "accuracy", NULL, append_accuracy },
    { "confusion", NULL, append_confusion },
    { "pairs", report_append_pairs, NULL },
    { "curves", NULL, append_curves },
    { "reliability", NULL, append_reliability },
    { "left-out", report_append_left_out, NULL },
    { "pipeline", report_append_pipeline, NULL },
    { "relabel-note", report_append_relabel_note, NULL },
  };
  for (guint i = 0; i < G_N_ELEMENTS (parts); i++) {
    if (!g_str_equal (parts[i].name, name))
      continue;
    if (parts[i].append)
      parts[i].append (report, html);
    return !parts[i].draw || parts[i].draw (report, folder, html, error);
  }
  g_return_val_if_reached (TRUE);
}

static gboolean
fill_template (const Report *report, const char *folder, const char *text, GString *html,
               GError **error)
{
  for (const char *mark; (mark = strstr (text, "<!--{"));) {
    const char *end = strstr (mark, "}-->");
    g_autofree char *name = g_strndup (mark + 5, (gsize) (end - mark - 5));
    g_string_append_len (html, text, mark - text);
    if (!append_part (report, name, folder, html, error))
      return FALSE;
    text = end + 4;
  }
  g_string_append (html, text);
  return TRUE;
}

static gboolean
write_file (const char *folder, const char *name, const void *data, gsize size, GError **error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  return segue_file_write (path, data, (gssize) size, error);
}

static gboolean
write_style (const char *folder, GError **error)
{
  g_autoptr (GBytes) own = get_resource ("page.css", error);
  g_autofree char *palette = report_palette_css ();
  g_autofree char *css =
    own ? g_strconcat (palette, "\n", g_bytes_get_data (own, NULL), NULL) : NULL;
  return css && write_file (folder, "page.css", css, strlen (css), error);
}

static gboolean
write_script (const char *folder, GError **error)
{
  g_autoptr (GBytes) own = get_resource ("page.js", error);
  return own && write_file (folder, "page.js", g_bytes_get_data (own, NULL), g_bytes_get_size (own),
                            error);
}

gboolean
report_page_write (Report *report, const char *folder, GError **error)
{
  g_autoptr (GBytes) template = get_resource ("page.html", error);
  g_autofree char *charts = g_build_filename (folder, REPORT_CHARTS, NULL);
  g_autoptr (GString) html = g_string_new (NULL);
#ifdef HAVE_PANGOCAIRO
  report->pictures = TRUE;
#endif
  if (!template || (report->pictures && !segue_file_make_folder (charts, error)))
    return FALSE;
  /* Resources end with a zero byte that is not counted. */
  if (!fill_template (report, folder, g_bytes_get_data (template, NULL), html, error) ||
      !write_style (folder, error) || !write_script (folder, error))
    return FALSE;
  /* The page itself is written last: where it exists, all files that it names exist. */
  return write_file (folder, "index.html", html->str, html->len, error);
}
