/* Labels and titles as names of folders and files: one component below its folder, on any system. */
#include "names.h"
#include "standalone.h"

#include <glib.h>
#include <string.h>

static void
check_name (const char *name)
{
  g_assert_true (*name != '\0' && *name != '.' && *name != '-');
  g_assert_cmpuint (strlen (name), <=, 160);
  g_assert_true (g_utf8_validate (name, -1, NULL));
  g_assert_true (name[strlen (name) - 1] != '.' && name[strlen (name) - 1] != ' ');
  g_assert_null (strpbrk (name, "/\\:*?\"<>|"));
  for (const char *p = name; *p != '\0'; p = g_utf8_next_char (p)) {
    gunichar c = g_utf8_get_char (p);
    g_assert_false (g_unichar_iscntrl (c) || g_unichar_type (c) == G_UNICODE_FORMAT);
  }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (Names) names = names_new ();
  g_autofree char *first = names_make (names, "train", text);
  g_autofree char *second = names_make (names, "train", text);
  g_autofree char *third = names_make (names, "train", first);
  check_name (first);
  check_name (second);
  check_name (third);
  g_assert_true (g_ascii_strcasecmp (first, second) != 0);
  g_assert_true (g_ascii_strcasecmp (first, third) != 0);
  return 0;
}
