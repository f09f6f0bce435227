#include "base/number.h"

#include <math.h>

/* Up to here a double represents every whole number exactly. */
#define EXACT_LIMIT 9007199254740992.0 /* 2^53 */

char *
segue_number_to_text (double value)
{
  if (value == floor (value) && fabs (value) <= EXACT_LIMIT)
    return g_strdup_printf ("%" G_GINT64_FORMAT, (gint64) value);
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  for (int digits = 1; digits <= 17; digits++) {
    char format[8];
    g_snprintf (format, sizeof format, "%%.%dg", digits);
    g_ascii_formatd (text, sizeof text, format, value);
    if (g_ascii_strtod (text, NULL) == value)
      break;
  }
  return g_strdup (text);
}
