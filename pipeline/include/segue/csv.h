/* Comma-separated values: RFC 4180 with either line ending, read row by row in constant memory.
 *
 * Spreadsheets evaluate a cell as a formula if it begins with = + - @ (or their full-width forms), a tab or a
 * line end; where fields are separated by semicolons or tabs, a cell may begin after one of those. At such
 * places names are written with an apostrophe, the spreadsheet's mark for text; reading removes it, so that
 * every name is read back unchanged.
 */
#pragma once

#include <glib.h>
#include <segue/version.h>

G_BEGIN_DECLS

/** segue_csv_append: appends @text as one field, quoted if necessary; not for numbers, which may be
 * negative. @text: (nullable) */
SEGUE_API
void segue_csv_append (GString *line, const char *text);

/** segue_csv_append_number: appends @value with up to @digits significant digits, in any locale. */
SEGUE_API
void segue_csv_append_number (GString *line, double value, guint digits);

typedef struct _SegueCsv SegueCsv;

/** segue_csv_open: opens a regular file, not through a link; a byte order mark is skipped. One thread at a
 * time. */
SEGUE_API
SegueCsv *segue_csv_open (const char *path, GError **error);
/** segue_csv_free: accepts %NULL. */
SEGUE_API
void segue_csv_free (SegueCsv *csv);
/**
 * segue_csv_next:
 * @fields: (element-type utf8): filled with the next row's fields, valid until the next call;
 *   empty at the end of the file
 *
 * %SEGUE_ERROR_DATA with file and line if it is not CSV in UTF-8, or a row has more than 16 MiB or
 * 200,000 fields.
 */
SEGUE_API
gboolean segue_csv_next (SegueCsv *csv, GPtrArray *fields, GError **error);
/** segue_csv_fail: sets %SEGUE_ERROR_DATA for the row that was read last. Returns %FALSE. */
SEGUE_API
gboolean segue_csv_fail (const SegueCsv *csv, GError **error, const char *format, ...)
  G_GNUC_PRINTF (3, 4);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (SegueCsv, segue_csv_free)

G_END_DECLS
