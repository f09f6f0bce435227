
/* Comma-separated values, with guards that keep a spreadsheet from running them as formulas. */
#include <errno.h>
#include <fcntl.h>
#include <segue/csv.h>
#include <segue/error.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A probability for each of 200,000 labels. */
#define MAX_ROW    (16u << 20)
#define MAX_FIELDS 200000

/* Characters that begin a formula in a cell; in East Asia also their wide forms. */
#define FORMULA "=+-@\t\r\n"
static const char *const wide_formula[] = { "\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d",
                                            "\xef\xbc\xa0" };

static gboolean
is_formula (const char *text)
{
  gboolean wide = FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (wide_formula); i++)
    wide = wide || g_str_has_prefix (text, wide_formula[i]);
  return wide || (*text && strchr (FORMULA, *text));
}

/* Where a cell may begin: a spreadsheet also splits at its locale's separator, in the middle of our fields. */
static gboolean
begins_cell (const char *field, const char *at)
{
  return at == field || strchr (";\t\r\n", at[-1]);
}

/* A name may itself have apostrophes there: the guard is one more before those and a formula. */
static gboolean
is_guarded (const char *text)
{
  return is_formula (text + strspn (text, "'"));
}

void
segue_csv_append (GString *line, const char *text)
{
  if (!text)
    return;
  const char *quote = strpbrk (text, ",;\t\"\r\n") ? "\"" : "";
  g_string_append (line, quote);
  for (const char *at = text; *at; at++) {
    if (begins_cell (text, at) && is_guarded (at))
      g_string_append_c (line, '\'');
    if (*at == '"')
      g_string_append_c (line, '"');
    g_string_append_c (line, *at);
  }
  g_string_append (line, quote);
}

void
segue_csv_append_number (GString *line, double value, guint digits)
{
  char format[16], text[G_ASCII_DTOSTR_BUF_SIZE];
  g_snprintf (format, sizeof format, "%%.%ug", digits);
  g_string_append (line, g_ascii_formatd (text, sizeof text, format, value));
}

/* Removes guards in place. */
static void
take_guards (char *field)
{
  char *end = strchr (field, '\'');
  for (const char *at = end; at && *at; at++)
    if (*at != '\'' || !begins_cell (field, at) || !is_guarded (at))
      *end++ = *at;
  if (end)
    *end = '\0';
}

struct _SegueCsv {
  FILE *file;
  char *shown;    /* its path, for messages */
  GString *text;  /* the row, a zero byte after each field */
  GArray *starts; /* gsize: where fields begin in it */
  guint line, row_line;
};

void
segue_csv_free (SegueCsv *csv)
{
  if (!csv)
    return;
  if (csv->file)
    fclose (csv->file);
  g_free (csv->shown);
  g_string_free (csv->text, TRUE);
  g_array_unref (csv->starts);
  g_free (csv);
}

gboolean
segue_csv_fail (const SegueCsv *csv, GError **error, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  g_autofree char *what = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  /* A truncated value may end within a character. */
  g_autofree char *valid = g_utf8_make_valid (what, -1);
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "%s:%u: %s", csv->shown, csv->row_line, valid);
  return FALSE;
}

/* A byte order mark, as Windows programs write it. */
static void
skip_mark (FILE *file)
{
  char mark[3];
  if (fread (mark, 1, sizeof mark, file) != sizeof mark ||
      memcmp (mark, "\xef\xbb\xbf", sizeof mark) != 0)
    rewind (file);
}

