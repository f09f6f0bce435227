#include "base/advice-marks.h"

#include <string.h>

#define OPEN   "\u27e6"
#define MIDDLE "\u00a6"
#define CLOSE  "\u27e7"

char *
segue_advice_replace (const char *message, SegueAdviceFunc replace, gpointer data)
{
  GString *out = g_string_new (NULL);
  const char *at = message, *open;
  while ((open = strstr (at, OPEN))) {
    const char *middle = strstr (open, MIDDLE);
    const char *close = middle ? strstr (middle, CLOSE) : NULL;
    if (!close)
      break;
    const char *words = open + strlen (OPEN), *setting = middle + strlen (MIDDLE);
    g_autofree char *before = g_strndup (words, (gsize) (middle - words));
    g_autofree char *what = g_strndup (setting, (gsize) (close - setting));
    g_string_append_len (out, at, open - at);
    if (replace)
      replace (out, before, what, data);
    at = close + strlen (CLOSE);
  }
  g_string_append (out, at);
  return g_string_free (out, FALSE);
}

void
segue_advice_replace_error (GError **error, SegueAdviceFunc replace, gpointer data)
{
  if (!error || !*error || !strstr ((*error)->message, OPEN))
    return;
  g_autofree char *old = (*error)->message;
  (*error)->message = segue_advice_replace (old, replace, data);
}
