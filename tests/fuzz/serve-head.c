/* Heads of requests: accepted heads are unambiguous, and do not depend on how the bytes arrive.
 *
 * The rules are implemented a second time here, in another way: by splitting into lines. */
#include "head.h"
#include "standalone.h"

#include <string.h>

static guint
count (char **lines, const char *name)
{
  guint n = 0;
  for (guint i = 1; lines[i]; i++)
    n += g_ascii_strncasecmp (lines[i], name, strlen (name)) == 0 && lines[i][strlen (name)] == ':';
  return n;
}

/* @head: up to and including the empty line. */
static void
check_whole (const char *head)
{
  g_auto (GStrv) lines = g_strsplit (head, "\r\n", -1);
  g_auto (GStrv) words = g_strsplit (lines[0], " ", -1);
  g_assert_cmpuint (g_strv_length (words), ==, 3);
  g_assert_true (*words[0] && *words[1] == '/');
  g_assert_true (g_str_equal (words[2], "HTTP/1.0") || g_str_equal (words[2], "HTTP/1.1"));
  for (guint i = 0; lines[i]; i++) {
    g_assert_null (strpbrk (lines[i], "\r\n\x7f"));
    g_assert_true (i == 0 || !*lines[i] || strchr (lines[i], ':'));
    g_assert_false (g_ascii_isspace (*lines[i]));
  }
  guint lengths = count (lines, "Content-Length"), chunks = count (lines, "Transfer-Encoding");
  g_assert_cmpuint (lengths + chunks, <=, 1);
  g_assert_cmpuint (count (lines, "Host"), <=, 1);
  g_assert_cmpuint (count (lines, "Authorization"), <=, 1);
  if (g_str_equal (words[2], "HTTP/1.1"))
    g_assert_cmpuint (count (lines, "Host"), ==, 1);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  /* A copy of exactly this size, so that a read past its end is detected. */
  g_autofree char *copy = size > 0 ? g_memdup2 (data, size) : g_strdup ("");
  HeadVerdict verdict = head_judge (copy, size);
  gsize n = size > 0 ? data[size - 1] % size : 0;
  HeadVerdict before = head_judge (copy, n);
  if (verdict == HEAD_WHOLE) {
    const char *end = g_strstr_len (copy, (gssize) size, "\r\n\r\n");
    g_assert_nonnull (end);
    g_autofree char *head = g_strndup (copy, (gsize) (end - copy) + 4);
    g_assert_cmpuint (strlen (head), ==, (gsize) (end - copy) + 4);
    check_whole (head);
    /* With and without the bytes that follow. */
    g_assert_cmpint (head_judge (head, strlen (head)), ==, HEAD_WHOLE);
  }
  if (before != HEAD_PARTIAL)
    g_assert_cmpint (verdict, ==, before);
  return 0;
}
