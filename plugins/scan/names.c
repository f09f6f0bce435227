#include "names.h"

#include <string.h>

char *
name_to_text (const char *bytes)
{
  GString *text = g_string_new (NULL);

  while (*bytes) {
    gunichar c = g_utf8_get_char_validated (bytes, -1);
    gboolean is_text = c != (gunichar) -1 && c != (gunichar) -2;
    const char *next = is_text ? g_utf8_next_char (bytes) : bytes + 1;

    if (!is_text || (c == '%' && g_ascii_isxdigit (bytes[1]) && g_ascii_isxdigit (bytes[2])))
      g_string_append_printf (text, "%%%02X", (guchar) *bytes);
    else
      g_string_append_len (text, bytes, next - bytes);
    bytes = next;
  }
  return g_string_free (text, FALSE);
}

char *
name_to_nfc (const char *bytes)
{
  g_autofree char *text = name_to_text (bytes);

  return g_utf8_normalize (text, -1, G_NORMALIZE_NFC);
}

gboolean
name_has_extension (const char *name, const GArray *extensions)
{
  const char *dot = strrchr (name, '.');

  if (!dot || dot == name)
    return FALSE;
  for (guint i = 0; i < extensions->len; i++) {
    const char *wanted = g_array_index (extensions, const char *, i);

    if (g_ascii_strcasecmp (dot + 1, wanted + (*wanted == '.')) == 0)
      return TRUE;
  }
  return FALSE;
}

char *
name_fold (const char *text)
{
  g_autofree char *nfc = name_to_nfc (text);

  return g_utf8_casefold (nfc, -1);
}

static int
compare (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

GPtrArray *
names_sorted (GHashTable *table)
{
  GPtrArray *names = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer name;

  g_hash_table_iter_init (&iter, table);
  while (g_hash_table_iter_next (&iter, &name, NULL))
    g_ptr_array_add (names, name);
  g_ptr_array_sort (names, compare);
  return names;
}
