#include "sections.h"
#include "text.h"

#include <math.h>
#include <segue/json.h>
#include <string.h>

/* Limits of what people read; the files of the run contain everything. */
#define MAX_PAIRS    30
#define MAX_LEFT_OUT 500

static void
append_cell (GString *html, const char *element, const char *text)
{
  g_string_append_printf (html, "<%s>", element);
  report_text_append_html (html, text);
  g_string_append_printf (html, "</%.2s>", element);
}

static void
append_name_cell (GString *html, const char *element, const char *name)
{
  g_string_append_printf (html, "<%s><bdi>", element);
  report_text_append_html (html, name);
  g_string_append_printf (html, "</bdi></%.2s>", element);
}

static void
append_share (GString *html, double share)
{
  g_autofree char *text = report_text_share (share);
  append_cell (html, "td class=\"number\"", text);
}

static void
append_count (GString *html, guint64 n)
{
  g_string_append_printf (html, "<td class=\"number\">%" G_GUINT64_FORMAT "</td>", n);
}

/* A table's head; the first column is text, the rest are numbers from @numbers on. */
static void
begin_table (GString *html, const char *caption, const char *const *columns, guint numbers)
{
  g_string_append_printf (html,
                          "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\">"
                          "<table><caption class=\"hidden\">%s</caption><thead><tr>",
                          caption, caption);
  for (guint i = 0; columns[i]; i++)
    g_string_append_printf (html, "<th scope=\"col\"%s>%s</th>",
                            i >= numbers ? " class=\"number\"" : "", columns[i]);
  g_string_append (html, "</tr></thead><tbody>\n");
}

static void
end_table (GString *html)
{
  g_string_append (html, "</tbody></table></div>\n");
}

/* What the figures imply for other songs: little, where there are few songs. */
static void
append_confidence (GString *html, const ReportSetFigures *set)
{
  if (!isfinite (set->low) || !isfinite (set->high) || !isfinite (set->baseline))
    return;
  g_autofree char *low = report_text_share (set->low);
  g_autofree char *high = report_text_share (set->high);
  g_autofree char *baseline = report_text_share (set->baseline);
  const char *songs = set->songs == 1 ? "song" : "songs";
  g_string_append_printf (
    html,
    "<p class=\"note\">With 95 %% confidence, between %s and %s of songs "
    "like these %" G_GUINT64_FORMAT " are classified correctly; guessing gives %s%s",
    low, high, set->songs, baseline, set->low > set->baseline ? ".</p>\n" : ": ");
  if (set->low <= set->baseline)
    g_string_append_printf (html,
                            set->high > set->baseline
                              ? "no better than chance, as far as %" G_GUINT64_FORMAT
                                " %s can tell.</p>\n"
                              : "worse than chance (%" G_GUINT64_FORMAT " %s).</p>\n",
                            set->songs, songs);
}

/* What `segue predict` would show as unsure, and what that costs. */
static void
append_unsure (GString *html, const ReportFigures *figures, const ReportSetFigures *set)
{
  if (!figures->judges || set->songs == 0)
    return;
  guint64 unsure = set->unsure_right + set->unsure_wrong;
  double right = set->song_accuracy * (double) set->songs;
  g_autofree char *lost = report_text_share (right > 0 ? (double) set->unsure_right / right : NAN);
  g_autofree char *share = report_text_share (figures->unsure_share);
  char limit[G_ASCII_DTOSTR_BUF_SIZE];
  g_ascii_formatd (limit, sizeof limit, "%.3g", figures->threshold.limit);
  gboolean distance = figures->threshold.measure == SEGUE_MEASURE_DISTANCE;
  g_string_append_printf (
    html,
    "<p class=\"note\">%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
    " songs are shown as unsure: %" G_GUINT64_FORMAT
    " whose prediction is right (%s of these) and %" G_GUINT64_FORMAT
    " whose prediction is wrong. Their %s is %s %s, which was chosen with %" G_GUINT64_FORMAT
    " songs that the model was not trained on, so that about %s of right predictions are "
    "unsure. It is how songs of unknown artists are recognised.</p>\n",
    unsure, set->songs, set->unsure_right, lost, set->unsure_wrong,
    distance ? "distance from all labels" : "confidence", distance ? "above" : "below", limit,
    figures->measured, share);
}

