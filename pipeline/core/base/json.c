/* JSON text, written in order. */
#include "base/json.h"
#include "base/number.h"
#include <string.h>

void
segue_json_init (SegueJson *json, gboolean pretty)
{
  *json = (SegueJson){ .text = g_string_new (NULL), .pretty = pretty, .empty = TRUE };
}

char *
segue_json_finish (SegueJson *json)
{
  if (json->pretty)
    g_string_append_c (json->text, '\n');
  return g_string_free (g_steal_pointer (&json->text), FALSE);
}

static void
new_line (SegueJson *json)
{
  if (json->pretty)
    g_string_append_printf (json->text, "\n%*s", (int) (2 * json->depth), "");
}

/* Writes the separator between the previous value and this one. */
static void
separate (SegueJson *json)
{
  if (json->after_key) {
    json->after_key = FALSE;
    return;
  }
  if (!json->empty)
    g_string_append_c (json->text, ',');
  if (json->depth > 0)
    new_line (json);
  json->empty = FALSE;
}

void
segue_json_open (SegueJson *json, char bracket)
{
  separate (json);
  g_string_append_c (json->text, bracket);
  json->depth++;
  json->empty = TRUE;
}

void
segue_json_close (SegueJson *json, char bracket)
{
  json->depth--;
  if (!json->empty)
    new_line (json);
  g_string_append_c (json->text, bracket == '{' ? '}' : ']');
  json->empty = FALSE;
}

static void
append_quoted (GString *text, const char *value)
{
  g_autofree char *valid = g_utf8_make_valid (value, -1);
  g_string_append_c (text, '"');
  for (const char *c = valid; *c; c++) {
    switch (*c) {
    case '"':
    case '\\':
      g_string_append_c (text, '\\');
      g_string_append_c (text, *c);
      break;
    case '\n':
      g_string_append (text, "\\n");
      break;
    case '\t':
      g_string_append (text, "\\t");
      break;
    default:
      if ((guchar) *c < 0x20 || *c == 0x7f)
        g_string_append_printf (text, "\\u%04x", (guint) *c);
      else
        g_string_append_c (text, *c);
    }
  }
  g_string_append_c (text, '"');
}

void
segue_json_key (SegueJson *json, const char *key)
{
  separate (json);
  append_quoted (json->text, key);
  g_string_append (json->text, json->pretty ? ": " : ":");
  json->after_key = TRUE;
}

void
segue_json_string (SegueJson *json, const char *value)
{
  if (!value) {
    segue_json_null (json);
    return;
  }
  separate (json);
  append_quoted (json->text, value);
}

void
segue_json_int (SegueJson *json, gint64 value)
{
  separate (json);
  g_string_append_printf (json->text, "%" G_GINT64_FORMAT, value);
}

void
segue_json_uint (SegueJson *json, guint64 value)
{
  separate (json);
  g_string_append_printf (json->text, "%" G_GUINT64_FORMAT, value);
}

void
segue_json_double (SegueJson *json, double value)
{
  separate (json);
  g_autofree char *text = segue_number_to_text (value);
  g_string_append (json->text, text);
}

void
segue_json_bool (SegueJson *json, gboolean value)
{
  separate (json);
  g_string_append (json->text, value ? "true" : "false");
}

void
segue_json_null (SegueJson *json)
{
  separate (json);
  g_string_append (json->text, "null");
}

void
segue_json_raw (SegueJson *json, const char *value)
{
  separate (json);
  gsize length = strlen (value);
  while (length > 0 && g_ascii_isspace (value[length - 1]))
    length--;
  for (gsize i = 0; i < length; i++) {
    if (value[i] == '\n')
      new_line (json);
    else
      g_string_append_c (json->text, value[i]);
  }
}

void
segue_json_key_string (SegueJson *json, const char *key, const char *value)
{
  segue_json_key (json, key);
  segue_json_string (json, value);
}

void
segue_json_key_open (SegueJson *json, const char *key, char bracket)
{
  segue_json_key (json, key);
  segue_json_open (json, bracket);
}
