/* Comma-separated values, row by row, in constant memory: RFC 4180 with either line end. */
#pragma once

#include <glib.h>

typedef struct _ReportCsv ReportCsv;

/** report_csv_open: a regular file, not through a link. */
ReportCsv *report_csv_open (const char *path, GError **error);
/** report_csv_free: accepts %NULL. */
void report_csv_free (ReportCsv *csv);
/**
 * report_csv_next:
 * @fields: (element-type utf8): is filled with the next row's fields, valid until the next call;
 *   empty at the end of the file
 *
 * %SEGUE_ERROR_DATA with file and line where it is no CSV in UTF-8, or a row is beyond reason.
 */
gboolean report_csv_next (ReportCsv *csv, GPtrArray *fields, GError **error);
/** report_csv_fail: sets %SEGUE_ERROR_DATA about the row that was read last.  Returns %FALSE. */
gboolean report_csv_fail (const ReportCsv *csv, GError **error, const char *format, ...)
  G_GNUC_PRINTF (3, 4);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ReportCsv, report_csv_free)
