/* Layouts and the paths that they are matched with: fields are text, never empty, and a file's name
 * can be recovered from its text.
 *
 * The input is a layout and a path. */
#include "layout.h"
#include "names.h"
#include "scratch.h"
#include "standalone.h"

#include <string.h>

static void
check_field (const char *name, const char *value, gpointer data)
{
  g_assert_true (layout_has_field (data, name));
  g_assert_true (*value != '\0');
  g_assert_true (g_utf8_validate (value, -1, NULL));
}

static void
check_reversible (const char *path)
{
  g_autofree char *text = name_to_text (path);
  g_assert_true (g_utf8_validate (text, -1, NULL));
  g_autoptr (GString) back = g_string_new (NULL);
  for (const char *p = text; *p != '\0'; p++) {
    gboolean coded = *p == '%' && g_ascii_isxdigit (p[1]) && g_ascii_isxdigit (p[2]);
    int byte = coded ? g_ascii_xdigit_value (p[1]) * 16 + g_ascii_xdigit_value (p[2]) : *p;
    g_string_append_c (back, (char) byte);
    p += coded ? 2 : 0;
  }
  g_assert_cmpstr (back->str, ==, path);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  FuzzText texts[2];
  fuzz_split (data, size, texts, 2);
  g_autofree char *path = g_strndup ((const char *) texts[1].data, texts[1].size);
  if (*path == '\0') /* not a file name */
    return 0;
  g_autofree char *text = g_utf8_make_valid ((const char *) texts[0].data, (gssize) texts[0].size);
  g_autoptr (GError) error = NULL;
  check_reversible (path);
  g_autoptr (Layout) layout = layout_parse (text, &error);
  if (!layout) {
    fuzz_check_error (error);
    return 0;
  }
  for (guint any_depth = 0; any_depth < 2; any_depth++) {
    g_autofree char *reason = NULL;
    if (!layout_match (layout, path, any_depth > 0, check_field, layout, &reason))
      g_assert_true (g_utf8_validate (reason, -1, NULL));
  }
  return 0;
}
