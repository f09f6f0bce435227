/* The line of a pipeline that an error refers to. */
#include "cli.h"

#include <string.h>

#define MAX_FILE (4 * 1024 * 1024)

/* Parses `file:line:column: …`; the file's name may contain colons. */
static gboolean
parse_place (const char *message, char **file, guint *line, guint *column)
{
  g_autoptr (GRegex) regex =
    g_regex_new ("^(.+?):([0-9]{1,9}):([0-9]{1,9}): ", G_REGEX_RAW, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  if (!g_regex_match (regex, message, 0, &match))
    return FALSE;
  g_autofree char *line_text = g_match_info_fetch (match, 2);
  g_autofree char *column_text = g_match_info_fetch (match, 3);
  *file = g_match_info_fetch (match, 1);
  *line = (guint) g_ascii_strtoull (line_text, NULL, 10);
  *column = (guint) g_ascii_strtoull (column_text, NULL, 10);
  return *line > 0 && *column > 0;
}

static char *
read_line (const char *file, guint line)
{
  g_autofree char *text = NULL;
  gsize length = 0;
  if (!g_file_test (file, G_FILE_TEST_IS_REGULAR) ||
      !g_file_get_contents (file, &text, &length, NULL) || length > MAX_FILE)
    return NULL;
  const char *at = g_str_has_prefix (text, "\xef\xbb\xbf") ? text + 3 : text;
  for (guint i = 1; i < line; i++) {
    at = strchr (at, '\n');
    if (!at++)
      return NULL;
  }
  g_autofree char *raw = g_strndup (at, strcspn (at, "\r\n"));
  /* One column per character, so that the caret is under the right character. */
  g_strdelimit (raw, "\t", ' ');
  return segue_text_printable (raw);
}

char *
segue_excerpt (const SegueTerm *term, const char *message)
{
  g_autofree char *file = NULL;
  guint line = 0, column = 0;
  if (!parse_place (message, &file, &line, &column))
    return NULL;
  g_autofree char *text = read_line (file, line);
  if (!text || !*text)
    return NULL;

  glong n_chars = g_utf8_strlen (text, -1);
  const char *caret = g_utf8_offset_to_pointer (text, MIN ((glong) column - 1, n_chars));
  g_autofree char *before = g_strndup (text, (gsize) (caret - text));
  g_autofree char *gutter = g_strdup_printf ("%5u | ", line);
  guint room = term->columns - MIN (term->columns, segue_text_width (gutter));
  g_autofree char *shown = segue_text_clip (text, room, term->unicode);
  guint at = segue_text_width (before);
  GString *out = g_string_new (NULL);
  g_string_append_printf (out, "%s%s%s%s\n", segue_term_style (term, SEGUE_STYLE_DIM), gutter,
                          segue_term_reset (term), shown);
  if (at < room)
    g_string_append_printf (out, "%*s%s^%s\n", (int) (segue_text_width (gutter) + at), "",
                            segue_term_style (term, SEGUE_STYLE_RED), segue_term_reset (term));
  return g_string_free (out, FALSE);
}