void
report_append_summary (const Report *report, GString *html)
{
  static const char *const columns[] = { "Set",      "Songs right", "Segments right",
                                         "Macro F1", "Songs",       "Segments",
                                         NULL };
  const ReportSetFigures *judged = &report->figures->sets[report->judged];
  g_autofree char *songs = report_text_share (judged->song_accuracy);
  g_autofree char *segments = report_text_share (judged->segment_accuracy);
  g_string_append_printf (
    html,
    "<p class=\"headline\"><strong>%s</strong> of songs and <strong>%s</strong> "
    "of segments in the set <em>%s</em> are right.</p>\n",
    songs, segments, segue_set_get_name (report->judged));
  append_confidence (html, judged);
  append_unsure (html, report->figures, judged);
  if (report->judged != SEGUE_SET_TEST)
    g_string_append_printf (html,
                            "<p class=\"note\">This run has no test set: this report uses the set "
                            "<em>%s</em>, %s.</p>\n",
                            segue_set_get_name (report->judged),
                            report->judged == SEGUE_SET_TRAIN
                              ? "on which the model was trained"
                              : "by which the best epoch was chosen");
  begin_table (html, "Figures of each set", columns, 1);
  for (guint i = 0; i < SEGUE_N_SETS; i++) {
    const ReportSetFigures *set = &report->figures->sets[i];
    if (!set->present)
      continue;
    g_string_append (html, "<tr>");
    append_cell (html, "th scope=\"row\"", segue_set_get_name (i));
    append_share (html, set->song_accuracy);
    append_share (html, set->segment_accuracy);
    append_share (html, set->macro_f1);
    append_count (html, set->songs);
    append_count (html, set->segments);
    g_string_append (html, "</tr>\n");
  }
  end_table (html);
}

void
report_append_labels (const Report *report, GString *html)
{
  static const char *const columns[] = { "Label", "Segments right", "Songs right", "F1",
                                         "Songs", "Segments",       NULL };
  const GArray *labels = report->figures->sets[report->judged].labels;
  g_string_append_printf (html, "<details><summary>All %u labels as a table</summary>\n",
                          labels->len);
  begin_table (html, "Figures of each label", columns, 1);
  for (guint i = 0; i < labels->len; i++) {
    const ReportLabelFigures *label = &g_array_index (labels, ReportLabelFigures, i);
    g_string_append (html, "<tr>");
    append_name_cell (html, "th scope=\"row\"", label->name);
    append_share (html, label->segment_accuracy);
    append_share (html, label->song_accuracy);
    append_share (html, label->f1);
    append_count (html, label->songs);
    append_count (html, label->segments);
    g_string_append (html, "</tr>\n");
  }
  end_table (html);
  g_string_append (html, "</details>\n");
}

void
report_append_pairs (const Report *report, GString *html)
{
  static const char *const columns[] = { "True", "Predicted", "Segments in songs", "Listen", NULL };
  g_autoptr (GArray) worst = report_confusion_worst (report->confusion);
  guint n = MIN (worst->len, MAX_PAIRS);
  if (n == 0) {
    g_string_append (html, "<p>No segment was misclassified.</p>\n");
    return;
  }
  begin_table (html, "Most confused pairs", columns, 2);
  for (guint i = 0; i < n; i++) {
    const ReportPair *pair = &g_array_index (worst, ReportPair, i);
    const char *truth = report_table_label (report->table, pair->truth);
    const char *answer = report_table_label (report->table, pair->answer);
    g_string_append (html, "<tr>");
    append_name_cell (html, "th scope=\"row\"", truth);
    append_name_cell (html, "td", answer);
    g_string_append_printf (html, "<td class=\"number\">%u in %u</td>", pair->n, pair->songs);
    g_string_append_printf (html,
                            "<td class=\"number\"><button type=\"button\" class=\"pair\" "
                            "data-truth=\"%u\" data-answer=\"%u\" aria-label=\"Listen to ",
                            pair->truth, pair->answer);
    report_text_append_html (html, truth);
    g_string_append (html, " predicted as ");
    report_text_append_html (html, answer);
    g_string_append (html, "\">Listen</button></td></tr>\n");
  }
  end_table (html);
  if (worst->len > n)
    g_string_append_printf (html, "<p class=\"note\">%u more pairs occur less often.</p>\n",
                            worst->len - n);
}

