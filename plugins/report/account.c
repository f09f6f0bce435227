#include "account.h"

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
  return json_is_object (root);
}

ReportAccount *
report_account_parse (const char *text, GError **error)
{
  json_t *root = segue_json_parse (text, -1, "the run summary", SEGUE_JSON_RUN, NULL, error);
  if (root == NULL)
    return NULL;
  if (!is_whole (root)) {
    g_set_error_literal (
      error, SEGUE_ERROR, SEGUE_ERROR_DATA,
      "the run summary is damaged: a stage or a quarantined item lacks a member");
    json_decref (root);
    return NULL;
  }
  ReportAccount *account = g_new0 (ReportAccount, 1);
  account->root = root;
  return account;
}

void
report_account_free (ReportAccount *account)
{
  if (account == NULL)
    return;
  json_decref (account->root);
  g_free (account);
}

const char *
report_account_text (const ReportAccount *account, const char *key)
{
  return json_string_value (json_object_get (account->root, key));
}

json_t *
report_account_stages (const ReportAccount *account)
{
  return json_object_get (account->root, "stages");
}

static const char *
get_text (const json_t *object, const char *key)
{
  return json_string_value (json_object_get (object, key));
}

GArray *
report_account_left_out (const ReportAccount *account)
{
  GArray *left_out = g_array_new (FALSE, FALSE, sizeof (ReportLeftOut));
  size_t i;
  json_t *item;
  json_array_foreach (json_object_get (account->root, "quarantined"), i, item)
  {
    const ReportLeftOut one = { get_text (item, "stage"), get_text (item, "id"),
                                get_text (item, "reason") };
    g_array_append_val (left_out, one);
  }
  return left_out;
}

static json_t *
find_curve (const ReportAccount *account, const char *tag)
{
  json_t *found = NULL, *stage;
  size_t i;
  json_array_foreach (report_account_stages (account), i, stage)
  {
    json_t *points = json_object_get (json_object_get (stage, "curves"), tag);
    if (json_array_size (points) > 0)
      found = points;
  }
  return found;
}

GArray *
report_account_curve (const ReportAccount *account, const char *tag, guint max)
{
  json_t *points = find_curve (account, tag);
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
report_account_param (const ReportAccount *account, const char *use, const char *name)
{
  const char *value = NULL;
  size_t i;
  json_t *stage;
  json_array_foreach (report_account_stages (account), i, stage)
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
report_account_stage_id (const ReportAccount *account, const char *use)
{
  size_t i;
  json_t *stage;
  json_array_foreach (report_account_stages (account), i, stage)
  {
    const char *id = get_text (stage, "id");
    if (g_str_equal (get_text (stage, "use"), use) && is_id (id))
      return id;
  }
  return NULL;
}
