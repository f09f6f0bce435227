#include "item/item-error.h"

#include <string.h>

#define OPEN  "‘"
#define CLOSE "’"

/* The length of the quote and @name where @text begins with them, or with a segment of it, or 0. */
static gsize
quoted_length (const char *text, const char *name)
{
  gsize n = strlen (name);
  if (!g_str_has_prefix (text, OPEN) || strncmp (text + strlen (OPEN), name, n) != 0)
    return 0;
  n += strlen (OPEN);
  return text[n] == '#' || g_str_has_prefix (text + n, CLOSE) ? n : 0;
}

GError *
segue_error_name_item (const GError *error, const char *id, const char *path, const char *name)
{
  g_autofree char *shown = path ? g_filename_display_name (path) : g_strdup (id);
  g_autofree char *valid = g_utf8_make_valid (error->message, -1);
  g_autoptr (GString) message = g_string_new (NULL);
  gboolean named = FALSE;
  for (const char *at = valid; *at;) {
    gsize n = MAX (quoted_length (at, id), quoted_length (at, shown));
    if (n > 0)
      g_string_append_printf (message, OPEN "%s", name);
    else
      g_string_append_c (message, *at);
    named |= n > 0;
    at += MAX (n, 1);
  }
  if (named)
    return g_error_new_literal (error->domain, error->code, message->str);
  return g_error_new (error->domain, error->code, OPEN "%s" CLOSE ": %s", name, message->str);
}
