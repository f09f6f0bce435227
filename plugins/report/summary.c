#include "summary.h"

#include <math.h>
#include <segue/error.h>
#include <segue/json.h>
#include <string.h>

static gboolean
is_whole (json_t *root)
{
  json_t *stages = json_object_get (root, "stages"), *left_out = NULL, *item;
  size_t i;
  json_array_foreach (stages, i, item)
  {
    if (!json_is_string (json_object_get (item, "id")) ||
        !json_is_string (json_object_get (item, "use")))
      return FALSE;
  }
  left_out = json_object_get (root, "quarantined");
  json_array_foreach (left_out, i, item)
  {
    if (!json_is_string (json_object_get (item, "stage")) ||
        !json_is_string (json_object_get (item, "id")) ||
        !json_is_string (json_object_get (item, "reason")))
      return FALSE;
  }
  return TRUE;
}

ReportSummary *
report_summary_load (const char *path, GCancellable *cancellable, GError **error)
{
  json_t *root =
    segue_json_read (path, SEGUE_JSON_SUMMARY, SEGUE_JSON_FLAGS_NONE, cancellable, error);
  if (!root)
    return NULL;
  if (!is_whole (root)) {
    g_autofree char *shown = g_filename_display_name (path);
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA,
                 "the run summary ‘%s’ is damaged: a stage or a quarantined item lacks a member",
                 shown);
    json_decref (root);
    return NULL;
  }
  ReportSummary *summary = g_new0 (ReportSummary, 1);
  summary->root = root;
  return summary;
}

void
report_summary_free (ReportSummary *summary)
{
  if (!summary)
    return;
  json_decref (summary->root);
  g_free (summary);
}

const char *
report_summary_text (const ReportSummary *summary, const char *key)
{
  return json_string_value (json_object_get (summary->root, key));
}

json_t *
report_summary_stages (const ReportSummary *summary)
{
  return json_object_get (summary->root, "stages");
}

static const char *
get_text (const json_t *object, const char *key)
{
  return json_string_value (json_object_get (object, key));
}

GArray *
report_summary_left_out (const ReportSummary *summary)
{
  GArray *left_out = g_array_new (FALSE, FALSE, sizeof (ReportLeftOut));
  size_t i;
  json_t *item;
  json_array_foreach (json_object_get (summary->root, "quarantined"), i, item)
  {
    const ReportLeftOut one = { get_text (item, "stage"), get_text (item, "id"),
                                get_text (item, "reason") };
    g_array_append_val (left_out, one);
  }
  return left_out;
}

static json_t *
find_curve (const ReportSummary *summary, const char *tag)
{
  json_t *found = NULL, *stage;
  size_t i;
  json_array_foreach (report_summary_stages (summary), i, stage)
  {
    json_t *points = json_object_get (json_object_get (stage, "curves"), tag);
    if (json_array_size (points) > 0)
      found = points;
  }
  return found;
}

GArray *
report_summary_curve (const ReportSummary *summary, const char *tag, guint max)
{
  json_t *points = find_curve (summary, tag);
  gsize n = json_array_size (points), kept = MIN (n, max);
  if (kept == 0)
    return NULL;
  g_autoptr (GArray) curve = g_array_new (FALSE, FALSE, sizeof (ReportPoint));
  for (gsize k = 0; k < kept; k++) {
    /* The first and the last are always among them. */
    json_t *pair = json_array_get (points, kept > 1 ? k * (n - 1) / (kept - 1) : 0);
    json_t *step = json_array_get (pair, 0), *value = json_array_get (pair, 1);
    const ReportPoint point = { json_number_value (step),
                                json_is_number (value) ? json_number_value (value) : NAN };
    if (json_is_number (step))
      g_array_append_val (curve, point);
  }
  return curve->len > 0 ? g_steal_pointer (&curve) : NULL;
}

const char *
report_summary_param (const ReportSummary *summary, const char *use, const char *name)
{
  const char *value = NULL;
  size_t i;
  json_t *stage;
  json_array_foreach (report_summary_stages (summary), i, stage)
  {
    if (g_str_equal (get_text (stage, "use"), use))
      value = get_text (json_object_get (stage, "with"), name);
  }
  return value;
}

/* Only values as in pipelines: the page shows it in a command to be copied, and the run may be untrusted. */
static gboolean
is_id (const char *id)
{
  return g_ascii_islower (*id) &&
         strspn (id, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen (id);
}

const char *
report_summary_stage_id (const ReportSummary *summary, const char *use)
{
  size_t i;
  json_t *stage;
  json_array_foreach (report_summary_stages (summary), i, stage)
  {
    const char *id = get_text (stage, "id");
    if (g_str_equal (get_text (stage, "use"), use) && is_id (id))
      return id;
  }
  return NULL;
}
