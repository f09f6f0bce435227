/* Scalar typing: the value of a plain scalar in YAML 1.2's core schema. */
#include "yaml/scalar.h"
#include "base/number.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* Up to here a double represents every whole number exactly. */
#define EXACT_LIMIT 9007199254740992.0 /* 2^53 */

gboolean
segue_scalar_to_bool (const char *text, gboolean *value)
{
  static const char *const yes[] = { "true", "True", "TRUE", NULL };
  static const char *const no[] = { "false", "False", "FALSE", NULL };
  *value = g_strv_contains (yes, text);
  return *value || g_strv_contains (no, text);
}

/* The base of an integer's text, and in @digits its digits after sign and prefix; 0: no integer. */
static guint
integer_base (const char *text, const char **digits)
{
  gboolean sign = *text == '-' || *text == '+';
  const char *d = text + sign;
  guint base = 10;
  if (!sign && d[0] == '0' && (d[1] == 'x' || d[1] == 'o')) {
    base = d[1] == 'x' ? 16 : 8;
    d += 2;
  }
  *digits = d;
  if (!*d)
    return 0;
  for (; *d; d++) {
    int digit = g_ascii_xdigit_value (*d);
    if (digit < 0 || digit >= (int) base)
      return 0;
  }
  return base;
}

static gboolean
is_float (const char *text)
{
  const char *c = text + (*text == '-' || *text == '+');
  gsize whole = strspn (c, "0123456789");
  c += whole;
  gsize fraction = 0;
  if (*c == '.') {
    fraction = strspn (++c, "0123456789");
    c += fraction;
  }
  if (whole + fraction == 0)
    return FALSE;
  if (*c == 'e' || *c == 'E') {
    c++;
    c += *c == '-' || *c == '+';
    gsize exponent = strspn (c, "0123456789");
    if (exponent == 0)
      return FALSE;
    c += exponent;
  }
  return *c == '\0';
}

static gboolean
is_not_finite (const char *text)
{
  static const char *const nans[] = { ".nan", ".NaN", ".NAN", NULL };
  static const char *const infs[] = { ".inf", ".Inf", ".INF", NULL };
  return g_strv_contains (nans, text) ||
         g_strv_contains (infs, text + (*text == '-' || *text == '+'));
}

SegueScalarResult
segue_scalar_to_double (const char *text, double *value)
{
  const char *digits;
  guint base = integer_base (text, &digits);
  if (base == 8 || base == 16) {
    errno = 0;
    guint64 n = g_ascii_strtoull (digits, NULL, base);
    *value = (double) n;
    return errno == ERANGE ? SEGUE_SCALAR_TOO_LARGE : SEGUE_SCALAR_OK;
  }
  if (is_not_finite (text))
    return SEGUE_SCALAR_NOT_FINITE;
  if (!is_float (text))
    return SEGUE_SCALAR_OTHER;
  *value = g_ascii_strtod (text, NULL);
  return isfinite (*value) ? SEGUE_SCALAR_OK : SEGUE_SCALAR_TOO_LARGE;
}

SegueScalarResult
segue_scalar_to_int (const char *text, gint64 *value)
{
  const char *digits;
  guint base = integer_base (text, &digits);
  if (base > 0) {
    errno = 0;
    *value = base == 10 ? g_ascii_strtoll (text, NULL, 10) : g_ascii_strtoll (digits, NULL, base);
    return errno == ERANGE ? SEGUE_SCALAR_TOO_LARGE : SEGUE_SCALAR_OK;
  }
  double number;
  SegueScalarResult result = segue_scalar_to_double (text, &number);
  if (result != SEGUE_SCALAR_OK)
    return result;
  if (number != floor (number))
    return SEGUE_SCALAR_OTHER;
  if (fabs (number) > EXACT_LIMIT)
    return SEGUE_SCALAR_TOO_LARGE;
  *value = (gint64) number;
  return SEGUE_SCALAR_OK;
}

/* Removes separators from "1,000" and "1_000", and gives "0,5" a decimal point. */
static char *
without_ornaments (const char *text)
{
  gboolean groups = g_regex_match_simple ("^[+-]?[0-9]{1,3}([,_][0-9]{3})+", text, 0, 0);
  GString *number = g_string_new (NULL);
  for (const char *c = text; *c; c++) {
    if (*c == ',' && !groups)
      g_string_append_c (number, '.');
    else if (*c != ',' && *c != '_')
      g_string_append_c (number, *c);
  }
  return g_string_free (number, FALSE);
}

/* How many of @unit (%NULL: plain numbers) one @suffix is; 0: unknown. */
static double
find_factor (const char *suffix, const char *unit)
{
  static const struct {
    const char *suffix, *unit;
    double factor;
  } factors[] = {
    { "ms", "s", 0.001 },    { "sec", "s", 1 },      { "secs", "s", 1 },    { "second", "s", 1 },
    { "seconds", "s", 1 },   { "m", "s", 60 },       { "min", "s", 60 },    { "minutes", "s", 60 },
    { "h", "s", 3600 },      { "k", "Hz", 1000 },    { "kHz", "Hz", 1000 }, { "m", "minutes", 1 },
    { "min", "minutes", 1 }, { "h", "minutes", 60 }, { "dB", "dBFS", 1 },   { "k", "", 1000 },
    { "m", "", 1000000 },    { "%", "", 0.01 },
  };
  if (*suffix == '\0' || g_ascii_strcasecmp (suffix, unit ? unit : "") == 0)
    return 1;
  for (guint i = 0; i < G_N_ELEMENTS (factors); i++)
    if (g_ascii_strcasecmp (suffix, factors[i].suffix) == 0 &&
        g_ascii_strcasecmp (unit ? unit : "", factors[i].unit) == 0)
      return factors[i].factor;
  /* "10 songs"; not an exponent without its number. */
  gsize letters = 0;
  while (g_ascii_isalpha (suffix[letters]))
    letters++;
  return !unit && suffix[letters] == '\0' && g_ascii_strcasecmp (suffix, "e") ? 1 : 0;
}

char *
segue_scalar_meant (const char *text, const char *unit)
{
  g_autofree char *trimmed = g_strstrip (g_strndup (text, 64));
  g_autofree char *number = strlen (text) < 64 ? without_ornaments (trimmed) : NULL;
  if (!number || is_float (number))
    return number && strcmp (number, text) ? g_steal_pointer (&number) : NULL;
  gsize end = strspn (number, "+-.0123456789");
  g_autofree char *suffix = g_strdup (g_strchug (number + end));
  number[end] = '\0';
  double factor = is_float (number) ? find_factor (suffix, unit) : 0;
  if (factor == 1)
    return g_steal_pointer (&number);
  return factor > 0 ? segue_number_to_text (g_ascii_strtod (number, NULL) * factor) : NULL;
}
