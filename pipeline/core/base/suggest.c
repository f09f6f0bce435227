/* "Did you mean …?": the nearest of some names to a word. */
#include "base/suggest.h"

#include <string.h>

/* No name is longer; a longer word matches nothing. */
#define LONGEST 64

static char
folded (char c)
{
  return c == '_' ? '-' : g_ascii_tolower (c);
}

/* Edits (insert, delete, replace, swap two neighbours) from @a to @b. */
static guint
distance (const char *a, const char *b)
{
  gsize m = strlen (a), n = strlen (b);
  guint rows[3][LONGEST + 1]; /* of the edit matrix: the current one and the two before */
  for (gsize j = 0; j <= n; j++)
    rows[0][j] = (guint) j;
  for (gsize i = 1; i <= m; i++) {
    guint *row = rows[i % 3], *above = rows[(i + 2) % 3], *above2 = rows[(i + 1) % 3];
    row[0] = (guint) i;
    for (gsize j = 1; j <= n; j++) {
      char x = folded (a[i - 1]), y = folded (b[j - 1]);
      row[j] = MIN (MIN (row[j - 1], above[j]) + 1, above[j - 1] + (x != y));
      if (i > 1 && j > 1 && x == folded (b[j - 2]) && y == folded (a[i - 2]))
        row[j] = MIN (row[j], above2[j - 2] + 1);
    }
  }
  return rows[m % 3][n];
}

/* The only candidate that contains @word: as one of its words, or as its prefix. NULL: there are none or
 * several. */
static const char *
find_by_part (const char *word, const char *const *candidates)
{
  const char *found = NULL;
  gsize length = strlen (word);
  if (length < 3)
    return NULL;
  for (; *candidates; candidates++) {
    const char *at = *candidates;
    gboolean fits = g_str_has_prefix (at, word);
    while (!fits && (at = strpbrk (at, "-_"))) {
      at++;
      fits = g_str_has_prefix (at, word) && (at[length] == '\0' || strchr ("-_", at[length]));
    }
    if (fits && found)
      return NULL;
    found = fits ? *candidates : found;
  }
  return found;
}

char *
segue_suggest (const char *word, const char *const *candidates)
{
  const char *const *all = candidates;
  gsize length = strlen (word);
  if (length == 0 || length > LONGEST)
    return NULL;
  guint nearest = (guint) MAX (1, length / 3) + 1;
  const char *best = NULL;
  for (; *candidates; candidates++) {
    if (strlen (*candidates) > LONGEST)
      continue;
    guint edits = distance (word, *candidates);
    if (edits < nearest) {
      nearest = edits;
      best = *candidates;
    }
  }
  return g_strdup (best ? best : find_by_part (word, all));
}
