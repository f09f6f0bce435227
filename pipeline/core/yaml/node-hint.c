/* Hints where YAML reads text with braces as something else than its author meant. */
#include "yaml/node.h"
#include <string.h>

/* Whether a `{word}` begins at @text, as in `{artist}` or `${music}`; its length, or 0. */
static gsize
placeholder_length (const char *text)
{
  gsize i = text[0] == '$' ? 1 : 0;
  if (text[i++] != '{' || !g_ascii_isalpha (text[i]))
    return 0;
  while (g_ascii_isalnum (text[i]) || text[i] == '_' || text[i] == '-')
    i++;
  return text[i] == '}' ? i + 1 : 0;
}

/* Skips a quoted string that begins at @i; the index of the closing quote, or of the line's end. */
static gsize
skip_quoted (const char *line, gsize i)
{
  char quote = line[i++];
  while (line[i] && line[i] != quote)
    i += line[i] == '\\' && quote == '"' && line[i + 1] ? 2 : 1;
  return i;
}

/* The text from @i to where the value ends: at a comment, and inside braces also at `,` or ` }`. */
static gsize
value_end (const char *line, gsize i, gboolean in_flow)
{
  for (; line[i]; i++) {
    if (line[i] == ' ' && line[i + 1] == '#')
      break;
    if (in_flow && (line[i] == ',' || (line[i] == ' ' && strchr ("}]", line[i + 1]))))
      break;
  }
  while (i > 0 && g_ascii_isspace (line[i - 1]))
    i--;
  return i;
}

char *
segue_node_braces_hint (const char *line, guint *column)
{
  gboolean in_flow = FALSE;
  for (gsize i = 0; line[i]; i++) {
    if (line[i] == '"' || line[i] == '\'') {
      i = skip_quoted (line, i);
      if (!line[i])
        return NULL;
      continue;
    }
    if (line[i] == '#' && (i == 0 || line[i - 1] == ' '))
      return NULL;
    /* Only where a value begins: after "key: ", "- ", ", " or an opening bracket. */
    gboolean begins = i >= 2 && line[i - 1] == ' ' && strchr (":-,[{", line[i - 2]);
    gsize length = begins ? placeholder_length (line + i) : 0;
    gsize end = length > 0 ? value_end (line, i, in_flow) : 0;
    /* `{artist}` alone is a map, and `${music}` is text where no bracket is open: both are YAML. */
    if (length > 0 && (line[i] == '$' ? in_flow : end > i + length)) {
      g_autofree char *value = g_strndup (line + i, MAX (end, i + length) - i);
      *column = (guint) g_utf8_strlen (line, (gssize) i) + 1;
      return g_strdup_printf ("text with braces needs quotes: write \"%s\"", value);
    }
    if (line[i] == '{' || line[i] == '[')
      in_flow = TRUE;
  }
  return NULL;
}
