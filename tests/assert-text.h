/* Assertions about text that tests of several programs share. */
#pragma once

#include <glib.h>
#include <string.h>

/* @got is @wanted; frees it. */
static inline void
assert_text (char *got, const char *wanted)
{
  g_assert_cmpstr (got, ==, wanted);
  g_free (got);
}

/* @text contains @part; else the test's log says what it contains. */
static inline void
assert_has (const char *text, const char *part)
{
  if (!strstr (text, part))
    g_test_message ("‘%s’ is not in ‘%.20000s’", part, text);
  g_assert_nonnull (strstr (text, part));
}
