/* Terminals and the width of text on them. */
#include "term.h"

#include <errno.h>
#include <fcntl.h>
#include <segue/error.h>
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
  if (is_set ("COLUMNS"))
    columns = (guint) CLAMP (g_ascii_strtoll (g_getenv ("COLUMNS"), NULL, 10), 0, 1000);
  if (columns == 0 && ioctl (term->descriptor, TIOCGWINSZ, &size) == 0)
    columns = size.ws_col;
  term->columns = columns ? MAX (columns, MIN_COLUMNS) : DEFAULT_COLUMNS;
}

void
segue_term_guard_descriptors (void)
{
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
    if (fcntl (fd, F_GETFD) != -1 || errno != EBADF)
      continue;
    /* In the wrong direction, so that reads and writes there fail; but stderr stays writable, as
     * there is no other place to report errors. */
    int opened = open ("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_WRONLY);
    if (opened != fd)
      _exit (1);
  }
}

/* stdio keeps the errno of a failed write only until the next call. */
static ssize_t
write_noting (void *cookie, const char *bytes, size_t n)
{
  SegueTerm *term = cookie;
  size_t done = 0;
  while (done < n) {
    ssize_t written = write (term->descriptor, bytes + done, n - done);
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0) {
      term->problem = term->problem ? term->problem : errno;
      return 0;
    }
    done += (size_t) written;
  }
  return (ssize_t) n;
}

void
segue_term_init (SegueTerm *term, int descriptor)
{
  const char *kind = g_getenv ("TERM");
  gboolean dumb = !kind || !*kind || g_str_equal (kind, "dumb");
  *term = (SegueTerm){ .descriptor = descriptor };
  term->stream = fopencookie (term, "w", (cookie_io_functions_t){ .write = write_noting });
  if (!term->stream)
    abort ();
  /* As in the C library. */
  if (descriptor == STDERR_FILENO)
    setvbuf (term->stream, NULL, _IONBF, 0);
  else if (isatty (descriptor))
    setvbuf (term->stream, NULL, _IOLBF, 0);
  term->tty = isatty (descriptor) && !dumb;
  term->colour = term->tty && !is_set ("NO_COLOR");
  term->unicode = g_get_charset (NULL);
  segue_term_measure (term);
}

gboolean
segue_term_flush (SegueTerm *term, GError **error)
{
  fflush (term->stream);
  if (!term->problem)
    return TRUE;
  g_set_error (error, SEGUE_ERROR, SEGUE_ERROR_IO, "can't write the output: %s",
               g_strerror (term->problem));
  return FALSE;
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

/* Characters that move the cursor, hide text or change its direction. Not the two joiners, which
 * hide nothing and occur in names: in Persian and between emoji. */
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
    /* Characters below a space are white space between values: strings contain them only
     * escaped. */
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
segue_term_print_json (const SegueTerm *term, json_t *document, gsize flags)
{
  g_autofree char *json = segue_json_print (document, flags);
  g_autofree char *shown = segue_json_printable (json);
  fprintf (term->stream, "%s\n", shown);
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
