#include "text.h"

#include <math.h>

#define REPLACEMENT 0xfffd

/* Controls, line and paragraph separators, and characters that change the direction of the
 * surrounding text. */
static gboolean
is_harmful (gunichar c)
{
  return g_unichar_iscntrl (c) || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) ||
         c == 0x200e || c == 0x200f || c == 0x061c || c == 0xfeff || (c & 0xfffe) == 0xfffe ||
         (c >= 0xe0000 && c <= 0xe001f);
}

char *
report_text_shown (const char *text)
{
  GString *shown = g_string_new (NULL);
  for (; *text != '\0'; text = g_utf8_next_char (text)) {
    gunichar c = g_utf8_get_char (text);
    g_string_append_unichar (shown, is_harmful (c) ? REPLACEMENT : c);
  }
  return g_string_free (shown, FALSE);
}

/* Wider than most letters, so that text of the estimated width fits. */
static double
width_of (gunichar c)
{
  if (g_unichar_iszerowidth (c))
    return 0;
  if (g_unichar_iswide (c))
    return 1.05;
  return g_unichar_isupper (c) ? 0.7 : 0.56;
}

char *
report_text_fit (const char *text, double ems)
{
  g_autofree char *shown = report_text_shown (text);
  double width = 0;
  const char *cut = shown;
  for (const char *p = shown; *p != '\0'; p = g_utf8_next_char (p)) {
    /* Room for the ellipsis. */
    if (width + 1 <= ems)
      cut = p;
    width += width_of (g_utf8_get_char (p));
    if (width <= ems)
      continue;
    g_autofree char *start = g_strndup (shown, (gsize) (cut - shown));
    return g_strconcat (g_strchomp (start), "…", NULL);
  }
  return g_steal_pointer (&shown);
}

void
report_text_append_html (GString *html, const char *text)
{
  g_autofree char *shown = report_text_shown (text);
  for (const char *p = shown; *p != '\0'; p++) {
    switch (*p) {
    case '&':
      g_string_append (html, "&amp;");
      break;
    case '<':
      g_string_append (html, "&lt;");
      break;
    case '>':
      g_string_append (html, "&gt;");
      break;
    case '"':
      g_string_append (html, "&quot;");
      break;
    case '\'':
      g_string_append (html, "&#39;");
      break;
    default:
      g_string_append_c (html, *p);
    }
  }
}

char *
report_text_share (double share)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  if (!isfinite (share))
    return g_strdup ("–");
  /* Adding zero turns minus zero into zero. */
  g_ascii_formatd (text, sizeof text, "%.0f", round (100 * share) + 0.0);
  return g_strconcat (text, " %", NULL);
}
