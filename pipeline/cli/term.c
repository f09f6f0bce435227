/* Terminals and the width of text on them. */
#include "term.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEFAULT_COLUMNS 80
#define MIN_COLUMNS     20

static gboolean
is_set (const char *variable)
{
  const char *value = g_getenv (variable);
  return value && *value;
}

void
segue_term_measure (SegueTerm *term)
{
  struct winsize size = { 0 };
  guint columns = 0;
  if (ioctl (fileno (term->stream), TIOCGWINSZ, &size) == 0)
    columns = size.ws_col;
  if (columns == 0 && is_set ("COLUMNS"))
    columns = (guint) CLAMP (g_ascii_strtoll (g_getenv ("COLUMNS"), NULL, 10), 0, 1000);
  term->columns = columns ? MAX (columns, MIN_COLUMNS) : DEFAULT_COLUMNS;
}

void
segue_term_init (SegueTerm *term, FILE *stream)
{
  const char *kind = g_getenv ("TERM");
  gboolean dumb = !kind || !*kind || g_str_equal (kind, "dumb");
  *term = (SegueTerm){ .stream = stream };
  term->tty = isatty (fileno (stream)) && !dumb;
  term->colour = term->tty && !is_set ("NO_COLOR");
  term->unicode = g_get_charset (NULL);
  segue_term_measure (term);
}

const char *
segue_term_style (const SegueTerm *term, SegueStyle style)
{
  static const char *const codes[] = {
    [SEGUE_STYLE_BOLD] = "\033[1m",    [SEGUE_STYLE_DIM] = "\033[2m",
    [SEGUE_STYLE_RED] = "\033[31m",    [SEGUE_STYLE_GREEN] = "\033[32m",
    [SEGUE_STYLE_YELLOW] = "\033[33m", [SEGUE_STYLE_CYAN] = "\033[36m",
  };
  return term->colour ? codes[style] : "";
}

const char *
segue_term_reset (const SegueTerm *term)
{
  return term->colour ? "\033[0m" : "";
}

/* Characters that move the cursor, hide text or turn its direction.  Two that hide nothing are part
 * of names: joiners, in Persian and between emoji. */
static gboolean
is_unsafe (gunichar c)
{
  if (c == 0x200c || c == 0x200d)
    return FALSE;
  switch (g_unichar_type (c)) {
  case G_UNICODE_CONTROL:
  case G_UNICODE_FORMAT:
  case G_UNICODE_LINE_SEPARATOR:
  case G_UNICODE_PARAGRAPH_SEPARATOR:
    return TRUE;
  default:
    return FALSE;
  }
}

char *
segue_text_printable (const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *out = g_string_sized_new (strlen (valid));
  for (const char *p = valid; *p; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);
    if (c == '\n')
      g_string_append (out, "\\n");
    else if (c == '\t')
      g_string_append (out, "\\t");
    else if (is_unsafe (c))
      g_string_append_printf (out, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
    else
      g_string_append_unichar (out, c);
  }
  return g_string_free (out, FALSE);
}

char *
segue_json_printable (const char *json)
{
  GString *out = g_string_sized_new (strlen (json));
  for (const char *p = json; *p; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);
    /* What is below a space is white space between the values: strings have it escaped. */
    if (c < 0x20 || !is_unsafe (c))
      g_string_append_unichar (out, c);
    else if (c < 0x10000)
      g_string_append_printf (out, "\\u%04x", c);
    else
      g_string_append_printf (out, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
                              0xdc00 + ((c - 0x10000) & 0x3ff));
  }
  return g_string_free (out, FALSE);
}

void
segue_term_print_json (const SegueTerm *term, char *json)
{
  g_autofree char *shown = segue_json_printable (json ? json : "null");
  fprintf (term->stream, "%s\n", shown);
  free (json);
}

static guint
char_width (gunichar c)
{
  if (g_unichar_iszerowidth (c))
    return 0;
  return g_unichar_iswide (c) ? 2 : 1;
}

guint
segue_text_width (const char *text)
{
  guint width = 0;
  for (const char *p = text; *p; p = g_utf8_next_char (p))
    width += char_width (g_utf8_get_char (p));
  return width;
}

char *
segue_text_clip (const char *text, guint columns, gboolean unicode)
{
  if (segue_text_width (text) <= columns)
    return g_strdup (text);
  const char *ellipsis = unicode ? "…" : "...";
  guint room = columns - MIN (columns, segue_text_width (ellipsis));
  guint width = 0;
  const char *end = text;
  while (*end) {
    guint next = char_width (g_utf8_get_char (end));
    if (width + next > room)
      break;
    width += next;
    end = g_utf8_next_char (end);
  }
  g_autofree char *kept = g_strndup (text, (gsize) (end - text));
  return columns < segue_text_width (ellipsis) ? g_strndup ("...", columns)
                                               : g_strconcat (kept, ellipsis, NULL);
}

void
segue_text_append_padded (GString *out, const char *text, guint columns)
{
  g_string_append (out, text);
  for (guint width = segue_text_width (text); width < columns; width++)
    g_string_append_c (out, ' ');
}

void
segue_text_append_wrapped (GString *out, const char *text, guint indent, guint columns)
{
  g_auto (GStrv) words = g_strsplit_set (text, " \n", -1);
  guint at = indent;
  for (gsize i = 0; words[i]; i++) {
    if (!*words[i])
      continue;
    guint width = segue_text_width (words[i]);
    if (at > indent && at + 1 + width > columns) {
      g_string_append_printf (out, "\n%*s", (int) indent, "");
      at = indent;
    } else if (at > indent) {
      g_string_append_c (out, ' ');
      at++;
    }
    g_string_append (out, words[i]);
    at += width;
  }
  g_string_append_c (out, '\n');
}
