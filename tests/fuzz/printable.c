/* Text for a terminal: nothing in it moves the cursor, or hides or reverses the displayed text. */
#include "standalone.h"
#include "term.h"

#include <string.h>

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autofree char *shown = segue_text_printable (text);
  g_assert_true (g_utf8_validate (shown, -1, NULL));
  for (const char *p = shown; *p != '\0'; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);
    gboolean joiner = c == 0x200c || c == 0x200d;
    g_assert_false (g_unichar_iscntrl (c) || c == 0x2028 || c == 0x2029 ||
                    (g_unichar_type (c) == G_UNICODE_FORMAT && !joiner));
  }
  for (guint columns = 0; columns < 12; columns += 3) {
    g_autofree char *clipped = segue_text_clip (shown, columns, columns % 2 == 0);
    g_assert_true (g_utf8_validate (clipped, -1, NULL));
    g_assert_cmpuint (segue_text_width (clipped), <=, columns);
  }
  return 0;
}