void
report_append_left_out (const Report *report, GString *html)
{
  static const char *const columns[] = { "Item", "Stage", "Reason", NULL };
  g_autoptr (GArray) left_out = report_summary_left_out (report->summary);
  guint n = MIN (left_out->len, MAX_LEFT_OUT);
  if (n == 0) {
    g_string_append (html, "<p>No items were skipped.</p>\n");
    return;
  }
  begin_table (html, "Skipped items", columns, 3);
  for (guint i = 0; i < n; i++) {
    const ReportLeftOut *item = &g_array_index (left_out, ReportLeftOut, i);
    g_string_append (html, "<tr>");
    append_name_cell (html, "th scope=\"row\"", item->id);
    append_cell (html, "td", item->stage);
    append_name_cell (html, "td", item->reason);
    g_string_append (html, "</tr>\n");
  }
  end_table (html);
  if (left_out->len > n)
    g_string_append_printf (
      html, "<p class=\"note\">%u more are not shown; run.json lists all of them.</p>\n",
      left_out->len - n);
}

/* ---- The pipeline ---- */

/* The location of a folder on a machine is private: its name is enough. */
static json_t *
without_places (const json_t *value)
{
  const char *text = json_string_value (value), *key;
  json_t *member, *copy;
  size_t i;
  if (text && (*text == '/' || g_str_has_prefix (text, "file:"))) {
    g_autofree char *name = g_path_get_basename (text);
    g_autofree char *shown = g_strconcat ("…/", name, NULL);
    return json_string (shown);
  }
  if (!json_is_object (value) && !json_is_array (value))
    return json_deep_copy (value);
  copy = json_is_object (value) ? json_object () : json_array ();
  json_object_foreach ((json_t *) value, key, member)
  {
    json_object_set_new (copy, key, without_places (member));
  }
  json_array_foreach ((json_t *) value, i, member)
  {
    json_array_append_new (copy, without_places (member));
  }
  return copy;
}

static void
append_values (GString *html, const json_t *object)
{
  const char *key;
  json_t *value;
  gboolean first = TRUE;
  json_object_foreach ((json_t *) object, key, value)
  {
    json_t *shown = without_places (value);
    g_autofree char *text =
      segue_json_print (json_incref (shown), JSON_COMPACT | JSON_REAL_PRECISION (7));
    gboolean plain = json_is_string (shown);
    g_string_append (html, first ? "" : ", ");
    report_text_append_html (html, key);
    g_string_append (html, " ");
    report_text_append_html (html, plain ? json_string_value (shown) : text);
    first = FALSE;
    json_decref (shown);
  }
}

static const char *
get_text (const json_t *object, const char *key)
{
  const char *text = json_string_value (json_object_get (object, key));
  return text ? text : "";
}

void
report_append_pipeline (const Report *report, GString *html)
{
  static const char *const columns[] = {
    "Stage", "Type", "Plugin", "Parameters", "Counters", NULL
  };
  const char *version = report_summary_text (report->summary, "segue");
  json_t *seed = json_object_get (report->summary->root, "seed"), *stage;
  size_t i;
  if (!version || json_array_size (report_summary_stages (report->summary)) == 0) {
    g_string_append (html, "<p>There is no information about this run.</p>\n");
    return;
  }
  g_string_append (html, "<p>segue ");
  report_text_append_html (html, version);
  g_string_append_printf (html, ", seed %" JSON_INTEGER_FORMAT ".</p>\n",
                          json_integer_value (seed));
  begin_table (html, "The pipeline", columns, 5);
  json_array_foreach (report_summary_stages (report->summary), i, stage)
  {
    g_string_append (html, "<tr>");
    append_cell (html, "th scope=\"row\"", get_text (stage, "id"));
    append_cell (html, "td", get_text (stage, "use"));
    g_string_append (html, "<td>");
    report_text_append_html (html, get_text (stage, "plugin"));
    g_string_append_c (html, ' ');
    report_text_append_html (html, get_text (stage, "plugin_version"));
    g_string_append (html, "</td><td class=\"values\">");
    append_values (html, json_object_get (stage, "with"));
    g_string_append (html, "</td><td class=\"values\">");
    append_values (html, json_object_get (stage, "counters"));
    g_string_append (html, "</td></tr>\n");
  }
  end_table (html);
}

void
report_append_relabel_note (const Report *report, GString *html)
{
  if (report_summary_param (report->summary, "scan", "relabel"))
    g_string_append (
      html, "<p class=\"note\">This run already used such a table. The table saved here "
            "contains only the changes made in this page: add its rows to that table.</p>");
}