SegueCsv *
segue_csv_open (const char *path, GError **error)
{
  g_autoptr (SegueCsv) csv = g_new0 (SegueCsv, 1);
  struct stat info;
  csv->shown = g_filename_display_name (path);
  csv->text = g_string_new (NULL);
  csv->starts = g_array_new (FALSE, FALSE, sizeof (gsize));
  csv->line = csv->row_line = 1;
  /* O_NONBLOCK: do not wait for the other end of a pipe. */
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) {
    segue_set_error_from_errno (error, errno, SEGUE_ERROR_NO_INPUT, "can't read", path);
    return NULL;
  }
  if (fstat (fd, &info) != 0 || !S_ISREG (info.st_mode)) {
    close (fd);
    g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_DATA, "‘%s’ is not a regular file", csv->shown);
    return NULL;
  }
  csv->file = fdopen (fd, "r");
  if (!csv->file) {
    segue_set_error_from_errno (error, errno, SEGUE_ERROR_IO, "can't read", path);
    close (fd);
    return NULL;
  }
  skip_mark (csv->file);
  return g_steal_pointer (&csv);
}

static gboolean
begin_field (SegueCsv *csv, GError **error)
{
  if (csv->starts->len == MAX_FIELDS)
    return segue_csv_fail (csv, error, "a row of more than %u fields", MAX_FIELDS);
  g_array_append_val (csv->starts, csv->text->len);
  return TRUE;
}

static gboolean
csv_take (SegueCsv *csv, int c, GError **error)
{
  if (c == '\0')
    return segue_csv_fail (csv, error, "a NUL byte: this is not text");
  if (csv->text->len >= MAX_ROW)
    return segue_csv_fail (csv, error, "a row of more than %u MiB", MAX_ROW >> 20);
  g_string_append_c (csv->text, (char) c);
  return TRUE;
}

static int
peek (SegueCsv *csv)
{
  int c = getc_unlocked (csv->file);
  if (c != EOF)
    ungetc (c, csv->file);
  return c;
}

/* Inside quotes up to the closing one. */
static gboolean
read_quoted (SegueCsv *csv, GError **error)
{
  for (int c; (c = getc_unlocked (csv->file)) != EOF;) {
    csv->line += c == '\n';
    if (c == '"' && peek (csv) != '"')
      return TRUE;
    if (c == '"')
      (void) getc_unlocked (csv->file);
    if (!csv_take (csv, c, error))
      return FALSE;
  }
  return segue_csv_fail (csv, error, "a quoted field does not end");
}

/* One field and its terminator: ',', '\n' or EOF. */
static gboolean
read_field (SegueCsv *csv, int *end, GError **error)
{
  gboolean quoted = peek (csv) == '"';
  if (quoted) {
    (void) getc_unlocked (csv->file);
    if (!read_quoted (csv, error))
      return FALSE;
  }
  for (int c;;) {
    c = getc_unlocked (csv->file);
    if (c == '\r' && peek (csv) == '\n')
      c = getc_unlocked (csv->file);
    csv->line += c == '\n';
    if (c == ',' || c == '\n' || c == EOF) {
      *end = c;
      g_string_append_c (csv->text, '\0');
      return TRUE;
    }
    if (quoted)
      return segue_csv_fail (csv, error,
                             "text after a closing quote; write \"\" for a quote inside a field");
    if (!csv_take (csv, c, error))
      return FALSE;
  }
}

gboolean
segue_csv_next (SegueCsv *csv, GPtrArray *fields, GError **error)
{
  int end = ',';
  g_ptr_array_set_size (fields, 0);
  g_string_truncate (csv->text, 0);
  g_array_set_size (csv->starts, 0);
  csv->row_line = csv->line;
  if (peek (csv) != EOF)
    while (end == ',')
      if (!begin_field (csv, error) || !read_field (csv, &end, error))
        return FALSE;
  if (ferror (csv->file))
    return segue_set_error_from_errno (error, errno, SEGUE_ERROR_IO, "can't read", csv->shown);
  for (guint i = 0; i < csv->starts->len; i++) {
    char *field = csv->text->str + g_array_index (csv->starts, gsize, i);
    if (!g_utf8_validate (field, -1, NULL))
      return segue_csv_fail (csv, error, "column %u is not UTF-8", i + 1);
    take_guards (field);
    g_ptr_array_add (fields, field);
  }
  return TRUE;
}
