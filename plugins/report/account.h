/* The run summary (account) as the page needs it. */
#pragma once

#include <glib.h>
#include <jansson.h>

/** ReportPoint: a curve at one step; NaN: no value. */
typedef struct {
  double step, value;
} ReportPoint;

/** ReportLeftOut: borrowed from the account. */
typedef struct {
  const char *stage, *id, *reason;
} ReportLeftOut;

typedef struct {
  json_t *root;
} ReportAccount;

/** report_account_parse: @text: see segue_context_get_account(); untrusted.  %SEGUE_ERROR_DATA where it is not an
 * account. */
ReportAccount *report_account_parse (const char *text, GError **error);
/** report_account_free: accepts %NULL. */
void report_account_free (ReportAccount *account);

/** report_account_text: (nullable): "segue" or "name". */
const char *report_account_text (const ReportAccount *account, const char *key);
/** report_account_stages: (transfer none): JSON array. */
json_t *report_account_stages (const ReportAccount *account);
/** report_account_left_out: (transfer full): #ReportLeftOut array. */
GArray *report_account_left_out (const ReportAccount *account);
/** report_account_curve: (transfer full) (nullable): #ReportPoint array of the last stage that has a curve @tag,
 * at most @max points, evenly spaced. */
GArray *report_account_curve (const ReportAccount *account, const char *tag, guint max);
/** report_account_param: (nullable): parameter @name of the last stage of type @use, where its
 * value is text. */
const char *report_account_param (const ReportAccount *account, const char *use, const char *name);
/** report_account_stage_id: (nullable): of the first stage of type @use. */
const char *report_account_stage_id (const ReportAccount *account, const char *use);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReportAccount, report_account_free)
